// SPDX-License-Identifier: BSD-3-Clause
// Cut the rows of a job into bursts.
//
// Function      A job is `rows` + 1 rows of `last` + 1 bytes, row y at addr + y * stride, each at any byte. For every row,
//               one after the other: the bursts that cover its bytes, of 1 to 16 words of 8 bytes. A burst lies within a
//               block of 128 bytes, so none crosses a boundary of 4 KiB, and at most the first and the last one of a row
//               are shorter than 16 words.
// Data          s_job {rows, last, stride, addr}; m_burst {end, words - 1, address / 8}: end marks the last one of the job.
// Handshake     every output is a register or a function of the state.
// Throughput    a burst in two cycles, and one more for every row and for every job.
`default_nettype none

module shell_bursts #(
    parameter integer ROW_BITS = 14, // bits of the bytes of a row, minus 1
    parameter integer DIM_BITS = 12, // bits of a number of rows, minus 1
    parameter integer JOB_BITS = DIM_BITS + ROW_BITS + 64 // leave it
) (
    input  wire logic                clk,
    input  wire logic                rst,

    input  wire logic [JOB_BITS-1:0] s_job_tdata,
    input  wire logic                s_job_tvalid,
    output wire logic                s_job_tready,

    output wire logic [33:0]         m_burst_tdata,
    output wire logic                m_burst_tvalid,
    input  wire logic                m_burst_tready
);
    localparam [1:0] IDLE   = 2'd0; // waits for a job
    localparam [1:0] ROW    = 2'd1; // begins a row
    localparam [1:0] LENGTH = 2'd2; // decides how long the next burst is
    localparam [1:0] OFFER  = 2'd3; // offers it

    generate
        if (ROW_BITS < 4 || DIM_BITS < 1 || JOB_BITS != DIM_BITS + ROW_BITS + 64) begin : g_check
            $error("shell_bursts: ROW_BITS %0d, DIM_BITS %0d; expected 4 and 1 at least, JOB_BITS left alone",
                   ROW_BITS, DIM_BITS);
        end
    endgenerate

    logic [1:0]          state;
    logic [31:0]         addr;   // of the next row
    logic [31:0]         stride;
    logic [ROW_BITS-1:0] last;
    logic [DIM_BITS-1:0] rows;   // that come after this one
    logic [28:0]         word;   // address of the next burst, in words
    logic [ROW_BITS-3:0] words;  // of the row from there on, minus 1
    logic [3:0]          beats;  // of the burst that is offered, minus 1
    logic                ends;   // it is the last one of its row
    logic                final_row;

    assign s_job_tready   = state == IDLE;
    assign m_burst_tvalid = state == OFFER;
    assign m_burst_tdata  = {ends && final_row, beats, word};

    // Bytes of the row from the beginning of its first word on, minus 1
    wire logic [ROW_BITS:0] span = {1'b0, last} + (ROW_BITS + 1)'(addr[2:0]);
    wire logic unused = &{1'b0, span[2:0]};
    wire logic [3:0] left = ~word[3:0]; // words of the block of 128 bytes after this one
    wire logic fits = words <= (ROW_BITS - 2)'(left);

    always_ff @(posedge clk) begin
        case (state)
            IDLE: begin
                {rows, last, stride, addr} <= s_job_tdata;
                if (s_job_tvalid) state <= ROW;
            end
            ROW: begin
                word      <= addr[31:3];
                words     <= span[ROW_BITS:3];
                addr      <= addr + stride;
                rows      <= rows - 1'b1;
                final_row <= rows == '0;
                state     <= LENGTH;
            end
            LENGTH: begin
                beats <= fits ? words[3:0] : left;
                ends  <= fits;
                state <= OFFER;
            end
            default: if (m_burst_tready) begin
                word  <= {word[28:4] + 1'b1, 4'd0};
                words <= words - (ROW_BITS - 2)'(beats) - 1'b1;
                state <= !ends ? LENGTH : final_row ? IDLE : ROW;
            end
        endcase
        if (rst) state <= IDLE;
    end
endmodule

`default_nettype wire
