// SPDX-License-Identifier: BSD-3-Clause
// What the streams of the network do: samples of valid and ready of every tap, counted in a block RAM.
//
// Function      A round visits the taps one after the other, one per cycle, and takes PERIOD cycles. In a round that begins
//               while `busy`: blocked of a tap counts if it is valid and not ready, starved if it is ready and not valid;
//               `samples` counts the rounds. All counters stop at their largest value.
// Reading       `read` asks for the counters of tap `which`: blocked, starved. `answer` is high for a cycle in which they
//               are at `counts`, after one round at most.
// clear         sets all counters to 0: in the round that begins next; `cleared` is high for a cycle when it is over.
// Pipeline      slot, multiplexers (two cycles), memory, sum, written. A counter is visited again after it is written; the
//               last slot of a round, where no visit or write is under way, belongs to `read`.
`default_nettype none

module shell_sampler #(
    parameter integer TAPS   = 100,
    parameter integer PERIOD = 107, // TAPS + 5 at least; a prime keeps step with nothing
    parameter integer TAP    = $clog2(TAPS + 1) // leave it
) (
    input  wire logic            clk,
    input  wire logic            rst,
    input  wire logic            busy,
    input  wire logic [TAPS-1:0] taps_valid,
    input  wire logic [TAPS-1:0] taps_ready,

    input  wire logic            clear,
    output wire logic            cleared,
    input  wire logic            read,
    input  wire logic [TAP-1:0]  which,
    output wire logic            answer,
    output wire logic [63:0]     counts, // {starved, blocked}
    output wire logic [31:0]     samples
);
    localparam integer SLOT   = PERIOD > 8 ? $clog2(PERIOD) : 4;
    localparam integer MEMORY = $clog2(TAPS);
    localparam integer GROUPS = (TAPS + 15) / 16;
    localparam integer GROUP  = GROUPS > 1 ? $clog2(GROUPS) : 1;
    localparam integer PLACES = 16 * GROUPS;

    generate
        if (TAPS < 2 || PERIOD < TAPS + 5 || TAP != $clog2(TAPS + 1)) begin : g_check
            $error("shell_sampler: TAPS %0d, PERIOD %0d; expected 2 at least, 5 more; TAP left alone", TAPS, PERIOD);
        end
    endgenerate

    // Which tap, and what for
    logic [SLOT-1:0] slot;
    logic            counting; // in this round
    logic            clearing;
    logic            wanted;   // clear, from the next round on
    logic            over;     // the round of the clearing is
    logic            reading;  // an answer is due
    wire logic last_slot = slot == SLOT'(PERIOD - 1);

    always_ff @(posedge clk) begin
        slot <= last_slot ? '0 : slot + 1'b1;
        over <= last_slot && clearing;
        if (clear) wanted <= 1'b1;
        if (last_slot) begin
            counting <= busy && !wanted;
            clearing <= wanted;
            wanted   <= clear;
        end
        if (rst) begin
            slot     <= '0;
            counting <= 1'b0;
            clearing <= 1'b1; // the memory holds nothing sensible yet
            wanted   <= 1'b0;
            over     <= 1'b0;
        end
    end
    assign cleared = over;

    shell_counter u_samples (
        .clk(clk), .clear(rst || (last_slot && wanted)), .event_now(last_slot && counting), .count(samples)
    );

    // Two stages of multiplexers
    wire logic [PLACES-1:0] valids = PLACES'(taps_valid);
    wire logic [PLACES-1:0] readys = PLACES'(taps_ready);
    logic [GROUPS-1:0] group_valid, group_ready;
    logic              is_valid, is_ready;
    logic [TAP-1:0]    tap_1, tap_2, tap_3, tap_4, tap_5;
    logic              visit_1, visit_2, visit_3, visit_4, write_5;
    logic              ask_1, ask_2, ask_3;
    logic              blocked_3, starved_3, blocked_4, starved_4;

    integer g;
    always_ff @(posedge clk) begin
        for (g = 0; g < GROUPS; g = g + 1) begin
            group_valid[g] <= valids[16*g + integer'(slot[3:0])];
            group_ready[g] <= readys[16*g + integer'(slot[3:0])];
        end
        is_valid <= group_valid[GROUP'(tap_1 >> 4)];
        is_ready <= group_ready[GROUP'(tap_1 >> 4)];

        tap_1   <= last_slot ? which : TAP'(slot);
        visit_1 <= slot < SLOT'(TAPS) && (counting || clearing);
        ask_1   <= last_slot && reading;
        tap_2   <= tap_1;
        visit_2 <= visit_1;
        ask_2   <= ask_1;
        tap_3   <= tap_2;
        visit_3 <= visit_2;
        ask_3   <= ask_2;
        blocked_3 <= is_valid && !is_ready;
        starved_3 <= is_ready && !is_valid;
        tap_4   <= tap_3;
        visit_4 <= visit_3;
        blocked_4 <= blocked_3;
        starved_4 <= starved_3;
        tap_5   <= tap_4;
        write_5 <= visit_4;
        if (rst) begin
            visit_1 <= 1'b0;
            visit_2 <= 1'b0;
            visit_3 <= 1'b0;
            visit_4 <= 1'b0;
            write_5 <= 1'b0;
            ask_1   <= 1'b0;
            ask_2   <= 1'b0;
            ask_3   <= 1'b0;
        end
    end

    // The counters
    logic        answered;
    logic [31:0] blocked, starved;
    logic [63:0] sum;
    wire logic [63:0] memory;

    ram_sdp #(.WIDTH(64), .DEPTH(TAPS), .STYLE("block")) u_counts (
        .clk(clk),
        .wen(write_5), .waddr(MEMORY'(tap_5)), .wdata(sum),
        .ren(visit_2 || ask_2), .raddr(MEMORY'(tap_2)), .rdata(memory)
    );

    // The last sum of a round is made in its slot TAPS + 3, so `clearing` still is that of the visit
    always_ff @(posedge clk) begin
        {starved, blocked} <= memory;
        sum[31:0]  <= clearing ? '0 : blocked + 32'(blocked_4 && blocked != '1);
        sum[63:32] <= clearing ? '0 : starved + 32'(starved_4 && starved != '1);

        reading  <= read || (reading && !last_slot);
        answered <= ask_3;
        if (rst) begin
            reading  <= 1'b0;
            answered <= 1'b0;
        end
    end
    assign answer = answered;
    assign counts = {starved, blocked};
endmodule

`default_nettype wire
