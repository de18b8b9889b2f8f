// SPDX-License-Identifier: BSD-3-Clause
// Nearest-neighbour upsampling: every pixel becomes r x r equal ones.
//
// Function      out[y*r + i][x*r + j][c] = in[y][x][c], i and j in 0..r-1, r = FACTOR. golden.operators.nearest_up.
// Data          P elements of BITS bits per beat, not interpreted; a pixel is CHANNELS / P beats.
// Size          {height, width} of the input; it is not needed to let pixels in.
// Method        A FIFO in a circular buffer, whose rows are read r times, and their pixels r times each. A row is
//               read while it arrives, and its places become free one by one in the last pass.
// Capacity      DEPTH beats, at least one row of MAX_WIDTH. More makes it the FIFO of a skip branch as well: it takes
//               DEPTH beats while its output waits. high_water is the largest number of beats held since the reset,
//               from which a DEPTH can be chosen.
// Handshake     All outputs are registers or functions of registers.
// Latency       3 cycles.
// Throughput    one output beat per cycle, from frame to frame of any sizes, if the beats come in time.
// Area          the buffer, with the multiplexers behind its block RAMs; and about 6 LUTs per bit of its address, 4 per
//               bit of a size, and 20 more.
`default_nettype none

module nearest_up #(
    parameter integer CHANNELS  = 4,      // divisible by P
    parameter integer FACTOR    = 2,      // r, 2..4
    parameter integer P         = 1,      // elements of a beat
    parameter integer BITS      = 8,      // bits of an element
    parameter integer MAX_WIDTH = 16,     // largest width of the input
    parameter integer DIM_BITS  = 12,     // bits of a height or width
    parameter integer DEPTH     = 64,     // beats held, at least MAX_WIDTH * CHANNELS / P and at least 2
    parameter [87:0]  RAM_STYLE = "auto", // of the buffer, see ram_sdp
    parameter integer COUNT = $clog2(DEPTH + 1)  // bits of high_water; leave it
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
    input  wire logic                  m_axis_tready,

    output wire logic [COUNT-1:0]      high_water
);
    localparam integer WIDTH = P * BITS;
    localparam integer BEATS = CHANNELS / P;                    // of a pixel
    localparam integer BEAT  = BEATS > 1 ? $clog2(BEATS) : 1;
    localparam integer ADDR  = $clog2(DEPTH);

    generate
        if (FACTOR < 2 || FACTOR > 4) begin : g_check_factor
            $error("nearest_up: FACTOR is %0d, expected 2..4", FACTOR);
        end
        if (P < 1 || CHANNELS < 1 || CHANNELS % P != 0) begin : g_check_p
            $error("nearest_up: P = %0d does not divide CHANNELS = %0d", P, CHANNELS);
        end
        if (BITS < 1 || MAX_WIDTH < 1 || MAX_WIDTH >= 2 ** DIM_BITS) begin : g_check_width
            $error("nearest_up: BITS = %0d, MAX_WIDTH = %0d, expected 1 or more, and DIM_BITS = %0d to hold MAX_WIDTH",
                BITS, MAX_WIDTH, DIM_BITS);
        end
        if (DEPTH < 2 || DEPTH < MAX_WIDTH * BEATS || COUNT != $clog2(DEPTH + 1)) begin : g_check_depth
            $error("nearest_up: DEPTH is %0d, expected 2 or more, and a row of %0d beats or more; COUNT must be left alone",
                DEPTH, MAX_WIDTH * BEATS);
        end
    endgenerate

    function automatic logic [ADDR-1:0] after(input logic [ADDR-1:0] addr);
        after = addr == ADDR'(DEPTH - 1) ? '0 : addr + ADDR'(1);
    endfunction

    // Writer.
    logic [ADDR-1:0] w_addr;
    logic            full;

    assign s_axis_tready = !full;
    wire logic w_step = s_axis_tvalid && s_axis_tready;

    always_ff @(posedge clk) begin
        if (w_step) w_addr <= after(w_addr);
        if (rst) w_addr <= '0;
    end

    // The size of the next frame waits here.
    logic                next_full;
    logic [DIM_BITS-1:0] next_height;
    logic [DIM_BITS-1:0] next_width;
    logic                active;    // a frame is read
    wire logic           r_step;
    wire logic           frame_end; // with r_step: its last beat

    assign s_size_tready = !next_full;
    wire logic load = next_full && (!active || (r_step && frame_end));

    always_ff @(posedge clk) begin
        if (!next_full) {next_height, next_width} <= s_size_tdata;
        next_full <= next_full ? !load : s_size_tvalid;
        if (load) active <= 1'b1;
        else if (r_step && frame_end) active <= 1'b0;

        if (rst) begin
            next_full <= 1'b0;
            active    <= 1'b0;
        end
    end

    // Reader: what is the beat that is read next? The flags that compare a counter are a cycle late, which is in time:
    // a pixel takes two beats of output or more.
    logic [BEAT-1:0]     beat;
    logic [1:0]          right;   // j
    logic [1:0]          down;    // i
    logic [DIM_BITS-1:0] width;
    logic [DIM_BITS-1:0] column;  // x + 1
    logic [DIM_BITS-1:0] rows;    // rows of the input left, with this one
    logic                last_column;
    logic                last_row;

    wire logic last_beat  = beat == BEAT'(BEATS - 1);
    wire logic last_right = right == 2'(FACTOR - 1);
    wire logic last_down  = down == 2'(FACTOR - 1);
    wire logic pixel_end  = last_beat && last_right;
    wire logic pass_end   = pixel_end && last_column;
    wire logic row_end    = pass_end && last_down;
    wire logic reload     = last_row || !active;
    assign frame_end = row_end && last_row;

    always_ff @(posedge clk) begin
        last_column <= column == width;
        last_row    <= rows == DIM_BITS'(1);

        if (r_step) begin
            beat <= last_beat ? '0 : beat + BEAT'(1);
            if (last_beat) right <= last_right ? '0 : right + 2'd1;
            if (pixel_end) column <= last_column ? DIM_BITS'(1) : column + DIM_BITS'(1);
            if (pass_end) down <= last_down ? '0 : down + 2'd1;
        end
        // what is loaded without a next frame is not used
        if (!active || (r_step && row_end)) rows <= reload ? next_height : rows - DIM_BITS'(1);
        if (!active || (r_step && frame_end)) width <= next_width;

        if (rst) begin
            beat   <= '0;
            right  <= '0;
            down   <= '0;
            column <= DIM_BITS'(1);
        end
    end

    // Where it is read: on, or back to the start of the pixel or of the row.
    logic [ADDR-1:0] r_addr;
    logic [ADDR-1:0] row;
    wire logic [ADDR-1:0] pixel;
    wire logic [ADDR-1:0] to_addr = pass_end && !last_down ? row
                                  : last_beat && !last_right ? pixel : after(r_addr);

    always_ff @(posedge clk) begin
        if (r_step) r_addr <= to_addr;
        if (r_step && pass_end) row <= to_addr;
        if (rst) begin
            r_addr <= '0;
            row    <= '0;
        end
    end

    generate
        if (BEATS > 1) begin : g_pixel
            logic [ADDR-1:0] start;
            assign pixel = start;
            always_ff @(posedge clk) begin
                if (r_step && pixel_end) start <= to_addr;
                if (rst) start <= '0;
            end
        end else begin : g_pixel
            assign pixel = r_addr;
        end
    endgenerate

    // How many beats are there, and how many of them have not been read yet?
    logic [COUNT-1:0] held;
    logic [COUNT-1:0] unread;
    logic             some;  // unread is not 0
    logic [COUNT-1:0] most;

    wire logic first_visit = right == '0 && down == '0;
    wire logic advance     = m_axis_tready || !m_axis_tvalid;
    wire logic r_go        = active && (some || !first_visit);
    assign r_step = r_go && advance;
    wire logic see  = r_step && first_visit;
    wire logic free = r_step && last_right && last_down;

    assign high_water = most;

    always_ff @(posedge clk) begin
        held   <= held + {{COUNT - 1{free && !w_step}}, w_step != free}; // 1, 0 or -1, in one adder
        full   <= !free && (full || (w_step && held == COUNT'(DEPTH - 1)));
        unread <= unread + {{COUNT - 1{see && !w_step}}, w_step != see};
        some   <= w_step || unread > COUNT'(1) || (unread[0] && !see);
        // held never exceeds most, so an increment at equality keeps the maximum without a wide comparator
        if (w_step && !free && held == most) most <= most + COUNT'(1);

        if (rst) begin
            held   <= '0;
            full   <= 1'b0;
            unread <= '0;
            some   <= 1'b0;
            most   <= '0;
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
        .wen(w_step), .waddr(w_addr), .wdata(s_axis_tdata),
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
