// SPDX-License-Identifier: BSD-3-Clause
// The registers: what hw/shell/registers.py lists, at these offsets.
//
// Access        requests of shell_axil: `write` or `read` for a cycle, answered by `done`. Most are done after one or two cycles; a
//               command when it is carried out, a counter of the sampler when its turn comes.
// Job registers are kept here, in `job`, and survive everything but rst.
`default_nettype none

module shell_registers #(
    parameter [255:0] HASH        = '0,
    parameter integer SCALE       = 2,
    parameter integer CHANNELS    = 3,
    parameter integer MAX_WIDTH   = 331,
    parameter integer MAX_HEIGHT  = 2047,
    parameter integer TAPS        = 100,
    parameter integer QUEUE       = 4,
    parameter integer OUTSTANDING = 8,
    parameter integer CLOCK_HZ    = 100000000,
    parameter integer TAP         = $clog2(TAPS + 1) // leave it
) (
    input  wire logic            clk,
    input  wire logic            rst,

    input  wire logic            write,
    input  wire logic            read,
    input  wire logic [13:0]     addr,
    input  wire logic [31:0]     wdata,
    input  wire logic [3:0]      wstrb,
    output wire logic [31:0]     rdata,
    output wire logic            done,

    // Commands: high for a cycle; command_done says that all of them are carried out
    output wire logic            start,
    output wire logic            soft_reset,
    output wire logic            clear_counters,
    input  wire logic            command_done,
    output wire logic [9:0]      clear_errors,

    output wire logic [319:0]    job, // SRC_ADDR in the lowest bits
    input  wire logic [31:0]     status,
    input  wire logic [9:0]      errors,
    input  wire logic [31:0]     jobs_done,
    input  wire logic [31:0]     error_addr,
    input  wire logic [63:0]     cycles,
    input  wire logic [31:0]     job_cycles,
    input  wire logic [31:0]     read_wait,
    input  wire logic [31:0]     write_wait,
    input  wire logic [31:0]     read_beats,
    input  wire logic [31:0]     write_beats,
    input  wire logic [31:0]     samples,

    input  wire logic [TAPS-1:0] taps_valid,
    input  wire logic [TAPS-1:0] taps_ready,
    output wire logic            tap_read,
    output wire logic [TAP-1:0]  tap,
    input  wire logic            tap_answer,
    input  wire logic [63:0]     tap_counts
);
    // Offsets in words, and what they are the first of
    localparam [13:0] CONTROL   = 14'h010;
    localparam [13:0] ERRORS    = 14'h012;
    localparam [13:0] JOB       = 14'h018; // 10 registers
    localparam [13:0] CYCLES_LO = 14'h030;
    localparam [13:0] VALID     = 14'h200; // up to 128 words; as many more for ready
    localparam [13:0] COUNTS    = 14'h400; // two words for each tap

    localparam integer WORDS = (TAPS + 31) / 32;
    localparam integer FLIGHT = $clog2(OUTSTANDING);
    localparam [31:0]  CONFIG = 32'(FLIGHT * 65536 + QUEUE * 256 + CHANNELS * 16 + SCALE);

    logic [319:0] values;
    logic [31:0]  cycles_hi;   // as it was when CYCLES_LO was read
    logic [31:0]  word;
    logic         answered;
    logic         commanded;   // a command is under way
    logic         counting;    // the sampler is asked
    logic         start_now, reset_now, clear_now, ask;
    logic [9:0]   errors_now;

    assign job            = values;
    assign rdata          = word;
    assign done           = answered;
    assign start          = start_now;
    assign soft_reset     = reset_now;
    assign clear_counters = clear_now;
    assign clear_errors   = errors_now;
    assign tap_read       = ask;

    wire logic [12:0] counter = 13'(addr - COUNTS);
    wire logic        counts  = addr >= COUNTS && counter < 13'(2 * TAPS);
    assign tap = TAP'(counter >> 1);

    // What is read, in two stages: a word of each group, 0 (by the reset of its register) if the group is not meant; then
    // all of them together.
    localparam integer PLACES = WORDS > 1 ? 1 << $clog2(WORDS) : 2;
    wire logic [32*PLACES-1:0] valids = (32 * PLACES)'(taps_valid);
    wire logic [32*PLACES-1:0] readys = (32 * PLACES)'(taps_ready);
    wire logic [64*PLACES-1:0] all    = {readys, valids};
    wire logic [$clog2(2*PLACES)-1:0] place = {addr[7], addr[$clog2(PLACES)-1:0]};
    wire logic low = addr[13:6] == 8'd0;
    logic [31:0] constant, state, parameter_word, count, live;
    logic        reading; // the groups are there

    always_ff @(posedge clk) begin
        case (addr[3:0])
            4'h0: constant <= 32'h424D4E44;
            4'h1: constant <= 32'h00010000;
            4'h2: constant <= HASH[255:224];
            4'h3: constant <= HASH[223:192];
            4'h4: constant <= HASH[191:160];
            4'h5: constant <= HASH[159:128];
            4'h6: constant <= HASH[127:96];
            4'h7: constant <= HASH[95:64];
            4'h8: constant <= HASH[63:32];
            4'h9: constant <= HASH[31:0];
            4'hA: constant <= CONFIG;
            4'hB: constant <= 32'(MAX_WIDTH);
            4'hC: constant <= 32'(MAX_HEIGHT);
            4'hD: constant <= 32'(TAPS);
            4'hE: constant <= 32'(CLOCK_HZ);
            default: constant <= '0;
        endcase
        case (addr[2:0])
            3'h1: state <= status;
            3'h2: state <= 32'(errors);
            3'h3: state <= jobs_done;
            3'h4: state <= error_addr;
            default: state <= '0;
        endcase
        case (addr[3:0])
            4'h8: parameter_word <= values[31:0];
            4'h9: parameter_word <= values[63:32];
            4'hA: parameter_word <= values[95:64];
            4'hB: parameter_word <= values[127:96];
            4'hC: parameter_word <= values[159:128];
            4'hD: parameter_word <= values[191:160];
            4'hE: parameter_word <= values[223:192];
            4'hF: parameter_word <= values[255:224];
            4'h0: parameter_word <= values[287:256];
            4'h1: parameter_word <= values[319:288];
            default: parameter_word <= '0;
        endcase
        case (addr[2:0])
            3'h0: count <= cycles[31:0];
            3'h1: count <= cycles_hi;
            3'h2: count <= job_cycles;
            3'h3: count <= read_wait;
            3'h4: count <= write_wait;
            3'h5: count <= read_beats;
            3'h6: count <= write_beats;
            default: count <= samples;
        endcase
        live <= all[32*place +: 32];
        if (!low || addr[5:4] != 2'd0) constant <= '0;
        if (!low || addr[5:3] != 3'd2) state <= '0;
        if (!low || addr < JOB || addr >= JOB + 14'd10) parameter_word <= '0;
        if (!low || addr[5:3] != 3'd6) count <= '0;
        if (addr[13:8] != VALID[13:8] || 32'(addr[6:0]) >= PLACES) live <= '0;
        reading <= read && !counts;
        if (rst) reading <= 1'b0;
    end

    wire logic [31:0] chosen = constant | state | parameter_word | count | live;

    integer r, b;
    always_ff @(posedge clk) begin
        start_now  <= 1'b0;
        reset_now  <= 1'b0;
        clear_now  <= 1'b0;
        errors_now <= '0;
        ask        <= 1'b0;
        answered   <= 1'b0;

        for (r = 0; r < 10; r = r + 1) begin
            for (b = 0; b < 4; b = b + 1) begin
                if (write && wstrb[b] && addr == JOB + 14'(r)) values[32*r+8*b +: 8] <= wdata[8*b +: 8];
            end
        end
        if (write) begin
            answered <= 1'b1;
            if (addr == CONTROL && wstrb[0] && wdata[2:0] != 3'd0) begin
                {clear_now, reset_now, start_now} <= wdata[2:0];
                commanded <= 1'b1;
                answered  <= 1'b0;
            end
            if (addr == ERRORS) errors_now <= wdata[9:0] & {{2{wstrb[1]}}, {8{wstrb[0]}}};
        end

        if (read) begin
            ask      <= counts;
            counting <= counts;
            if (addr == CYCLES_LO) cycles_hi <= cycles[63:32];
        end
        if (reading) begin
            word     <= chosen;
            answered <= 1'b1;
        end

        if (commanded && command_done) begin
            commanded <= 1'b0;
            answered  <= 1'b1;
        end
        if (counting && tap_answer) begin
            word     <= counter[0] ? tap_counts[63:32] : tap_counts[31:0];
            counting <= 1'b0;
            answered <= 1'b1;
        end

        if (rst) begin
            values    <= '0;
            commanded <= 1'b0;
            counting  <= 1'b0;
            answered  <= 1'b0;
            start_now <= 1'b0;
            reset_now <= 1'b0;
            clear_now <= 1'b0;
        end
    end
endmodule

`default_nettype wire
