// SPDX-License-Identifier: BSD-3-Clause
// stream_width: the same bits in beats of another width, in order; none lost, none invented. A black box: the parts it
// is made of have proofs of their own, this one is about their connection.
`default_nettype none

module formal_stream_width #(
    parameter integer PART      = 1, // bits of which both beats are multiples
    parameter integer IN_PARTS  = 2,
    parameter integer OUT_PARTS = 3,
    parameter integer LCM       = 6, // parts in the least common multiple of the beats
    parameter integer CAPACITY  = 2 * LCM + IN_PARTS + 2 * OUT_PARTS,
    parameter integer COUNT     = $clog2(CAPACITY + IN_PARTS + 1)
) (
    input wire logic                     clk,
    input wire logic                     rst,
    input wire logic                     pick,
    input wire logic [COUNT-1:0]         which,
    input wire logic [IN_PARTS*PART-1:0] s_axis_tdata,
    input wire logic                     s_axis_tvalid,
    input wire logic                     m_axis_tready
);
    localparam integer IN_WIDTH  = IN_PARTS * PART;
    localparam integer OUT_WIDTH = OUT_PARTS * PART;

    wire logic                 s_axis_tready;
    wire logic [OUT_WIDTH-1:0] m_axis_tdata;
    wire logic                 m_axis_tvalid;

    wire logic started;
    formal_reset environment (.*);
    stream_width #(.IN_WIDTH(IN_WIDTH), .OUT_WIDTH(OUT_WIDTH)) dut (.*);

    stream_rules #(.WIDTH(IN_WIDTH), .ASSUME(1), .STEADY(IN_PARTS <= OUT_PARTS)) s_axis (
        .clk, .rst, .tdata(s_axis_tdata), .tvalid(s_axis_tvalid), .tready(s_axis_tready)
    );
    stream_rules #(.WIDTH(OUT_WIDTH), .STEADY(OUT_PARTS <= IN_PARTS)) m_axis (
        .clk, .rst, .tdata(m_axis_tdata), .tvalid(m_axis_tvalid), .tready(m_axis_tready)
    );
    stream_order #(
        .PART(PART), .IN_PARTS(IN_PARTS), .OUT_PARTS(OUT_PARTS), .CAPACITY(CAPACITY), .NEEDED(LCM), .PATIENCE(2), .OPEN(0)
    ) order (
        .clk, .rst, .started, .pick, .which,
        .s_tdata(s_axis_tdata), .s_tvalid(s_axis_tvalid), .s_tready(s_axis_tready),
        .m_tdata(m_axis_tdata), .m_tvalid(m_axis_tvalid), .m_tready(m_axis_tready),
        .number('0), .held('0)
    );

    always_comb begin
        // An empty converter takes a beat.
        if (started) assert (order.inside_now != 0 || s_axis_tready);
    end
endmodule

`default_nettype wire
