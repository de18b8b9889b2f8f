// SPDX-License-Identifier: BSD-3-Clause
// Comparators with a threshold per channel: the core of rsign and of requant.
//
// Function      above[i] = x[i] >= T[k*PE + i], for the k-th beat of CHANNELS / PE; the beats count modulo CHANNELS.
// Data          x carries PE elements of BITS bits, SIGNED or not. above is combinational.
// Constants     THRESHOLD_FILE has a word per beat, CHANNELS / PE in all: PE signed thresholds of T_BITS bits, the
//               one of element i at [i*T_BITS +: T_BITS].
// Area          Where an index of 4 or 5 bits leaves room for a bit of x in a LUT6, the memory melts into the carry
//               chain of a subtraction: one LUT per bit, no register. Else a comparator of Yosys' own shape, of 2/3
//               LUT per bit, costs less.
`default_nettype none

module rsign_compare #(
    parameter integer CHANNELS = 64, // channels of the tensor
    parameter integer PE       = 1,  // elements per beat; divides CHANNELS
    parameter integer BITS     = 12, // bits of an element
    parameter integer SIGNED   = 1,  // 1: elements are two's complement; 0: unsigned
    parameter integer T_BITS   = 13, // bits of a threshold
    parameter THRESHOLD_FILE   = "threshold.mem",
    parameter integer INDEX    = CHANNELS > PE ? $clog2(CHANNELS / PE) : 1 // bits of index; leave it
) (
    input  wire logic               clk,
    input  wire logic               rst,

    input  wire logic [PE*BITS-1:0] x,
    input  wire logic               step,  // the beat in x is taken at this clock edge
    output wire logic [PE-1:0]      above,
    output wire logic [INDEX-1:0]   index  // of the beat in x
);
    localparam integer DEPTH  = CHANNELS / PE;
    localparam integer X_BITS = SIGNED != 0 ? BITS : BITS + 1;
    localparam integer WIDE   = X_BITS > T_BITS ? X_BITS : T_BITS;
    localparam integer MELT   = DEPTH == 1 || (DEPTH > 8 && DEPTH <= 32) ? 1 : 0;

    generate
        if (PE < 1 || CHANNELS < 1 || CHANNELS % PE != 0 || BITS < 1 || T_BITS < 1) begin : g_check
            $error("rsign_compare: PE %0d must divide CHANNELS %0d, BITS %0d and T_BITS %0d be 1 or more",
                   PE, CHANNELS, BITS, T_BITS);
        end
    endgenerate

    logic [PE*T_BITS-1:0] memory [DEPTH];
    initial $readmemh(THRESHOLD_FILE, memory);

    wire logic [PE*T_BITS-1:0] word;

    generate
        if (DEPTH == 1) begin : g_one
            assign index = 1'b0;
            assign word  = memory[0];
            wire logic unused = &{1'b0, clk, rst, step};
        end else begin : g_many
            // The register holds the index with its lowest bit inverted. Yosys moves a plain address register behind
            // the memory, where it becomes one register per bit of the word and keeps the memory out of the
            // comparators' LUTs.
            logic [INDEX-1:0] counter;
            assign index = counter ^ INDEX'(1);
            assign word  = memory[index];

            always_ff @(posedge clk) begin
                if (step) counter <= (index == INDEX'(DEPTH - 1) ? '0 : index + 1'b1) ^ INDEX'(1);
                if (rst) counter <= INDEX'(1);
            end
        end
    endgenerate

    genvar i;
    generate
        for (i = 0; i < PE; i = i + 1) begin : g_element
            wire logic signed [WIDE-1:0] value;
            wire logic signed [WIDE-1:0] threshold = WIDE'($signed(word[i*T_BITS +: T_BITS]));
            if (SIGNED != 0) begin : g_signed
                assign value = WIDE'($signed(x[i*BITS +: BITS]));
            end else begin : g_unsigned
                assign value = WIDE'($signed({1'b0, x[i*BITS +: BITS]}));
            end

            if (MELT != 0) begin : g_melt
                wire logic [WIDE:0] difference = {value[WIDE-1], value} - {threshold[WIDE-1], threshold};
                assign above[i] = !difference[WIDE];
                wire logic unused = &{1'b0, difference[WIDE-1:0]};
            end else begin : g_compare
                assign above[i] = value >= threshold;
            end
        end
    endgenerate
endmodule

`default_nettype wire
