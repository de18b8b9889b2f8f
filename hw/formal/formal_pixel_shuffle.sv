// SPDX-License-Identifier: BSD-3-Clause
// pixel_shuffle: every element of every frame leaves at its place; none lost, none invented; no deadlock; the buffer
// never read and written at one address. A black box.
//
// Idea          As stream_order: follow one beat, any one, from the input to the output. A frame does not leave in the
//               order in which it enters, but each beat knows how many beats of its frame are to leave before it. Beat b
//               of sub-row i (0..r-1) of pixel x in row y of a frame of width w, where a pixel has r sub-rows of
//               B = r*C/P beats,
//
//                   enters behind  (y*w + x)*r*B + i*B + b      beats of its frame, and
//                   leaves behind  (y*r + i)*w*B + x*B + b      of them,
//
//               which is the definition of the operator. So it leaves behind B*(i*(w - 1) - x*(r - 1)) more than are
//               inside when it enters.
`default_nettype none

module formal_pixel_shuffle #(
    parameter integer CHANNELS  = 1,
    parameter integer FACTOR    = 2,
    parameter integer P         = 1,
    parameter integer BITS      = 1,
    parameter integer MAX_WIDTH = 2,
    parameter integer DIM_BITS  = 2,
    parameter integer PATIENCE  = 8  // cycles for which the module may seem to do nothing
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
    localparam integer BLOCK = FACTOR * CHANNELS / P;
    localparam integer MOST  = MAX_WIDTH * FACTOR * BLOCK + 2;                  // inside: the buffer and two registers
    localparam integer FAR   = MOST + BLOCK * (FACTOR - 1) * (MAX_WIDTH - 1); // ahead of a beat
    localparam integer COUNT = $clog2(FAR + 1) + 1;                           // signed
    localparam integer WAIT  = $clog2(PATIENCE + 2);

    wire logic              s_size_tready;
    wire logic              s_axis_tready;
    wire logic [P*BITS-1:0] m_axis_tdata;
    wire logic              m_axis_tvalid;

    wire logic started;
    formal_reset environment (.*);
    pixel_shuffle #(
        .CHANNELS(CHANNELS), .FACTOR(FACTOR), .P(P), .BITS(BITS), .MAX_WIDTH(MAX_WIDTH), .DIM_BITS(DIM_BITS), .ORDER(1)
    ) dut (.*);

    stream_rules #(.WIDTH(2 * DIM_BITS), .ASSUME(1), .STEADY(0)) s_size (
        .clk, .rst, .tdata(s_size_tdata), .tvalid(s_size_tvalid), .tready(s_size_tready)
    );
    stream_rules #(.WIDTH(P * BITS), .ASSUME(1)) s_axis (
        .clk, .rst, .tdata(s_axis_tdata), .tvalid(s_axis_tvalid), .tready(s_axis_tready)
    );
    stream_rules #(.WIDTH(P * BITS)) m_axis (
        .clk, .rst, .tdata(m_axis_tdata), .tvalid(m_axis_tvalid), .tready(m_axis_tready)
    );

    // Sizes are legal: height and width are at least 1, the width at most MAX_WIDTH.
    wire logic [DIM_BITS-1:0] s_height = s_size_tdata[2*DIM_BITS-1:DIM_BITS];
    wire logic [DIM_BITS-1:0] s_width  = s_size_tdata[DIM_BITS-1:0];
    always_comb if (s_size_tvalid) assume (s_height != 0 && s_width != 0 && s_width <= DIM_BITS'(MAX_WIDTH));

    wire logic push_size = s_size_tvalid && s_size_tready;
    wire logic push      = s_axis_tvalid && s_axis_tready;
    wire logic pop       = m_axis_tvalid && m_axis_tready;

    // The sizes that have been taken: of the frame that enters or enters next, and of the one behind it.
    logic [1:0]          sizes;
    logic [DIM_BITS-1:0] height;
    logic [DIM_BITS-1:0] width;
    logic [DIM_BITS-1:0] next_height;
    logic [DIM_BITS-1:0] next_width;

    // Where in its frame is the beat that enters next?
    logic [DIM_BITS-1:0]     y;
    logic [DIM_BITS-1:0]     x;
    logic [1:0]              i;
    logic [$clog2(BLOCK):0]  b;
    wire logic end_block = integer'(b) == BLOCK - 1;
    wire logic end_pixel = end_block && integer'(i) == FACTOR - 1;
    wire logic end_row   = end_pixel && x == width - 1'b1;
    wire logic end_frame = end_row && y == height - 1'b1;

    // Beats inside; those that make whole rows, less those that left before their row was whole; and the beats that
    // leave before the one that enters.
    logic signed [COUNT-1:0] inside_now;
    logic signed [COUNT-1:0] due;
    wire logic signed [COUNT-1:0] row = COUNT'(BLOCK * FACTOR) * COUNT'(width);
    wire logic signed [COUNT-1:0] away = COUNT'(BLOCK) *
        (COUNT'(i) * (COUNT'(width) - COUNT'(1)) - COUNT'(x) * COUNT'(FACTOR - 1));
    wire logic signed [COUNT-1:0] behind = inside_now + away;

    logic                    watching;
    logic signed [COUNT-1:0] ahead; // beats that leave before the one that is followed
    logic [P*BITS-1:0]       value; // it
    logic [WAIT-1:0]         no_output;
    logic [WAIT-1:0]         no_input;

    always_ff @(posedge clk) begin
        if (push && end_frame) begin
            height <= next_height;
            width  <= next_width;
        end
        if (push_size) begin
            if (sizes == 0 || (sizes == 1 && push && end_frame)) {height, width} <= s_size_tdata;
            {next_height, next_width} <= s_size_tdata;
        end
        sizes <= sizes + 2'(push_size) - 2'(push && end_frame);

        if (push) begin
            b <= end_block ? '0 : b + 1'b1;
            if (end_block) i <= end_pixel ? '0 : i + 1'b1;
            if (end_pixel) x <= end_row ? '0 : x + 1'b1;
            if (end_row) y <= end_frame ? '0 : y + 1'b1;
        end

        inside_now <= inside_now + COUNT'(push) - COUNT'(pop);
        due        <= due + (push && end_row ? row : '0) - COUNT'(pop);

        if (watching) ahead <= ahead - COUNT'(pop);
        if (watching && pop && ahead == 0) watching <= 1'b0;
        if (push && pick && !watching) begin
            watching <= 1'b1;
            value    <= s_axis_tdata;
            ahead    <= behind - COUNT'(pop);
        end

        no_output <= due > 0 && !m_axis_tvalid ? no_output + 1'b1 : '0;
        no_input  <= inside_now == 0 && sizes != 0 && !s_axis_tready ? no_input + 1'b1 : '0;

        if (rst) begin
            sizes      <= '0;
            {y, x}     <= '0;
            i          <= '0;
            b          <= '0;
            inside_now <= '0;
            due        <= '0;
            watching   <= 1'b0;
            no_output  <= '0;
            no_input   <= '0;
        end
    end

    always_comb begin
        if (started) begin
            // Nothing is invented: a beat is offered only when one is inside.
            assert (!m_axis_tvalid || inside_now > 0);
            // Each at its place, and unchanged: when its turn comes, the beat that is followed is what is offered.
            if (watching && m_axis_tvalid && ahead == 0) assert (m_axis_tdata == value);
            // A beat enters before its turn is over.
            if (push) assert (behind >= (pop ? 1 : 0));
            // Nothing stays inside for good: beats of whole rows are soon offered.
            assert (no_output <= WAIT'(PATIENCE));
            // An empty module that has a size soon takes a beat, and one that has no size takes one at once.
            assert (no_input <= WAIT'(PATIENCE));
            assert (sizes != 0 || s_size_tready);
            // It takes no beat of a frame whose size it does not know, and not more than one size in advance.
            assert (!s_axis_tready || sizes != 0);
            assert (!s_size_tready || sizes < 2);
            // One address of the buffer is not read and written in the same cycle.
            assert (!(dut.w_step && dut.r_step && dut.w_addr == dut.r_addr));
        end

        // A beat that was followed leaves; two frames of different widths are under way; a beat enters and one leaves.
        cover (started && watching && pop && ahead == 0 && !rst);
        cover (started && sizes == 2 && width != next_width && inside_now != 0);
        cover (started && push && pop && inside_now >= row - COUNT'(1) && !rst);
    end

    // What the registers mean. From here on the module is no black box.
    //
    // Rows of one width W have M = W*r blocks. `stride` is the s of the header: block k of the row that enters, and of
    // the row that leaves, is at place k * stride modulo M - 1, the last one at M - 1.
    localparam integer BLOCKS = $clog2(MAX_WIDTH * FACTOR * FACTOR) + 1;

    wire logic              known = dut.width != 0; // there has been a frame
    logic [BLOCKS-1:0] stride;
    logic [BLOCKS-1:0] r_block; // k of the block that leaves
    logic              limited; // the modulus is known
    logic              strided; // the reader has had its stride

    wire logic [BLOCKS-1:0] w_block = BLOCKS'(x) * BLOCKS'(FACTOR) + BLOCKS'(i);
    wire logic [BLOCKS-1:0] last    = BLOCKS'(dut.width) * BLOCKS'(FACTOR) - 1'b1; // M - 1
    wire logic [BLOCKS-1:0] longer  = stride * BLOCKS'(FACTOR);
    wire logic [BLOCKS-1:0] next    = longer > last ? longer - last : longer;

    wire logic [BLOCKS-1:0] w_place = w_block == last ? last : BLOCKS'((2*BLOCKS)'(w_block) * stride % last);
    wire logic [BLOCKS-1:0] r_place = r_block == last ? last : BLOCKS'((2*BLOCKS)'(r_block) * stride % last);
    wire logic [dut.ADDR-1:0] onward = dut.ADDR'(BLOCK) * dut.ADDR'(stride) - dut.ADDR'(BLOCK - 1);
    wire logic [dut.ADDR-1:0] m_last = dut.ADDR'(BLOCK) * dut.ADDR'(last);

    always_ff @(posedge clk) begin
        if (dut.swap) begin
            stride  <= next;
            strided <= 1'b1;
        end
        if (dut.turn && dut.fresh) limited <= 1'b1;
        if (dut.r_step && dut.r_block_end) r_block <= r_block == last ? '0 : r_block + 1'b1;
        if (rst || dut.restart) begin
            stride  <= BLOCKS'(1);
            limited <= 1'b0;
            strided <= 1'b0;
        end
        if (rst) r_block <= '0;
    end

    always_comb begin
        if (started) begin
            // The writer knows where in the frame it is.
            assert (sizes == 2'(dut.active) + 2'(dut.next_full));
            assert (!dut.active || (known && dut.width == width && dut.w_rows == height - y));
            assert (!dut.active || (x < width && y < height));
            assert (dut.active || (x == 0 && y == 0 && i == 0 && b == 0));
            assert (!dut.next_full || dut.next_height != 0);
            assert (dut.w_sub == i && integer'(i) < FACTOR);
            assert (dut.u_writer.place == b && dut.u_writer.last == end_block);
            assert (dut.w_column == x + 1'b1);
            assert (known || inside_now == 0);
            assert (!known || (dut.width != 0 && dut.width <= DIM_BITS'(MAX_WIDTH)));

            // The reader.
            assert (dut.head == (r_block == 0) && (!known || r_block <= last));
            assert (integer'(dut.u_reader.place) < BLOCK && dut.u_reader.last == (integer'(dut.u_reader.place) == BLOCK - 1));
            assert (!known || dut.r_last_block == (r_block == last && dut.u_reader.place != 0));

            if (known) begin
                assert (stride >= 1 && (stride < last || last == 1));
                assert (dut.u_stride.now_onward == onward);
                if (limited) assert (dut.u_stride.limit == m_last);
                if (strided) assert (dut.u_stride.now_back == {1'b0, onward} - {1'b0, m_last});
                assert (dut.w_addr == dut.ADDR'(w_place) * dut.ADDR'(BLOCK) + dut.ADDR'(b));
                assert (dut.r_addr == dut.ADDR'(r_place) * dut.ADDR'(BLOCK) + dut.ADDR'(dut.u_reader.place));
            end

            assert (inside_now >= 0 && inside_now <= COUNT'(MOST));
            assert (!watching || (ahead >= 0 && ahead <= COUNT'(FAR)));
            assert (due <= inside_now);
        end
    end
endmodule

`default_nettype wire
