// SPDX-License-Identifier: BSD-3-Clause
// Queues of jobs: a FIFO before each of the five that work on a job, with what that one wants to know.
//
// push          takes the job at the inputs, all of it in one cycle. There must be room: there are never more than QUEUE jobs.
// m_read        {rows - 1, bytes of a row - 1, stride, address} of the frame, for shell_bursts
// m_size        {height, width} of the frame, for the network
// m_unpack      {rows - 1, bytes of a row - 1, stride, address} of the frame, of the latter two what matters within a word
// m_crop        {stride, address} within a word, {last row, first row, last column, first column} of the region, in pixels
//               of the result, {height - 1, width - 1} of the whole result
// m_write       as m_read, of the region
`default_nettype none

module shell_jobs #(
    parameter integer DIM_BITS = 12, // bits of a height or width
    parameter integer ROW_BITS = 16, // bits of the bytes of a row
    parameter integer QUEUE    = 4
) (
    input  wire logic                           clk,
    input  wire logic                           rst,
    input  wire logic                           push,

    input  wire logic [31:0]                    src_addr,
    input  wire logic [31:0]                    src_stride,
    input  wire logic [31:0]                    width,
    input  wire logic [31:0]                    height,
    input  wire logic [31:0]                    dst_addr,
    input  wire logic [31:0]                    dst_stride,
    input  wire logic [31:0]                    crop_x,
    input  wire logic [31:0]                    crop_y,
    input  wire logic [31:0]                    out_width,
    input  wire logic [31:0]                    out_height,
    input  wire logic [ROW_BITS-1:0]            src_bytes,  // of a row
    input  wire logic [ROW_BITS-1:0]            dst_bytes,
    input  wire logic [DIM_BITS-1:0]            full_width, // of the result, before the crop
    input  wire logic [DIM_BITS-1:0]            full_height,

    output wire logic [DIM_BITS+ROW_BITS+63:0]  m_read_tdata,
    output wire logic                           m_read_tvalid,
    input  wire logic                           m_read_tready,
    output wire logic [2*DIM_BITS-1:0]          m_size_tdata,
    output wire logic                           m_size_tvalid,
    input  wire logic                           m_size_tready,
    output wire logic [DIM_BITS+ROW_BITS+5:0]   m_unpack_tdata,
    output wire logic                           m_unpack_tvalid,
    input  wire logic                           m_unpack_tready,
    output wire logic [6*DIM_BITS+5:0]          m_crop_tdata,
    output wire logic                           m_crop_tvalid,
    input  wire logic                           m_crop_tready,
    output wire logic [DIM_BITS+ROW_BITS+63:0]  m_write_tdata,
    output wire logic                           m_write_tvalid,
    input  wire logic                           m_write_tready
);
    localparam integer D      = DIM_BITS;
    localparam integer ROW    = ROW_BITS;
    localparam integer BURSTS = D + ROW + 64;
    localparam integer UNPACK = D + ROW + 6;
    localparam integer CROP   = 6 * D + 6;

    wire logic [D-1:0]   rows     = D'(height - 32'd1);
    wire logic [D-1:0]   out_rows = D'(out_height - 32'd1);
    wire logic [ROW-1:0] src_last = src_bytes - 1'b1;
    wire logic [ROW-1:0] dst_last = dst_bytes - 1'b1;

    // Not as casts where they are put together: Yosys does not cut those to size there
    wire logic [D-1:0] last_x = D'(crop_x + out_width - 32'd1);
    wire logic [D-1:0] last_y = D'(crop_y + out_height - 32'd1);
    wire logic [D-1:0] full_x = full_width - 1'b1;
    wire logic [D-1:0] full_y = full_height - 1'b1;

    // verilator lint_off PINCONNECTEMPTY
    stream_fifo #(.WIDTH(BURSTS), .DEPTH(QUEUE)) u_read (
        .clk(clk), .rst(rst),
        .s_axis_tdata({rows, src_last, src_stride, src_addr}), .s_axis_tvalid(push), .s_axis_tready(),
        .m_axis_tdata(m_read_tdata), .m_axis_tvalid(m_read_tvalid), .m_axis_tready(m_read_tready),
        .count(), .high_water()
    );
    stream_fifo #(.WIDTH(2 * D), .DEPTH(QUEUE)) u_size (
        .clk(clk), .rst(rst),
        .s_axis_tdata({height[D-1:0], width[D-1:0]}), .s_axis_tvalid(push), .s_axis_tready(),
        .m_axis_tdata(m_size_tdata), .m_axis_tvalid(m_size_tvalid), .m_axis_tready(m_size_tready),
        .count(), .high_water()
    );
    stream_fifo #(.WIDTH(UNPACK), .DEPTH(QUEUE)) u_unpack (
        .clk(clk), .rst(rst),
        .s_axis_tdata({rows, src_last, src_stride[2:0], src_addr[2:0]}), .s_axis_tvalid(push), .s_axis_tready(),
        .m_axis_tdata(m_unpack_tdata), .m_axis_tvalid(m_unpack_tvalid), .m_axis_tready(m_unpack_tready),
        .count(), .high_water()
    );
    stream_fifo #(.WIDTH(CROP), .DEPTH(QUEUE)) u_crop (
        .clk(clk), .rst(rst),
        .s_axis_tdata({
            dst_stride[2:0], dst_addr[2:0],
            last_y, crop_y[D-1:0], last_x, crop_x[D-1:0], full_y, full_x
        }), .s_axis_tvalid(push), .s_axis_tready(),
        .m_axis_tdata(m_crop_tdata), .m_axis_tvalid(m_crop_tvalid), .m_axis_tready(m_crop_tready),
        .count(), .high_water()
    );
    stream_fifo #(.WIDTH(BURSTS), .DEPTH(QUEUE)) u_write (
        .clk(clk), .rst(rst),
        .s_axis_tdata({out_rows, dst_last, dst_stride, dst_addr}), .s_axis_tvalid(push), .s_axis_tready(),
        .m_axis_tdata(m_write_tdata), .m_axis_tvalid(m_write_tvalid), .m_axis_tready(m_write_tready),
        .count(), .high_water()
    );
    // verilator lint_on PINCONNECTEMPTY

    wire logic unused = &{1'b0, width[31:D]};
endmodule

`default_nettype wire
