// SPDX-License-Identifier: BSD-3-Clause
// Where in its frame is a pixel? A counter of the pixels of frames of any sizes.
//
// Function      first and last say whether the pixel that comes next is the first or the last of its frame. They are
//               valid while active; step says that it has passed.
// Size          {height, width}, one beat per frame. While a frame passes, the size of the next one is taken already.
// Handshake     all outputs are registers or functions of registers. step must be low while active is low.
// Latency       2 cycles from a size to active.
// Throughput    one pixel per cycle, from frame to frame; a frame of one pixel takes 2 cycles.
// Area          about 3 LUTs and 6 flip-flops per bit of a height or width.
`default_nettype none

module frame_pixels #(
    parameter integer DIM_BITS = 12  // bits of a height or width
) (
    input  wire logic                  clk,
    input  wire logic                  rst,

    input  wire logic [2*DIM_BITS-1:0] s_size_tdata,
    input  wire logic                  s_size_tvalid,
    output wire logic                  s_size_tready,

    input  wire logic                  step,
    output wire logic                  active, // a frame is under way
    output wire logic                  first,
    output wire logic                  last
);
    generate
        if (DIM_BITS < 1) begin : g_check
            $error("frame_pixels: DIM_BITS is %0d, expected 1 or more", DIM_BITS);
        end
    endgenerate

    // The size of the next frame waits here.
    logic                next_full;
    logic [DIM_BITS-1:0] next_height;
    logic [DIM_BITS-1:0] next_width;
    logic                running;

    wire logic done  = step && last;
    wire logic begun = !running || done;  // what is loaded without a next frame is not used
    wire logic load  = next_full && begun;

    assign s_size_tready = !next_full;
    assign active        = running;

    always_ff @(posedge clk) begin
        if (!next_full) {next_height, next_width} <= s_size_tdata;
        next_full <= next_full ? !load : s_size_tvalid;
        running   <= begun ? next_full : 1'b1;
        if (rst) begin
            next_full <= 1'b0;
            running   <= 1'b0;
        end
    end

    // A pixel can pass in each cycle, so the flags are registers that are right at once: they compare the number of
    // the pixel after the next one.
    logic [DIM_BITS-1:0] height;
    logic [DIM_BITS-1:0] width;
    logic                narrow;       // width is 1
    logic                at_first;
    logic [DIM_BITS-1:0] column;       // x + 2
    logic [DIM_BITS-1:0] row;          // y + 2
    logic                last_column;
    logic                last_row;

    wire logic row_end     = step && last_column;
    wire logic next_narrow = next_width == DIM_BITS'(1);

    assign first = at_first;
    assign last  = last_column && last_row;

    always_ff @(posedge clk) begin
        if (step) begin
            column      <= column + DIM_BITS'(1);
            last_column <= column == width;
            at_first    <= 1'b0;
        end
        if (row_end) begin
            column      <= DIM_BITS'(2);
            last_column <= narrow;
            row         <= row + DIM_BITS'(1);
            last_row    <= row == height;
        end
        if (begun) begin
            {height, width} <= {next_height, next_width};
            narrow          <= next_narrow;
            column          <= DIM_BITS'(2);
            row             <= DIM_BITS'(2);
            last_column     <= next_narrow;
            last_row        <= next_height == DIM_BITS'(1);
            at_first        <= 1'b1;
        end
    end
endmodule

`default_nettype wire
