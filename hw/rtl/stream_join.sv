// SPDX-License-Identifier: BSD-3-Clause
// Join: the residual addition of two streams, saturated.
//
// Function      m[i] = min(max(s_a[i] + s_b[i], -2^(BITS-1)), 2^(BITS-1) - 1), golden.operators.join.
// Data          PE elements per beat on every port: A_BITS, B_BITS and BITS wide, two's complement, element i in bits
//               [i*bits, (i+1)*bits). Beat n of s_a meets beat n of s_b.
// Handshake     A beat of s_a and a beat of s_b move together: s_a_tready waits for s_b_tvalid and the other way round,
//               which is the exception that docs/rtl.md grants. m_axis_tvalid and m_axis_tdata are registers; neither
//               s_*_tready depends on m_axis_tready.
// Latency       2 cycles: sum, saturate.
// Throughput    one beat per cycle.
// Area          per element about max(A_BITS, B_BITS) + 1 LUTs for the sum and BITS for saturation and skid buffer
//               together.
`default_nettype none

module stream_join #(
    parameter integer PE     = 1,  // elements per beat, 1 or more
    parameter integer A_BITS = 8,  // bits of an element of s_a, 1..32
    parameter integer B_BITS = 8,  // bits of an element of s_b, 1..32
    parameter integer BITS   = 8   // bits of an element of m_axis, 2..33
) (
    input  wire logic                 clk,
    input  wire logic                 rst,

    input  wire logic [PE*A_BITS-1:0] s_a_tdata,
    input  wire logic                 s_a_tvalid,
    output wire logic                 s_a_tready,

    input  wire logic [PE*B_BITS-1:0] s_b_tdata,
    input  wire logic                 s_b_tvalid,
    output wire logic                 s_b_tready,

    output wire logic [PE*BITS-1:0]   m_axis_tdata,
    output wire logic                 m_axis_tvalid,
    input  wire logic                 m_axis_tready
);
    localparam integer SUM = (A_BITS > B_BITS ? A_BITS : B_BITS) + 1;  // bits that hold every sum

    logic [PE*SUM-1:0]   sum;
    logic                full;       // sum holds a beat
    wire  [PE*BITS-1:0]  saturated;
    wire                 skid_ready;

    wire logic take = skid_ready || !full;

    assign s_a_tready = take && s_b_tvalid;
    assign s_b_tready = take && s_a_tvalid;

    always_ff @(posedge clk) begin
        if (take) full <= s_a_tvalid && s_b_tvalid;
        if (rst) full <= 1'b0;
    end

    generate
        if (PE < 1 || A_BITS < 1 || A_BITS > 32 || B_BITS < 1 || B_BITS > 32 || BITS < 2 || BITS > 33) begin : g_check
            $error("stream_join: PE %0d, A_BITS %0d, B_BITS %0d, BITS %0d; expected PE >= 1, A_BITS and B_BITS 1..32, BITS 2..33",
                   PE, A_BITS, B_BITS, BITS);
        end

        for (genvar i = 0; i < PE; i = i + 1) begin : g_element
            wire signed [A_BITS-1:0] a = s_a_tdata[i*A_BITS +: A_BITS];
            wire signed [B_BITS-1:0] b = s_b_tdata[i*B_BITS +: B_BITS];
            wire signed [SUM-1:0]    v = sum[i*SUM +: SUM];
            wire signed [SUM-1:0]    a_wide = SUM'(a);
            wire signed [SUM-1:0]    b_wide = SUM'(b);

            always_ff @(posedge clk) begin
                if (take) sum[i*SUM +: SUM] <= a_wide + b_wide;
            end

            if (BITS < SUM) begin : g_saturate
                // v fits if the bits from the sign bit of the result upwards are all equal
                wire fits = v[SUM-1:BITS-1] == {(SUM - BITS + 1){v[SUM-1]}};
                assign saturated[i*BITS +: BITS] = fits ? v[BITS-1:0] : {v[SUM-1], {(BITS - 1){!v[SUM-1]}}};
            end else begin : g_extend
                assign saturated[i*BITS +: BITS] = BITS'(v);
            end
        end
    endgenerate

    stream_skid #(.WIDTH(PE * BITS)) skid (
        .clk(clk), .rst(rst),
        .s_axis_tdata(saturated), .s_axis_tvalid(full), .s_axis_tready(skid_ready),
        .m_axis_tdata(m_axis_tdata), .m_axis_tvalid(m_axis_tvalid), .m_axis_tready(m_axis_tready)
    );
endmodule

`default_nettype wire
