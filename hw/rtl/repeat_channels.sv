// SPDX-License-Identifier: BSD-3-Clause
// Repetition of channels: the skip of a layer that makes many channels of few.
//
// Function      out[y][x][c] = in[y][x][c mod CHANNELS], c < OUT_CHANNELS. golden.operators.repeat_channels.
// Data          In: P elements of BITS bits per beat, not interpreted; P divides CHANNELS. Out: OUT_P elements per
//               beat; OUT_P divides OUT_CHANNELS. There is no other restriction: 3 channels become 32, 8 at a time.
// Method        A pixel is in a register. Element e of an output beat is element e mod CHANNELS of the register, by
//               wires, and with each beat the register rotates by OUT_P elements.
// Handshake     All outputs are registers.
// Latency       2 cycles after the last beat of a pixel.
// Throughput    per pixel, the larger of CHANNELS / P and OUT_CHANNELS / OUT_P cycles.
// Area          about one LUT and two flip-flops per bit of a pixel of the input, and the skid buffer of its beats.
`default_nettype none

module repeat_channels #(
    parameter integer CHANNELS     = 3,   // of the input
    parameter integer OUT_CHANNELS = 32,  // of the output
    parameter integer P            = 1,   // elements of a beat of the input, divides CHANNELS
    parameter integer OUT_P        = 1,   // elements of a beat of the output, divides OUT_CHANNELS
    parameter integer BITS         = 8    // bits of an element
) (
    input  wire logic                  clk,
    input  wire logic                  rst,

    input  wire logic [P*BITS-1:0]     s_axis_tdata,
    input  wire logic                  s_axis_tvalid,
    output wire logic                  s_axis_tready,

    output wire logic [OUT_P*BITS-1:0] m_axis_tdata,
    output wire logic                  m_axis_tvalid,
    input  wire logic                  m_axis_tready
);
    localparam integer PIXEL     = CHANNELS * BITS;
    localparam integer BEATS     = CHANNELS / P;          // of a pixel of the input
    localparam integer OUT_BEATS = OUT_CHANNELS / OUT_P;  // of a pixel of the output
    localparam integer TURN      = (OUT_P % CHANNELS) * BITS;

    generate
        if (BITS < 1 || P < 1 || CHANNELS < 1 || CHANNELS % P != 0) begin : g_check_in
            $error("repeat_channels: BITS = %0d, expected 1 or more; P = %0d does not divide CHANNELS = %0d",
                BITS, P, CHANNELS);
        end
        if (OUT_P < 1 || OUT_CHANNELS < 1 || OUT_CHANNELS % OUT_P != 0) begin : g_check_out
            $error("repeat_channels: OUT_P = %0d does not divide OUT_CHANNELS = %0d", OUT_P, OUT_CHANNELS);
        end
    endgenerate

    // The input, its ready path cut.
    wire logic [P*BITS-1:0] in_data;
    wire logic              in_valid;
    wire logic              in_ready;

    stream_skid #(
        .WIDTH(P * BITS)
    ) u_skid (
        .clk, .rst,
        .s_axis_tdata, .s_axis_tvalid, .s_axis_tready,
        .m_axis_tdata(in_data), .m_axis_tvalid(in_valid), .m_axis_tready(in_ready)
    );

    // The pixel that leaves.
    logic [PIXEL-1:0]      pixel;
    logic                  valid;
    wire logic [PIXEL-1:0] rotated;
    wire logic [PIXEL-1:0] whole;     // the pixel that arrives, when its last beat is here
    wire logic             last_in;   // in_data is that beat
    wire logic             last_out;  // the beat that leaves is the last of its pixel

    wire logic move = valid && m_axis_tready;
    wire logic free = !valid || (m_axis_tready && last_out);
    wire logic load = in_valid && last_in && free;

    assign in_ready      = !last_in || free;
    assign m_axis_tvalid = valid;

    generate
        for (genvar e = 0; e < OUT_P; e = e + 1) begin : g_element
            assign m_axis_tdata[e*BITS +: BITS] = pixel[(e % CHANNELS)*BITS +: BITS];
        end

        if (TURN == 0) begin : g_rotate
            assign rotated = pixel;
        end else begin : g_rotate
            assign rotated = {pixel[TURN-1:0], pixel[PIXEL-1:TURN]};
        end
    endgenerate

    always_ff @(posedge clk) begin
        if (load) pixel <= whole;
        else if (move) pixel <= rotated;
        valid <= load || (valid && !free);
        if (rst) valid <= 1'b0;
    end

    // The beats of the next pixel but the last are collected while this one leaves.
    generate
        if (BEATS == 1) begin : g_collect
            assign last_in = 1'b1;
            assign whole   = in_data;
        end else begin : g_collect
            localparam integer COUNT = $clog2(BEATS);
            localparam integer REST  = PIXEL - P * BITS;
            logic [COUNT-1:0] beat;
            logic [REST-1:0]  collected;

            assign last_in = beat == COUNT'(BEATS - 1);
            assign whole   = {in_data, collected};

            always_ff @(posedge clk) begin
                if (in_valid && in_ready) begin
                    beat <= last_in ? '0 : beat + COUNT'(1);
                    if (!last_in) collected <= REST'(whole >> (P * BITS));
                end
                if (rst) beat <= '0;
            end
        end

        if (OUT_BEATS == 1) begin : g_count
            assign last_out = 1'b1;
        end else begin : g_count
            localparam integer COUNT = $clog2(OUT_BEATS);
            logic [COUNT-1:0] beat;

            assign last_out = beat == COUNT'(OUT_BEATS - 1);

            always_ff @(posedge clk) begin
                if (move) beat <= last_out ? '0 : beat + COUNT'(1);
                if (rst) beat <= '0;
            end
        end
    endgenerate
endmodule

`default_nettype wire
