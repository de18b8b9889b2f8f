// SPDX-License-Identifier: BSD-3-Clause
// stream_narrow: the narrow beats are the parts of the wide beats, in order; none lost, none invented.
`default_nettype none

module formal_stream_narrow #(
    parameter integer OUT_WIDTH = 2,
    parameter integer RATIO     = 3,
    parameter integer PARTS     = $clog2(2 * RATIO + 3)
) (
    input wire logic                       clk,
    input wire logic                       rst,
    input wire logic                       pick,
    input wire logic [PARTS-1:0]           which,
    input wire logic [RATIO*OUT_WIDTH-1:0] s_axis_tdata,
    input wire logic                       s_axis_tvalid,
    input wire logic                       m_axis_tready
);
    localparam integer IN_WIDTH = RATIO * OUT_WIDTH;

    wire logic                 s_axis_tready;
    wire logic [OUT_WIDTH-1:0] m_axis_tdata;
    wire logic                 m_axis_tvalid;

    wire logic started;
    formal_reset environment (.*);
    stream_narrow #(.IN_WIDTH(IN_WIDTH), .OUT_WIDTH(OUT_WIDTH)) dut (.*);

    // The parts inside, oldest first: the one shown, the last of its beat if it stands aside, then those in the wide
    // register, of which the first `index` have left unless one stands aside.
    wire logic [PARTS-1:0]     gone  = dut.last ? '0 : PARTS'(dut.index);
    wire logic [PARTS-1:0]     first = PARTS'(dut.valid) + PARTS'(dut.last); // parts before those in the wide register
    wire logic [PARTS-1:0]     place = order.ahead - first + gone;
    wire logic [OUT_WIDTH-1:0] held  = order.ahead == 0 && dut.valid ? dut.data :
                                       order.ahead < first ? dut.aside : dut.wide[place*OUT_WIDTH +: OUT_WIDTH];

    stream_rules #(.WIDTH(IN_WIDTH), .ASSUME(1), .STEADY(0)) s_axis (
        .clk, .rst, .tdata(s_axis_tdata), .tvalid(s_axis_tvalid), .tready(s_axis_tready)
    );
    stream_rules #(.WIDTH(OUT_WIDTH)) m_axis (
        .clk, .rst, .tdata(m_axis_tdata), .tvalid(m_axis_tvalid), .tready(m_axis_tready)
    );
    stream_order #(.PART(OUT_WIDTH), .IN_PARTS(RATIO), .CAPACITY(RATIO + 2), .PATIENCE(1)) order (
        .clk, .rst, .started, .pick, .which,
        .s_tdata(s_axis_tdata), .s_tvalid(s_axis_tvalid), .s_tready(s_axis_tready),
        .m_tdata(m_axis_tdata), .m_tvalid(m_axis_tvalid), .m_tready(m_axis_tready),
        .number(first + (dut.free ? '0 : PARTS'(RATIO) - gone)), .held
    );

    always_comb begin
        if (started) begin
            assert (dut.last == (integer'(dut.index) == RATIO - 1));
            assert (integer'(dut.index) < RATIO);
            assert (!dut.free || dut.last || dut.index == 0);
            // A wide beat is refused only while two parts or more are inside.
            assert (order.inside_now >= 2 || s_axis_tready);
        end
    end
endmodule

`default_nettype wire
