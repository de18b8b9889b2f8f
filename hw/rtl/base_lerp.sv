// SPDX-License-Identifier: BSD-3-Clause
// One axis of the bilinear interpolation of `base`, for one value.
//
// Function      v = near * (2^F - w) + far * w, exact, with w depending on SCALE:
//
//                   SCALE   F    w
//                   2       2    1
//                   3       8    85
//                   4       3    1, or 3 if `three`
//
//               and w = 0, which is v = near * 2^F, if `none`.
// Arithmetic    near * 2^F + w * (far - near): three adders, or one DSP48 if SCALE is 3.
// Latency       3 steps: everything moves with `move`.
`default_nettype none

module base_lerp #(
    parameter integer SCALE = 2, // 2 to 4
    parameter integer BITS  = 8, // of near and far, unsigned
    parameter integer F     = SCALE == 2 ? 2 : SCALE == 3 ? 8 : 3 // fraction bits; leave it
) (
    input  wire logic              clk,
    input  wire logic              move,

    input  wire logic [BITS-1:0]   near,
    input  wire logic [BITS-1:0]   far,
    input  wire logic              none,
    input  wire logic              three,
    output wire logic [BITS+F-1:0] v
);
    localparam integer N = BITS + F; // of the result, which is never negative: the sums may be cut to as many

    logic signed [BITS:0] difference;
    logic [N-1:0]         product;
    logic [N-1:0]         sum;
    logic [BITS-1:0]      near1;
    logic [BITS-1:0]      near2;

    wire logic signed [BITS:0] difference0 = $signed({1'b0, far}) - $signed({1'b0, near});

    always_ff @(posedge clk) begin
        if (move) begin
            near1 <= near;
            near2 <= near1;
            sum   <= {near2, F'(0)} + product;
        end
    end

    assign v = sum;

    generate
        if (SCALE == 3) begin : g_dsp
            logic signed [7:0] weight;
            always_ff @(posedge clk) begin
                if (move) begin
                    difference <= difference0;
                    weight     <= none ? 8'sd0 : 8'sd85;
                    product    <= N'(difference * weight);
                end
            end

            wire logic unused = three;
        end else begin : g_adders
            wire logic signed [N-1:0] once = N'(difference);
            logic three1;
            always_ff @(posedge clk) begin
                if (move) begin
                    difference <= difference0;
                    three1     <= three;
                    product    <= SCALE == 4 ? once + (three1 ? once << 1 : '0) : once;
                end
                if (move && none) difference <= '0;
            end
        end
    endgenerate
endmodule

`default_nettype wire
