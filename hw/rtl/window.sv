// SPDX-License-Identifier: BSD-3-Clause
// Sliding window: all nine taps of a 3x3 convolution with stride 1 and padding, one channel slice per beat.
//
// Function      m[y, x, s, t = ky*3 + kx, i] = s_axis[y + ky - 1, x + kx - 1, s*P + i], and PAD outside the image (H,
//               W, CHANNELS). A slice s is a beat of P channels; a pixel has K = CHANNELS/P of them.
// Data          s_axis: H*W*K beats of P elements. m_axis: as many, of 9*P elements; element t*P + i is channel i of
//               the slice in tap t. s_size: {height, width}, one beat per frame.
// Latency       3 cycles from the beat that completes a window, slice s of pixel (y+1, x+1), to its output; the last
//               window of a row is completed by the first pixel of the row after the next. So the first window of a
//               frame leaves (W+1)*K + 3 cycles after the first beat entered.
// Throughput    one beat per cycle: H*W*K cycles per frame, from frame to frame. Where the width changes, up to K times
//               the difference more. Images that are one beat wide (W*K = 1) take two cycles per beat.
// Progress      A frame comes out completely without any further input, of a next frame for instance. One thing is
//               asked of the sender: when it has offered the first beat of a pixel, the rest of the K beats must follow
//               whether output is taken in the meantime or not.
// Memory        two rows: MAX_WIDTH*K words of 2*P elements.
// Area          for a beat of n = P*BITS bits: 15*n flip-flops and n LUTs if K is 1, 12*n flip-flops and 7*n LUTs from
//               K = 4 on, 6*n of them shift registers; and about 120 LUTs and 120 flip-flops of control. Padding takes
//               no LUTs: see the taps.
//
// How it works. Memory holds, at (x, s), the rows {y-1, y} of the image. A column step fetches the rows y-1 and y at x;
// where the image goes on, pixel (y+1, x) comes with it, makes the column of three complete, and goes into memory with
// row y in exchange for row y-1. Three columns make a window: the step of column x sends out the one centred at the
// column before. So a frame passes in three phases,
//
//     pixels of row 0         fill: write only
//     pixels of rows 1..H-1   column steps of rows 0..H-2: fetch and write
//     no pixels               column steps of row H-1: fetch only
//
// and the last phase of one frame and the first phase of the next go on side by side, the one reading, the other
// writing behind it. Hence two sides: the pixel side is where the next input beat goes, the column side which column is
// next. The last window of a frame leaves with the first column of the next, or alone if that has to be waited for.
`default_nettype none

module window #(
    parameter integer CHANNELS  = 1,      // of the image
    parameter integer P         = 1,      // channels per beat, divides CHANNELS
    parameter integer BITS      = 8,      // of an element
    parameter integer PAD       = 0,      // the element outside the image; its low BITS bits count
    parameter integer MAX_WIDTH = 640,    // of an image, in pixels
    parameter integer DIM_BITS  = 16,     // of a field of s_size
    parameter [87:0]  RAM_STYLE = "auto"  // "auto", "block" or "distributed": see ram_sdp
) (
    input  wire logic                  clk,
    input  wire logic                  rst,

    input  wire logic [2*DIM_BITS-1:0] s_size_tdata,
    input  wire logic                  s_size_tvalid,
    output wire logic                  s_size_tready,

    input  wire logic [P*BITS-1:0]     s_axis_tdata,
    input  wire logic                  s_axis_tvalid,
    output wire logic                  s_axis_tready,

    output wire logic [9*P*BITS-1:0]   m_axis_tdata,
    output wire logic                  m_axis_tvalid,
    input  wire logic                  m_axis_tready
);
    localparam integer K     = CHANNELS / P;                           // slices of a pixel
    localparam integer N     = P * BITS;                               // bits of a slice
    localparam integer DEPTH = MAX_WIDTH * K < 2 ? 2 : MAX_WIDTH * K;  // words of the memory
    localparam integer A     = $clog2(DEPTH);                          // bits of an address
    localparam integer S     = K < 2 ? 1 : $clog2(K);                  // bits of a slice number
    localparam [31:0]  SLICES    = K;
    localparam [31:0]  LAST      = K - 1;
    localparam [31:0]  WIDEST    = MAX_WIDTH;
    localparam [31:0]  PAD_VALUE = PAD;
    localparam [N-1:0] OUTSIDE   = {P{PAD_VALUE[BITS-1:0]}};

    generate
        if (P < 1 || CHANNELS < 1 || CHANNELS % P != 0) begin : g_check_channels
            $error("window: CHANNELS is %0d and P is %0d, expected P to divide CHANNELS", CHANNELS, P);
        end
        if (BITS < 1 || BITS > 32) begin : g_check_bits
            $error("window: BITS is %0d, expected 1 to 32", BITS);
        end
        if (DIM_BITS < 1 || DIM_BITS > 31 || MAX_WIDTH < 1 || MAX_WIDTH >= 1 << DIM_BITS) begin : g_check_width
            $error("window: MAX_WIDTH is %0d, expected 1 to 2^DIM_BITS - 1, DIM_BITS is %0d", MAX_WIDTH, DIM_BITS);
        end
    endgenerate

    // The address of the last beat of a row but one, width * K - 2, by shift and add; -1 for rows of one beat.
    function automatic [A:0] last_but_one(input [DIM_BITS-1:0] width);
        logic [DIM_BITS+31:0] sum;
        sum = ~(DIM_BITS+32)'(1);
        for (int i = 0; i < 31; i++) begin
            if (SLICES[i]) sum = sum + ({32'd0, width} << i);
        end
        last_but_one = sum[A:0];
    endfunction

    // The pipeline moves as a whole, control included: a beat of output that is not taken stops it all.
    logic valid;
    wire logic move = m_axis_tready || !valid;

    // ---- Inputs: the pixels behind a skid buffer, and the size of the next frame. -----------------------------------

    logic [N-1:0] pixel;
    logic         pixel_valid;
    logic         take; // the pixel side takes a beat, if the pipeline moves

    stream_skid #(.WIDTH(N)) u_skid (
        .clk, .rst,
        .s_axis_tdata, .s_axis_tvalid, .s_axis_tready,
        .m_axis_tdata(pixel), .m_axis_tvalid(pixel_valid), .m_axis_tready(take && move)
    );

    logic                size_valid;
    logic [DIM_BITS-1:0] size_rows;
    logic [A:0]          size_end;
    logic                open_next; // the pixel side takes the size, if the pipeline moves

    assign s_size_tready = !size_valid;

    always_ff @(posedge clk) begin
        if (!size_valid) begin
            size_rows <= s_size_tdata[DIM_BITS +: DIM_BITS];
            size_end  <= last_but_one(s_size_tdata[DIM_BITS-1:0]);
        end
        size_valid <= size_valid ? !(open_next && move) : s_size_tvalid;
        if (rst) size_valid <= 1'b0;
    end

    // ---- The two sides, and what they do when the pipeline moves. ---------------------------------------------------

    // Pixel side: where the next beat of input goes.
    logic                open;  // a frame is under way
    logic                first; // in its row 0
    logic                held;  // its row 0 is in memory, but the column side is not through with the frame before
    logic [DIM_BITS-1:0] rows;  // rows not complete, this one included
    logic [A-1:0]        waddr; // of the next beat
    logic                wlast; // it is the last of a row
    logic [A:0]          wend;  // last address of a row but one

    // Column side: the next column step.
    logic                flush; // row H-1 of the columns: no pixels come with them
    logic                top;   // row 0 of the columns
    logic                left;  // column 0
    logic [S-1:0]        slice; // of the pixel
    logic [A-1:0]        raddr; // of the next step
    logic                rlast; // it is the last of a row
    logic [A:0]          rend;  // last address of a row but one

    // The column before, which is the centre of the next window.
    logic                centre;        // there is one, and its window has not been sent
    logic                centre_left;   // it is in column 0, ...
    logic                centre_top;    // row 0, ...
    logic                centre_bottom; // or row H-1 of its image
    logic                alone;         // its window is being sent without a new column; first slice done

    logic                write1; // in the next pipeline stage: a beat to be written

    // A word must not be read while it is written. Only an image one beat wide comes back to it that fast.
    wire logic busy = K == 1 && write1 && rend[A];

    wire logic last_slice = slice == LAST[S-1:0];
    wire logic last_row   = rows == DIM_BITS'(1);

    // In row 0 the pixel side only has to stay behind a flush, which goes on in every cycle but these. In the rows
    // after it goes with the column side.
    wire logic fill   = first && !held && !(flush && (busy || alone));
    wire logic column = !busy && (flush || (pixel_valid && open && !first)); // the next column is there

    assign take = pixel_valid && open && (first ? fill : !busy && !alone);

    wire logic final_window = slice == '0 && centre && centre_bottom; // waits for no column

    wire logic fetch = column && !alone;
    wire logic shift = column || alone || final_window;

    wire logic row_taken   = take && wlast;
    wire logic row_fetched = fetch && rlast;

    // The column side starts with a frame when its row 0 is in memory and the frame before is through.
    wire logic start = ((first && row_taken) || held) && (!flush || row_fetched);
    wire logic done  = start || (!first && row_taken); // the pixel side is through with a row

    assign open_next = size_valid && (!open || (done && last_row));

    always_ff @(posedge clk) begin
        if (move) begin
            if (take) begin
                waddr <= wlast ? '0 : waddr + 1'b1;
                wlast <= wlast ? wend[A] : waddr == wend[A-1:0];
            end
            if (done || open_next) begin
                open  <= open_next || !last_row;
                first <= open_next;
                rows  <= open && !last_row ? rows - 1'b1 : size_rows;
            end
            if (open_next) begin
                wlast <= size_end[A];
                wend  <= size_end;
            end
            held <= !start && (held || (first && row_taken));

            if (fetch) begin
                raddr <= rlast ? '0 : raddr + 1'b1;
                rlast <= rlast ? rend[A] : raddr == rend[A-1:0];
            end
            if (start) begin
                rlast <= wend[A];
                rend  <= wend;
            end
            if (shift) slice <= last_slice ? '0 : slice + 1'b1;
            if (start || row_fetched) begin
                top   <= start;
                flush <= done && last_row;
            end

            if (shift) alone <= !fetch && !last_slice;
            if (shift && last_slice) begin
                centre <= fetch;
                if (fetch) begin
                    left          <= rlast;
                    centre_left   <= left;
                    centre_top    <= top;
                    centre_bottom <= flush;
                end
            end
        end

        if (rst) begin
            open   <= 1'b0;
            first  <= 1'b0;
            held   <= 1'b0;
            waddr  <= '0;
            flush  <= 1'b0;
            left   <= 1'b1;
            slice  <= '0;
            raddr  <= '0;
            centre <= 1'b0;
            alone  <= 1'b0;
        end
    end

    // ---- Stage 1: the column. Memory gives its rows y-1 and y, the input row y+1. -----------------------------------

    logic [N-1:0]   pixel1;
    logic [A-1:0]   waddr1;
    logic           shift1;
    logic           send1;
    logic           left1, right1, top1, bottom1; // the centre lies at this edge
    logic [2*N-1:0] stored;                       // {row y, row y-1}

    always_ff @(posedge clk) begin
        if (move) begin
            pixel1  <= pixel;
            waddr1  <= waddr;
            left1   <= centre_left;
            right1  <= left;
            top1    <= centre_top;
            bottom1 <= centre_bottom;
            send1   <= centre;
            shift1  <= shift;
            write1  <= take;
        end
        if (rst) begin
            shift1 <= 1'b0;
            write1 <= 1'b0;
        end
    end

    ram_sdp #(.WIDTH(2*N), .DEPTH(DEPTH), .STYLE(RAM_STYLE)) u_rows (
        .clk,
        .wen(write1), .waddr(waddr1), .wdata({pixel1, stored[N +: N]}),
        .ren(fetch && move), .raddr, .rdata(stored)
    );

    // ---- Stage 2: the taps. -----------------------------------------------------------------------------------------

    // A column passes from right to left through the taps of its rows. The output register holds them masked, yet only
    // the right-hand taps need a second, raw register on the way: what is above or below the image for one window is so
    // for the next as well, unless a row ends between them; and then it is left of the image. Masking is the
    // synchronous reset of the flip-flops and takes no LUTs.
    localparam integer TOP = 0, MIDDLE = 3, BOTTOM = 6; // first tap of a row

    logic [9*N-1:0]     tap;
    logic [3*N-1:0]     centre_column; // raw, the three rows
    logic [3*N-1:0]     left_column;   // masked above and below
    wire logic [3*N-1:0] column1 = {pixel1, stored};
    wire logic           step    = shift1 && move;

    delay_line #(.WIDTH(3*N), .DEPTH(K)) u_centre (
        .clk, .step, .d(column1), .q(centre_column)
    );
    delay_line #(.WIDTH(3*N), .DEPTH(K - 1)) u_left (
        .clk, .step, .d({tap[(BOTTOM + 1)*N +: N], tap[(MIDDLE + 1)*N +: N], tap[(TOP + 1)*N +: N]}), .q(left_column)
    );

    always_ff @(posedge clk) begin
        if (step) begin
            for (int ky = 0; ky < 3; ky++) begin
                tap[(3*ky)*N     +: N] <= left_column[ky*N +: N];
                tap[(3*ky + 1)*N +: N] <= centre_column[ky*N +: N];
                tap[(3*ky + 2)*N +: N] <= column1[ky*N +: N];
            end
        end
        if (step && left1) begin
            tap[TOP*N    +: N] <= OUTSIDE;
            tap[MIDDLE*N +: N] <= OUTSIDE;
            tap[BOTTOM*N +: N] <= OUTSIDE;
        end
        if (step && top1)                tap[(TOP + 1)*N    +: N] <= OUTSIDE;
        if (step && bottom1)             tap[(BOTTOM + 1)*N +: N] <= OUTSIDE;
        if (step && (right1 || top1))    tap[(TOP + 2)*N    +: N] <= OUTSIDE;
        if (step && right1)              tap[(MIDDLE + 2)*N +: N] <= OUTSIDE;
        if (step && (right1 || bottom1)) tap[(BOTTOM + 2)*N +: N] <= OUTSIDE;

        if (move) valid <= shift1 && send1;
        if (rst)  valid <= 1'b0;
    end

    assign m_axis_tdata  = tap;
    assign m_axis_tvalid = valid;

`ifndef SYNTHESIS
    always_ff @(posedge clk) begin
        if (!rst && s_size_tvalid && s_size_tready) begin
            if (s_size_tdata[DIM_BITS +: DIM_BITS] == 0 || 32'(s_size_tdata[DIM_BITS-1:0]) - 1 >= WIDEST) begin
                $error("window %m: size is {%0d, %0d}, expected a height of 1 or more and a width of 1 to %0d",
                       s_size_tdata[DIM_BITS +: DIM_BITS], s_size_tdata[DIM_BITS-1:0], MAX_WIDTH);
                $fatal;
            end
        end
    end
`endif
endmodule

`default_nettype wire
