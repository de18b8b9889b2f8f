// SPDX-License-Identifier: BSD-3-Clause
// Count the cycles in which `event_now` is high, up to the largest value, where it stays.
`default_nettype none

module shell_counter #(
    parameter integer BITS = 32
) (
    input  wire logic            clk,
    input  wire logic            clear,
    input  wire logic            event_now,
    output wire logic [BITS-1:0] count
);
    logic            event_then;
    logic            full;
    logic [BITS-1:0] value;
    assign count = value;

    always_ff @(posedge clk) begin
        event_then <= event_now;
        full       <= &value[BITS-1:1]; // one cycle late: so it looks at the value before the last two
        if (event_then && !(full && value[0])) value <= value + 1'b1;
        if (clear) begin
            event_then <= 1'b0;
            full       <= 1'b0;
            value      <= '0;
        end
    end
endmodule

`default_nettype wire
