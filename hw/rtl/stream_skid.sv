// SPDX-License-Identifier: BSD-3-Clause
// Skid buffer: a register that cuts a stream in both directions.
//
// Function      m = s, in order.
// Data          WIDTH bits, not interpreted.
// Handshake     s_axis_tready and m_axis_tvalid/tdata are registers. When the receiver stalls, the beat that is
//               under way is kept in a second register, so that no beat is lost and none is delayed.
// Latency       1 cycle.
// Throughput    one beat per cycle.
// Area          about WIDTH LUTs (the multiplexer) and 2 * WIDTH flip-flops.
`default_nettype none

module stream_skid #(
    parameter integer WIDTH = 8  // bits of a beat, 1 or more
) (
    input  wire logic             clk,
    input  wire logic             rst,

    input  wire logic [WIDTH-1:0] s_axis_tdata,
    input  wire logic             s_axis_tvalid,
    output wire logic             s_axis_tready,

    output wire logic [WIDTH-1:0] m_axis_tdata,
    output wire logic             m_axis_tvalid,
    input  wire logic             m_axis_tready
);
    generate
        if (WIDTH < 1) begin : g_check
            $error("stream_skid: WIDTH is %0d, expected 1 or more", WIDTH);
        end
    endgenerate

    logic [WIDTH-1:0] data;
    logic [WIDTH-1:0] kept;
    logic             full;    // data holds a beat
    logic             stalled; // kept holds a beat, too

    assign s_axis_tready = !stalled;
    assign m_axis_tvalid = full;
    assign m_axis_tdata  = data;

    wire logic take = m_axis_tready || !full;

    always_ff @(posedge clk) begin
        if (!stalled) kept <= s_axis_tdata;
        if (take) data <= stalled ? kept : s_axis_tdata;

        if (take) begin
            full    <= stalled || s_axis_tvalid;
            stalled <= 1'b0;
        end else if (s_axis_tvalid) begin
            stalled <= 1'b1;
        end

        if (rst) begin
            full    <= 1'b0;
            stalled <= 1'b0;
        end
    end
endmodule

`default_nettype wire
