// SPDX-License-Identifier: BSD-3-Clause
// Yosys techmap: a LUT6_2 with I5 = 1 as two LUTs of at most five inputs, for tools that do not know LUT6_2.
//
//     techmap -map hw/lut6_2_map.v      (after synth_xilinx)
//
// The two fit into one physical LUT6, since they share their inputs; whether they get there is up to the placer.
// An output that does not depend on I4 or I3 gets a smaller LUT without that input: in popcount_sum, timing
// analysis would otherwise see a path from bit to bit that no signal can take.
module LUT6_2 (output O6, output O5, input I0, input I1, input I2, input I3, input I4, input I5);
    parameter [63:0] INIT = 0;
    parameter _TECHMAP_CONSTMSK_I5_ = 0;
    parameter _TECHMAP_CONSTVAL_I5_ = 0;
    wire _TECHMAP_FAIL_ = !_TECHMAP_CONSTMSK_I5_ || !_TECHMAP_CONSTVAL_I5_;

    genvar k;
    generate
        for (k = 0; k < 2; k = k + 1) begin : half
            localparam [31:0] T = INIT[32*k +: 32];
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
