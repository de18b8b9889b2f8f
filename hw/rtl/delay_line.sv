// SPDX-License-Identifier: BSD-3-Clause
// Delay line: q is d as it was DEPTH steps ago.
//
// Function      d enters at a clock edge with `step`; without `step` nothing moves. A DEPTH of 0 is a wire.
// Area          synthesis makes shift registers in LUTs of it where DEPTH is 3 or more, and flip-flops below.
`default_nettype none

module delay_line #(
    parameter integer WIDTH = 8, // bits of a word
    parameter integer DEPTH = 1  // steps, 0 or more
) (
    input  wire logic             clk,
    input  wire logic             step,
    input  wire logic [WIDTH-1:0] d,
    output wire logic [WIDTH-1:0] q
);
    generate
        if (DEPTH == 0) begin : g_wire
            assign q = d;

            wire logic unused = &{clk, step};
        end else if (DEPTH == 1) begin : g_register
            logic [WIDTH-1:0] line;
            assign q = line;
            always_ff @(posedge clk) begin
                if (step) line <= d;
            end
        end else begin : g_line
            logic [DEPTH*WIDTH-1:0] line; // the newest word at the low end
            assign q = line[(DEPTH-1)*WIDTH +: WIDTH];
            always_ff @(posedge clk) begin
                if (step) line <= {line[(DEPTH-1)*WIDTH-1:0], d};
            end
        end
    endgenerate
endmodule

`default_nettype wire
