// SPDX-License-Identifier: BSD-3-Clause
// Base: bilinear enlargement of the pixels by r = SCALE, in fixed point, edge replicated.
//
// Function      Sub-pixel (i, j) of pixel (y, x) is m[y*r + i, x*r + j, c] = sum of wy * wx * s[y', x', c] over the
//               pixel and its neighbours on the side of the sub-pixel. Weights of one axis of (the pixel, the
//               neighbour), outermost sub-pixel first, times 2^F:
//
//                   r   weights                 F    OUT_BITS = 8 + 2*F
//                   1   1                       0    8
//                   2   (3, 1)                  2    12
//                   3   (171, 85), (256, 0)     8    24
//                   4   (5, 3), (7, 1)          3    14
//
// Data          s_axis: pixels, unsigned 8 bits, H*W*K beats of P channels, K = CHANNELS/P. m_axis: H*r * W*r * K beats
//               of P channels, unsigned OUT_BITS bits, in raster order of the enlarged image. s_size: {height, width}
//               of the input, one beat per frame.
// Latency       from the first beat in to the first beat out (W + r)*K + 8 cycles, (W + 3)*K + 8 if r is 2: the first
//               row has to be in. 1 cycle if r is 1.
// Throughput    one output beat per cycle, from frame to frame. Input is taken ahead, so that beats which come evenly,
//               each r*r cycles, make the output wait for row 1 of the first frame and then never again.
// Progress      A frame comes out completely without any further input. The size of the next frame is taken once this
//               one's last row has entered and its first row is on the way out.
// Memory        three rows: 3*MAX_WIDTH*K words of P pixels.
// Area          per channel of a beat about 50 LUTs, 2 DSP48 and 30 LUTs, or 75 LUTs for r = 2, 3, 4, and a few more if
//               K is not 1; and about 130 LUTs of control. r = 1 is a skid buffer.
//
// How it works. Every beat of output is a slot of a pipeline that never branches: the raster of slots, (output row, x,
// t, s) with t = 0..r-1 and the slices s innermost, is the only control. Memory is a ring of three rows. An output row
// needs two of them, the near one y and the far one y-1 or y+1; r slots per pixel leave time to read both through one
// port:
//
//     t = 0   the near word of the next column is read
//     t = 1   the far word is read; both are interpolated to a column value v
//
// Values v then pass through two registers per slice. `centre` is the column that is being sent out in r parts; `other`
// is the column before it for the first half of the parts, and is exchanged for the column after it when that arrives
// (t = 1). When the last part is out, both trade places.
`default_nettype none

module base #(
    parameter integer SCALE     = 2,      // r, 1 to 4
    parameter integer CHANNELS  = 3,      // of the image
    parameter integer P         = 3,      // channels per beat, divides CHANNELS
    parameter integer MAX_WIDTH = 640,    // of the input, in pixels
    parameter integer DIM_BITS  = 16,     // of a field of s_size
    parameter [87:0]  RAM_STYLE = "auto", // "auto", "block" or "distributed": see ram_sdp
    parameter integer OUT_BITS  = SCALE == 1 ? 8 : SCALE == 2 ? 12 : SCALE == 3 ? 24 : 14 // of a result; leave it
) (
    input  wire logic                  clk,
    input  wire logic                  rst,

    input  wire logic [2*DIM_BITS-1:0] s_size_tdata,
    input  wire logic                  s_size_tvalid,
    output wire logic                  s_size_tready,

    input  wire logic [P*8-1:0]        s_axis_tdata,
    input  wire logic                  s_axis_tvalid,
    output wire logic                  s_axis_tready,

    output wire logic [P*OUT_BITS-1:0] m_axis_tdata,
    output wire logic                  m_axis_tvalid,
    input  wire logic                  m_axis_tready
);
    generate
        if (SCALE < 1 || SCALE > 4) begin : g_check_scale
            $error("base: SCALE is %0d, expected 1 to 4", SCALE);
        end
        if (P < 1 || CHANNELS < 1 || CHANNELS % P != 0) begin : g_check_channels
            $error("base: CHANNELS is %0d and P is %0d, expected P to divide CHANNELS", CHANNELS, P);
        end
        if (DIM_BITS < 1 || DIM_BITS > 31 || MAX_WIDTH < 1 || MAX_WIDTH >= 1 << DIM_BITS) begin : g_check_width
            $error("base: MAX_WIDTH is %0d, expected 1 to 2^DIM_BITS - 1, DIM_BITS is %0d", MAX_WIDTH, DIM_BITS);
        end

        if (SCALE == 1) begin : g_same
            stream_skid #(.WIDTH(P*8)) u_skid (
                .clk, .rst,
                .s_axis_tdata, .s_axis_tvalid, .s_axis_tready,
                .m_axis_tdata, .m_axis_tvalid, .m_axis_tready
            );
            assign s_size_tready = 1'b1;

            wire logic unused = &{s_size_tdata, s_size_tvalid};
        end else begin : g_larger
            base_larger #(
                .SCALE(SCALE), .K(CHANNELS / P), .P(P), .MAX_WIDTH(MAX_WIDTH), .DIM_BITS(DIM_BITS),
                .RAM_STYLE(RAM_STYLE), .OUT_BITS(OUT_BITS)
            ) u_larger (
                .clk, .rst,
                .s_size_tdata, .s_size_tvalid, .s_size_tready,
                .s_axis_tdata, .s_axis_tvalid, .s_axis_tready,
                .m_axis_tdata, .m_axis_tvalid, .m_axis_tready
            );
        end
    endgenerate
endmodule

`default_nettype wire
