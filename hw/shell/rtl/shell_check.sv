// SPDX-License-Identifier: BSD-3-Clause
// Is a job possible? And the sizes that follow from it.
//
// Function      in order, and no further than the first that holds:
//                 size     width or height is 0 or more than MAX_WIDTH, MAX_HEIGHT
//                 region   out_width or out_height is 0, or crop_x + out_width > SCALE * width, and so for the rows
//                 stride   src_stride < CHANNELS * width, or dst_stride < CHANNELS * out_width
//                 address  src_addr + (height - 1) * src_stride + CHANNELS * width > 2^32, and so for what is written
// Arithmetic    exact, for any values of the parameters. One adder: every step is base + a * b, a bit of b per cycle from
//               the lowest on, and a comparison with a limit.
// Timing        `done` is high for a cycle, about 100 after `go`; until then the parameters must not change. From then on
//               the outputs stay until the next `go`.
`default_nettype none

module shell_check #(
    parameter integer SCALE      = 2,
    parameter integer CHANNELS   = 3,
    parameter integer DIM_BITS   = 12,
    parameter integer MAX_WIDTH  = 331,
    parameter integer MAX_HEIGHT = 2047
) (
    input  wire logic        clk,
    input  wire logic        rst,
    input  wire logic        go,
    output wire logic        done,
    output wire logic        size,
    output wire logic        region,
    output wire logic        stride,
    output wire logic        address,

    input  wire logic [31:0] src_addr,
    input  wire logic [31:0] src_stride,
    input  wire logic [31:0] width,
    input  wire logic [31:0] height,
    input  wire logic [31:0] dst_addr,
    input  wire logic [31:0] dst_stride,
    input  wire logic [31:0] crop_x,
    input  wire logic [31:0] crop_y,
    input  wire logic [31:0] out_width,
    input  wire logic [31:0] out_height,

    output wire logic [DIM_BITS+3:0] src_bytes, // of a row
    output wire logic [DIM_BITS+3:0] dst_bytes,
    output wire logic [DIM_BITS-1:0] full_width, // of the result
    output wire logic [DIM_BITS-1:0] full_height
);
    localparam integer D = DIM_BITS;

    // The steps; a limit is one that base + a * b may reach. Before they are used, the values that can only be small have
    // been seen to be: so only addresses and strides have 32 bits.
    localparam [3:0] SIZE       = 4'd0;  // each value by itself
    localparam [3:0] FULL_WIDTH = 4'd1;  // SCALE * width
    localparam [3:0] REGION_X   = 4'd2;  // crop_x + out_width, up to that
    localparam [3:0] FULL_HEIGHT = 4'd3; // SCALE * height
    localparam [3:0] REGION_Y   = 4'd4;  // crop_y + out_height, up to that
    localparam [3:0] SRC_BYTES  = 4'd5;  // CHANNELS * width, up to src_stride
    localparam [3:0] DST_BYTES  = 4'd6;  // CHANNELS * out_width, up to dst_stride
    localparam [3:0] SRC_ROWS   = 4'd7;  // src_addr + (height - 1) * src_stride
    localparam [3:0] SRC_END    = 4'd8;  // that + src_bytes, up to 2^32
    localparam [3:0] DST_ROWS   = 4'd9;  // the same for what is written
    localparam [3:0] DST_END    = 4'd10;

    localparam [1:0] REST = 2'd0; // nothing to do
    localparam [1:0] LOAD = 2'd1; // of a step: base, a, b
    localparam [1:0] ADD  = 2'd2; // a bit of b
    localparam [1:0] TEST = 2'd3;

    generate
        if (SCALE < 1 || SCALE > 15 || CHANNELS < 1 || CHANNELS > 15 || DIM_BITS < 4 || DIM_BITS > 16 ||
            SCALE * MAX_WIDTH >= 1 << DIM_BITS || SCALE * MAX_HEIGHT >= 1 << DIM_BITS) begin : g_check
            $error("shell_check: SCALE %0d, CHANNELS %0d, MAX_WIDTH %0d, MAX_HEIGHT %0d; expected 1 to 15 twice, %s",
                   SCALE, CHANNELS, MAX_WIDTH, MAX_HEIGHT, "and results that fit into DIM_BITS");
        end
    endgenerate

    logic [1:0]   state;
    logic [3:0]   step;
    logic [32:0]  sum;
    logic [32:0]  a;
    logic         a_over;   // a has lost bits
    logic [D-1:0] b;
    logic         over;     // the sum has
    logic         finished, bad_size, bad_region, bad_stride, bad_address;
    logic [D+3:0] src_row, dst_row;
    logic [D-1:0] full_w, full_h;

    assign done        = finished;
    assign size        = bad_size;
    assign region      = bad_region;
    assign stride      = bad_stride;
    assign address     = bad_address;
    assign src_bytes   = src_row;
    assign dst_bytes   = dst_row;
    assign full_width  = full_w;
    assign full_height = full_h;

    logic [32:0]  base_in, a_in, limit;
    logic [D-1:0] b_in;
    always_comb begin
        base_in = '0;
        a_in    = 33'(out_width[D-1:0]);
        b_in    = D'(1);
        limit   = 33'h1_0000_0000;
        case (step)
            FULL_WIDTH: begin
                a_in = 33'(width[D-1:0]);
                b_in = D'(SCALE);
            end
            REGION_X: begin
                base_in = 33'(crop_x[D-1:0]);
                limit   = 33'(full_w);
            end
            FULL_HEIGHT: begin
                a_in = 33'(height[D-1:0]);
                b_in = D'(SCALE);
            end
            REGION_Y: begin
                base_in = 33'(crop_y[D-1:0]);
                a_in    = 33'(out_height[D-1:0]);
                limit   = 33'(full_h);
            end
            SRC_BYTES: begin
                a_in  = 33'(width[D-1:0]);
                b_in  = D'(CHANNELS);
                limit = 33'(src_stride);
            end
            DST_BYTES: begin
                b_in  = D'(CHANNELS);
                limit = 33'(dst_stride);
            end
            SRC_ROWS: begin
                base_in = 33'(src_addr);
                a_in    = 33'(src_stride);
                b_in    = D'(height - 32'd1);
                limit   = '1; // what is too large stays so when the last row is added
            end
            SRC_END: begin
                base_in = sum;
                a_in    = 33'(src_row);
            end
            DST_ROWS: begin
                base_in = 33'(dst_addr);
                a_in    = 33'(dst_stride);
                b_in    = D'(out_height - 32'd1);
                limit   = '1;
            end
            DST_END: begin
                base_in = sum;
                a_in    = 33'(dst_row);
            end
            default: ;
        endcase
    end

    wire logic [33:0] next = {1'b0, sum} + {1'b0, a};
    wire logic too_large = over || sum > limit;
    wire logic bad_dims = width == '0 || height == '0 || width > 32'(MAX_WIDTH) || height > 32'(MAX_HEIGHT);
    // Nothing to write, or surely outside
    wire logic empty = out_width == '0 || out_height == '0;
    wire logic outside = (out_width >> D) != '0 || (out_height >> D) != '0 || (crop_x >> D) != '0 || (crop_y >> D) != '0;
    wire logic refused = bad_size || bad_region || bad_stride || bad_address;

    always_ff @(posedge clk) begin
        finished <= 1'b0;
        case (state)
            REST: if (go) begin
                state       <= LOAD;
                step        <= SIZE;
                bad_size    <= 1'b0;
                bad_region  <= 1'b0;
                bad_stride  <= 1'b0;
                bad_address <= 1'b0;
            end
            LOAD: begin
                sum    <= base_in;
                a      <= a_in;
                a_over <= 1'b0;
                b      <= b_in;
                over   <= 1'b0;
                state  <= ADD;
                if (refused || step > DST_END) begin
                    finished <= 1'b1;
                    state    <= REST;
                end
            end
            ADD: begin
                if (b[0]) begin
                    sum  <= next[32:0];
                    over <= over || next[33] || a_over;
                end
                a      <= a << 1;
                a_over <= a_over || a[32];
                b      <= b >> 1;
                if (b[D-1:1] == '0) state <= TEST;
            end
            default: begin
                case (step)
                    SIZE: begin
                        bad_size   <= bad_dims;
                        bad_region <= !bad_dims && (empty || outside);
                    end
                    FULL_WIDTH:  full_w <= sum[D-1:0];
                    FULL_HEIGHT: full_h <= sum[D-1:0];
                    REGION_X, REGION_Y: bad_region <= too_large;
                    SRC_BYTES: begin
                        src_row    <= sum[D+3:0];
                        bad_stride <= too_large;
                    end
                    DST_BYTES: begin
                        dst_row    <= sum[D+3:0];
                        bad_stride <= too_large;
                    end
                    default: bad_address <= too_large;
                endcase
                step  <= step + 1'b1;
                state <= LOAD;
            end
        endcase
        if (rst) begin
            state    <= REST;
            finished <= 1'b0;
        end
    end
endmodule

`default_nettype wire
