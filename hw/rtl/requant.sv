// SPDX-License-Identifier: BSD-3-Clause
// Requantizer, affine in two pieces per channel: golden.operators.requant.
//
// Function      y = sat(acc > t_c ? (a1_c * acc + b1_c) >> SHIFT : (a0_c * acc + b0_c) >> SHIFT), sat to BITS bits, signed
//               or (OUT_SIGNED 0) unsigned. With two equal pieces and BITS 8 unsigned it is golden's PlainOutput.
// Data          s_axis: PE elements of IN_BITS bits, two's complement or (IN_SIGNED 0: pixels) unsigned.
//               m_axis: PE elements of BITS bits, two's complement or (OUT_SIGNED 0) unsigned.
// Constants     Channel c is element i = c % PE of beat k = c / PE of a pixel, K = CHANNELS / PE beats.
//               THRESHOLD_FILE: K words of PE * T_BITS bits; T = t + 1 of element i, signed, at [i*T_BITS +: T_BITS]
//               of word k, as in rsign. CONST_FILE: 2 * KK * PE words of A_BITS + B_BITS bits, where KK is K rounded
//               up to a power of two; word (i*KK + k) * 2 + p is {b, a} of piece p, both signed. Words of k >= K are
//               never read.
//   Trimming    A_BITS and B_BITS are what the constants need. T may be clipped to low..high+1, the range of acc and
//               "never": this changes no result, and T_BITS = IN_BITS + 1 always suffices (+ 2 if unsigned). A channel
//               without a threshold has two equal pieces, and any T.
// Structure     cycle 1   compare with T; the address of {b, a} is {element, beat, acc >= T}: selecting before the
//                         memory is read saves the multiplexer behind it, and halves the width of the memory
//               cycle 2   read {b, a}
//               cycle 3   A and B registers of the DSP48
//               cycle 4   M and C registers
//               cycle 5   P = M + C
//               cycle 6,7 saturation and skid buffer, requant_clip
// Handshake     One enable for all stages, the ready register of the skid buffer at the narrow end. s_axis_tready and
//               all of m_axis are registers.
// Latency       7 cycles.
// Throughput    one beat per cycle.
// Area          PE DSP48E1 if acc has at most 25 bits (24 if unsigned) and A_BITS <= 18; beyond, Yosys composes the
//               product of several and leaves their sum in LUTs (timing not promised). Per element with 32 beats, a
//               20-bit acc, 16-bit slopes and 24-bit offsets: about 100 LUTs with CONST_STYLE "distributed", 60 and
//               one 36 kbit block RAM (half of one if A_BITS + B_BITS <= 36) with "block".
`default_nettype none

module requant #(
    parameter integer CHANNELS    = 64,     // channels of the tensor
    parameter integer PE          = 1,      // elements per beat; divides CHANNELS
    parameter integer IN_BITS     = 20,     // bits of an input element, 2..32
    parameter integer IN_SIGNED   = 1,      // 1: accumulator or stream; 0: pixels
    parameter integer BITS        = 12,     // bits of the result, 2..16
    parameter integer OUT_SIGNED  = 1,      // 1: the result is a stream; 0: unsigned, pixels
    parameter integer SHIFT       = 16,     // 0..31
    parameter integer A_BITS      = 16,     // bits of a slope, 1..18
    parameter integer B_BITS      = 32,     // bits of an offset, 1..32
    parameter integer T_BITS      = 21,     // bits of a threshold
    parameter THRESHOLD_FILE      = "threshold.mem",
    parameter CONST_FILE          = "const.mem",
    parameter [87:0]  CONST_STYLE = "auto"  // memory of {b, a}: "block", "distributed", or what the tool thinks best
) (
    input  wire logic                  clk,
    input  wire logic                  rst,

    input  wire logic [PE*IN_BITS-1:0] s_axis_tdata,
    input  wire logic                  s_axis_tvalid,
    output wire logic                  s_axis_tready,

    output wire logic [PE*BITS-1:0]    m_axis_tdata,
    output wire logic                  m_axis_tvalid,
    input  wire logic                  m_axis_tready
);
    localparam integer INDEX  = CHANNELS > PE ? $clog2(CHANNELS / PE) : 1;
    localparam integer BEAT   = CHANNELS > PE ? INDEX : 0;  // bits of KK - 1
    localparam integer X_BITS = IN_SIGNED != 0 ? IN_BITS : IN_BITS + 1;
    localparam integer M_BITS = X_BITS + A_BITS;
    localparam integer P_BITS = (M_BITS > B_BITS ? M_BITS : B_BITS) + 1;

    generate
        if (PE < 1 || CHANNELS < 1 || CHANNELS % PE != 0) begin : g_check_pe
            $error("requant: PE is %0d, expected a divisor of CHANNELS %0d", PE, CHANNELS);
        end
        if (IN_BITS < 2 || IN_BITS > 32 || BITS < 2 || BITS > 16 || SHIFT < 0 || SHIFT > 31) begin : g_check_bits
            $error("requant: IN_BITS %0d, BITS %0d, SHIFT %0d, expected 2..32, 2..16, 0..31", IN_BITS, BITS, SHIFT);
        end
        if (OUT_SIGNED < 0 || OUT_SIGNED > 1) begin : g_check_out
            $error("requant: OUT_SIGNED is %0d, expected 0 or 1", OUT_SIGNED);
        end
        if (A_BITS < 1 || A_BITS > 18 || B_BITS < 1 || B_BITS > 32 || T_BITS < 1 || T_BITS > 34) begin : g_check_const
            $error("requant: A_BITS %0d, B_BITS %0d, T_BITS %0d, expected 1..18, 1..32, 1..34", A_BITS, B_BITS, T_BITS);
        end
    endgenerate

    // low bits that the shift drops; what is above goes to the saturation
    localparam integer DROP   = SHIFT < P_BITS ? SHIFT : P_BITS - 1;
    localparam integer V_BITS = P_BITS - DROP;

    wire logic             enable;
    wire logic [PE-1:0]    above;
    wire logic [INDEX-1:0] index;
    assign s_axis_tready = enable;

    rsign_compare #(
        .CHANNELS(CHANNELS),
        .PE(PE),
        .BITS(IN_BITS),
        .SIGNED(IN_SIGNED),
        .T_BITS(T_BITS),
        .THRESHOLD_FILE(THRESHOLD_FILE)
    ) u_compare (
        .clk(clk),
        .rst(rst),
        .x(s_axis_tdata),
        .step(s_axis_tvalid && enable),
        .above(above),
        .index(index)
    );

    logic [5:1]       valid; // by stage
    logic [PE-1:0]    piece;
    logic [INDEX-1:0] beat;

    always_ff @(posedge clk) begin
        if (enable) begin
            valid <= {valid[4:1], s_axis_tvalid};
            piece <= above;
            beat  <= index;
        end
        if (rst) valid <= '0;
    end

    wire logic [PE*V_BITS-1:0] shifted;

    genvar i;
    generate
        for (i = 0; i < PE; i = i + 1) begin : g_element
            wire logic signed [X_BITS-1:0] x;
            if (IN_SIGNED != 0) begin : g_signed
                assign x = s_axis_tdata[i*IN_BITS +: IN_BITS];
            end else begin : g_unsigned
                assign x = {1'b0, s_axis_tdata[i*IN_BITS +: IN_BITS]};
            end

            wire logic signed [A_BITS-1:0] a;
            wire logic signed [B_BITS-1:0] b;
            requant_const #(
                .ELEMENTS(PE),
                .ELEMENT(i),
                .INDEX(BEAT + 1),
                .WIDTH(B_BITS + A_BITS),
                .FILE(CONST_FILE),
                .STYLE(CONST_STYLE)
            ) u_const (
                .clk(clk),
                .enable(enable),
                .index((BEAT + 1)'({beat, piece[i]})),
                .word({b, a})
            );

            // Plain registers with one enable: synthesis finds those of the DSP48 among them
            logic signed [X_BITS-1:0] x1;
            logic signed [X_BITS-1:0] x2;
            logic signed [X_BITS-1:0] x3;
            logic signed [A_BITS-1:0] a3;
            logic signed [B_BITS-1:0] b3;
            logic signed [B_BITS-1:0] b4;
            logic signed [M_BITS-1:0] m4;
            logic signed [P_BITS-1:0] p5;
            always_ff @(posedge clk) begin
                if (enable) begin
                    x1 <= x;
                    x2 <= x1;
                    x3 <= x2;
                    a3 <= a;
                    b3 <= b;
                    b4 <= b3;
                    m4 <= x3 * a3;
                    p5 <= P_BITS'(m4) + P_BITS'(b4);
                end
            end
            assign shifted[i*V_BITS +: V_BITS] = p5[P_BITS-1:DROP];
            if (DROP > 0) begin : g_drop
                wire logic unused = &{1'b0, p5[DROP-1:0]};
            end
        end
    endgenerate

    requant_clip #(
        .PE(PE),
        .IN_BITS(V_BITS),
        .BITS(BITS),
        .SIGNED(OUT_SIGNED)
    ) u_clip (
        .clk(clk),
        .rst(rst),
        .s_axis_tdata(shifted),
        .s_axis_tvalid(valid[5]),
        .s_axis_tready(enable),
        .m_axis_tdata(m_axis_tdata),
        .m_axis_tvalid(m_axis_tvalid),
        .m_axis_tready(m_axis_tready)
    );
endmodule

`default_nettype wire
