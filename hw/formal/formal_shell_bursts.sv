// SPDX-License-Identifier: BSD-3-Clause
// shell_bursts: the bursts of a job cover the words of its rows, each once and in order, and nothing else; none leaves its
// block of 128 bytes, so none crosses 4 KiB; the last one of the job is marked; every job ends.
`default_nettype none

module formal_shell_bursts #(
    parameter integer ROW_BITS = 10,
    parameter integer DIM_BITS = 3
) (
    input wire logic                             clk,
    input wire logic                             rst,
    input wire logic [DIM_BITS+ROW_BITS+64-1:0]  s_job_tdata,
    input wire logic                             s_job_tvalid,
    input wire logic                             m_burst_tready
);
    wire logic        s_job_tready;
    wire logic [33:0] m_burst_tdata;
    wire logic        m_burst_tvalid;

    wire logic started;
    formal_reset environment (.*);
    shell_bursts #(.ROW_BITS(ROW_BITS), .DIM_BITS(DIM_BITS)) dut (.*);

    stream_rules #(.WIDTH(DIM_BITS + ROW_BITS + 64), .ASSUME(1), .STEADY(0)) s_job (
        .clk, .rst, .tdata(s_job_tdata), .tvalid(s_job_tvalid), .tready(s_job_tready)
    );
    stream_rules #(.WIDTH(34), .STEADY(0)) m_burst (
        .clk, .rst, .tdata(m_burst_tdata), .tvalid(m_burst_tvalid), .tready(m_burst_tready)
    );

    // What is due, kept apart from the module: the words from `next` to the end of a row, then `rows` more rows
    logic                busy;
    logic [31:0]         begins; // first byte of the row
    logic [31:0]         stride;
    logic [ROW_BITS-1:0] last;
    logic [DIM_BITS-1:0] rows;
    logic [28:0]         next;
    wire logic [31:0] ends  = begins + 32'(last); // last byte of the row
    wire logic [3:0]  beats = m_burst_tdata[32:29];
    wire logic [28:0] word  = m_burst_tdata[28:0];
    wire logic [28:0] after = word + 29'(beats) + 1'b1;
    wire logic        moves = m_burst_tvalid && m_burst_tready;
    wire logic        row_done = after == ends[31:3] + 1'b1;
    logic [1:0] waited;

    always_ff @(posedge clk) begin
        if (s_job_tvalid && s_job_tready) begin
            busy <= 1'b1;
            {rows, last, stride, begins} <= s_job_tdata;
            next <= s_job_tdata[31:3];
        end
        if (moves) begin
            next <= after;
            if (row_done) begin
                begins <= begins + stride;
                next   <= 29'((begins + stride) >> 3);
                rows   <= rows - 1'b1;
                busy   <= rows != '0;
            end
        end
        waited <= m_burst_tvalid || !busy ? '0 : waited + 1'b1;
        if (rst) begin
            busy   <= 1'b0;
            waited <= '0;
        end
    end

    // Words from `next` to the end of the row, minus 1
    wire logic [28:0] due = ends[31:3] - next;

    always_comb begin
        if (started) begin
            if (m_burst_tvalid) begin
                // Bursts belong to a job, and begin where the one before it ended.
                assert (busy);
                assert (word == next);
                // None goes beyond its row.
                assert (29'(beats) <= due);
                // None leaves its block of 16 words.
                assert (5'(word[3:0]) + 5'(beats) <= 5'd15);
                // None is shorter than it must be.
                assert (29'(beats) == due || 5'(word[3:0]) + 5'(beats) == 5'd15);
                // The last one of the job is marked, and no other.
                assert (m_burst_tdata[33] == (row_done && rows == '0));
            end
            // There is always a next burst, soon.
            assert (waited <= 2'd2);
            assert (s_job_tready == !busy);

            // What the registers mean.
            assert (busy == (dut.state != 2'd0));
            if (busy) begin
                assert (dut.stride == stride && dut.last == last);
                assert (due <= 29'((1 << (ROW_BITS - 2)) - 1));
                if (dut.state == 2'd1) begin
                    assert (dut.addr == begins && dut.rows == rows && next == begins[31:3]);
                end else begin
                    assert (dut.addr == begins + stride && dut.rows == rows - 1'b1);
                    assert (dut.final_row == (rows == '0));
                    assert (dut.word == next && 29'(dut.words) == due);
                end
                if (dut.state == 2'd3) begin
                    assert (dut.ends == (29'(dut.beats) == due));
                end
                assert (dut.state != 2'd1 || waited == 2'd0);
                assert (dut.state != 2'd2 || waited <= 2'd1);
            end
        end
        // A job of several rows, of several bursts each, is done.
        cover (started && moves && m_burst_tdata[33] && !rst && beats == 4'd2 && word[3:0] == 4'd0);
    end
endmodule

`default_nettype wire
