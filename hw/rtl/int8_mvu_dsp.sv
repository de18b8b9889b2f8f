// SPDX-License-Identifier: BSD-3-Clause
// Two int8 products in a row of DSP48E1 slices, or two times two: the sum of the products of two inputs with their
// weights, for one output or for a pair of outputs.
//
// Function      row0 = w0[0] * x[0] + w0[1] * x[1] - SHORT, and for a PAIR row1, likewise with w1
// Packing       A pair of outputs shares the multiplications: (w1 * 2^16 + w0) * x = (w1 * x) * 2^16 + w0 * x. The sum
//               of two int8 products lies within -32512..32768: one value too many for 16 bits signed, but with 32767
//               added it is within 255..65535, an unsigned field from which nothing is ever borrowed. So the fields
//               separate without a correction, and the low one less 32768 is the sum less 1. All constants
//               are added by the C port of the first slice. SHORT makes row1 short by one, too, so that 16 bits hold
//               it; row0 of a pair is always short.
// Structure     cycle 1   A, B and D registers
//               cycle 2   M of slice 0 = (D + A) * B; second registers of slice 1
//               cycle 3   P of slice 0 = M + C; M of slice 1
//               cycle 4   P of slice 1 = M + P of slice 0 (the cascade)
// Latency       4 cycles.
// Area          2 DSP48E1, 1 if LONE, no LUT.
`default_nettype none

module int8_mvu_dsp #(
    parameter integer PAIR     = 1,  // 1: two outputs, X_BITS 8
    parameter integer LONE     = 0,  // 1: only the product of x[0]
    parameter integer X_BITS   = 8,  // bits of x, two's complement: 8, or 9 for pixels
    parameter integer SHORT    = 1,  // 1: rows are short by one
    parameter integer ROW_BITS = 16  // of a row: 16, or 17 if SHORT is 0
) (
    input  wire logic                      clk,
    input  wire logic [2*X_BITS-1:0]       x,
    input  wire logic [15:0]               w0,
    input  wire logic [15:0]               w1,
    output wire logic [(PAIR+1)*ROW_BITS-1:0] rows
);
    localparam integer OFFSET = 16;
    localparam integer A_BITS = PAIR != 0 ? OFFSET + 9 : 8;
    localparam integer M_BITS = A_BITS + X_BITS;
    localparam integer P_BITS = M_BITS + 1;
    localparam signed [P_BITS-1:0] START = PAIR != 0 ? (SHORT != 0 ? -32769 : 32767) : (SHORT != 0 ? -1 : 0);

    genvar i;
    wire logic signed [P_BITS-1:0] p;
    generate
        for (i = 0; i < 2 - LONE; i = i + 1) begin : g_slice
            logic signed [X_BITS-1:0] b1;
            logic signed [7:0]        a1;
            wire logic signed [A_BITS-1:0] a;
            always_ff @(posedge clk) begin
                b1 <= x[i*X_BITS +: X_BITS];
                a1 <= w0[i*8 +: 8];
            end
            if (PAIR != 0) begin : g_pair
                logic signed [7:0] d1;
                always_ff @(posedge clk) d1 <= w1[i*8 +: 8];
                assign a = $signed({d1[7], d1, {OFFSET{1'b0}}}) + A_BITS'(a1);
            end else begin : g_single
                assign a = a1;
            end
        end
    endgenerate
endmodule

`default_nettype wire
