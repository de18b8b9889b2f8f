// SPDX-License-Identifier: BSD-3-Clause
// stream_fork: each branch gets all beats in order, whatever the other does, and is at most two beats ahead of it.
`default_nettype none

module formal_stream_fork #(
    parameter integer WIDTH = 4
) (
    input wire logic             clk,
    input wire logic             rst,
    input wire logic             pick,
    input wire logic [1:0]       which,
    input wire logic [WIDTH-1:0] s_axis_tdata,
    input wire logic             s_axis_tvalid,
    input wire logic             m_a_tready,
    input wire logic             m_b_tready
);
    wire logic             s_axis_tready;
    wire logic [WIDTH-1:0] m_a_tdata;
    wire logic             m_a_tvalid;
    wire logic [WIDTH-1:0] m_b_tdata;
    wire logic             m_b_tvalid;

    wire logic started;
    formal_reset environment (.*);
    stream_fork #(.WIDTH(WIDTH)) dut (.*);

    stream_rules #(.WIDTH(WIDTH), .ASSUME(1)) s_axis (
        .clk, .rst, .tdata(s_axis_tdata), .tvalid(s_axis_tvalid), .tready(s_axis_tready)
    );
    stream_rules #(.WIDTH(WIDTH)) m_a (
        .clk, .rst, .tdata(m_a_tdata), .tvalid(m_a_tvalid), .tready(m_a_tready)
    );
    stream_rules #(.WIDTH(WIDTH)) m_b (
        .clk, .rst, .tdata(m_b_tdata), .tvalid(m_b_tvalid), .tready(m_b_tready)
    );
    stream_order #(.PART(WIDTH), .CAPACITY(2), .PATIENCE(0)) order_a (
        .clk, .rst, .started, .pick, .which,
        .s_tdata(s_axis_tdata), .s_tvalid(s_axis_tvalid), .s_tready(s_axis_tready),
        .m_tdata(m_a_tdata), .m_tvalid(m_a_tvalid), .m_tready(m_a_tready),
        .number({1'b0, dut.full_a} + {1'b0, dut.stalled_a}), .held(order_a.ahead == 0 ? dut.data_a : dut.kept)
    );
    stream_order #(.PART(WIDTH), .CAPACITY(2), .PATIENCE(0)) order_b (
        .clk, .rst, .started, .pick, .which,
        .s_tdata(s_axis_tdata), .s_tvalid(s_axis_tvalid), .s_tready(s_axis_tready),
        .m_tdata(m_b_tdata), .m_tvalid(m_b_tvalid), .m_tready(m_b_tready),
        .number({1'b0, dut.full_b} + {1'b0, dut.stalled_b}), .held(order_b.ahead == 0 ? dut.data_b : dut.kept)
    );

    always_comb begin
        if (started) begin
            // A second beat is kept only behind a first.
            assert (dut.full_a || !dut.stalled_a);
            assert (dut.full_b || !dut.stalled_b);
            // A beat is refused only when one of the branches is two beats behind the sender. So it is two beats
            // ahead of the other at most.
            assert (s_axis_tready == (order_a.inside_now < 2 && order_b.inside_now < 2));
        end

        // Either branch gets two beats ahead of the other.
        cover (started && order_a.inside_now == 2 && order_b.inside_now == 0);
        cover (started && order_a.inside_now == 0 && order_b.inside_now == 2);
    end
endmodule

`default_nettype wire
