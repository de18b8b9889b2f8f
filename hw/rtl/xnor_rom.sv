// SPDX-License-Identifier: BSD-3-Clause
// Constant weights in truth tables, at half a LUT per bit of a word of up to 32 words.
//
// Function      MERGED = 0: out is the word that was at address a cycle ago.
//               MERGED = 1: out[p*SIMD + i] is xnor of bit p*SIMD + i of that word with x[i].
// Contents      COLUMNS is the memory transposed: bit j*DEPTH + k is bit j of word k. So each truth table is a slice of it;
//               taking words apart in constant functions costs a synthesizer minutes. hw/weights.py makes it of a
//               memory file.
// Structure     A LUT6_2 is two functions of the same five inputs. With up to 16 words these are the address and x[i],
//               and the functions are the products of two PE; with up to 32 they are the address, and the functions
//               are two bits of the word. Synthesis by itself makes a LUT5 of each (docs/popcount.md). More words are
//               left to synthesis: one LUT6 per bit up to 64 words; beyond, the register is at the word.
// Latency       1 cycle for the address; x goes through.
// Twin          With the macro BITMEND_BEHAVIOURAL a memory with these contents, which simulates much faster.
`default_nettype none

module xnor_rom #(
    parameter integer SIMD   = 64,  // bits of x
    parameter integer PE     = 4,   // times SIMD are the bits of a word
    parameter integer WORDS  = 16,  // 1 or more, at most 16 if MERGED
    parameter integer MERGED = 1,   // 1: the XNOR is in the tables
    parameter integer DEPTH  = WORDS <= 16 ? 16 : 1 << $clog2(WORDS),  // bits of a column; leave it
    parameter [PE*SIMD*DEPTH-1:0] COLUMNS = 0,  // contents
    parameter integer ADDR   = WORDS > 1 ? $clog2(WORDS) : 1   // bits of an address; leave it
) (
    input  wire logic               clk,
    input  wire logic [ADDR-1:0]    address,
    input  wire logic [SIMD-1:0]    x,
    output wire logic [PE*SIMD-1:0] out
);
    localparam integer WIDTH  = PE * SIMD;
    logic [ADDR-1:0] address_q;
    always_ff @(posedge clk) address_q <= address;

    genvar i, p;
    generate
        if ((MERGED == 1 && WORDS > 16) || WORDS < 1 || ADDR != (WORDS > 1 ? $clog2(WORDS) : 1)) begin : g_check
            $error("xnor_rom: WORDS is %0d, expected 1 or more, at most 16 with MERGED %0d", WORDS, MERGED);
        end

`ifdef BITMEND_BEHAVIOURAL
        logic [WIDTH-1:0] memory [WORDS];
        initial begin
            for (integer k = 0; k < WORDS; k = k + 1)
                for (integer j = 0; j < WIDTH; j = j + 1) memory[k][j] = COLUMNS[j*DEPTH + k];
        end
        wire logic [WIDTH-1:0] word = memory[address_q];
        assign out = MERGED == 1 ? word ~^ {PE{x}} : word;
`else
        if (MERGED == 1) begin : g_merged
            for (p = 0; p < PE; p = p + 2) begin : g_pe
                for (i = 0; i < SIMD; i = i + 1) begin : g_bit
                    localparam integer SECOND = p + 1 < PE ? p + 1 : p;
                    localparam [15:0] LOW  = COLUMNS[(p*SIMD+i)*16 +: 16];
                    localparam [15:0] HIGH = COLUMNS[(SECOND*SIMD+i)*16 +: 16];
                    wire logic [1:0] products;
                    xnor_table #(.TABLES({HIGH, ~HIGH, LOW, ~LOW})) u_table (.in({x[i], 4'(address_q)}), .out(products));
                    assign out[p*SIMD+i] = products[0];
                    if (p + 1 < PE) begin : g_second
                        assign out[(p+1)*SIMD+i] = products[1];
                    end else begin : g_none
                        wire logic unused = products[1];
                    end
                end
            end
        end else if (WORDS > 32) begin : g_large
            wire logic unused_x = &{1'b0, x};
            wire logic [WIDTH-1:0] word;
            for (i = 0; i < WIDTH; i = i + 1) begin : g_bit
                localparam [DEPTH-1:0] COLUMN = COLUMNS[i*DEPTH +: DEPTH];
                assign word[i] = COLUMN[WORDS > 64 ? address : address_q];
            end
            if (WORDS > 64) begin : g_deep
                logic [WIDTH-1:0] q;
                always_ff @(posedge clk) q <= word;
                assign out = q;
                wire logic unused_address = &{1'b0, address_q};
            end else begin : g_flat
                assign out = word;
            end
        end else begin : g_words
            wire logic unused_x = &{1'b0, x};
            for (i = 0; i < WIDTH; i = i + 2) begin : g_bit
                localparam integer SECOND = i + 1 < WIDTH ? i + 1 : i;
                localparam [31:0] LOW  = 32'(COLUMNS[i*DEPTH +: DEPTH]);
                localparam [31:0] HIGH = 32'(COLUMNS[SECOND*DEPTH +: DEPTH]);
                wire logic [1:0] bits;
                xnor_table #(.TABLES({HIGH, LOW})) u_table (.in(5'(address_q)), .out(bits));
                assign out[i] = bits[0];
                if (i + 1 < WIDTH) begin : g_second
                    assign out[i+1] = bits[1];
                end else begin : g_none
                    wire logic unused = bits[1];
                end
            end
        end
`endif
    endgenerate
endmodule

`default_nettype wire
