// SPDX-License-Identifier: BSD-3-Clause
// Three numbers added, or two of them and a constant: the last level of a popcount, and its accumulator.
//
// Function      sum = a + b + (load ? START : c), modulo 2^WIDTH
// Structure     A carry chain that adds three numbers. At every bit, one LUT makes the sum and the carry of a, b and c;
//               that carry is the second operand of the chain at the next bit.
// Area          WIDTH LUTs (LUT6_2): the third number costs nothing over an adder of two. Yosys takes a quarter
//               more for a + b + c (docs/popcount.md), hence the primitives, for Yosys alone: Vivado is left to
//               infer its own adder of three, which has not been measured here.
// Timing        combinational: two LUTs and a carry chain of WIDTH positions. No signal passes more than two LUTs,
//               since O5 does not depend on I4; timing analysis sees that once hw/lut6_2_map.v has split the LUT6_2.
`default_nettype none

module popcount_sum #(
    parameter integer     WIDTH = 10,  // bits of the numbers, 1 or more
    parameter [WIDTH-1:0] START = 0    // the constant
) (
    input  wire logic [WIDTH-1:0] a,
    input  wire logic [WIDTH-1:0] b,
    input  wire logic [WIDTH-1:0] c,
    input  wire logic             load,
    output wire logic [WIDTH-1:0] sum
);
    generate
        if (WIDTH < 1) begin : g_check
            $error("popcount_sum: WIDTH is %0d, expected 1 or more", WIDTH);
        end
    endgenerate

`ifdef YOSYS
    localparam integer CELLS = (WIDTH + 3) / 4;

    wire logic [4*CELLS-1:0] select;
    wire logic [4*CELLS:0]   saved;  // the carries of a + b + c
    wire logic [4*CELLS-1:0] out;
    wire logic [4*CELLS:0]   chain;

    assign saved[0] = 1'b0;
    assign chain[0] = 1'b0;
    assign sum      = out[WIDTH-1:0];

    genvar i;
    generate
        for (i = 0; i < 4 * CELLS; i = i + 1) begin : g_bit
            if (i < WIDTH) begin : g_lut
                localparam [63:0] INIT = START[i] ? 64'h66699996_EEE8EEE8 : 64'h99696696_88E888E8;
                LUT6_2 #(.INIT(INIT)) lut (
                    .I0(a[i]), .I1(b[i]), .I2(c[i]), .I3(load), .I4(saved[i]), .I5(1'b1),
                    .O6(select[i]), .O5(saved[i + 1])
                );
            end else begin : g_none
                assign select[i]    = 1'b0;
                assign saved[i + 1] = 1'b0;
            end
        end
        for (i = 0; i < CELLS; i = i + 1) begin : g_carry
            wire logic [3:0] carry;
            CARRY4 carry4 (
                .CI(i == 0 ? 1'b0 : chain[4*i]), .CYINIT(1'b0), .S(select[4*i +: 4]), .DI(saved[4*i +: 4]),
                .O(out[4*i +: 4]), .CO(carry)
            );
            assign chain[4*i+1 +: 4] = carry;
        end
    endgenerate
`else
    assign sum = a + b + (load ? START : c);
`endif
endmodule

`default_nettype wire
