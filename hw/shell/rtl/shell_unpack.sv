// SPDX-License-Identifier: BSD-3-Clause
// Words to pixels: the bytes of each row, which begins and ends anywhere in a word.
//
// Function      A job is `rows` + 1 rows of `last` + 1 bytes; the first byte of a row is byte `lane` of its first word, and
//               `lane` grows by `step` (modulo 8) from row to row. m_axis is the bytes of the rows, E of them per beat.
// Data          s_job {rows, last, step, lane}; a row is a whole number of beats.
// How           `current` is the word in which the next beat begins; the beat may end in the one at s_word.
// Handshake     m_axis is a register. s_word_tready depends on m_axis_tready and s_word_tvalid.
// Throughput    a beat per cycle, but for one cycle after a row whose last beat lies in two words, and one per job.
// pending       there is a job whose bytes have not all been offered.
`default_nettype none

module shell_unpack #(
    parameter integer E        = 1,  // bytes of a beat, 1 to 8
    parameter integer ROW_BITS = 14, // bits of the bytes of a row, minus 1
    parameter integer DIM_BITS = 12, // bits of a number of rows, minus 1
    parameter integer JOB_BITS = DIM_BITS + ROW_BITS + 6 // leave it
) (
    input  wire logic                clk,
    input  wire logic                rst,

    input  wire logic [JOB_BITS-1:0] s_job_tdata,
    input  wire logic                s_job_tvalid,
    output wire logic                s_job_tready,

    input  wire logic [63:0]         s_word_tdata,
    input  wire logic                s_word_tvalid,
    output wire logic                s_word_tready,

    output wire logic [8*E-1:0]      m_axis_tdata,
    output wire logic                m_axis_tvalid,
    input  wire logic                m_axis_tready,

    output wire logic                pending
);
    localparam [ROW_BITS-1:0] BEAT = ROW_BITS'(E);

    generate
        if (E < 1 || E > 8 || JOB_BITS != DIM_BITS + ROW_BITS + 6) begin : g_check
            $error("shell_unpack: E %0d, expected 1 to 8; JOB_BITS must be left alone", E);
        end
    endgenerate

    logic                active;
    logic [DIM_BITS-1:0] rows;     // that come after this one
    logic [ROW_BITS-1:0] last;
    logic [2:0]          step;
    logic [2:0]          row_lane; // of the next row
    logic [ROW_BITS-1:0] left;     // bytes of the row from the next beat on, minus 1
    logic [2:0]          lane;     // of the next beat
    logic [63:0]         current;
    logic                has_word; // `current` is one
    logic [8*E-1:0]      data;
    logic                valid;

    wire logic [127:0] window = {s_word_tdata, current} >> {lane, 3'd0};
    wire logic [3:0] reach    = {1'b0, lane} + 4'(E); // the lane after the beat
    wire logic       crosses  = reach > 4'd8;
    wire logic       uses_up  = reach >= 4'd8;
    wire logic       row_ends = left < BEAT;
    wire logic       go       = active && has_word && (!crosses || s_word_tvalid) && (!valid || m_axis_tready);
    wire logic       leave    = go && (uses_up || row_ends); // `current` is done with
    wire logic       both     = go && row_ends && crosses;   // and the word after it, too

    assign s_job_tready  = !active;
    assign s_word_tready = !has_word || leave;
    assign m_axis_tdata  = data;
    assign m_axis_tvalid = valid;
    assign pending       = active || s_job_tvalid;

    always_ff @(posedge clk) begin
        if (!has_word || leave) begin
            current  <= s_word_tdata;
            has_word <= s_word_tvalid && !both;
        end

        if (go) begin
            data <= window[8*E-1:0];
            lane <= reach[2:0];
            left <= left - BEAT;
            if (row_ends) begin
                lane     <= row_lane;
                row_lane <= row_lane + step;
                left     <= last;
                rows     <= rows - 1'b1;
                active   <= rows != '0;
            end
        end
        if (go) valid <= 1'b1;
        else if (m_axis_tready) valid <= 1'b0;

        if (!active && s_job_tvalid) begin
            active   <= 1'b1;
            {rows, last, step, lane} <= s_job_tdata;
            left     <= s_job_tdata[6 +: ROW_BITS];
            row_lane <= s_job_tdata[2:0] + s_job_tdata[5:3];
        end
        if (rst) begin
            active   <= 1'b0;
            has_word <= 1'b0;
            valid    <= 1'b0;
        end
    end
    wire logic unused = &{1'b0, window[127:8*E]};
endmodule

`default_nettype wire
