// SPDX-License-Identifier: BSD-3-Clause
// shell_control: a reset ends, soon after the engines are quiet, and until then nothing new begins; never more than QUEUE
// jobs; a job begins only if it was checked and nothing is wrong; an error halts; every command ends.
//
// The engines are those of formal_shell_read and formal_shell_write: quiet stays under `stop`; a job is done only if one is
// under way, and none while quiet since the cycle before.
`default_nettype none

module formal_shell_control #(
    parameter integer QUEUE = 4,
    parameter integer FLUSH = 4
) (
    input wire logic        clk,
    input wire logic        rst,
    input wire logic        start,
    input wire logic        soft_reset,
    input wire logic        clear_counters,
    input wire logic        cleared,
    input wire logic [9:0]  clear_errors,
    input wire logic        checked,
    input wire logic        bad_size,
    input wire logic        bad_region,
    input wire logic        bad_stride,
    input wire logic        bad_address,
    input wire logic        read_quiet,
    input wire logic        read_error,
    input wire logic        read_decode,
    input wire logic [31:0] read_addr,
    input wire logic        write_quiet,
    input wire logic        write_error,
    input wire logic        write_decode,
    input wire logic [31:0] write_addr,
    input wire logic        job_done
);
    wire logic        command_done, check, push, stop, discard, flush, busy;
    wire logic [31:0] status, jobs_done, error_addr;
    wire logic [9:0]  errors;

    wire logic started;
    formal_reset environment (.*);
    shell_control #(.QUEUE(QUEUE), .FLUSH(FLUSH)) dut (.*);

    wire logic quiet     = read_quiet && write_quiet;
    wire logic idle      = status[0];
    wire logic full      = status[1];
    wire logic resetting = status[2];
    wire logic halted    = status[3];
    wire logic [7:0] jobs = status[15:8];
    wire logic bad = bad_size || bad_region || bad_stride || bad_address;

    logic       was_stopped, was_quiet, was_resetting, was_failed, was_soft;
    logic       checking;      // between check and checked
    logic       may_push;      // in the last cycle a job was found good
    logic [3:0] resetting_for; // cycles with resetting and quiet
    logic [9:0] errors_before, cleared_before;
    wire logic  failed = (read_error || write_error) && !resetting;

    always_ff @(posedge clk) begin
        was_stopped   <= stop && !rst;
        was_quiet     <= quiet && !rst;
        was_resetting <= resetting && !rst;
        was_failed    <= failed && !rst && !flush;
        was_soft      <= soft_reset && !rst;
        errors_before  <= errors;
        cleared_before <= clear_errors;
        if (check) checking <= 1'b1;
        if (checked) checking <= 1'b0;
        may_push      <= checked && !bad && !resetting && !halted;
        resetting_for <= resetting && quiet ? resetting_for + 1'b1 : '0;
        if (soft_reset || rst) resetting_for <= '0;
        if (rst) begin
            checking <= 1'b0;
            may_push <= 1'b0;
        end
    end

    logic was_reset; // the last reset of all has not been followed by the end of its flush
    logic command_done_before;

    always_comb begin
        assume (!was_stopped || !was_quiet || quiet);
        assume (!job_done || (jobs != '0 && !(was_quiet && was_stopped)));
        assume (!checked || checking);
        // Commands come one after the other.
        assume (!(start || soft_reset || clear_counters) || command_done_before);

        if (started) begin
            // A reset ends when the engines are quiet, and leaves nothing behind.
            assert (32'(resetting_for) <= FLUSH + 2);
            if (was_resetting && !resetting && !rst) assert (jobs == '0 && !halted && idle && jobs_done == '0);
            // While it lasts, and after an error, nothing begins.
            if (was_soft && !rst) assert (resetting && stop && discard);
            if (was_failed && !rst) assert (halted && stop);
            assert (!resetting || stop);
            assert (!flush || resetting);
            // The engines are flushed when they are quiet.
            assert (!flush || quiet || was_reset);
            // A job begins when it was checked, and there is room.
            assert (32'(jobs) <= QUEUE);
            assert (full == (32'(jobs) == QUEUE));
            assert (push == may_push);
            assert (!check || !checking);
            // Errors stay until they are cleared.
            if (was_resetting || !rst) assert ((errors_before & ~cleared_before & ~errors) == '0 || was_reset);

            // What the registers mean.
            assert (checking || !dut.starting || check);
            assert (!checking || dut.starting);
            assert (32'(jobs) < QUEUE || !(checking || check));
            assert (!may_push || (!checking && !check));
            assert (!dut.flushing || 32'(resetting_for) + 32'(dut.wait_left) <= FLUSH + 1);
            assert (dut.flushing || !resetting || 32'(resetting_for) <= 2);
            assert (dut.stopped || !(resetting || halted));
        end
        cover (started && was_resetting && !resetting && !rst);
        cover (started && full && !rst);
        cover (started && halted && idle && !rst);
    end

    always_ff @(posedge clk) begin
        if (!resetting) was_reset <= 1'b0;
        if (rst) was_reset <= 1'b1;
        command_done_before <= command_done && !(start || soft_reset || clear_counters);
        if (rst) command_done_before <= 1'b0;
    end
endmodule

`default_nettype wire
