// SPDX-License-Identifier: BSD-3-Clause
// pixel_shuffle: every element of every frame leaves at its place; none lost, none invented; no deadlock; the buffer
// never read and written at one address. These properties see the ports; the induction also needs to know what the
// registers mean, which the assertions in the second half say.
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
    parameter integer PATIENCE  = 2 * FACTOR + 3 // cycles for which the module may seem to do nothing
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

    logic second = 1'b0; // the beat that is followed was in the second row of a frame, or later
    logic others = 1'b0; // frames of different widths have entered
    always_ff @(posedge clk) begin
        if (push && pick && !watching) second <= y != 0;
        others <= !rst && (others || (push && end_frame && sizes == 2 && width != next_width));
    end

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

        // A beat that was followed leaves, in the second row of a frame or later; sizes of two widths are under way;
        // a frame of another width enters; with a whole row inside, a beat enters and one leaves.
        cover (started && watching && pop && ahead == 0 && second && !rst);
        cover (started && sizes == 2 && width != next_width && inside_now != 0);
        cover (started && others && push && !rst);
        cover (started && push && pop && inside_now > row && !rst);
    end

    // What the registers mean: from here on the module is no black box. The words are those of its header. Rows of one
    // width W have M = W*r blocks; `last` is M - 1, `stride` the s of the header, `place` its a(n, k).
    localparam integer N = $clog2(MAX_WIDTH * FACTOR * BLOCK + 1) + 2; // bits: positions in two rows

    function automatic [N-1:0] place(input [N-1:0] k, input [N-1:0] s, input [N-1:0] last);
        logic [2*N-1:0] product;
        product = {{N{1'b0}}, k} * {{N{1'b0}}, s} % {{N{1'b0}}, last};
        place = k == last ? last : product[N-1:0];
    endfunction

    // The place j strides on: j * s, reduced to 1..last.
    function automatic [N-1:0] reduced(input integer j, input [N-1:0] s, input [N-1:0] last);
        reduced = '0;
        for (integer n = 0; n < FACTOR; n = n + 1) begin
            if (n < j) reduced = reduced + s > last ? reduced + s - last : reduced + s;
        end
    endfunction

    wire logic [N-1:0] w      = N'(dut.width);
    wire logic         known  = w != 0;                 // a frame has entered since the reset
    wire logic [N-1:0] last   = w * N'(FACTOR) - 1'b1;
    wire logic [N-1:0] beats  = w * N'(FACTOR * BLOCK); // of a row
    wire logic [N-1:0] m_last = last * N'(BLOCK);       // the modulus

    logic [N-1:0] stride;
    logic         strided;     // it has been changed since it was 1
    logic [N-1:0] r_block;     // k of the block that leaves
    wire logic [N-1:0] next   = reduced(FACTOR, stride, last);
    wire integer       op     = integer'(dut.u_stride.op);
    // of the next stride: before operation 0 and the odd ones it is reduced, before the even ones a stride is added
    wire logic [N-1:0] partial_sum = op == 0 ? stride : op[0] ? reduced((op + 1) / 2, stride, last) :
                                     reduced(op / 2, stride, last) + stride;
    wire logic         limited = known && (!dut.fresh || dut.turned);
    wire logic [N-1:0] r_sub  = N'(dut.u_reader.place);

    // Where in their rows are the writer and the reader?
    wire logic [N-1:0] w_block = N'(x) * N'(FACTOR) + N'(i);
    wire logic [N-1:0] w_at    = w_block * N'(BLOCK) + N'(b);
    wire logic [N-1:0] r_at    = r_block * N'(BLOCK) + r_sub;
    wire logic [N-1:0] w_place = place(w_block, stride, last);
    wire logic [N-1:0] r_place = place(r_block, stride, last);
    wire logic [N-1:0] onward  = stride * N'(BLOCK) - N'(BLOCK - 1);
    wire logic [N-1:0] pipe    = N'(dut.r_valid) + N'(dut.out_valid); // beats behind the buffer
    wire logic         swapped = dut.turned && !dut.late;             // in the last block, with the next stride

    // The beat that is followed: where it was put, which beat of which block of its row it is, on entering and on
    // leaving, and whether its row is the one that still enters.
    logic [dut.ADDR-1:0] f_addr;
    logic [N-1:0]        f_in;
    logic [N-1:0]        f_out;
    logic [N-1:0]        f_beat;
    logic                f_enters;
    wire logic           buffered = watching && ahead >= COUNT'(pipe);
    wire logic           restrided = f_enters ? swapped : !dut.late || dut.turned;
    wire logic [N-1:0]   f_place = restrided ? place(f_out, stride, last) : place(f_in, stride, last);

    // Cycles until something is offered, if the receiver takes it: two registers, and before them the next stride.
    wire integer to_wait = dut.out_valid ? 0 : dut.r_valid ? 1 : dut.r_go ? 2 :
                           !dut.late ? PATIENCE : dut.u_stride.busy ? 2 * FACTOR + 2 - op : 3;

    always_ff @(posedge clk) begin
        if (dut.swap) begin
            stride  <= next;
            strided <= 1'b1;
        end
        if (dut.r_step && dut.r_block_end) r_block <= r_block == last ? '0 : r_block + 1'b1;
        if (rst || dut.restart) begin
            stride  <= N'(1);
            strided <= 1'b0;
        end
        if (rst) r_block <= '0;

        if (push && end_row) f_enters <= 1'b0;
        if (push && pick && !watching) begin
            f_addr   <= dut.w_addr;
            f_in     <= w_block;
            f_out    <= N'(i) * w + N'(x);
            f_beat   <= N'(b);
            f_enters <= !end_row;
        end
    end

    always_comb begin
        if (started) begin
            // Sizes wait in the order in which they came.
            assert (sizes == 2'(dut.active) + 2'(dut.next_full));
            if (dut.next_full) begin
                assert (dut.next_height != 0 && dut.next_width != 0 && dut.next_width <= DIM_BITS'(MAX_WIDTH));
                assert (dut.next_same == (dut.next_width == dut.width));
                assert ({dut.next_height, dut.next_width} == (dut.active ? {next_height, next_width} : {height, width}));
            end
            assert (w <= N'(MAX_WIDTH));

            // Until there is a frame, all is as the reset left it.
            if (!known) assert (!dut.active && !dut.complete && dut.fresh && !watching && pipe == 0);
            if (!known) assert (!dut.entered && !dut.r_last_block && r_at == 0 && dut.w_addr == 0 && dut.r_addr == 0);

            // The writer knows where in its frame it is; flags that are a cycle late are right when they are used.
            if (dut.active) assert (dut.width == width && dut.w_rows == height - y && x < width && y < height);
            else assert (x == 0 && y == 0 && i == 0 && b == 0);
            assert (dut.w_sub == i && integer'(i) < FACTOR && dut.w_column == x + 1'b1);
            assert (integer'(b) < BLOCK && dut.u_writer.place == b && dut.u_writer.last == end_block);
            if (i != 0 || b != 0) assert (dut.w_last_column == (x == width - 1'b1));
            if (w_at != 0) assert (dut.w_last_row == (y == height - 1'b1));

            // The last block of a row: the stride is changed in it, or, where it is late, before anything else enters.
            if (dut.turned) assert (dut.active && w_block == last);
            if (known && w_block == last && b != 0) assert (dut.turned);
            if (dut.late) assert (limited && (dut.turned || (dut.complete && r_at == 0 && !dut.entered && w_at == 0)));
            if (!known) assert (!dut.turned && !dut.late);

            // The strides.
            assert (dut.u_stride.done || dut.u_stride.busy || !limited);
            assert (!(dut.u_stride.done && dut.u_stride.busy));
            assert (limited || !(dut.u_stride.done || dut.u_stride.busy || strided));
            if (known) begin
                assert (stride != 0 && (stride < last || stride == 1));
                // a power of r has no divisor in common with M - 1 = W*r - 1; so blocks do not meet at one place
                for (integer d = 2; d < MAX_WIDTH * FACTOR; d = d + 1) begin
                    assert (last % N'(d) != 0 || stride % N'(d) != 0 || last == 1);
                end
                assert (N'(dut.u_stride.now_onward) == onward);
                if (limited) assert (N'(dut.u_stride.limit) == m_last);
                if (strided) assert (dut.u_stride.now_back == (dut.ADDR + 1)'(onward) - (dut.ADDR + 1)'(m_last));
                else assert (stride == 1 && dut.u_stride.now_back == {1'b1, dut.ADDR'(0)});
                if (limited && !strided) assert (dut.late);
                if (dut.u_stride.busy) begin
                    assert (op <= 2 * FACTOR - 2);
                    assert (N'(dut.u_stride.next) == partial_sum * N'(BLOCK) - N'(BLOCK - 1));
                    if (dut.u_stride.op != 0) assert (N'(dut.u_stride.stride) == stride * N'(BLOCK));
                end
                if (dut.u_stride.done) begin
                    assert (op == 2 * FACTOR - 2);
                    assert (N'(dut.u_stride.next) == next * N'(BLOCK) - N'(BLOCK - 1));
                end
            end

            // The addresses.
            assert (integer'(r_sub) < BLOCK && dut.u_reader.last == (integer'(r_sub) == BLOCK - 1));
            if (known) begin
                assert (N'(dut.w_addr) == w_place * N'(BLOCK) + N'(b));
                assert (N'(dut.r_addr) == r_place * N'(BLOCK) + r_sub);
                if (end_block && w_block < last) assert (dut.u_writer.exceeds == (w_place + stride > last));
                if (dut.u_reader.last && r_block < last) assert (dut.u_reader.exceeds == (r_place + stride > last));
                assert (r_block <= last);
                assert (dut.r_last_block == (r_block == last && r_sub != 0));
            end
            assert (dut.head == (r_block == 0));

            // What the reader may do.
            if (r_at != 0) assert (strided);
            if (dut.entered) assert (r_block == 0 || (r_block == last && dut.complete && swapped));
            if (dut.head && r_sub != 0) assert (dut.entered);
            if (!dut.complete) begin
                assert (r_block == 0 || (r_at == N'(BLOCK) && swapped && !dut.entered));
                if (dut.entered) assert (swapped);
                if (r_at == 0 && !dut.entered) assert (!swapped);
            end else begin
                assert (!dut.fresh);
                if (r_block == 0 && !dut.entered) assert (dut.late && !dut.turned);
                if (r_block == 0) assert (!dut.turned);
                if (r_block != 0) assert (dut.entered == swapped);
            end

            // How far the reader is ahead, and what is inside.
            assert (dut.some == (dut.lead != 0));
            if (dut.fresh) assert (N'(dut.lead) == r_at);
            else if (dut.complete) assert (N'(dut.lead) + w_at == r_at);
            else assert (N'(dut.lead) + w_at == beats + r_at);
            assert (N'(inside_now) + r_at == (dut.complete ? beats : '0) + w_at + pipe);
            assert (inside_now >= 0 && inside_now <= COUNT'(MOST));
            assert (due == inside_now - COUNT'(w_at));

            // The beat that is followed: shown, in the register of the buffer, or in the buffer.
            if (watching) begin
                assert (ahead >= 0 && ahead < inside_now + COUNT'(BLOCK * (FACTOR - 1) * (MAX_WIDTH - 1)));
                if (dut.out_valid && ahead == 0) assert (dut.out_data == value);
                if (dut.r_valid && ahead == COUNT'(dut.out_valid)) assert (dut.r_data == value);
            end
            if (buffered) begin
                assert (dut.u_buffer.g_auto.memory[f_addr] == value);
                assert (integer'(f_beat) < BLOCK && f_in <= last && f_out <= last);
                assert (place(f_out, N'(FACTOR), last) == f_in);
                assert (N'(f_addr) == f_place * N'(BLOCK) + f_beat);
                assert (N'(ahead) + r_at == pipe + f_out * N'(BLOCK) + f_beat + (f_enters && dut.complete ? beats : '0));
                if (f_enters) assert (f_in * N'(BLOCK) + f_beat < w_at);
                else assert (dut.complete);
            end

            // How long it may seem to do nothing.
            if (no_input != 0) assert (dut.active || (no_input == 1 && dut.next_full && !dut.complete));
            if (no_output != 0) assert (integer'(no_output) + to_wait <= PATIENCE);
        end
    end
endmodule

`default_nettype wire
