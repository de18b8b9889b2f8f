// SPDX-License-Identifier: BSD-3-Clause
// Constant weights in truth tables, at half a LUT per bit of a word of up to 32 words.
//
// Function      MERGED = 0: out is the word that was at address a cycle ago.
//               MERGED = 1: out[p*SIMD + i] is xnor of bit p*SIMD + i of that word with x[i].
// Contents      WEIGHTS is a text of hexadecimal digits, WORDS times those of a word (as many as PE * SIMD bits need),
//               word 0 first: what a memory file has, without its line breaks.
// Structure     A LUT6_2 is two functions of the same five inputs. With up to 16 words these are the address and x[i],
//               and the functions are the products of two PE; with up to 32 they are the address, and the functions
//               are two bits of the word. Synthesis by itself makes a LUT5 of each (docs/popcount.md). More words are
//               left to synthesis: one LUT6 per bit up to 64 words; beyond, the register is at the word.
// Latency       1 cycle for the address; x goes through.
`default_nettype none

module xnor_rom #(
    parameter integer SIMD   = 64,  // bits of x
    parameter integer PE     = 4,   // times SIMD are the bits of a word
    parameter integer WORDS  = 16,  // 1 or more, at most 16 if MERGED
    parameter integer MERGED = 1,   // 1: the XNOR is in the tables
    parameter integer CHARS  = WORDS * ((PE * SIMD + 3) / 4),  // leave it
    parameter [8*CHARS-1:0] WEIGHTS = 0,  // contents
    parameter integer ADDR   = WORDS > 1 ? $clog2(WORDS) : 1   // bits of an address; leave it
) (
    input  wire logic               clk,
    input  wire logic [ADDR-1:0]    address,
    input  wire logic [SIMD-1:0]    x,
    output wire logic [PE*SIMD-1:0] out
);
    localparam integer WIDTH  = PE * SIMD;
    localparam integer DIGITS = (WIDTH + 3) / 4;

    function automatic [4*DIGITS*WORDS-1:0] decode(input [8*CHARS-1:0] text);
        reg [7:0] char;
        for (integer n = 0; n < DIGITS * WORDS; n = n + 1) begin
            char = text[8*n +: 8];
            decode[4*n +: 4] = char >= 8'd97 ? char[3:0] + 4'd9 : char[3:0];  // a..f; 0..9
        end
    endfunction

    // Word 0 is the first of the text, so it has the highest digits
    localparam [4*DIGITS*WORDS-1:0] CONTENTS = decode(WEIGHTS);

    function automatic [31:0] column(input integer index);  // a bit of all words, as a table by address
        column = 0;
        for (integer k = 0; k < WORDS; k = k + 1)
            column[k] = index < WIDTH && CONTENTS[4*DIGITS*(WORDS-1-k) + (index < WIDTH ? index : 0)];
    endfunction

    function automatic [31:0] table_of(input [31:0] bits);  // with x as the fifth input
        table_of = MERGED == 1 ? {bits[15:0], ~bits[15:0]} : bits;
    endfunction

    logic [ADDR-1:0] address_q;
    always_ff @(posedge clk) address_q <= address;

    genvar i, p;
    generate
        if ((MERGED == 1 && WORDS > 16) || WORDS < 1 || ADDR != (WORDS > 1 ? $clog2(WORDS) : 1)) begin : g_check
            $error("xnor_rom: WORDS is %0d, expected 1 or more, at most 16 with MERGED %0d", WORDS, MERGED);
        end

        if (WEIGHTS[8*CHARS-1 -: 8] == 8'd0) begin : g_short
            $error("xnor_rom: WEIGHTS are shorter than the %0d digits of %0d words of %0d bits", CHARS, WORDS, WIDTH);
        end

        if (MERGED == 1) begin : g_merged
            for (p = 0; p < PE; p = p + 2) begin : g_pe
                for (i = 0; i < SIMD; i = i + 1) begin : g_bit
                    localparam [31:0] LOW  = table_of(column(p * SIMD + i));
                    localparam [31:0] HIGH = table_of(column((p + 1) * SIMD + i));
                    wire logic [1:0] products;
                    xnor_table #(.TABLES({HIGH, LOW})) u_table (.in({x[i], 4'(address_q)}), .out(products));
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
            wire logic [WORDS*WIDTH-1:0] all;  // word 0 lowest
            for (i = 0; i < WORDS; i = i + 1) begin : g_word
                assign all[i*WIDTH +: WIDTH] = CONTENTS[4*DIGITS*(WORDS-1-i) +: WIDTH];
            end
            if (WORDS > 64) begin : g_deep
                logic [WIDTH-1:0] q;
                always_ff @(posedge clk) q <= all[address*WIDTH +: WIDTH];
                assign out = q;
                wire logic unused_address = &{1'b0, address_q};
            end else begin : g_flat
                assign out = all[address_q*WIDTH +: WIDTH];
            end
        end else begin : g_words
            wire logic unused_x = &{1'b0, x};
            for (i = 0; i < WIDTH; i = i + 2) begin : g_bit
                localparam [31:0] LOW  = table_of(column(i));
                localparam [31:0] HIGH = table_of(column(i + 1));
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
    endgenerate
endmodule

`default_nettype wire
