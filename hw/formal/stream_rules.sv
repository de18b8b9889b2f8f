// SPDX-License-Identifier: BSD-3-Clause
// The rules of docs/rtl.md that one stream port keeps by itself, as properties.
//
// Use           beside a module under proof: ASSUME = 1 on the streams that enter it (its environment keeps the rules),
//               ASSUME = 0 on those that leave it (the module has to). Also beside a module in a simulation: with
//               Verilator's --assert, a broken rule stops it.
`default_nettype none

module stream_rules #(
    parameter integer WIDTH  = 8, // bits of a beat
    parameter integer ASSUME = 0, // 1: the properties are assumed, 0: they are to be proven
    parameter integer STEADY = 1  // 1: beats can move in consecutive cycles
) (
    input wire logic             clk,
    input wire logic             rst,
    input wire logic [WIDTH-1:0] tdata,
    input wire logic             tvalid,
    input wire logic             tready
);
    logic             stalled = 1'b0; // a beat was offered in the last cycle, and not taken
    logic [WIDTH-1:0] offered;        // that beat
    logic             reset = 1'b0;   // the last cycle was a reset

    always_ff @(posedge clk) begin
        stalled <= tvalid && !tready && !rst;
        offered <= tdata;
        reset   <= rst;
    end

    // A beat that is valid stays valid until it moves.
    wire logic held = !stalled || rst || tvalid;
    // Its data do not change until then.
    wire logic stable = !stalled || rst || !tvalid || tdata == offered;
    // A reset leaves nothing to offer.
    wire logic emptied = !reset || rst || !tvalid;

    generate
        if (ASSUME != 0) begin : g_environment
            always_comb begin
                assume (held);
                assume (stable);
            end
        end else begin : g_module
            always_comb begin
                assert (held);
                assert (stable);
                assert (emptied);
            end
        end
    endgenerate

    // A beat is stalled, and moves in the end.
    always_comb cover (stalled && tvalid && tready && !rst);
    // Two beats move in consecutive cycles.
    generate
        if (STEADY != 0) begin : g_steady
            logic moved = 1'b0;
            always_ff @(posedge clk) moved <= tvalid && tready && !rst;
            always_comb cover (moved && tvalid && tready && !rst);
        end
    endgenerate
endmodule

`default_nettype wire
