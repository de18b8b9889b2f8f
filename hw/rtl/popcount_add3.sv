// SPDX-License-Identifier: BSD-3-Clause
// Full adder: three bits of one weight to a bit of it and one of twice it.
//
// Function      2*carry + sum = number of ones in bits
// Area          one LUT6_2; see xnor_pair.sv about the primitive.
// Timing        combinational, one level.
`default_nettype none

module popcount_add3 (
    input  wire logic [2:0] bits,
    output wire logic       sum,
    output wire logic       carry
);
`ifdef SYNTHESIS
    LUT6_2 #(.INIT(64'h96969696_E8E8E8E8)) lut (
        .I0(bits[0]), .I1(bits[1]), .I2(bits[2]), .I3(1'b0), .I4(1'b0), .I5(1'b1), .O6(sum), .O5(carry)
    );
`else
    assign sum   = ^bits;
    assign carry = (bits[0] & bits[1]) | (bits[2] & (bits[0] ^ bits[1]));
`endif
endmodule

`default_nettype wire
