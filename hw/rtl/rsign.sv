// SPDX-License-Identifier: BSD-3-Clause
// Sign with a threshold per channel: golden.operators.rsign.
//
// Function      bit = X >= T_c, with equality 1. T_c of BITS + 1 bits admits "always" and "never".
// Data          s_axis: PE elements of BITS bits, two's complement. m_axis: PE bits.
// Constants     THRESHOLD_FILE has a word per beat of a pixel, CHANNELS / PE in all: PE signed thresholds of
//               BITS + 1 bits, that of element i at [i*(BITS+1) +: BITS+1]; the channel is beat * PE + i.
// Latency       1 cycle.
// Throughput    one beat per cycle.
// Area          PE comparators, whatever CHANNELS: for BITS 12 and 9..32 beats per pixel 14 LUTs each.
`default_nettype none

module rsign #(
    parameter integer CHANNELS = 64, // channels of the tensor
    parameter integer PE       = 1,  // elements per beat; divides CHANNELS
    parameter integer BITS     = 12, // bits of the stream, 2..16
    parameter THRESHOLD_FILE   = "threshold.mem"
) (
    input  wire logic               clk,
    input  wire logic               rst,

    input  wire logic [PE*BITS-1:0] s_axis_tdata,
    input  wire logic               s_axis_tvalid,
    output wire logic               s_axis_tready,

    output wire logic [PE-1:0]      m_axis_tdata,
    output wire logic               m_axis_tvalid,
    input  wire logic               m_axis_tready
);
    localparam integer INDEX = CHANNELS > PE ? $clog2(CHANNELS / PE) : 1;

    generate
        if (PE < 1 || CHANNELS < 1 || CHANNELS % PE != 0) begin : g_check
            $error("rsign: PE is %0d, expected a divisor of CHANNELS %0d", PE, CHANNELS);
        end
        if (BITS < 2 || BITS > 16) begin : g_check_bits
            $error("rsign: BITS is %0d, expected 2..16", BITS);
        end
    endgenerate

    wire logic [PE-1:0]    above;
    wire logic [INDEX-1:0] index;
    wire logic             unused = &{1'b0, index};

    rsign_compare #(
        .CHANNELS(CHANNELS),
        .PE(PE),
        .BITS(BITS),
        .SIGNED(1),
        .T_BITS(BITS + 1),
        .THRESHOLD_FILE(THRESHOLD_FILE)
    ) u_compare (
        .clk(clk),
        .rst(rst),
        .x(s_axis_tdata),
        .step(s_axis_tvalid && s_axis_tready),
        .above(above),
        .index(index)
    );

    stream_skid #(
        .WIDTH(PE)
    ) u_skid (
        .clk(clk),
        .rst(rst),
        .s_axis_tdata(above),
        .s_axis_tvalid(s_axis_tvalid),
        .s_axis_tready(s_axis_tready),
        .m_axis_tdata(m_axis_tdata),
        .m_axis_tvalid(m_axis_tvalid),
        .m_axis_tready(m_axis_tready)
    );
endmodule

`default_nettype wire
