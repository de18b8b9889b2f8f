// SPDX-License-Identifier: BSD-3-Clause
// Saturation and skid buffer in one: the last stages of requant, of output_stage and of stream_multiply.
//
// Function      m = s clipped to BITS bits, signed or unsigned, in order.
// Data          s_axis: PE elements of IN_BITS bits, two's complement. m_axis: PE elements of BITS bits, two's
//               complement (SIGNED 1) or unsigned (SIGNED 0; negative values become 0).
// Structure     cycle 1   over = the bits above the result do not all equal its sign; the rest is kept as it is
//               cycle 2   skid buffer of {over, sign, rest}, saturated while it moves to the output register: one LUT5
//                         per bit selects what waits or what comes and saturates it. A stream_skid behind a saturation
//                         takes two LUTs.
// Handshake     as stream_skid: s_axis_tready and all of m_axis are registers. s_axis_tready may serve as the enable of
//               a pipeline in front: while it is low, everything stands still.
// Latency       2 cycles.
// Throughput    one beat per cycle.
`default_nettype none

module requant_clip #(
    parameter integer PE      = 1,  // elements per beat
    parameter integer IN_BITS = 24, // bits of an input element, 1 or more
    parameter integer BITS    = 12, // bits of an output element, 2 or more
    parameter integer SIGNED  = 1   // 1: results are two's complement; 0: unsigned
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
    localparam integer REST = BITS - SIGNED;                         // bits below the sign
    localparam integer WIDE = IN_BITS > REST ? IN_BITS : REST + 1;
    localparam integer KEEP = REST + 2;                              // {over, sign, rest}

    generate
        if (PE < 1 || IN_BITS < 1 || BITS < 2 || SIGNED < 0 || SIGNED > 1) begin : g_check
            $error("requant_clip: PE %0d, IN_BITS %0d, BITS %0d, SIGNED %0d, expected >= 1, >= 1, >= 2, 0 or 1",
                   PE, IN_BITS, BITS, SIGNED);
        end
    endgenerate

    logic               come;    // first holds a beat
    logic               stalled; // kept holds a beat
    logic               full;    // data holds a beat
    logic [PE*KEEP-1:0] first;
    logic [PE*KEEP-1:0] kept;
    logic [PE*BITS-1:0] data;

    assign s_axis_tready = !stalled;
    assign m_axis_tvalid = full;
    assign m_axis_tdata  = data;

    wire logic [PE*KEEP-1:0] split;
    wire logic [PE*KEEP-1:0] next = stalled ? kept : first;
    wire logic [PE*BITS-1:0] clipped;

    genvar i;
    generate
        for (i = 0; i < PE; i = i + 1) begin : g_element
            wire logic [WIDE-1:0]    value = WIDE'($signed(s_axis_tdata[i*IN_BITS +: IN_BITS]));
            wire logic               beyond;
            if (SIGNED == 1) begin : g_signed
                assign beyond = value[WIDE-1:REST] != {(WIDE - REST){value[WIDE-1]}};
            end else begin : g_unsigned
                assign beyond = value[WIDE-1:REST] != '0;
            end
            assign split[i*KEEP +: KEEP] = {beyond, value[WIDE-1], value[REST-1:0]};

            wire logic            over = next[i*KEEP + REST + 1];
            wire logic            sign = next[i*KEEP + REST];
            wire logic [REST-1:0] rest = next[i*KEEP +: REST];
            assign clipped[i*BITS +: REST] = over ? {REST{!sign}} : rest;
            if (SIGNED == 1) begin : g_sign
                assign clipped[i*BITS + REST] = sign;
            end
        end
    endgenerate

    wire logic take = m_axis_tready || !full;

    always_ff @(posedge clk) begin
        if (!stalled) begin
            first <= split;
            kept  <= first;
        end
        if (take) data <= clipped;

        if (!stalled) come <= s_axis_tvalid;
        if (take) begin
            full    <= stalled || come;
            stalled <= 1'b0;
        end else if (come) begin
            stalled <= 1'b1;
        end

        if (rst) begin
            come    <= 1'b0;
            full    <= 1'b0;
            stalled <= 1'b0;
        end
    end
endmodule

`default_nettype wire
