// SPDX-License-Identifier: BSD-3-Clause
// stream_compare: beat n of the output says which elements of beats n of the inputs reach their thresholds, for every n.
`default_nettype none

module formal_stream_compare #(
    parameter integer PE     = 1,
    parameter integer X_BITS = 3,
    parameter integer T_BITS = 4
) (
    input wire logic                 clk,
    input wire logic                 rst,
    input wire logic                 pick,
    input wire logic [1:0]           which,
    input wire logic [PE*X_BITS-1:0] s_x_tdata,
    input wire logic                 s_x_tvalid,
    input wire logic [PE*T_BITS-1:0] s_t_tdata,
    input wire logic                 s_t_tvalid,
    input wire logic                 m_axis_tready
);
    wire logic          s_x_tready;
    wire logic          s_t_tready;
    wire logic [PE-1:0] m_axis_tdata;
    wire logic          m_axis_tvalid;

    wire logic started;
    formal_reset environment (.*);
    stream_compare #(.PE(PE), .X_BITS(X_BITS), .T_BITS(T_BITS)) dut (.*);

    // What should come out: in integers, as golden.operators.compare says it.
    wire logic [PE-1:0] expected;
    generate
        for (genvar i = 0; i < PE; i = i + 1) begin : g_element
            wire logic signed [X_BITS-1:0] x = s_x_tdata[i*X_BITS +: X_BITS];
            wire logic signed [T_BITS-1:0] t = s_t_tdata[i*T_BITS +: T_BITS];
            wire integer difference = integer'(x) - integer'(t);
            assign expected[i] = difference >= 0;
        end
    endgenerate

    stream_rules #(.WIDTH(PE * X_BITS), .ASSUME(1)) s_x (
        .clk, .rst, .tdata(s_x_tdata), .tvalid(s_x_tvalid), .tready(s_x_tready)
    );
    stream_rules #(.WIDTH(PE * T_BITS), .ASSUME(1)) s_t (
        .clk, .rst, .tdata(s_t_tdata), .tvalid(s_t_tvalid), .tready(s_t_tready)
    );
    stream_rules #(.WIDTH(PE)) m_axis (
        .clk, .rst, .tdata(m_axis_tdata), .tvalid(m_axis_tvalid), .tready(m_axis_tready)
    );
    stream_order #(.PART(PE), .CAPACITY(2), .PATIENCE(0)) order (
        .clk, .rst, .started, .pick, .which,
        .s_tdata(expected), .s_tvalid(s_x_tvalid), .s_tready(s_x_tready),
        .m_tdata(m_axis_tdata), .m_tvalid(m_axis_tvalid), .m_tready(m_axis_tready),
        .number(2'(dut.u_skid.full) + 2'(dut.u_skid.stalled)),
        .held(order.ahead == 0 ? dut.u_skid.data : dut.u_skid.kept)
    );

    always_comb begin
        if (started) begin
            assert (dut.u_skid.full || !dut.u_skid.stalled);
            // A beat of one input moves exactly when a beat of the other does.
            assert ((s_x_tvalid && s_x_tready) == (s_t_tvalid && s_t_tready));
            // A pair is refused only when two are inside.
            assert (s_x_tready == (s_t_tvalid && order.inside_now < 2));
            assert (s_t_tready == (s_x_tvalid && order.inside_now < 2));
        end
    end

    // Numbers below, at and above their thresholds.
    always_comb begin
        cover (started && s_x_tvalid && s_x_tready && g_element[0].difference < 0);
        cover (started && s_x_tvalid && s_x_tready && g_element[0].difference == 0);
        cover (started && s_x_tvalid && s_x_tready && g_element[0].difference > 0);
    end
endmodule

`default_nettype wire
