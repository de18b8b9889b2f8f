// SPDX-License-Identifier: BSD-3-Clause
// Fork: one stream to two receivers, each of which takes its copy when it wants to.
//
// Function      m_a = s, m_b = s, each in order. For more copies, fork a branch again.
// Data          WIDTH bits, not interpreted.
// Run-ahead     One branch may be up to two beats ahead of the other: two is the number of beats that the fork keeps
//               for a branch that stalls. Where the branches meet again, a FIFO in the shorter one must take up what
//               the longer one holds, or the pair deadlocks.
// Handshake     Two skid buffers that share the register for the second beat. m_*_tvalid and m_*_tdata are registers,
//               s_axis_tready is a function of two registers: no branch sees the other's ready, nor the sender any.
// Latency       1 cycle.
// Throughput    one beat per cycle, if both branches take one per cycle; otherwise as the slower one.
// Area          about 2 * WIDTH LUTs (two multiplexers) and 3 * WIDTH flip-flops.
`default_nettype none

module stream_fork #(
    parameter integer WIDTH = 8  // bits of a beat, 1 or more
) (
    input  wire logic             clk,
    input  wire logic             rst,

    input  wire logic [WIDTH-1:0] s_axis_tdata,
    input  wire logic             s_axis_tvalid,
    output wire logic             s_axis_tready,

    output wire logic [WIDTH-1:0] m_a_tdata,
    output wire logic             m_a_tvalid,
    input  wire logic             m_a_tready,

    output wire logic [WIDTH-1:0] m_b_tdata,
    output wire logic             m_b_tvalid,
    input  wire logic             m_b_tready
);
    generate
        if (WIDTH < 1) begin : g_check
            $error("stream_fork: WIDTH is %0d, expected 1 or more", WIDTH);
        end
    endgenerate

    logic [WIDTH-1:0] kept;       // the second beat
    logic [WIDTH-1:0] data_a;     // the beat shown to a
    logic [WIDTH-1:0] data_b;
    logic             full_a;     // data_a holds a beat
    logic             full_b;
    logic             stalled_a;  // kept holds a beat that a has not been shown yet
    logic             stalled_b;

    assign s_axis_tready = !stalled_a && !stalled_b;
    assign m_a_tdata  = data_a;
    assign m_b_tdata  = data_b;
    assign m_a_tvalid = full_a;
    assign m_b_tvalid = full_b;

    wire logic push   = s_axis_tvalid && s_axis_tready;
    wire logic take_a = m_a_tready || !full_a;
    wire logic take_b = m_b_tready || !full_b;

    always_ff @(posedge clk) begin
        if (s_axis_tready) kept <= s_axis_tdata;
        if (take_a) data_a <= stalled_a ? kept : s_axis_tdata;
        if (take_b) data_b <= stalled_b ? kept : s_axis_tdata;

        if (take_a) begin
            full_a    <= stalled_a || push;
            stalled_a <= 1'b0;
        end else if (push) begin
            stalled_a <= 1'b1;
        end

        if (take_b) begin
            full_b    <= stalled_b || push;
            stalled_b <= 1'b0;
        end else if (push) begin
            stalled_b <= 1'b1;
        end

        if (rst) begin
            full_a    <= 1'b0;
            full_b    <= 1'b0;
            stalled_a <= 1'b0;
            stalled_b <= 1'b0;
        end
    end
endmodule

`default_nettype wire
