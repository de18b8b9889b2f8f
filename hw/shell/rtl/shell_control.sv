// SPDX-License-Identifier: BSD-3-Clause
// Commands, errors and the number of jobs.
//
// START         asks shell_check (`check`), unless the shell is not ready or QUEUE jobs are queued or under way; then
//               `push` is high for a cycle, or an error bit is set. One refusal sets one bit, the first that applies.
// Halt          an error of the memory sets its bit and `halted`: no further bursts.
// Reset         `stop` keeps the engines from further bursts, as after an error, and `resetting` makes what they still
//               write change nothing. When both are quiet, `flush` resets all but the registers, and the network, for
//               FLUSH cycles; then all is as after rst, but for the job registers and the errors. The bursts under way
//               end when the memory answers, and nothing else is waited for.
// command_done  is high when no command is being carried out; a reset is not waited for.
`default_nettype none

module shell_control #(
    parameter integer QUEUE = 4,  // most jobs queued or under way
    parameter integer FLUSH = 16  // cycles that the network is reset
) (
    input  wire logic        clk,
    input  wire logic        rst,

    input  wire logic        start,
    input  wire logic        soft_reset,
    input  wire logic        clear_counters,
    input  wire logic        cleared, // by the sampler
    output wire logic        command_done,
    input  wire logic [9:0]  clear_errors,

    output wire logic        check,
    input  wire logic        checked,
    input  wire logic        bad_size,
    input  wire logic        bad_region,
    input  wire logic        bad_stride,
    input  wire logic        bad_address,
    output wire logic        push,

    input  wire logic        read_quiet,
    input  wire logic        read_error,
    input  wire logic        read_decode,
    input  wire logic [31:0] read_addr,
    input  wire logic        write_quiet,
    input  wire logic        write_error,
    input  wire logic        write_decode,
    input  wire logic [31:0] write_addr,
    input  wire logic        job_done,

    output wire logic        stop,
    output wire logic        discard,
    output wire logic        flush,
    output wire logic        busy, // jobs are under way
    output wire logic [31:0] status,
    output wire logic [9:0]  errors,
    output wire logic [31:0] jobs_done,
    output wire logic [31:0] error_addr
);
    localparam integer JOBS = $clog2(QUEUE + 1);
    localparam integer WAIT = $clog2(FLUSH);
    localparam [JOBS-1:0] FULL = JOBS'(QUEUE);

    localparam integer SIZE = 0, REGION = 1, STRIDE = 2, REFUSED_FULL = 3, NOT_READY = 4, READ_SLVERR = 5,
                       READ_DECERR = 6, WRITE_SLVERR = 7, WRITE_DECERR = 8, ADDRESS = 9;

    generate
        if (QUEUE < 2 || QUEUE > 255 || FLUSH < 2) begin : g_check
            $error("shell_control: QUEUE %0d, FLUSH %0d; expected 2 to 255, 2 at least", QUEUE, FLUSH);
        end
    endgenerate

    logic            resetting, flushing, halted, stopped;
    logic [WAIT-1:0] wait_left;
    logic [JOBS-1:0] jobs;
    logic            starting; // a START is under way
    logic            clearing; // a CLEAR_COUNTERS is
    logic            check_now, push_now;
    logic            idle, working;
    logic [9:0]      bits;
    logic [31:0]     finished, first_addr;

    wire logic quiet = read_quiet && write_quiet;
    wire logic full  = jobs == FULL;
    wire logic ready = !resetting && !halted;
    wire logic refused = bad_size || bad_region || bad_stride || bad_address;
    wire logic accept = checked && ready && !refused;
    wire logic failed = (read_error || write_error) && !resetting;

    assign command_done = !start && !starting && !clear_counters && !clearing;
    assign check        = check_now;
    assign push         = push_now;
    assign stop         = stopped;
    assign discard      = resetting;
    assign flush        = flushing;
    assign busy         = working;
    assign status       = {16'd0, 8'(jobs), 4'd0, halted, resetting, full, idle};
    assign errors       = bits;
    assign jobs_done    = finished;
    assign error_addr   = first_addr;

    logic [9:0] now; // errors of this cycle
    always_comb begin
        now = '0;
        if (start) begin
            now[NOT_READY]    = !ready || soft_reset;
            now[REFUSED_FULL] = ready && !soft_reset && full;
        end
        if (checked) begin
            now[NOT_READY] = !ready;
            now[SIZE]      = ready && bad_size;
            now[REGION]    = ready && bad_region;
            now[STRIDE]    = ready && bad_stride;
            now[ADDRESS]   = ready && bad_address;
        end
        if (!resetting) begin
            now[READ_SLVERR]  = read_error && !read_decode;
            now[READ_DECERR]  = read_error && read_decode;
            now[WRITE_SLVERR] = write_error && !write_decode;
            now[WRITE_DECERR] = write_error && write_decode;
        end
    end

    always_ff @(posedge clk) begin
        bits      <= (bits & ~clear_errors) | now;
        check_now <= start && ready && !soft_reset && !full;
        push_now  <= accept;
        if (start && ready && !soft_reset && !full) starting <= 1'b1;
        if (checked) starting <= 1'b0;
        if (clear_counters) clearing <= 1'b1;
        if (cleared) clearing <= 1'b0;

        if (accept && !job_done) jobs <= jobs + 1'b1;
        if (job_done && !accept) jobs <= jobs - 1'b1;
        if (job_done) finished <= finished + 32'd1;

        if (failed && !halted) first_addr <= read_error ? read_addr : write_addr;
        if (failed) halted <= 1'b1;
        stopped <= resetting || soft_reset || halted || failed;
        idle    <= quiet && !resetting && !soft_reset && (jobs == '0 || halted) && !accept && !push_now;
        working <= jobs != '0 && ready;

        // Reset: wait until nothing is under way, flush, begin anew
        if (soft_reset) resetting <= 1'b1;
        if (resetting && stopped && quiet && !flushing) begin
            flushing  <= 1'b1;
            wait_left <= WAIT'(FLUSH - 1);
        end
        if (flushing) begin
            wait_left  <= wait_left - 1'b1;
            jobs       <= '0;
            finished   <= '0;
            first_addr <= '0;
            halted     <= 1'b0;
            if (wait_left == '0) begin
                flushing  <= 1'b0;
                resetting <= soft_reset;
                idle      <= !soft_reset;
            end
        end

        if (rst) begin
            resetting <= 1'b1;
            stopped   <= 1'b1;
            flushing  <= 1'b1;
            wait_left <= WAIT'(FLUSH - 1);
            starting  <= 1'b0;
            clearing  <= 1'b0;
            check_now <= 1'b0;
            push_now  <= 1'b0;
            idle      <= 1'b0;
            working   <= 1'b0;
            bits      <= '0;
            jobs      <= '0;
            halted    <= 1'b0;
            finished  <= '0;
            first_addr <= '0;
        end
    end
endmodule

`default_nettype wire
