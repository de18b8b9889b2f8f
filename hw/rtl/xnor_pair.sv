// SPDX-License-Identifier: BSD-3-Clause
// Two binary products and a bit, added: the first level of a popcount, half a LUT per product.
//
// Function      2*carry + sum = xnor(w[0], x[0]) + xnor(w[1], x[1]) + bit_in
// Area          one LUT6_2. It has five inputs for both of its outputs, and this function needs just five; synthesis
//               by itself makes two LUTs of it, hence the primitive (docs/popcount.md has the measurement, and
//               tests/sim/test_xnor_popcount.py the proof that it equals the lines below).
//               hw/lut6_2_map.v splits it into two LUT5 of the same inputs for tools that do not know LUT6_2.
// Timing        combinational; a chain of them by sum -> bit_in absorbs two products per level.
`default_nettype none

module xnor_pair (
    input  wire logic [1:0] x,
    input  wire logic [1:0] w,
    input  wire logic       bit_in,
    output wire logic       sum,   // of weight 1
    output wire logic       carry  // of weight 2
);
`ifdef SYNTHESIS
    // With I5 = 1, O6 is the upper half of INIT and O5 the lower
    LUT6_2 #(.INIT(64'h96696996_EDB78421)) lut (
        .I0(x[0]), .I1(x[1]), .I2(w[0]), .I3(w[1]), .I4(bit_in), .I5(1'b1), .O6(sum), .O5(carry)
    );
`else
    wire logic a = x[0] ~^ w[0];
    wire logic b = x[1] ~^ w[1];
    assign sum   = a ^ b ^ bit_in;
    assign carry = (a & b) | (bit_in & (a ^ b));
`endif
endmodule

`default_nettype wire
