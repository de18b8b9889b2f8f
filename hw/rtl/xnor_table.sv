// SPDX-License-Identifier: BSD-3-Clause
// Two truth tables of the same five inputs.
//
// Function      out[1] = TABLES[32 + in], out[0] = TABLES[in]
// Area          one LUT6_2; see xnor_pair.sv about the primitive.
// Timing        combinational, one level.
`default_nettype none

module xnor_table #(
    parameter [63:0] TABLES = 0
) (
    input  wire logic [4:0] in,
    output wire logic [1:0] out
);
`ifdef SYNTHESIS
    LUT6_2 #(.INIT(TABLES)) lut (
        .I0(in[0]), .I1(in[1]), .I2(in[2]), .I3(in[3]), .I4(in[4]), .I5(1'b1), .O6(out[1]), .O5(out[0])
    );
`else
    assign out = {TABLES[{1'b1, in}], TABLES[{1'b0, in}]};
`endif
endmodule

`default_nettype wire
