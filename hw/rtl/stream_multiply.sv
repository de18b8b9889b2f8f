// SPDX-License-Identifier: BSD-3-Clause
// Product of two streams: golden.operators.multiply.
//
// Function      y = sat((x * g + half) >> SHIFT), sat to BITS bits; half is 1 << (SHIFT - 1), or 0 if SHIFT is 0.
// Data          s_x: PE elements of X_BITS bits; m_axis: PE elements of BITS bits. Element i is in bits
//               [i*bits, (i+1)*bits), all are two's complement.
//               s_g: with G_CHANNELS = CHANNELS > 1, PE elements of G_BITS bits, a factor per element: beat n of s_g meets
//               beat n of s_x. With G_CHANNELS = 1, one element per pixel, the factor of all its CHANNELS / PE beats.
// Structure     cycle 1   A and B registers of the DSP48
//               cycle 2   M register
//               cycle 3   P = M + half
//               cycle 4,5 saturation and skid buffer, requant_clip
// Handshake     A beat of s_x moves when there is a beat of s_g; one of s_g moves together with the one of s_x that is the
//               last to need it: each beat, or the last of the pixel. Until then it is held by its sender. The tready of
//               each looks at the tvalid of the other, which is the exception that docs/rtl.md grants, and at registers:
//               the ready of the skid buffer, which is the enable of all stages, and the beat of the pixel.
// Latency       5 cycles.
// Throughput    one beat per cycle.
// Area          PE DSP48E1, with product and rounding inside (in LUTs if X_BITS + G_BITS < 9), and requant_clip.
`default_nettype none

module stream_multiply #(
    parameter integer CHANNELS   = 64, // channels of s_x
    parameter integer G_CHANNELS = 64, // channels of s_g: CHANNELS or 1
    parameter integer PE         = 1,  // elements per beat of s_x; divides CHANNELS
    parameter integer X_BITS     = 12, // bits of an element of s_x, 2..16
    parameter integer G_BITS     = 12, // bits of an element of s_g, 2..16
    parameter integer SHIFT      = 11, // 0..30
    parameter integer BITS       = 12, // bits of the result, 2..16
    parameter integer G_PE       = G_CHANNELS > 1 ? PE : 1  // elements per beat of s_g; leave it
) (
    input  wire logic                   clk,
    input  wire logic                   rst,

    input  wire logic [PE*X_BITS-1:0]   s_x_tdata,
    input  wire logic                   s_x_tvalid,
    output wire logic                   s_x_tready,

    input  wire logic [G_PE*G_BITS-1:0] s_g_tdata,
    input  wire logic                   s_g_tvalid,
    output wire logic                   s_g_tready,

    output wire logic [PE*BITS-1:0]     m_axis_tdata,
    output wire logic                   m_axis_tvalid,
    input  wire logic                   m_axis_tready
);
    localparam integer HOLD   = G_CHANNELS > 1 ? 1 : CHANNELS / PE;           // beats of s_x to a beat of s_g
    localparam integer M_BITS = X_BITS + G_BITS;                              // of the product
    localparam integer P_BITS = (M_BITS > SHIFT + 1 ? M_BITS : SHIFT + 1) + 1;
    localparam integer V_BITS = P_BITS - SHIFT;                               // what the shift leaves
    localparam [P_BITS-1:0] HALF = (P_BITS'(1) << SHIFT) >> 1;

    generate
        if (PE < 1 || CHANNELS < 1 || CHANNELS % PE != 0) begin : g_check_pe
            $error("stream_multiply: PE is %0d, expected a divisor of CHANNELS %0d", PE, CHANNELS);
        end
        if ((G_CHANNELS != CHANNELS && G_CHANNELS != 1) || G_PE != (G_CHANNELS > 1 ? PE : 1)) begin : g_check_g
            $error("stream_multiply: G_CHANNELS is %0d, expected CHANNELS %0d or 1; G_PE must be left alone",
                   G_CHANNELS, CHANNELS);
        end
        if (X_BITS < 2 || X_BITS > 16 || G_BITS < 2 || G_BITS > 16 || BITS < 2 || BITS > 16) begin : g_check_bits
            $error("stream_multiply: X_BITS %0d, G_BITS %0d, BITS %0d, expected 2..16", X_BITS, G_BITS, BITS);
        end
        if (SHIFT < 0 || SHIFT > 30) begin : g_check_shift
            $error("stream_multiply: SHIFT is %0d, expected 0..30", SHIFT);
        end
    endgenerate

    wire logic enable;
    wire logic last; // the beat of s_x is the last to need the beat of s_g

    assign s_x_tready = s_g_tvalid && enable;
    assign s_g_tready = s_x_tvalid && enable && last;

    generate
        if (HOLD > 1) begin : g_hold
            localparam integer INDEX = $clog2(HOLD);
            logic [INDEX-1:0] beat; // of the pixel
            assign last = beat == INDEX'(HOLD - 1);
            always_ff @(posedge clk) begin
                if (s_x_tvalid && s_x_tready) beat <= last ? '0 : beat + 1'b1;
                if (rst) beat <= '0;
            end
        end else begin : g_each
            assign last = 1'b1;
        end
    endgenerate

    logic [3:1] valid; // by stage

    always_ff @(posedge clk) begin
        if (enable) valid <= {valid[2:1], s_x_tvalid && s_g_tvalid};
        if (rst) valid <= '0;
    end

    wire logic [PE*V_BITS-1:0] shifted;

    genvar i;
    generate
        for (i = 0; i < PE; i = i + 1) begin : g_element
            // Plain registers with one enable: synthesis finds those of the DSP48 among them
            logic signed [X_BITS-1:0] x1;
            logic signed [G_BITS-1:0] g1;
            logic signed [M_BITS-1:0] m2;
            logic signed [P_BITS-1:0] p3;
            always_ff @(posedge clk) begin
                if (enable) begin
                    x1 <= s_x_tdata[i*X_BITS +: X_BITS];
                    g1 <= s_g_tdata[(G_PE > 1 ? i : 0)*G_BITS +: G_BITS];
                    m2 <= x1 * g1;
                    p3 <= P_BITS'(m2) + HALF;
                end
            end
            assign shifted[i*V_BITS +: V_BITS] = p3[P_BITS-1:SHIFT];
            if (SHIFT > 0) begin : g_drop
                wire logic unused = &{1'b0, p3[SHIFT-1:0]};
            end
        end
    endgenerate

    requant_clip #(
        .PE(PE),
        .IN_BITS(V_BITS),
        .BITS(BITS),
        .SIGNED(1)
    ) u_clip (
        .clk(clk),
        .rst(rst),
        .s_axis_tdata(shifted),
        .s_axis_tvalid(valid[3]),
        .s_axis_tready(enable),
        .m_axis_tdata(m_axis_tdata),
        .m_axis_tvalid(m_axis_tvalid),
        .m_axis_tready(m_axis_tready)
    );
endmodule

`default_nettype wire
