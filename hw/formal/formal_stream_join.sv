// SPDX-License-Identifier: BSD-3-Clause
// stream_join: beat n of the output is the saturated sum of beats n of the inputs, for every n.
`default_nettype none

module formal_stream_join #(
    parameter integer PE     = 1,
    parameter integer A_BITS = 3,
    parameter integer B_BITS = 4,
    parameter integer BITS   = 3
) (
    input wire logic                 clk,
    input wire logic                 rst,
    input wire logic                 pick,
    input wire logic [2:0]           which,
    input wire logic [PE*A_BITS-1:0] s_a_tdata,
    input wire logic                 s_a_tvalid,
    input wire logic [PE*B_BITS-1:0] s_b_tdata,
    input wire logic                 s_b_tvalid,
    input wire logic                 m_axis_tready
);
    localparam integer HIGH = 2 ** (BITS - 1) - 1;
    localparam integer LOW  = -(2 ** (BITS - 1));

    wire logic               s_a_tready;
    wire logic               s_b_tready;
    wire logic [PE*BITS-1:0] m_axis_tdata;
    wire logic               m_axis_tvalid;

    wire logic started;
    formal_reset environment (.*);
    stream_join #(.PE(PE), .A_BITS(A_BITS), .B_BITS(B_BITS), .BITS(BITS)) dut (.*);

    // What should come out: in integers, as golden.operators.join says it.
    wire logic [PE*BITS-1:0] expected;
    generate
        for (genvar i = 0; i < PE; i = i + 1) begin : g_element
            wire logic signed [A_BITS-1:0] a = s_a_tdata[i*A_BITS +: A_BITS];
            wire logic signed [B_BITS-1:0] b = s_b_tdata[i*B_BITS +: B_BITS];
            wire integer sum = integer'(a) + integer'(b);
            wire integer clipped = sum > HIGH ? HIGH : sum < LOW ? LOW : sum;
            assign expected[i*BITS +: BITS] = BITS'(clipped);
        end
    endgenerate

    // The beats inside, oldest first: the two of the skid buffer, then the sum.
    wire logic               full    = dut.skid.full;
    wire logic               stalled = dut.skid.stalled;
    wire logic [PE*BITS-1:0] held    = order.ahead == 0 && full ? dut.skid.data :
                                       order.ahead == 1 && stalled ? dut.skid.kept : dut.saturated;

    stream_rules #(.WIDTH(PE * A_BITS), .ASSUME(1)) s_a (
        .clk, .rst, .tdata(s_a_tdata), .tvalid(s_a_tvalid), .tready(s_a_tready)
    );
    stream_rules #(.WIDTH(PE * B_BITS), .ASSUME(1)) s_b (
        .clk, .rst, .tdata(s_b_tdata), .tvalid(s_b_tvalid), .tready(s_b_tready)
    );
    stream_rules #(.WIDTH(PE * BITS)) m_axis (
        .clk, .rst, .tdata(m_axis_tdata), .tvalid(m_axis_tvalid), .tready(m_axis_tready)
    );
    stream_order #(.PART(PE * BITS), .CAPACITY(3), .PATIENCE(1)) order (
        .clk, .rst, .started, .pick, .which,
        .s_tdata(expected), .s_tvalid(s_a_tvalid), .s_tready(s_a_tready),
        .m_tdata(m_axis_tdata), .m_tvalid(m_axis_tvalid), .m_tready(m_axis_tready),
        .number(3'(dut.full) + 3'(full) + 3'(stalled)), .held
    );

    always_comb begin
        if (started) begin
            assert (full || !stalled);
            // A beat of one input moves exactly when a beat of the other does.
            assert ((s_a_tvalid && s_a_tready) == (s_b_tvalid && s_b_tready));
            // A pair is refused only when three are inside.
            assert (s_a_tready == (s_b_tvalid && order.inside_now < 3));
            assert (s_b_tready == (s_a_tvalid && order.inside_now < 3));
        end
    end

    // A pair is saturated upwards, another downwards.
    generate
        if (BITS <= A_BITS || BITS <= B_BITS) begin : g_saturation
            wire logic pair = started && s_a_tvalid && s_a_tready && s_b_tvalid;
            always_comb begin
                cover (pair && g_element[0].sum > HIGH);
                cover (pair && g_element[0].sum < LOW);
            end
        end
    endgenerate
endmodule

`default_nettype wire
