// SPDX-License-Identifier: BSD-3-Clause
// Pixel shuffle: channels become space, in a buffer of one row that is transposed in place.
//
// Function      out[y*r + i][x*r + j][c] = in[y][x][channel], i and j in 0..r-1, r = FACTOR; which channel depends on
//               ORDER. golden.operators.pixel_shuffle.
// Data          In: W pixels of C*r*r elements per row, P elements of BITS bits per beat, not interpreted; C = CHANNELS.
//               ORDER 0: the contract's order, channel = c*r*r + i*r + j.
//               ORDER 1: channel = (i*r + j)*C + c. The sender must produce this order, which costs nothing where it
//               computes a channel per row of a weight matrix; it saves the reordering of each pixel.
//               Out: r rows of W*r pixels of C elements, P per beat.
// Size          {height, width} of the input.
// Handshake     All outputs are registers or functions of registers.
// Latency       a row of the input, and a few cycles; ORDER 0: and a pixel.
// Throughput    one beat per cycle in and out, from frame to frame of equal width, from the first output beat on. A
//               frame of another width enters when the last row of the one before has left the buffer.
// Area          the row buffer, MAX_WIDTH*C*r*r*BITS bits, with the multiplexers behind its block RAMs; and about 12 LUTs
//               per bit of its address, 5 per bit of a size, and 40 more.
//
// Transposition A row of the input is a W x r matrix of blocks (x, i), of B = r*C/P beats each, that arrives with i
// in place      fastest and leaves with x fastest. When block k leaves (k = 0, 1, ..., M-1; M = W*r), its place is
//               free, and block k of the next row goes there: places are taken by row n+1 in the order in which row
//               n leaves them. Row 0 puts block k = x*r + i at place k. The block that leaves as number k = i*W + x
//               came as number x*r + i, which is k*r modulo M-1. Hence row n has block k at place
//
//                   a(n, k) = k * s(n) mod (M-1),   s(0) = 1,   s(n+1) = r * s(n) mod (M-1),
//
//               and is read, step by step, from the places a(n+1, k): one stride s(n+1) serves the reading of row n
//               and the writing of row n+1, which follows at least one beat behind. Residues are taken from 1..M-1
//               rather than from 0..M-2, except that k = 0 is at place 0. Because r*W = 1 modulo M-1, no other k below
//               M-1 meets the residue 0; so the last block, k = M-1, falls on place M-1 in all rows without further
//               ado, and a row is at its end where the address says so. W = 1 needs no exception either.
//
//               Example: W = 3, r = 2, M - 1 = 5; blocks are written xi.
//
//                   row 0, stride 1, enters at   0 1 2 3 4 5   as 00 01 10 11 20 21
//                   row 0, stride 2, leaves from 0 2 4 1 3 5   as 00 10 20 01 11 21, and row 1 enters there
//                   row 1, stride 4, leaves from 0 4 3 2 1 5,  and row 2 enters there
//                   row 2, stride 3, leaves from 0 3 1 4 2 5;  the next stride is 1 again
//
//               The first block of a row stays at place 0 until it is read. So reading may start there while the last
//               block of the row still arrives, which keeps both ports busy in every cycle. The stride changes between
//               these two: when the writer is in its last block, neither side takes another step of the old stride.
`default_nettype none

module pixel_shuffle #(
    parameter integer CHANNELS  = 4,      // C, channels of the output
    parameter integer FACTOR    = 2,      // r, 2..4
    parameter integer P         = 1,      // elements of a beat, divides CHANNELS
    parameter integer BITS      = 8,      // bits of an element
    parameter integer MAX_WIDTH = 16,     // largest width of the input
    parameter integer DIM_BITS  = 12,     // bits of a height or width
    parameter integer ORDER     = 1,      // order of the input channels: 0 is (c, i, j), 1 is (i, j, c)
    parameter [87:0]  RAM_STYLE = "auto"  // of the row buffer, see ram_sdp
) (
    input  wire logic                  clk,
    input  wire logic                  rst,

    input  wire logic [2*DIM_BITS-1:0] s_size_tdata,
    input  wire logic                  s_size_tvalid,
    output wire logic                  s_size_tready,

    input  wire logic [P*BITS-1:0]     s_axis_tdata,
    input  wire logic                  s_axis_tvalid,
    output wire logic                  s_axis_tready,

    output wire logic [P*BITS-1:0]     m_axis_tdata,
    output wire logic                  m_axis_tvalid,
    input  wire logic                  m_axis_tready
);
    localparam integer WIDTH = P * BITS;
    localparam integer BLOCK = FACTOR * CHANNELS / P;         // B, beats; at least 2
    localparam integer DEPTH = MAX_WIDTH * FACTOR * BLOCK;    // beats of the widest row
    localparam integer ADDR  = $clog2(DEPTH);
    localparam integer LEAD  = $clog2(DEPTH + 1);

    generate
        if (FACTOR < 2 || FACTOR > 4) begin : g_check_factor
            $error("pixel_shuffle: FACTOR is %0d, expected 2..4", FACTOR);
        end
        if (P < 1 || CHANNELS < 1 || CHANNELS % P != 0) begin : g_check_p
            $error("pixel_shuffle: P = %0d does not divide CHANNELS = %0d", P, CHANNELS);
        end
        if (BITS < 1 || MAX_WIDTH < 1 || MAX_WIDTH >= 2 ** DIM_BITS) begin : g_check_width
            $error("pixel_shuffle: BITS = %0d, MAX_WIDTH = %0d, expected 1 or more, and DIM_BITS = %0d to hold MAX_WIDTH",
                BITS, MAX_WIDTH, DIM_BITS);
        end
        if (ORDER != 0 && ORDER != 1) begin : g_check_order
            $error("pixel_shuffle: ORDER is %0d, expected 0 for (c, i, j) or 1 for (i, j, c)", ORDER);
        end
    endgenerate

    // The input in order (i, j, c).
    wire logic [WIDTH-1:0] in_data;
    wire logic             in_valid;
    wire logic             in_ready;

    generate
        if (ORDER == 0) begin : g_order
            pixel_shuffle_order #(
                .CHANNELS(CHANNELS), .FACTOR(FACTOR), .P(P), .BITS(BITS)
            ) u_order (
                .clk, .rst,
                .s_axis_tdata, .s_axis_tvalid, .s_axis_tready,
                .m_axis_tdata(in_data), .m_axis_tvalid(in_valid), .m_axis_tready(in_ready)
            );
        end else begin : g_straight
            assign in_data       = s_axis_tdata;
            assign in_valid      = s_axis_tvalid;
            assign s_axis_tready = in_ready;
        end
    endgenerate

    logic active; // a frame enters
    logic fresh;  // its row is the first of a run of rows of equal width: all places are free
    logic some;   // the reader is ahead of the writer, by `lead` beats

    assign in_ready = active && (fresh || some);

    wire logic w_step = in_valid && in_ready;
    wire logic r_step;

    // The size of the next frame waits here.
    logic                next_full;
    logic [DIM_BITS-1:0] next_height;
    logic [DIM_BITS-1:0] next_width;
    logic                next_same;   // next_width is the width of the frame before
    logic [DIM_BITS-1:0] width;       // 0 after a reset
    logic                complete;    // the last row that has entered waits in the buffer, or leaves it
    wire logic           w_frame_end; // with w_step: the last beat of a frame enters

    assign s_size_tready = !next_full;

    wire logic extend  = next_full && next_same && (!active || (w_step && w_frame_end));
    wire logic restart = next_full && !next_same && !active && !complete;

    always_ff @(posedge clk) begin
        if (!next_full) begin
            {next_height, next_width} <= s_size_tdata;
            next_same <= s_size_tdata[DIM_BITS-1:0] == width;
        end
        if (restart) width <= next_width;

        next_full <= next_full ? !(extend || restart) : s_size_tvalid;
        if (extend || restart) active <= 1'b1;
        else if (w_step && w_frame_end) active <= 1'b0;

        if (rst) begin
            next_full <= 1'b0;
            active    <= 1'b0;
            width     <= '0; // of no frame: the first one restarts
        end
    end

    // Writer: where in the frame is the beat that enters next? The flags that compare a counter are a cycle late,
    // which is in time: a block has two beats or more, a pixel two blocks or more.
    logic [1:0]          w_sub;        // i
    logic [DIM_BITS-1:0] w_column;     // x + 1
    logic [DIM_BITS-1:0] w_rows;       // rows left, with this one
    logic                w_last_column;
    logic                w_last_row;
    logic [ADDR-1:0]     w_addr;
    wire logic           w_block_end;

    wire logic w_last_sub   = w_sub == 2'(FACTOR - 1);
    wire logic w_last_block = w_last_sub && w_last_column;
    wire logic w_row_end    = w_last_block && w_block_end;
    wire logic reload       = w_last_row || !active;
    assign w_frame_end = w_row_end && w_last_row;

    always_ff @(posedge clk) begin
        w_last_column <= w_column == width;
        w_last_row    <= w_rows == DIM_BITS'(1);

        if (w_step && w_block_end) begin
            w_sub <= w_last_sub ? '0 : w_sub + 2'd1;
            if (w_last_sub) w_column <= w_last_column ? DIM_BITS'(1) : w_column + DIM_BITS'(1);
        end
        // what is loaded without a next frame is not used
        if (!active || (w_step && w_row_end)) w_rows <= reload ? next_height : w_rows - DIM_BITS'(1);

        if (rst || restart) begin
            w_sub    <= '0;
            w_column <= DIM_BITS'(1);
        end
    end

    // The stride turns when the writer comes to its last block: in the first cycle there, or when the next stride
    // has been computed. In the first row of a run this address also says what the modulus is.
    logic                turned;
    logic                late;
    wire logic           stride_ready;
    wire logic [ADDR-1:0] onward;
    wire logic [ADDR:0]   back;
    wire logic [ADDR-1:0] modulus;

    wire logic turn = w_last_block && active && !turned;
    wire logic swap = (turn || late) && stride_ready;

    always_ff @(posedge clk) begin
        turned <= (turned || turn) && !(w_step && w_row_end);
        late   <= (turn || late) && !swap;
        if (rst) begin
            turned <= 1'b0;
            late   <= 1'b0;
        end
    end

    pixel_shuffle_stride #(
        .ADDR(ADDR), .BLOCK(BLOCK), .FACTOR(FACTOR)
    ) u_stride (
        .clk, .rst(rst || restart),
        .found(turn && fresh), .address(w_addr), .swap,
        .ready(stride_ready), .onward, .back, .modulus
    );

    pixel_shuffle_walk #(
        .ADDR(ADDR), .BLOCK(BLOCK)
    ) u_writer (
        .clk, .rst, .onward, .back,
        .step(w_step), .home(w_row_end), .addr(w_addr), .block_end(w_block_end)
    );

    // Reader: in block 0 it needs that the writer has come to its last block, and behind that, the whole row.
    logic            head;    // in block 0
    logic            entered; // a row may be begun
    logic            r_last_block;
    wire logic [ADDR-1:0] r_addr;
    wire logic            r_block_end;

    wire logic advance   = m_axis_tready || !m_axis_tvalid;
    wire logic r_go      = head ? entered : complete;
    wire logic r_row_end = r_last_block && r_block_end;
    assign r_step = r_go && advance;

    always_ff @(posedge clk) begin
        if (r_step) begin
            r_last_block <= !r_row_end && (r_last_block || r_addr == modulus);
            if (r_block_end) head <= r_row_end;
        end

        if (swap) entered <= 1'b1;
        else if (r_step && head && r_block_end) entered <= 1'b0;

        if (w_step && w_row_end) complete <= 1'b1;
        else if (r_step && r_row_end) complete <= 1'b0;

        if (rst) begin
            head         <= 1'b1;
            entered      <= 1'b0;
            complete     <= 1'b0;
            r_last_block <= 1'b0;
        end
    end

    pixel_shuffle_walk #(
        .ADDR(ADDR), .BLOCK(BLOCK)
    ) u_reader (
        .clk, .rst, .onward, .back,
        .step(r_step), .home(r_row_end), .addr(r_addr), .block_end(r_block_end)
    );

    // How far the reader is ahead: the places that the writer may take.
    logic [LEAD-1:0] lead;
    wire logic       claim = w_step && !fresh;
    wire logic       loss  = claim && !r_step;

    always_ff @(posedge clk) begin
        lead <= lead + {{LEAD - 1{loss}}, r_step != claim}; // 1, 0 or -1, in one adder
        some <= r_step || lead > LEAD'(1) || (lead[0] && !claim);
        if (w_step && w_row_end) fresh <= 1'b0;

        if (rst || restart) begin
            lead  <= '0;
            some  <= 1'b0;
            fresh <= 1'b1;
        end
    end

    // The buffer, its output register, and one more, which takes the way out of the block RAMs.
    wire logic [WIDTH-1:0] r_data;
    logic [WIDTH-1:0]      out_data;
    logic                  out_valid;
    logic                  r_valid;

    ram_sdp #(
        .WIDTH(WIDTH), .DEPTH(DEPTH), .STYLE(RAM_STYLE)
    ) u_buffer (
        .clk,
        .wen(w_step), .waddr(w_addr), .wdata(in_data),
        .ren(r_step), .raddr(r_addr), .rdata(r_data)
    );

    assign m_axis_tdata  = out_data;
    assign m_axis_tvalid = out_valid;

    always_ff @(posedge clk) begin
        if (advance) begin
            out_data  <= r_data;
            out_valid <= r_valid;
            r_valid   <= r_go;
        end
        if (rst) begin
            out_valid <= 1'b0;
            r_valid   <= 1'b0;
        end
    end
endmodule

`default_nettype wire
