// SPDX-License-Identifier: BSD-3-Clause
// The enlargement of `base`, which explains it, for a SCALE of 2 to 4. Ports and promises are those of `base`.
`default_nettype none

module base_larger #(
    parameter integer SCALE     = 2,      // r, 2 to 4
    parameter integer K         = 1,      // slices (beats) of a pixel
    parameter integer P         = 3,      // channels per beat
    parameter integer MAX_WIDTH = 640,    // of the input, in pixels
    parameter integer DIM_BITS  = 16,     // of a field of s_size
    parameter [87:0]  RAM_STYLE = "auto", // see ram_sdp
    parameter integer OUT_BITS  = SCALE == 2 ? 12 : SCALE == 3 ? 24 : 14 // of a result; leave it
) (
    input  wire logic                  clk,
    input  wire logic                  rst,

    input  wire logic [2*DIM_BITS-1:0] s_size_tdata,
    input  wire logic                  s_size_tvalid,
    output wire logic                  s_size_tready,

    input  wire logic [P*8-1:0]        s_axis_tdata,
    input  wire logic                  s_axis_tvalid,
    output wire logic                  s_axis_tready,

    output wire logic [P*OUT_BITS-1:0] m_axis_tdata,
    output wire logic                  m_axis_tvalid,
    input  wire logic                  m_axis_tready
);
    localparam integer F      = (OUT_BITS - 8) / 2;    // fraction bits of one axis
    localparam integer V      = 8 + F;                 // bits of a column value
    localparam integer HALF   = SCALE / 2;             // parts of a pixel that lie before its middle, and after it
    localparam integer LENGTH = MAX_WIDTH * K;         // words of a row
    localparam integer A      = $clog2(3 * LENGTH);    // bits of an address
    localparam integer S      = K < 2 ? 1 : $clog2(K); // bits of a slice number
    localparam [31:0]  SLICES = K;
    localparam [31:0]  LAST   = K - 1;
    localparam [31:0]  WIDEST = MAX_WIDTH;
    localparam [1:0]   OUTER  = 2'(SCALE - 1);         // the last part

    // Rows of the ring are numbered 0 to 2.
    localparam [31:0] BASE1 = LENGTH;
    localparam [31:0] BASE2 = 2 * LENGTH;

    function automatic [A-1:0] address(input [1:0] row, input [A-1:0] offset);
        address = offset + (row == 2'd0 ? '0 : row == 2'd1 ? BASE1[A-1:0] : BASE2[A-1:0]);
    endfunction

    function automatic [1:0] row_after(input [1:0] row);
        row_after = row == 2'd2 ? 2'd0 : row + 2'd1;
    endfunction

    function automatic [1:0] row_before(input [1:0] row);
        row_before = row == 2'd0 ? 2'd2 : row - 2'd1;
    endfunction

    // width * K - less, by shift and add.
    function automatic [A-1:0] beats(input [DIM_BITS-1:0] width, input [31:0] less);
        logic [DIM_BITS+31:0] sum;
        sum = -(DIM_BITS+32)'(less);
        for (int i = 0; i < 31; i++) begin
            if (SLICES[i]) sum = sum + ({32'd0, width} << i);
        end
        beats = sum[A-1:0];
    endfunction

    // The pipeline moves as a whole; only writing goes on beside it.
    logic valid;
    wire logic move = m_axis_tready || !valid;

    // ---- The size of a frame: kept until all its rows are written and its first output row has been begun. ----------

    logic                size_write; // rows are still to be written
    logic                size_read;  // the reading side has not begun
    logic [DIM_BITS-1:0] rows;       // to be written, the one under way included
    logic [A-1:0]        end_write;  // offset of the last beat of a row
    logic [A-1:0]        end_read;   // offset of the last pixel of a row
    logic                open;       // the reading side begins, if the pipeline moves

    assign s_size_tready = !size_write && !size_read;

    wire logic row_written;
    wire logic last_written = rows == DIM_BITS'(1);

    always_ff @(posedge clk) begin
        if (s_size_tready) begin
            rows      <= s_size_tdata[DIM_BITS +: DIM_BITS];
            end_write <= beats(s_size_tdata[DIM_BITS-1:0], 1);
            end_read  <= beats(s_size_tdata[DIM_BITS-1:0], SLICES);
        end else if (row_written) begin
            rows      <= rows - 1'b1;
        end
        size_write <= s_size_tready ? s_size_tvalid : size_write && !(row_written && last_written);
        size_read  <= s_size_tready ? s_size_tvalid : size_read && !(open && move);
        if (rst) begin
            size_write <= 1'b0;
            size_read  <= 1'b0;
        end
    end

    // ---- Writing: rows go into the ring one after the other, of whatever frame. -------------------------------------

    logic [1:0]   used;         // rows of the ring that are written and still needed
    logic [1:0]   row_write;    // row of the ring
    logic [A-1:0] offset_write; // in it
    logic [2:0]   bottom;       // for every row of the ring: it is the last of its frame

    assign s_axis_tready = size_write && used != 2'd3;

    wire logic write = s_axis_tvalid && s_axis_tready;
    assign row_written = write && offset_write == end_write;

    always_ff @(posedge clk) begin
        if (write) begin
            offset_write      <= row_written ? '0 : offset_write + 1'b1;
            bottom[row_write] <= last_written;
        end
        if (row_written) row_write <= row_after(row_write);
        if (rst) begin
            offset_write <= '0;
            row_write    <= 2'd0;
        end
    end

    // ---- Reading: the column that is fetched next. ------------------------------------------------------------------

    logic         open_frame; // there is a frame to read
    logic [A-1:0] end_row;    // offset of its last pixel in a row
    logic         first;      // the column is the first of its row
    logic         top;        // the row is the first of its frame
    logic [1:0]   part;       // of the row: which of the SCALE output rows that are made of it
    logic [1:0]   row;        // of the ring
    logic [1:0]   ahead;      // rows of the ring that are complete, from this row on
    logic         release1;   // when the column under way is fetched, a row of the ring is free

    wire logic is_bottom  = bottom[row];
    wire logic early      = part < 2'(HALF);
    wire logic late       = part > OUTER - 2'(HALF);
    wire logic far_before = early && !top;
    wire logic far_after  = late && !is_bottom;
    wire logic present    = late && !is_bottom ? ahead[1] : ahead != 2'd0;
    wire logic available  = open_frame && (!first || present);

    // ---- The slot: its column, and the three columns that are under way. --------------------------------------------

    logic         run;     // there is a slot
    logic [1:0]   t;       // its time within a column
    logic [S-1:0] slice;   // its slice
    logic [A-1:0] offset;  // in a row, of the word to be read

    logic       fetch;                        // a column is being fetched ...
    logic       fetch_first;                  // the first of its row
    logic       fetch_last;                   // or the last, known from t = 0, slice 0 on
    logic [1:0] fetch_near, fetch_far;        // from these rows of the ring
    logic       fetch_none, fetch_three;      // with these weights
    logic       other, other_first, other_last;    // the column fetched before
    logic       centre, centre_first, centre_last; // the column that is sent

    // The part of `centre` that is sent: in step with t, but for r = 2, where the column before it is needed at t = 1.
    wire logic [1:0] sent      = SCALE == 2 ? {1'b0, !t[0]} : t;
    wire logic       sent_none = (sent < 2'(HALF) && centre_first) || (sent > OUTER - 2'(HALF) && centre_last)
                                 || (SCALE == 3 && sent == 2'd1);
    wire logic       sent_last = sent == OUTER;

    wire logic last_slice = slice == LAST[S-1:0];
    wire logic boundary   = !run || (t == OUTER && last_slice); // a column may begin
    wire logic under_way  = run && (fetch || (SCALE == 2 && centre));

    wire logic turn       = run && fetch && t == 2'd0 && slice == '0 && offset == end_row; // the row ends
    wire logic pass       = turn && part == OUTER; // ... and is not needed as the near one any more
    assign open           = size_read && (!open_frame || (pass && is_bottom));
    wire logic release0   = turn && ((part == 2'(HALF - 1) && !top) || (part == OUTER && is_bottom));
    wire logic released   = boundary && release1;

    always_ff @(posedge clk) begin
        if (move) begin
            // The position moves on at the beginning of a column, so that it is settled when the next may begin.
            if (run && fetch && t == 2'd0 && slice == '0) begin
                fetch_last <= turn;
                first      <= turn;
            end
            if (turn) part <= pass ? 2'd0 : part + 2'd1;
            if (pass) begin
                row <= row_after(row);
                top <= is_bottom;
            end
            if (!open_frame || (pass && is_bottom)) begin
                open_frame <= size_read;
                end_row    <= end_read;
            end

            // The near word and the far word have the same offset.
            if (run && fetch && t == 2'd0) offset <= offset + (last_slice ? A'(1) - A'(SLICES) : A'(1));
            if (run && fetch && t == 2'd1) offset <= offset + A'(1);
            if (boundary && first)         offset <= '0;

            if (run) begin
                slice <= last_slice ? '0 : slice + 1'b1;
                if (last_slice) begin
                    t <= t == OUTER ? 2'd0 : t + 2'd1;
                    if (t == 2'd1) {other, other_first, other_last} <= {fetch, fetch_first, fetch_last};
                    if (sent_last) {centre, centre_first, centre_last} <= {other, other_first, other_last};
                end
            end

            if (boundary) begin
                run         <= available || under_way;
                fetch       <= available;
                fetch_first <= first;
                fetch_near  <= row;
                fetch_far   <= far_before ? row_before(row) : far_after ? row_after(row) : row;
                fetch_none  <= !far_before && !far_after;
                fetch_three <= part == 2'd0 || part == OUTER;
            end
            release1 <= release0 || (release1 && !boundary);
        end

        ahead <= ahead + 2'(row_written) - 2'(pass && move);
        used  <= used  + 2'(row_written) - 2'(released && move);

        if (rst) begin
            open_frame <= 1'b0;
            first      <= 1'b1;
            top        <= 1'b1;
            part       <= 2'd0;
            row        <= 2'd0;
            ahead      <= 2'd0;
            used       <= 2'd0;
            release1   <= 1'b0;
            run        <= 1'b0;
            t          <= 2'd0;
            slice      <= '0;
            fetch      <= 1'b0;
            other      <= 1'b0;
            centre     <= 1'b0;
        end
    end

    // ---- Stage 1: the word. Stages 2 to 4: interpolation between rows. ----------------------------------------------

    logic [P*8-1:0] word;
    logic [P*8-1:0] near;
    logic [P*V-1:0] column; // stage 4

    ram_sdp #(.WIDTH(P*8), .DEPTH(3*LENGTH), .STYLE(RAM_STYLE)) u_rows (
        .clk,
        .wen(write), .waddr(address(row_write, offset_write)), .wdata(s_axis_tdata),
        .ren(move && run && fetch && !t[1]), .raddr(address(t[0] ? fetch_far : fetch_near, offset)), .rdata(word)
    );

    delay_line #(.WIDTH(P*8), .DEPTH(K)) u_near (
        .clk, .step(move), .d(word), .q(near)
    );

    // What the stages need to know about the slot: stage n has it in [n].
    logic [1:1] none_row, three_row;
    logic [4:1] send, load, swap, none, three;
    logic [7:5] sending;

    always_ff @(posedge clk) begin
        if (move) begin
            none_row  <= fetch_none;
            three_row <= fetch_three;
            send      <= {send[3:1], run && centre};
            load      <= {load[3:1], run && t == 2'd1};
            swap      <= {swap[3:1], run && sent_last};
            none      <= {none[3:1], sent_none};
            three     <= {three[3:1], sent == 2'd0 || sent_last};
            sending   <= {sending[6:5], send[4]};
        end
        if (rst) begin
            send    <= '0;
            sending <= '0;
        end
    end
    assign valid         = sending[7];
    assign m_axis_tvalid = valid;

    // ---- Stage 4: the two columns, for every slice a value. Stages 5 to 7: interpolation between columns. -----------

    logic [P*V-1:0] centre_value;
    logic [P*V-1:0] other_value;

    delay_line #(.WIDTH(P*V), .DEPTH(K)) u_centre (
        .clk, .step(move), .d(swap[4] ? other_value : centre_value), .q(centre_value)
    );
    delay_line #(.WIDTH(P*V), .DEPTH(K)) u_other (
        .clk, .step(move), .d(load[4] ? column : swap[4] ? centre_value : other_value), .q(other_value)
    );

    generate
        for (genvar i = 0; i < P; i++) begin : g_channel
            base_lerp #(.SCALE(SCALE), .BITS(8)) u_rows (
                .clk, .move,
                .near(near[i*8 +: 8]), .far(word[i*8 +: 8]), .none(none_row[1]), .three(three_row[1]),
                .v(column[i*V +: V])
            );
            base_lerp #(.SCALE(SCALE), .BITS(V)) u_columns (
                .clk, .move,
                .near(centre_value[i*V +: V]), .far(other_value[i*V +: V]), .none(none[4]), .three(three[4]),
                .v(m_axis_tdata[i*OUT_BITS +: OUT_BITS])
            );
        end
    endgenerate

`ifndef SYNTHESIS
    always_ff @(posedge clk) begin
        if (!rst && s_size_tvalid && s_size_tready) begin
            if (s_size_tdata[DIM_BITS +: DIM_BITS] == 0 || 32'(s_size_tdata[DIM_BITS-1:0]) - 1 >= WIDEST) begin
                $error("base %m: size is {%0d, %0d}, expected a height of 1 or more and a width of 1 to %0d",
                       s_size_tdata[DIM_BITS +: DIM_BITS], s_size_tdata[DIM_BITS-1:0], MAX_WIDTH);
                $fatal;
            end
        end
    end
`endif
endmodule

`default_nettype wire
