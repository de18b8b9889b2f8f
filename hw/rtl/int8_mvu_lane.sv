// SPDX-License-Identifier: BSD-3-Clause
// One output of int8_mvu, or a PAIR of outputs that share their multiplications.
//
// Function      result[p] = start[p] + sum over all beats of a sum and all i of w[p][i] * x[i], modulo 2^ACC_BITS
// Data          x: SIMD elements of X_BITS bits, two's complement. w: per output SIMD weights of 8 bits, two's complement.
//               start and result: per output ACC_BITS bits.
// Timing        x and w of any cycle are a beat, or nothing. add says which, LATENCY - 1 cycles later; first and start
//               come with add and say that this beat starts a sum, and from what. result is there in the cycle after.
// Structure     products in chains of up to CHAIN slices (int8_mvu_dsp), a tree of adders, an accumulator
// Latency       CHAIN + 3 + ceil(log2(ceil(SIMD / CHAIN))) cycles
`default_nettype none

module int8_mvu_lane #(
    parameter integer PAIR       = 1,  // 1: two outputs
    parameter integer NARROW     = 1,  // 1: no weight is -128
    parameter integer SIMD       = 27, // elements per beat
    parameter integer X_BITS     = 8,  // bits of an element: 2..8, or 9 for pixels, without PAIR
    parameter integer CHAIN      = 4,  // products in a chain, see int8_mvu_dsp.sv
    parameter integer ACC_BITS   = 20, // bits of a result
    parameter integer ACCUMULATE = 1   // 0: every beat is a sum of its own, and start is not added
) (
    input  wire logic                          clk,
    input  wire logic [SIMD*X_BITS-1:0]        x,
    input  wire logic [(PAIR+1)*SIMD*8-1:0]    w,
    input  wire logic                          add,
    input  wire logic                          first,
    input  wire logic [(PAIR+1)*ACC_BITS-1:0]  start,
    output wire logic [(PAIR+1)*ACC_BITS-1:0]  result
);
    localparam integer ROWS = (SIMD + CHAIN - 1) / CHAIN;
    localparam integer BITS = 7 + X_BITS + $clog2(CHAIN) + (NARROW == 0 && X_BITS != 9 ? 1 : 0);  // of a row

    wire logic [(PAIR+1)*ROWS*BITS-1:0] rows;

    genvar i;
    genvar p;
    generate
        for (i = 0; i < ROWS; i = i + 1) begin : g_row
            localparam integer COUNT = (i + 1) * CHAIN <= SIMD ? CHAIN : SIMD - i * CHAIN;
            wire logic [(PAIR+1)*COUNT*8-1:0] weights;
            wire logic [(PAIR+1)*BITS-1:0]    sums;
            for (p = 0; p <= PAIR; p = p + 1) begin : g_output
                assign weights[p*COUNT*8 +: COUNT*8]    = w[(p*SIMD + i*CHAIN)*8 +: COUNT*8];
                assign rows[(p*ROWS + i)*BITS +: BITS] = sums[p*BITS +: BITS];
            end
            int8_mvu_dsp #(
                .PAIR(PAIR), .NARROW(NARROW), .X_BITS(X_BITS), .CHAIN(CHAIN), .COUNT(COUNT), .ROW(BITS)
            ) u_dsp (
                .clk(clk), .x(x[i*CHAIN*X_BITS +: COUNT*X_BITS]), .w(weights), .rows(sums)
            );
        end

        for (p = 0; p <= PAIR; p = p + 1) begin : g_sum
            wire logic [ACC_BITS-1:0] sum;
            logic [ACC_BITS-1:0]      acc;
            assign result[p*ACC_BITS +: ACC_BITS] = acc;

            int8_mvu_tree #(.ROWS(ROWS), .IN_BITS(BITS), .OUT_BITS(ACC_BITS)) u_tree (
                .clk(clk), .rows(rows[p*ROWS*BITS +: ROWS*BITS]), .sum(sum)
            );
            if (ACCUMULATE != 0) begin : g_accumulate
                always_ff @(posedge clk) if (add) acc <= (first ? start[p*ACC_BITS +: ACC_BITS] : acc) + sum;
            end else begin : g_alone
                always_ff @(posedge clk) acc <= sum;
                wire logic unused = &{1'b0, add, first, start[p*ACC_BITS +: ACC_BITS]};
            end
        end
    endgenerate
endmodule

`default_nettype wire
