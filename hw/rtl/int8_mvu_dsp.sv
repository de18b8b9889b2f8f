// SPDX-License-Identifier: BSD-3-Clause
// A chain of DSP48E1 slices that sums int8 products, for one output or for a pair of outputs at once.
//
// Function      row[p] = sum over i of w[p][i] * x[i], i = 0..COUNT-1
// Packing       A pair of outputs shares the multiplications: (w1 * 2^F + w0) * x = (w1 * x) * 2^F + w0 * x, and so do the
//               sums of such products. What is left of the low field is its sum only as long as that fits in F bits,
//               and each negative low sum borrows from the high one. But the sum is at least -2^(F-1): with 2^(F-1)
//               added, which the C port of the first slice does, it is an unsigned field and borrows nothing. Then
//               the highest bit of the field, inverted, is the sign of the sum. No LUT corrects anything.
// Bits          A slice multiplies 25 x 18 bits. NARROW: all weights are -127..127; the sum of 4 products with x of 8
//               bits is within +-4 * 127 * 128 = +-65024, F = 17 bits; and w1 * 2^17 + w0 takes 25 bits. Otherwise
//               -128 * 2^17 - 128 would not fit: a PAIR then has F = 16 and a CHAIN of 1. Every bit that x has less is
//               one less in F. Pixels, 0..255, are 9 bits, but their products take no more than those of 8.
// Chain         The product of input i takes part in cycle POSITION + 3, where POSITION counts from CHAIN - COUNT: slice
//               by slice its operands come a cycle later, so that P finds the P of the slice before (PCIN). The
//               slices' own registers hold them for one cycle of that.
// Latency       CHAIN + 2 cycles, whatever COUNT: A, B and D registers; M; P of each slice.
// Area          COUNT DSP48E1, and registers for what is longer under way.
`default_nettype none

module int8_mvu_dsp #(
    parameter integer PAIR   = 1,  // 1: two outputs; 0: one
    parameter integer NARROW = 1,  // 1: no weight is -128
    parameter integer X_BITS = 8,  // bits of x, two's complement: 2..8, or 9 for pixels, without PAIR
    parameter integer CHAIN  = 4,  // largest number of products
    parameter integer COUNT  = 4,  // products, 1..CHAIN
    parameter integer ROW    = 17  // bits of a row, F: 8 + X_BITS + ceil(log2(CHAIN)), less 1 if NARROW or X_BITS is 9
) (
    input  wire logic                      clk,
    input  wire logic [COUNT*X_BITS-1:0]   x,
    input  wire logic [(PAIR+1)*COUNT*8-1:0] w,  // COUNT of output 0, then COUNT of output 1
    output wire logic [(PAIR+1)*ROW-1:0]   rows
);
    localparam integer A_BITS = PAIR != 0 ? ROW + 9 - NARROW : 8;
    localparam integer M_BITS = A_BITS + X_BITS;
    localparam integer P_BITS = PAIR != 0 ? 2 * ROW + 1 : ROW;
    localparam integer START  = PAIR != 0 ? 1 << (ROW - 1) : 0;

    generate
        if (COUNT < 1 || COUNT > CHAIN || A_BITS > 25 || X_BITS < 2 || X_BITS > (PAIR != 0 ? 8 : 9)
            || ROW != 7 + X_BITS + $clog2(CHAIN) + (NARROW == 0 && X_BITS != 9 ? 1 : 0)) begin : g_check
            $error("int8_mvu_dsp: PAIR %0d, NARROW %0d, X_BITS %0d, CHAIN %0d, COUNT %0d, ROW %0d do not fit, see above",
                PAIR, NARROW, X_BITS, CHAIN, COUNT, ROW);
        end
    endgenerate

    genvar i;
    generate
        for (i = 0; i < COUNT; i = i + 1) begin : g_slice
            localparam integer POSITION = CHAIN - COUNT + i;

            // w1, w0 and x on their way to the first registers of the slice
            localparam integer WAY = X_BITS + 8 + 8 * PAIR;
            wire logic [WAY-1:0] come;
            wire logic [WAY-1:0] here;
            assign come[X_BITS-1:0]    = x[i*X_BITS +: X_BITS];
            assign come[X_BITS +: 8]   = w[i*8 +: 8];
            delay_line #(.WIDTH(WAY), .DEPTH(POSITION > 1 ? POSITION - 1 : 0)) u_delay (
                .clk(clk), .step(1'b1), .d(come), .q(here)
            );

            logic signed [X_BITS-1:0]      x1;
            logic signed [7:0]             w0;
            wire logic signed [A_BITS-1:0] a1;
            always_ff @(posedge clk) begin
                x1 <= here[X_BITS-1:0];
                w0 <= here[X_BITS +: 8];
            end
            if (PAIR != 0) begin : g_pair
                logic signed [7:0] w1;
                assign come[X_BITS+8 +: 8] = w[(COUNT+i)*8 +: 8];
                always_ff @(posedge clk) w1 <= here[X_BITS+8 +: 8];
                assign a1 = (A_BITS'(w1) << ROW) + A_BITS'(w0);  // the pre-adder
            end else begin : g_single
                assign a1 = w0;
            end

            // The second registers of all but the first position
            wire logic signed [X_BITS-1:0] b;
            wire logic signed [A_BITS-1:0] a;
            if (POSITION == 0) begin : g_first
                assign b = x1;
                assign a = a1;
            end else begin : g_later
                logic signed [X_BITS-1:0] x2;
                logic signed [A_BITS-1:0] a2;
                always_ff @(posedge clk) begin
                    x2 <= x1;
                    a2 <= a1;
                end
                assign b = x2;
                assign a = a2;
            end

            logic signed [M_BITS-1:0] m;
            logic signed [P_BITS-1:0] p;
            always_ff @(posedge clk) m <= a * b;
            if (P_BITS < M_BITS) begin : g_fits  // NARROW and a CHAIN of 1: -128 * -128 does not happen
                wire logic unused = &{1'b0, m[M_BITS-1:P_BITS]};
            end
            if (i == 0) begin : g_start
                always_ff @(posedge clk) p <= P_BITS'(m) + P_BITS'(START);
            end else begin : g_cascade
                always_ff @(posedge clk) p <= P_BITS'(m) + g_slice[i-1].p;
            end
        end

        wire logic [P_BITS-1:0] sum = g_slice[COUNT-1].p;
        if (PAIR != 0) begin : g_fields
            assign rows = {sum[ROW +: ROW], !sum[ROW-1], sum[ROW-2:0]};
            wire logic unused = &{1'b0, sum[P_BITS-1]};
        end else begin : g_row
            assign rows = sum;
        end
    endgenerate
endmodule

`default_nettype wire
