// SPDX-License-Identifier: BSD-3-Clause
// Sign with thresholds that come as a stream: golden.operators.compare.
//
// Function      bit = X >= T, with equality 1. A threshold per channel that holds for a whole image is repeated for every
//               pixel before it comes here.
// Data          s_x: PE elements of X_BITS bits, s_t: PE elements of T_BITS bits, both two's complement, element i in bits
//               [i*bits, (i+1)*bits). m_axis: PE bits. Beat n of s_x meets beat n of s_t.
// Handshake     A beat of s_x and a beat of s_t move together: s_x_tready waits for s_t_tvalid and the other way round,
//               which is the exception that docs/rtl.md grants. m_axis_tvalid and m_axis_tdata are registers; neither
//               s_*_tready depends on m_axis_tready.
// Latency       1 cycle.
// Throughput    one beat per cycle.
// Area          PE comparators of about 9 LUTs for 12..15 bits, 11 for 16, and the skid buffer of PE bits.
`default_nettype none

module stream_compare #(
    parameter integer PE     = 1,  // elements per beat, 1 or more
    parameter integer X_BITS = 12, // bits of an element of s_x, 2..16
    parameter integer T_BITS = 13  // bits of an element of s_t, 2..16
) (
    input  wire logic                 clk,
    input  wire logic                 rst,

    input  wire logic [PE*X_BITS-1:0] s_x_tdata,
    input  wire logic                 s_x_tvalid,
    output wire logic                 s_x_tready,

    input  wire logic [PE*T_BITS-1:0] s_t_tdata,
    input  wire logic                 s_t_tvalid,
    output wire logic                 s_t_tready,

    output wire logic [PE-1:0]        m_axis_tdata,
    output wire logic                 m_axis_tvalid,
    input  wire logic                 m_axis_tready
);
    localparam integer WIDE = X_BITS > T_BITS ? X_BITS : T_BITS;

    wire logic [PE-1:0] above;
    wire logic          skid_ready;

    assign s_x_tready = skid_ready && s_t_tvalid;
    assign s_t_tready = skid_ready && s_x_tvalid;

    generate
        if (PE < 1 || X_BITS < 2 || X_BITS > 16 || T_BITS < 2 || T_BITS > 16) begin : g_check
            $error("stream_compare: PE %0d, X_BITS %0d, T_BITS %0d, expected PE >= 1, X_BITS and T_BITS 2..16",
                   PE, X_BITS, T_BITS);
        end

        for (genvar i = 0; i < PE; i = i + 1) begin : g_element
            wire logic signed [X_BITS-1:0] x = s_x_tdata[i*X_BITS +: X_BITS];
            wire logic signed [T_BITS-1:0] t = s_t_tdata[i*T_BITS +: T_BITS];
            assign above[i] = WIDE'(x) >= WIDE'(t);
        end
    endgenerate

    stream_skid #(.WIDTH(PE)) u_skid (
        .clk(clk), .rst(rst),
        .s_axis_tdata(above), .s_axis_tvalid(s_x_tvalid && s_t_tvalid), .s_axis_tready(skid_ready),
        .m_axis_tdata(m_axis_tdata), .m_axis_tvalid(m_axis_tvalid), .m_axis_tready(m_axis_tready)
    );
endmodule

`default_nettype wire
