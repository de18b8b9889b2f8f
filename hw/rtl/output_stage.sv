// SPDX-License-Identifier: BSD-3-Clause
// Output stage: the enlarged pixels and the residual, scaled, to 8 bits: golden.operators.output.
//
// Function      y = clip_u8(((base << (SHIFT - BASE_BITS)) + a_c * acc + b_c) >> SHIFT)
// Data          s_acc: PE elements of ACC_BITS bits, two's complement (an accumulator or a stream).
//               s_base: PE elements of 8 + BASE_BITS bits, unsigned, of the same pixels and channels.
//               m_axis: PE elements of 8 bits, unsigned.
// Constants     Channel c is element i = c % PE of beat k = c / PE of a pixel, K = CHANNELS / PE beats.
//               CONST_FILE: KK * PE words of A_BITS + B_BITS bits, where KK is K rounded up to a power of two; word
//               i*KK + k is {b, a}, both signed. Words of k >= K are never read.
// Structure     cycle 1   read {b, a}
//               cycle 2   A and B registers of the DSP48
//               cycle 3   M = a * acc and C = (base << ...) + b
//               cycle 4   P = M + C
//               cycle 5,6 clip and skid buffer, requant_clip
// Handshake     A beat moves on both inputs or on neither: the tready of each looks at the tvalid of the other, and at
//               one register, the ready of the skid buffer, which is the enable of all stages.
// Latency       6 cycles.
// Throughput    one beat per cycle.
// Area          PE DSP48E1 if acc has at most 25 bits and A_BITS <= 18, and the adder for C in LUTs.
`default_nettype none

module output_stage #(
    parameter integer CHANNELS    = 3,      // of the image
    parameter integer PE          = 1,      // elements per beat; divides CHANNELS
    parameter integer ACC_BITS    = 22,     // bits of an element of s_acc, 2..32
    parameter integer BASE_BITS   = 4,      // s_b, fraction bits of s_base, 0..16
    parameter integer SHIFT       = 16,     // BASE_BITS..31
    parameter integer A_BITS      = 16,     // bits of a slope, 1..18
    parameter integer B_BITS      = 32,     // bits of an offset, 1..32
    parameter CONST_FILE          = "const.mem",
    parameter [87:0]  CONST_STYLE = "auto"  // memory of {b, a}: "block", "distributed", or what the tool thinks best
) (
    input  wire logic                        clk,
    input  wire logic                        rst,

    input  wire logic [PE*ACC_BITS-1:0]      s_acc_tdata,
    input  wire logic                        s_acc_tvalid,
    output wire logic                        s_acc_tready,

    input  wire logic [PE*(8+BASE_BITS)-1:0] s_base_tdata,
    input  wire logic                        s_base_tvalid,
    output wire logic                        s_base_tready,

    output wire logic [PE*8-1:0]             m_axis_tdata,
    output wire logic                        m_axis_tvalid,
    input  wire logic                        m_axis_tready
);
    localparam integer K      = CHANNELS / PE;
    localparam integer INDEX  = K > 1 ? $clog2(K) : 0;          // bits of a beat number; 0: there is but one
    localparam integer PORT   = INDEX > 0 ? INDEX : 1;
    localparam integer D_BITS = 8 + BASE_BITS;                  // of base
    localparam integer M_BITS = ACC_BITS + A_BITS;              // of the product
    localparam integer S_BITS = 9 + SHIFT;                      // of base, aligned, with a sign
    localparam integer C_BITS = (S_BITS > B_BITS ? S_BITS : B_BITS) + 1;
    localparam integer P_BITS = (M_BITS > C_BITS ? M_BITS : C_BITS) + 1;
    localparam integer V_BITS = P_BITS - SHIFT;                 // what the shift leaves

    generate
        if (PE < 1 || CHANNELS < 1 || CHANNELS % PE != 0) begin : g_check_pe
            $error("output_stage: PE is %0d, expected a divisor of CHANNELS %0d", PE, CHANNELS);
        end
        if (ACC_BITS < 2 || ACC_BITS > 32 || A_BITS < 1 || A_BITS > 18 || B_BITS < 1 || B_BITS > 32) begin : g_check_bits
            $error("output_stage: ACC_BITS %0d, A_BITS %0d, B_BITS %0d, expected 2..32, 1..18, 1..32",
                   ACC_BITS, A_BITS, B_BITS);
        end
        if (BASE_BITS < 0 || BASE_BITS > 16 || SHIFT < BASE_BITS || SHIFT > 31) begin : g_check_shift
            $error("output_stage: BASE_BITS %0d, SHIFT %0d, expected 0..16 and BASE_BITS..31", BASE_BITS, SHIFT);
        end
    endgenerate

    wire logic enable;
    wire logic step = s_acc_tvalid && s_base_tvalid && enable;

    assign s_acc_tready  = s_base_tvalid && enable;
    assign s_base_tready = s_acc_tvalid && enable;

    logic [PORT-1:0] beat; // of the pixel
    logic [4:1]      valid; // by stage

    always_ff @(posedge clk) begin
        if (step) beat <= beat == PORT'(K - 1) ? '0 : beat + 1'b1;
        if (enable) valid <= {valid[3:1], s_acc_tvalid && s_base_tvalid};
        if (rst) begin
            beat  <= '0;
            valid <= '0;
        end
    end

    wire logic [PE*V_BITS-1:0] shifted;

    genvar i;
    generate
        for (i = 0; i < PE; i = i + 1) begin : g_element
            wire logic signed [A_BITS-1:0] a1;
            wire logic signed [B_BITS-1:0] b1;
            requant_const #(
                .ELEMENTS(PE),
                .ELEMENT(i),
                .INDEX(INDEX),
                .WIDTH(B_BITS + A_BITS),
                .FILE(CONST_FILE),
                .STYLE(CONST_STYLE)
            ) u_const (
                .clk(clk),
                .enable(enable),
                .index(beat),
                .word({b1, a1})
            );

            // Plain registers with one enable: synthesis finds those of the DSP48 among them
            logic signed [ACC_BITS-1:0] x1;
            logic signed [ACC_BITS-1:0] x2;
            logic        [D_BITS-1:0]   d1;
            logic        [D_BITS-1:0]   d2;
            logic signed [A_BITS-1:0]   a2;
            logic signed [B_BITS-1:0]   b2;
            logic signed [M_BITS-1:0]   m3;
            logic signed [C_BITS-1:0]   c3;
            logic signed [P_BITS-1:0]   p4;
            wire logic signed [S_BITS-1:0] aligned = S_BITS'(d2) << (SHIFT - BASE_BITS);

            always_ff @(posedge clk) begin
                if (enable) begin
                    x1 <= s_acc_tdata[i*ACC_BITS +: ACC_BITS];
                    d1 <= s_base_tdata[i*D_BITS +: D_BITS];
                    x2 <= x1;
                    d2 <= d1;
                    a2 <= a1;
                    b2 <= b1;
                    m3 <= x2 * a2;
                    c3 <= C_BITS'(aligned) + C_BITS'(b2);
                    p4 <= P_BITS'(m3) + P_BITS'(c3);
                end
            end

            assign shifted[i*V_BITS +: V_BITS] = p4[P_BITS-1:SHIFT];
            if (SHIFT > 0) begin : g_drop
                wire logic unused = &{1'b0, p4[SHIFT-1:0]};
            end
        end
    endgenerate

    requant_clip #(
        .PE(PE),
        .IN_BITS(V_BITS),
        .BITS(8),
        .SIGNED(0)
    ) u_clip (
        .clk(clk),
        .rst(rst),
        .s_axis_tdata(shifted),
        .s_axis_tvalid(valid[4]),
        .s_axis_tready(enable),
        .m_axis_tdata(m_axis_tdata),
        .m_axis_tvalid(m_axis_tvalid),
        .m_axis_tready(m_axis_tready)
    );
endmodule

`default_nettype wire
