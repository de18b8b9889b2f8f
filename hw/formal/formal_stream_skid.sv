// SPDX-License-Identifier: BSD-3-Clause
// stream_skid: the rules of a stream, and nothing lost, invented or reordered; two beats of capacity, both used.
`default_nettype none

module formal_stream_skid #(
    parameter integer WIDTH = 4
) (
    input wire logic             clk,
    input wire logic             rst,
    input wire logic             pick,
    input wire logic [1:0]       which,
    input wire logic [WIDTH-1:0] s_axis_tdata,
    input wire logic             s_axis_tvalid,
    input wire logic             m_axis_tready
);
    wire logic             s_axis_tready;
    wire logic [WIDTH-1:0] m_axis_tdata;
    wire logic             m_axis_tvalid;

    wire logic started;
    formal_reset environment (.*);
    stream_skid #(.WIDTH(WIDTH)) dut (.*);

    stream_rules #(.WIDTH(WIDTH), .ASSUME(1)) s_axis (
        .clk, .rst, .tdata(s_axis_tdata), .tvalid(s_axis_tvalid), .tready(s_axis_tready)
    );
    stream_rules #(.WIDTH(WIDTH)) m_axis (
        .clk, .rst, .tdata(m_axis_tdata), .tvalid(m_axis_tvalid), .tready(m_axis_tready)
    );
    stream_order #(.PART(WIDTH), .CAPACITY(2), .PATIENCE(0)) order (
        .clk, .rst, .started, .pick, .which,
        .s_tdata(s_axis_tdata), .s_tvalid(s_axis_tvalid), .s_tready(s_axis_tready),
        .m_tdata(m_axis_tdata), .m_tvalid(m_axis_tvalid), .m_tready(m_axis_tready),
        .number({1'b0, dut.full} + {1'b0, dut.stalled}), .held(order.ahead == 0 ? dut.data : dut.kept)
    );

    always_comb begin
        if (started) begin
            // A second beat is kept only behind a first.
            assert (dut.full || !dut.stalled);
            // A beat is refused only when both registers are full.
            assert (s_axis_tready == (order.inside_now < 2));
        end
    end
endmodule

`default_nettype wire
