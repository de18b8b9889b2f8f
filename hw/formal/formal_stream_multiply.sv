// SPDX-License-Identifier: BSD-3-Clause
// stream_multiply: beat n of the output is the product of beat n of s_x and the beat of s_g that belongs to it, for every
// n; a beat of s_g is held until the last beat of s_x that needs it. The module is a black box.
`default_nettype none

module formal_stream_multiply #(
    parameter integer CHANNELS   = 2,
    parameter integer G_CHANNELS = 1,
    parameter integer PE         = 1,
    parameter integer X_BITS     = 2,
    parameter integer G_BITS     = 2,
    parameter integer SHIFT      = 1,
    parameter integer BITS       = 2,
    parameter integer G_PE       = G_CHANNELS > 1 ? PE : 1  // leave it
) (
    input wire logic                   clk,
    input wire logic                   rst,
    input wire logic                   pick,
    input wire logic [2:0]             which,
    input wire logic [PE*X_BITS-1:0]   s_x_tdata,
    input wire logic                   s_x_tvalid,
    input wire logic [G_PE*G_BITS-1:0] s_g_tdata,
    input wire logic                   s_g_tvalid,
    input wire logic                   m_axis_tready
);
    localparam integer HOLD = G_CHANNELS > 1 ? 1 : CHANNELS / PE;
    localparam integer HALF = SHIFT > 0 ? 1 << (SHIFT - 1) : 0;
    localparam integer HIGH = 2 ** (BITS - 1) - 1;
    localparam integer LOW  = -(2 ** (BITS - 1));

    wire logic               s_x_tready;
    wire logic               s_g_tready;
    wire logic [PE*BITS-1:0] m_axis_tdata;
    wire logic               m_axis_tvalid;

    wire logic started;
    formal_reset environment (.*);
    stream_multiply #(
        .CHANNELS(CHANNELS), .G_CHANNELS(G_CHANNELS), .PE(PE),
        .X_BITS(X_BITS), .G_BITS(G_BITS), .SHIFT(SHIFT), .BITS(BITS)
    ) dut (.*);

    // What should come out: in integers, as golden.operators.multiply says it.
    wire logic [PE*BITS-1:0] expected;
    generate
        for (genvar i = 0; i < PE; i = i + 1) begin : g_element
            wire logic signed [X_BITS-1:0] x = s_x_tdata[i*X_BITS +: X_BITS];
            wire logic signed [G_BITS-1:0] g = s_g_tdata[(G_PE > 1 ? i : 0)*G_BITS +: G_BITS];
            wire integer scaled  = (integer'(x) * integer'(g) + HALF) >>> SHIFT;
            wire integer clipped = scaled > HIGH ? HIGH : scaled < LOW ? LOW : scaled;
            assign expected[i*BITS +: BITS] = BITS'(clipped);
        end
    endgenerate

    stream_rules #(.WIDTH(PE * X_BITS), .ASSUME(1)) s_x (
        .clk, .rst, .tdata(s_x_tdata), .tvalid(s_x_tvalid), .tready(s_x_tready)
    );
    stream_rules #(.WIDTH(G_PE * G_BITS), .ASSUME(1), .STEADY(HOLD > 1 ? 0 : 1)) s_g (
        .clk, .rst, .tdata(s_g_tdata), .tvalid(s_g_tvalid), .tready(s_g_tready)
    );
    stream_rules #(.WIDTH(PE * BITS)) m_axis (
        .clk, .rst, .tdata(m_axis_tdata), .tvalid(m_axis_tvalid), .tready(m_axis_tready)
    );
    stream_order #(.PART(PE * BITS), .CAPACITY(6), .PATIENCE(4), .OPEN(0)) order (
        .clk, .rst, .started, .pick, .which,
        .s_tdata(expected), .s_tvalid(s_x_tvalid), .s_tready(s_x_tready),
        .m_tdata(m_axis_tdata), .m_tvalid(m_axis_tvalid), .m_tready(m_axis_tready),
        .number('0), .held('0)
    );

    integer beat; // of the pixel
    wire logic moves = s_x_tvalid && s_x_tready;
    always_ff @(posedge clk) begin
        if (moves) beat <= beat == HOLD - 1 ? 0 : beat + 1;
        if (rst) beat <= 0;
    end

    always_comb begin
        if (started) begin
            // No beat of s_x moves without a factor.
            assert (!moves || s_g_tvalid);
            // A factor moves exactly when the last beat that needs it does.
            assert ((s_g_tvalid && s_g_tready) == (moves && beat == HOLD - 1));
            // Pairs are taken while the receiver takes what comes out.
            assert (order.inside_now != 0 || s_x_tready == s_g_tvalid);
        end
    end

    // A full module; a result that was saturated upwards.
    always_comb begin
        cover (started && order.inside_now == 6);
        cover (started && moves && g_element[0].scaled > HIGH);
    end
endmodule

`default_nettype wire
