// SPDX-License-Identifier: BSD-3-Clause
// The environment's side of the reset: it is high in the first cycle, and whenever it likes after that.
`default_nettype none

module formal_reset (
    input  wire logic clk,
    input  wire logic rst,
    output wire logic started // there has been a reset: from now on the properties hold
);
    logic was_reset = 1'b0;
    assign started = was_reset;

    always_ff @(posedge clk) was_reset <= 1'b1;
    always_comb if (!started) assume (rst);
endmodule

`default_nettype wire
