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
    parameter integer SHORT    = 1,  // 1: all rows are short by one, X_BITS 8
    parameter integer ROW_BITS = 17 - SHORT  // leave it
) (
    input  wire logic                         clk,
    input  wire logic [2*X_BITS-1:0]          x,
    input  wire logic [15:0]                  w0,
    input  wire logic [15:0]                  w1,   // with PAIR
    output wire logic [(PAIR+1)*ROW_BITS-1:0] rows
);
    localparam integer FIELD  = 16;
    localparam integer A_BITS = PAIR != 0 ? FIELD + 9 : 8;
    localparam integer M_BITS = A_BITS + X_BITS;
    localparam integer P_BITS = M_BITS + 1;
    localparam integer START  = PAIR != 0 ? 32767 - (SHORT != 0 ? 65536 : 0) : (SHORT != 0 ? -1 : 0);

    generate
        if (X_BITS != 8 && (X_BITS != 9 || PAIR != 0 || SHORT != 0)) begin : g_check
            $error("int8_mvu_dsp: X_BITS is %0d, expected 8, or 9 without PAIR and SHORT", X_BITS);
        end
    endgenerate

    // The weight operands of both slices, behind their first registers
    logic signed [X_BITS-1:0]      x0_1;
    logic signed [X_BITS-1:0]      x1_1;
    logic [15:0]                   w0_1;
    logic [15:0]                   w1_1;
    wire logic signed [A_BITS-1:0] a0;
    wire logic signed [A_BITS-1:0] a1;
    always_ff @(posedge clk) begin
        {x1_1, x0_1} <= x;
        w0_1         <= w0;
        w1_1         <= w1;
    end

    generate
        if (PAIR != 0) begin : g_pair
            // the pre-adder; a field of 8 bits at 2^16 and a borrow from it take the 25 bits that there are
            assign a0 = $signed({w1_1[7],  w1_1[7:0],  {FIELD{1'b0}}}) + A_BITS'($signed(w0_1[7:0]));
            assign a1 = $signed({w1_1[15], w1_1[15:8], {FIELD{1'b0}}}) + A_BITS'($signed(w0_1[15:8]));
        end else begin : g_single
            assign a0 = w0_1[7:0];
            assign a1 = w0_1[15:8];
            wire logic unused = &{1'b0, w1_1};
        end
    endgenerate

    // What slice 1 multiplies, one cycle later than slice 0, so that it finds the P of that
    logic signed [P_BITS-1:0] p;
    logic signed [X_BITS-1:0] x_2;
    logic signed [A_BITS-1:0] a_2;
    logic signed [M_BITS-1:0] m_3;
    generate
        if (LONE != 0) begin : g_lone
            always_ff @(posedge clk) begin
                x_2 <= x0_1;
                a_2 <= a0;
                p   <= P_BITS'(m_3) + P_BITS'(START);
            end
            wire logic unused = &{1'b0, a1, x1_1};
        end else begin : g_two
            logic signed [M_BITS-1:0] m_2;
            logic signed [P_BITS-1:0] p_3;
            always_ff @(posedge clk) begin
                m_2 <= a0 * x0_1;
                p_3 <= P_BITS'(m_2) + P_BITS'(START);
                x_2 <= x1_1;
                a_2 <= a1;
                p   <= P_BITS'(m_3) + p_3;
            end
        end
    endgenerate
    always_ff @(posedge clk) m_3 <= a_2 * x_2;

    generate
        if (PAIR != 0) begin : g_fields
            // 32768 less than the low field: its highest bit inverted, as a sign
            assign rows[0 +: ROW_BITS] = ROW_BITS'($signed({!p[FIELD-1], p[FIELD-2:0]}));
            assign rows[ROW_BITS +: ROW_BITS] = p[FIELD +: ROW_BITS];
            if (P_BITS > FIELD + ROW_BITS) begin : g_rest
                wire logic unused = &{1'b0, p[P_BITS-1:FIELD+ROW_BITS]};
            end
        end else begin : g_row
            assign rows = ROW_BITS'(p);
            if (P_BITS > ROW_BITS) begin : g_rest
                wire logic unused = &{1'b0, p[P_BITS-1:ROW_BITS]};
            end
        end
    endgenerate
endmodule

`default_nettype wire
