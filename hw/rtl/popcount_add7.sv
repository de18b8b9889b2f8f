// SPDX-License-Identifier: BSD-3-Clause
// 7:3 counter: seven bits of one weight to one of it, one of twice and one of four times it.
//
// Function      sum = number of ones in bits, 0..7
// Structure     Two positions of a carry chain. Five of the bits are p + 2*h, with p their parity and h 0..2. The
//               first position adds p, the sixth bit and the carry-in, which is the seventh bit; the second one adds
//               h to the carry of the first:
//                   S0 = p ^ bits[5]    DI0 = bits[5]
//                   S1 = (h == 1)       DI1 = (h == 2)
// Area          two LUTs (a LUT6 and a LUT6_2) and half a CARRY4: it removes four bits with two LUTs, where full
//               adders take one LUT for each. docs/popcount.md has the measurement, tests/sim/test_xnor_popcount.py
//               the proof that the primitives equal the line below.
// Timing        combinational: one LUT and two positions of carry.
`default_nettype none

module popcount_add7 (
    input  wire logic [6:0] bits,
    output wire logic [2:0] sum
);
`ifdef SYNTHESIS
    wire logic [1:0] select;
    wire logic       two;    // h == 2
    wire logic [3:0] carry;
    wire logic [3:0] out;

    LUT6 #(.INIT(64'h69969669_96696996)) lut_parity (
        .I0(bits[0]), .I1(bits[1]), .I2(bits[2]), .I3(bits[3]), .I4(bits[4]), .I5(bits[5]), .O(select[0])
    );
    LUT6_2 #(.INIT(64'h177E7EE8_E8808000)) lut_half (
        .I0(bits[0]), .I1(bits[1]), .I2(bits[2]), .I3(bits[3]), .I4(bits[4]), .I5(1'b1), .O6(select[1]), .O5(two)
    );
    CARRY4 chain (
        .CI(1'b0), .CYINIT(bits[6]), .S({2'b00, select}), .DI({2'b00, two, bits[5]}), .O(out), .CO(carry)
    );
    assign sum = {carry[1], out[1:0]};
`else
    assign sum = {2'b00, bits[0]} + {2'b00, bits[1]} + {2'b00, bits[2]} + {2'b00, bits[3]}
        + {2'b00, bits[4]} + {2'b00, bits[5]} + {2'b00, bits[6]};
`endif
endmodule

`default_nettype wire
