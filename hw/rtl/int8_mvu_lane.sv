// SPDX-License-Identifier: BSD-3-Clause
// One output of int8_mvu, or a PAIR of outputs that share their multiplications.
//
// Function      result[p] = sum over all beats from first to last and all i of w[p][i] * x[i], plus start[p]; modulo
//               2^ACC_BITS, which holds what comes out.
// Data          x: SIMD elements of X_BITS bits, two's complement. w: per output SIMD weights of 8 bits, two's complement.
//               start and result: per output ACC_BITS bits.
// Timing        x and w of any cycle are a beat, or nothing. add says which, LATENCY - 1 cycles later, and first and start
//               belong to add: they say that this beat starts a sum, and from what. result is valid in the cycle after.
// Structure     products two by two in int8_mvu_dsp (4 cycles), int8_mvu_tree, accumulator. Rows that are short by
//               one are made up for in the carry inputs of as many adders: those of the tree and the accumulator.
// Latency       5 + ceil(log2(ceil(SIMD / 2))) cycles.
`default_nettype none

module int8_mvu_lane #(
    parameter integer PAIR       = 1,  // 1: two outputs, X_BITS 8
    parameter integer SIMD       = 27, // elements per beat
    parameter integer X_BITS     = 8,  // 8, or 9 for pixels
    parameter integer ACC_BITS   = 20, // bits of a result
    parameter integer ACCUMULATE = 1   // 0: every beat is a sum of its own, and start is 0
) (
    input  wire logic                          clk,
    input  wire logic [SIMD*X_BITS-1:0]        x,
    input  wire logic [(PAIR+1)*SIMD*8-1:0]    w,
    input  wire logic                          add,
    input  wire logic                          first,
    input  wire logic [(PAIR+1)*ACC_BITS-1:0]  start,
    output wire logic [(PAIR+1)*ACC_BITS-1:0]  result
);
    localparam integer ROWS  = (SIMD + 1) / 2;
    // A lane that adds anyway lets its rows be short, which makes them narrower; a low field cannot but be short.
    localparam integer SHORT = X_BITS == 8 && ACCUMULATE != 0 ? 1 : 0;
    localparam integer BITS  = 17 - SHORT;

    wire logic [ROWS*(PAIR+1)*BITS-1:0] rows;

    genvar i;
    genvar p;
    generate
        for (i = 0; i < ROWS; i = i + 1) begin : g_row
            localparam integer LONE = 2 * i + 1 == SIMD ? 1 : 0;
            wire logic [2*X_BITS-1:0] x_two;
            wire logic [15:0]         w0_two;
            wire logic [15:0]         w1_two;
            if (LONE == 1) begin : g_lone
                assign x_two  = {{X_BITS{1'b0}}, x[2*i*X_BITS +: X_BITS]};
                assign w0_two = {8'b0, w[2*i*8 +: 8]};
            end else begin : g_two
                assign x_two  = x[2*i*X_BITS +: 2*X_BITS];
                assign w0_two = w[2*i*8 +: 16];
            end
            if (PAIR == 0) begin : g_single
                assign w1_two = 16'b0;
            end else if (LONE == 1) begin : g_pair_lone
                assign w1_two = {8'b0, w[(SIMD+2*i)*8 +: 8]};
            end else begin : g_pair_two
                assign w1_two = w[(SIMD+2*i)*8 +: 16];
            end

            wire logic [(PAIR+1)*BITS-1:0] both;
            int8_mvu_dsp #(.PAIR(PAIR), .LONE(LONE), .X_BITS(X_BITS), .SHORT(SHORT)) u_dsp (
                .clk(clk), .x(x_two), .w0(w0_two), .w1(w1_two), .rows(both)
            );
            for (p = 0; p <= PAIR; p = p + 1) begin : g_output
                assign rows[(p*ROWS + i)*BITS +: BITS] = both[p*BITS +: BITS];
            end
        end

        for (p = 0; p <= PAIR; p = p + 1) begin : g_sum
            localparam integer LESS = SHORT == 1 || (PAIR == 1 && p == 0) ? 1 : 0;
            wire logic [ACC_BITS-1:0] sum;
            wire logic [ACC_BITS-1:0] so_far;
            logic [ACC_BITS-1:0]      acc;

            int8_mvu_tree #(.ROWS(ROWS), .IN_BITS(BITS), .OUT_BITS(ACC_BITS), .SHORT(LESS)) u_tree (
                .clk(clk), .rows(rows[p*ROWS*BITS +: ROWS*BITS]), .sum(sum)
            );
            if (ACCUMULATE != 0) begin : g_accumulate
                assign so_far = first ? start[p*ACC_BITS +: ACC_BITS] : acc;
            end else begin : g_alone
                assign so_far = '0;
                wire logic unused = &{1'b0, first, start[p*ACC_BITS +: ACC_BITS]};
            end
            if (LESS == 1) begin : g_less
                always_ff @(posedge clk) if (add) acc <= so_far - ~sum;  // so_far + sum + 1
            end else begin : g_add
                always_ff @(posedge clk) if (add) acc <= so_far + sum;
            end
            assign result[p*ACC_BITS +: ACC_BITS] = acc;
        end
    endgenerate
endmodule

`default_nettype wire
