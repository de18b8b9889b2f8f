// SPDX-License-Identifier: BSD-3-Clause
// Of every result, the region that is wanted, and where its bytes go.
//
// Function      A job is a result of w + 1 x h + 1 pixels of BEATS beats each, and a region in it: columns x0 to x1, rows
//               y0 to y1. Beats outside the region are dropped. With every other one goes the byte of a word it belongs to:
//               `lane` for the first beat of the region; it grows by E from beat to beat, and from row to row by `step`.
// Data          s_job {step, lane, y1, y0, x1, x0, h, w}; m_axis {end of a row of the region, lane, beat}.
// Handshake     m_axis is a register. s_axis_tready depends on m_axis_tready.
// Throughput    a beat per cycle, but for one cycle per job.
`default_nettype none

module shell_crop #(
    parameter integer E        = 1,  // bytes of a beat, 1 to 8
    parameter integer BEATS    = 3,  // beats of a pixel
    parameter integer DIM_BITS = 12, // bits of a coordinate
    parameter integer JOB_BITS = 6 * DIM_BITS + 6 // leave it
) (
    input  wire logic                clk,
    input  wire logic                rst,

    input  wire logic [JOB_BITS-1:0] s_job_tdata,
    input  wire logic                s_job_tvalid,
    output wire logic                s_job_tready,

    input  wire logic [8*E-1:0]      s_axis_tdata,
    input  wire logic                s_axis_tvalid,
    output wire logic                s_axis_tready,

    output wire logic [8*E+3:0]      m_axis_tdata,
    output wire logic                m_axis_tvalid,
    input  wire logic                m_axis_tready
);
    localparam integer D = DIM_BITS;
    localparam integer PART = BEATS > 1 ? $clog2(BEATS) : 1;
    localparam [PART-1:0] LAST = PART'(BEATS - 1);
    localparam [D-1:0]    ONE  = 1;

    generate
        if (E < 1 || E > 8 || BEATS < 1 || JOB_BITS != 6 * DIM_BITS + 6) begin : g_check
            $error("shell_crop: E %0d, BEATS %0d; expected 1 to 8, 1 at least; JOB_BITS left alone", E, BEATS);
        end
    endgenerate

    logic            active;
    logic [D-1:0]    w, h, x0, x1, y0, y1;
    logic [2:0]      step;
    logic [2:0]      row_lane;   // of the next row
    logic [PART-1:0] part;       // of the pixel
    logic [D-1:0]    x, y;       // of the next beat
    logic [D-1:0]    x_up, y_up; // x + 1, y + 1: the comparison with the next position does not wait for an adder
    logic            in_x, in_y; // x is in x0..x1, y in y0..y1
    logic [2:0]      lane;
    logic [8*E+3:0]  data;
    logic            valid;

    wire logic free     = !valid || m_axis_tready;
    wire logic take     = s_axis_tvalid && s_axis_tready;
    wire logic keep     = in_x && in_y;
    wire logic last     = part == LAST;
    wire logic at_x1    = x == x1;
    wire logic at_w     = x == w;
    wire logic row_ends = last && at_x1; // of the region, if this beat is in it
    wire logic next_in_x = (at_w ? x0 == '0 : x_up == x0) || (in_x && !at_x1);
    wire logic next_in_y = y_up == y0 || (in_y && y != y1);

    assign s_job_tready  = !active;
    assign s_axis_tready = active && free;
    assign m_axis_tdata  = data;
    assign m_axis_tvalid = valid;

    always_ff @(posedge clk) begin
        if (free) begin
            data  <= {row_ends, lane, s_axis_tdata};
            valid <= take && keep;
        end

        if (take) begin
            if (keep) lane <= lane + 3'(E);
            if (keep && row_ends) begin
                lane     <= row_lane;
                row_lane <= row_lane + step;
            end
            part <= last ? '0 : part + 1'b1;
            if (last) begin
                x    <= at_w ? '0 : x_up;
                x_up <= at_w ? ONE : x_up + ONE;
                in_x <= next_in_x;
                if (at_w) begin
                    y      <= y_up;
                    y_up   <= y_up + ONE;
                    in_y   <= next_in_y;
                    active <= y != h;
                end
            end
        end

        if (!active && s_job_tvalid) begin
            active <= 1'b1;
            {step, lane, y1, y0, x1, x0, h, w} <= s_job_tdata;
            row_lane <= s_job_tdata[6*D +: 3] + s_job_tdata[6*D+3 +: 3];
            part <= '0;
            x    <= '0;
            x_up <= ONE;
            y    <= '0;
            y_up <= ONE;
            in_x <= s_job_tdata[2*D +: D] == '0;
            in_y <= s_job_tdata[4*D +: D] == '0;
        end
        if (rst) begin
            active <= 1'b0;
            valid  <= 1'b0;
        end
    end
endmodule

`default_nettype wire
