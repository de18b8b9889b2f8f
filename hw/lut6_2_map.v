// SPDX-License-Identifier: BSD-3-Clause
// Yosys techmap: a LUT6_2 with I5 = 1 as two LUTs of at most five inputs, for tools that do not know LUT6_2.
//
//     techmap -map hw/lut6_2_map.v      (after synth_xilinx)
//
// The two fit into one physical LUT6, since they share their inputs; whether they get there is up to the placer.
// An output that does not depend on I4 or I3 gets a smaller LUT without that input: in popcount_sum, timing
// analysis would otherwise see a path from bit to bit that no signal can take. Inputs that are constant go into the
// table: `opt_lut_ins -tech xilinx` then takes them off. nextpnr would join two on one pin, and its FASM would
// forget one of them.
module LUT6_2 (output O6, output O5, input I0, input I1, input I2, input I3, input I4, input I5);
    parameter [63:0] INIT = 0;
    parameter _TECHMAP_CONSTMSK_I0_ = 0;
    parameter _TECHMAP_CONSTVAL_I0_ = 0;
    parameter _TECHMAP_CONSTMSK_I1_ = 0;
    parameter _TECHMAP_CONSTVAL_I1_ = 0;
    parameter _TECHMAP_CONSTMSK_I2_ = 0;
    parameter _TECHMAP_CONSTVAL_I2_ = 0;
    parameter _TECHMAP_CONSTMSK_I3_ = 0;
    parameter _TECHMAP_CONSTVAL_I3_ = 0;
    parameter _TECHMAP_CONSTMSK_I4_ = 0;
    parameter _TECHMAP_CONSTVAL_I4_ = 0;
    parameter _TECHMAP_CONSTMSK_I5_ = 0;
    parameter _TECHMAP_CONSTVAL_I5_ = 0;
    wire _TECHMAP_FAIL_ = !_TECHMAP_CONSTMSK_I5_ || !_TECHMAP_CONSTVAL_I5_;

    localparam [4:0] CONSTANT = {_TECHMAP_CONSTMSK_I4_[0], _TECHMAP_CONSTMSK_I3_[0], _TECHMAP_CONSTMSK_I2_[0],
                                 _TECHMAP_CONSTMSK_I1_[0], _TECHMAP_CONSTMSK_I0_[0]};
    localparam [4:0] VALUE = {_TECHMAP_CONSTVAL_I4_[0], _TECHMAP_CONSTVAL_I3_[0], _TECHMAP_CONSTVAL_I2_[0],
                              _TECHMAP_CONSTVAL_I1_[0], _TECHMAP_CONSTVAL_I0_[0]};

    // The table as it is when the constant inputs have their values, whatever the address says.
    function [31:0] fold(input [31:0] table_in);
        integer i;
        for (i = 0; i < 32; i = i + 1)
            fold[i] = table_in[(i & ~CONSTANT & 31) | (VALUE & CONSTANT)];
    endfunction

    genvar k;
    generate
        for (k = 0; k < 2; k = k + 1) begin : half
            localparam [31:0] T = fold(INIT[32*k +: 32]);
            wire y;
            if (T[31:16] != T[15:0])
                LUT5 #(.INIT(T)) lut (.I0(I0), .I1(I1), .I2(I2), .I3(I3), .I4(I4), .O(y));
            else if (T[15:8] != T[7:0])
                LUT4 #(.INIT(T[15:0])) lut (.I0(I0), .I1(I1), .I2(I2), .I3(I3), .O(y));
            else
                LUT3 #(.INIT(T[7:0])) lut (.I0(I0), .I1(I1), .I2(I2), .O(y));
        end
    endgenerate
    assign O5 = half[0].y;
    assign O6 = half[1].y;
endmodule
