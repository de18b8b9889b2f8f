// SPDX-License-Identifier: BSD-3-Clause
// The channels of a pixel from the contract's order (c, i, j) into the order (i, j, c), for pixel_shuffle.
//
// Function      element (i*r + j)*C + c of the output is element c*r*r + i*r + j of the input; r = FACTOR, C = CHANNELS.
// Data          P elements of BITS bits per beat, C*r*r elements per pixel.
// Method        A pixel is shifted into one register, moves to another in one cycle, its elements permuted by wires, and
//               is shifted out. A memory would be smaller but has to be read at P places at once.
// Handshake     m_axis is a register; s_axis_tready depends on m_axis_tready, which in pixel_shuffle is a register.
// Latency       a pixel and a cycle.
// Throughput    one beat per cycle.
// Area          2 flip-flops and a LUT per bit of a pixel. Mind this where C is large: better let the sender use
//               the order (i, j, c).
`default_nettype none

module pixel_shuffle_order #(
    parameter integer CHANNELS = 4,  // C, channels of the output of the shuffle
    parameter integer FACTOR   = 2,  // r, 2..4
    parameter integer P        = 1,  // elements of a beat, divides CHANNELS
    parameter integer BITS     = 8   // bits of an element
) (
    input  wire logic              clk,
    input  wire logic              rst,

    input  wire logic [P*BITS-1:0] s_axis_tdata,
    input  wire logic              s_axis_tvalid,
    output wire logic              s_axis_tready,

    output wire logic [P*BITS-1:0] m_axis_tdata,
    output wire logic              m_axis_tvalid,
    input  wire logic              m_axis_tready
);
    localparam integer WIDTH = P * BITS;
    localparam integer SUBS  = FACTOR * FACTOR;
    localparam integer BEATS = SUBS * CHANNELS / P;  // of a pixel, 4 or more
    localparam integer COUNT = $clog2(BEATS);

    logic [BEATS*WIDTH-1:0] arriving;
    logic [BEATS*WIDTH-1:0] leaving;
    wire logic [BEATS*WIDTH-1:0] permuted;

    generate
        for (genvar c = 0; c < CHANNELS; c = c + 1) begin : g_channel
            for (genvar s = 0; s < SUBS; s = s + 1) begin : g_sub
                assign permuted[(s*CHANNELS + c)*BITS +: BITS] = arriving[(c*SUBS + s)*BITS +: BITS];
            end
        end
    endgenerate

    logic             full;  // `arriving` holds a pixel
    logic             valid; // `leaving` holds beats
    logic [COUNT-1:0] in_beat;
    logic [COUNT-1:0] out_beat;

    wire logic out_last = out_beat == COUNT'(BEATS - 1);
    wire logic free     = !valid || (m_axis_tready && out_last);
    wire logic move     = full && free;
    wire logic take     = s_axis_tvalid && s_axis_tready;
    wire logic in_last  = in_beat == COUNT'(BEATS - 1);

    assign s_axis_tready = !full || free;
    assign m_axis_tdata  = leaving[WIDTH-1:0];
    assign m_axis_tvalid = valid;

    always_ff @(posedge clk) begin
        if (take) arriving <= {s_axis_tdata, arriving[BEATS*WIDTH-1:WIDTH]};
        if (move) leaving <= permuted;
        else if (m_axis_tready) leaving <= leaving >> WIDTH;

        if (take) in_beat <= in_last ? '0 : in_beat + COUNT'(1);
        full <= (take && in_last) || (full && !move);
        if (valid && m_axis_tready) out_beat <= out_last ? '0 : out_beat + COUNT'(1);
        valid <= move || (valid && !free);

        if (rst) begin
            in_beat  <= '0;
            out_beat <= '0;
            full     <= 1'b0;
            valid    <= 1'b0;
        end
    end
endmodule

`default_nettype wire
