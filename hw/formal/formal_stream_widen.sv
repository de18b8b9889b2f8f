// SPDX-License-Identifier: BSD-3-Clause
// stream_widen: the parts of the wide beats are the narrow beats, in order; none lost, none invented.
`default_nettype none

module formal_stream_widen #(
    parameter integer IN_WIDTH = 2,
    parameter integer RATIO    = 3,
    parameter integer PARTS    = $clog2(RATIO + 3)
) (
    input wire logic                clk,
    input wire logic                rst,
    input wire logic                pick,
    input wire logic [PARTS-1:0]    which,
    input wire logic [IN_WIDTH-1:0] s_axis_tdata,
    input wire logic                s_axis_tvalid,
    input wire logic                m_axis_tready
);
    localparam integer OUT_WIDTH = RATIO * IN_WIDTH;

    wire logic                 s_axis_tready;
    wire logic [OUT_WIDTH-1:0] m_axis_tdata;
    wire logic                 m_axis_tvalid;

    wire logic started;
    formal_reset environment (.*);
    stream_widen #(.IN_WIDTH(IN_WIDTH), .OUT_WIDTH(OUT_WIDTH)) dut (.*);

    // The parts inside, oldest first: while a wide beat waits, its parts and the first of the next beat; otherwise the
    // first part, and `collected` - 1 that have come in at the top and moved down.
    wire logic [PARTS-1:0]    collected = PARTS'(dut.index);
    wire logic                is_first  = order.ahead == (dut.valid ? PARTS'(RATIO) : '0);
    wire logic [PARTS-1:0]    place     = dut.valid ? order.ahead : PARTS'(RATIO) - collected + order.ahead;
    wire logic [IN_WIDTH-1:0] held      = is_first ? dut.first : dut.wide[place*IN_WIDTH +: IN_WIDTH];

    stream_rules #(.WIDTH(IN_WIDTH), .ASSUME(1)) s_axis (
        .clk, .rst, .tdata(s_axis_tdata), .tvalid(s_axis_tvalid), .tready(s_axis_tready)
    );
    stream_rules #(.WIDTH(OUT_WIDTH), .STEADY(0)) m_axis (
        .clk, .rst, .tdata(m_axis_tdata), .tvalid(m_axis_tvalid), .tready(m_axis_tready)
    );
    stream_order #(.PART(IN_WIDTH), .OUT_PARTS(RATIO), .CAPACITY(RATIO + 1), .PATIENCE(0)) order (
        .clk, .rst, .started, .pick, .which,
        .s_tdata(s_axis_tdata), .s_tvalid(s_axis_tvalid), .s_tready(s_axis_tready),
        .m_tdata(m_axis_tdata), .m_tvalid(m_axis_tvalid), .m_tready(m_axis_tready),
        .number(collected + (dut.valid ? PARTS'(RATIO) : '0)), .held
    );

    always_comb begin
        if (started) begin
            assert (integer'(collected) < RATIO);
            assert (dut.begins == (collected == 0));
            assert (!dut.valid || collected <= 1);
            // A narrow beat is refused only while a wide one waits and the first part of the next is there, too.
            assert (s_axis_tready == (integer'(order.inside_now) < RATIO + 1));
        end
    end
endmodule

`default_nettype wire
