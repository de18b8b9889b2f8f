// SPDX-License-Identifier: BSD-3-Clause
// Weights of a binary matrix-vector unit: a read-only memory.
//
// Function      word is, one cycle later, the word at address.
// Contents      FILE, read by $readmemh, one word of WIDTH bits per line in hexadecimal, word 0 first.
// Memory        STYLE "block" is block RAM. "lut" is logic: the contents become truth tables and synthesis merges them
//               with what reads them. Up to 64 words the register is at the address and the word is a LUT behind it
//               (up to 16, it and its XNOR with the input are one LUT5); beyond, it is at the word. xnor_rom takes
//               half as many LUTs, but not from a file.
//               "distributed" is the same logic as "lut": a LUT RAM that is never written is nothing but a LUT, and
//               Yosys refuses to map a memory without a write port to RAM cells.
// Latency       1 cycle.
`default_nettype none

module xnor_weights #(
    parameter integer WIDTH = 64,             // bits of a word, 1 or more
    parameter integer WORDS = 16,             // 1 or more; need not be a power of two
    parameter         FILE  = "weights.mem",  // contents
    parameter [87:0]  STYLE = "block",        // "lut", "distributed" or "block"
    parameter integer ADDR  = WORDS > 1 ? $clog2(WORDS) : 1  // bits of an address; leave it
) (
    input  wire logic             clk,
    input  wire logic [ADDR-1:0]  address,
    output wire logic [WIDTH-1:0] word
);
    localparam [87:0] LUT         = "lut";
    localparam [87:0] DISTRIBUTED = "distributed";
    localparam [87:0] BLOCK       = "block";

    genvar k;
    generate
        if (WIDTH < 1 || WORDS < 1 || (STYLE != LUT && STYLE != DISTRIBUTED && STYLE != BLOCK)) begin : g_check
            $error("xnor_weights: WIDTH %0d, WORDS %0d, STYLE %0s, expected 1 or more and lut, distributed or block",
                WIDTH, WORDS, STYLE);
        end

        if (STYLE == BLOCK) begin : g_block
            (* ram_style = "block", rom_style = "block" *) logic [WIDTH-1:0] memory [WORDS];
            initial $readmemh(FILE, memory);
            logic [WIDTH-1:0] q;
            always_ff @(posedge clk) q <= memory[address];
            assign word = q;
        end else begin : g_lut
            // One vector of all words: a memory would go to block RAM, or Yosys would move the address register.
            logic [WIDTH-1:0] memory [WORDS];
            initial $readmemh(FILE, memory);
            wire logic [WORDS*WIDTH-1:0] all;
            for (k = 0; k < WORDS; k = k + 1) begin : g_word
                assign all[k*WIDTH +: WIDTH] = memory[k];
            end
            if (WORDS > 64) begin : g_large
                logic [WIDTH-1:0] q;
                always_ff @(posedge clk) q <= all[address*WIDTH +: WIDTH];
                assign word = q;
            end else begin : g_small
                logic [ADDR-1:0] address_q;
                always_ff @(posedge clk) address_q <= address;
                assign word = all[address_q*WIDTH +: WIDTH];
            end
        end
    endgenerate
endmodule

`default_nettype wire
