// SPDX-License-Identifier: BSD-3-Clause
// repeat_pixels: every pixel of a frame is its vector; frames have their sizes; nothing lost, nothing invented, no
// deadlock. A black box: the properties see the ports alone.
//
// Idea          As stream_order: follow one beat of a vector, any one. It may be offered only as beat number `f_beat` of
//               a pixel of its frame, and all of those must be equal to it. What a frame is, is counted at the output:
//               sizes wait in a queue here until the last beat of their frame has left.
`default_nettype none

module formal_repeat_pixels #(
    parameter integer CHANNELS = 1,
    parameter integer P        = 1,
    parameter integer BITS     = 1,
    parameter integer DIM_BITS = 1,
    parameter integer PATIENCE = 2 // cycles for which the module may seem to do nothing
) (
    input wire logic                  clk,
    input wire logic                  rst,
    input wire logic                  pick, // free: follow the beat that enters
    input wire logic [2*DIM_BITS-1:0] s_size_tdata,
    input wire logic                  s_size_tvalid,
    input wire logic [P*BITS-1:0]     s_axis_tdata,
    input wire logic                  s_axis_tvalid,
    input wire logic                  m_axis_tready
);
    localparam integer BEATS = CHANNELS / P;
    localparam integer BEAT  = $clog2(BEATS + 1);
    localparam integer WAIT  = $clog2(PATIENCE + 2);
    // Inside are two sizes, and two vectors or one if it is one beat; and the last beat of a frame, in the output register.
    localparam [1:0]   SIZES   = 2'd3;
    localparam [1:0]   VECTORS = BEATS > 1 ? 2'd3 : 2'd2;

    wire logic              s_size_tready;
    wire logic              s_axis_tready;
    wire logic [P*BITS-1:0] m_axis_tdata;
    wire logic              m_axis_tvalid;

    wire logic started;
    formal_reset environment (.*);
    repeat_pixels #(
        .CHANNELS(CHANNELS), .P(P), .BITS(BITS), .DIM_BITS(DIM_BITS)
    ) dut (.*);

    stream_rules #(.WIDTH(2 * DIM_BITS), .ASSUME(1), .STEADY(0)) s_size (
        .clk, .rst, .tdata(s_size_tdata), .tvalid(s_size_tvalid), .tready(s_size_tready)
    );
    stream_rules #(.WIDTH(P * BITS), .ASSUME(1), .STEADY(BEATS > 1 ? 1 : 0)) s_axis (
        .clk, .rst, .tdata(s_axis_tdata), .tvalid(s_axis_tvalid), .tready(s_axis_tready)
    );
    stream_rules #(.WIDTH(P * BITS), .STEADY(DIM_BITS > 1 || BEATS > 1 ? 1 : 0)) m_axis (
        .clk, .rst, .tdata(m_axis_tdata), .tvalid(m_axis_tvalid), .tready(m_axis_tready)
    );

    // Sizes are legal.
    wire logic [DIM_BITS-1:0] s_height = s_size_tdata[2*DIM_BITS-1:DIM_BITS];
    wire logic [DIM_BITS-1:0] s_width  = s_size_tdata[DIM_BITS-1:0];
    always_comb if (s_size_tvalid) assume (s_height != 0 && s_width != 0);

    wire logic push_size = s_size_tvalid && s_size_tready;
    wire logic push      = s_axis_tvalid && s_axis_tready;
    wire logic pop       = m_axis_tvalid && m_axis_tready;

    // Sizes and whole vectors whose frame has not left; the oldest size is the first.
    logic [1:0]            sizes;
    logic [1:0]            vectors;
    logic [2*DIM_BITS-1:0] size0;
    logic [2*DIM_BITS-1:0] size1;
    logic [2*DIM_BITS-1:0] size2;

    // Which beat of a vector enters next, and which beat of which pixel leaves next?
    logic [BEAT-1:0]     in_beat;
    logic [BEAT-1:0]     out_beat;
    logic [DIM_BITS-1:0] x;
    logic [DIM_BITS-1:0] y;
    wire logic whole     = push && in_beat == BEAT'(BEATS - 1);
    wire logic end_pixel = pop && out_beat == BEAT'(BEATS - 1);
    wire logic end_row   = end_pixel && x + 1'b1 == size0[DIM_BITS-1:0];
    wire logic end_frame = end_row && y + 1'b1 == size0[2*DIM_BITS-1:DIM_BITS];

    logic              watching;
    logic [1:0]        ahead;  // frames that leave before that of the beat that is followed
    logic [BEAT-1:0]   f_beat; // which beat of its vector it is
    logic [P*BITS-1:0] value;
    logic [WAIT-1:0]   waited;
    wire logic         shown = watching && m_axis_tvalid && ahead == 0 && out_beat == f_beat;

    always_ff @(posedge clk) begin
        sizes   <= sizes + 2'(push_size) - 2'(end_frame);
        vectors <= vectors + 2'(whole) - 2'(end_frame);
        if (end_frame) {size0, size1} <= {size1, size2};
        if (push_size) begin
            if (sizes == 2'(end_frame)) size0 <= s_size_tdata;
            if (sizes == 2'd1 + 2'(end_frame)) size1 <= s_size_tdata;
            if (sizes == 2'd2 + 2'(end_frame)) size2 <= s_size_tdata;
        end

        if (push) in_beat <= whole ? '0 : in_beat + 1'b1;
        if (pop) out_beat <= end_pixel ? '0 : out_beat + 1'b1;
        if (end_pixel) x <= end_row ? '0 : x + 1'b1;
        if (end_row) y <= end_frame ? '0 : y + 1'b1;

        if (watching && end_frame) begin
            ahead <= ahead - 1'b1;
            if (ahead == 0) watching <= 1'b0;
        end
        if (push && pick && !watching) begin
            watching <= 1'b1;
            ahead    <= vectors - 2'(end_frame);
            f_beat   <= in_beat;
            value    <= s_axis_tdata;
        end

        waited <= sizes != 0 && vectors != 0 && !m_axis_tvalid ? waited + 1'b1 : '0;

        if (rst) begin
            {sizes, vectors}    <= '0;
            {in_beat, out_beat} <= '0;
            {y, x}              <= '0;
            watching            <= 1'b0;
            waited              <= '0;
        end
    end

    always_comb begin
        if (started) begin
            // Nothing is invented: a frame leaves when its size and all of its vector are inside.
            assert (!m_axis_tvalid || (sizes != 0 && vectors != 0));
            // Each beat of the vector, unchanged, at its place in every pixel.
            if (shown) assert (m_axis_tdata == value);
            // Nothing stays inside for good, and an empty module takes what comes.
            assert (waited <= WAIT'(PATIENCE));
            assert (sizes != 0 || s_size_tready);
            assert (vectors != 0 || s_axis_tready);
            // No more is taken than there is room for.
            assert (sizes < SIZES || !s_size_tready);
            assert (vectors < VECTORS || !s_axis_tready);
        end

        // A second frame leaves; a beat that is followed leaves in the last pixel of a frame; all places are taken.
        cover (started && shown && end_frame && !rst);
        cover (started && watching && ahead == 1 && end_frame && !rst);
        cover (started && sizes == SIZES && vectors == VECTORS);
    end
endmodule

`default_nettype wire
