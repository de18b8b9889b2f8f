// SPDX-License-Identifier: BSD-3-Clause
// Adder tree with a register behind every adder.
//
// Function      sum = sum over i of rows[i], modulo 2^OUT_BITS
// Data          rows: ROWS elements of IN_BITS bits, two's complement. No stall: a set of rows every cycle.
// Latency       ceil(log2(ROWS)) cycles.
// Area          ROWS - 1 adders; level by level one bit wider, up to OUT_BITS.
`default_nettype none

module int8_mvu_tree #(
    parameter integer ROWS     = 7,  // summands, 1 or more
    parameter integer IN_BITS  = 17, // bits of a summand
    parameter integer OUT_BITS = 20  // bits of the sum
) (
    input  wire logic                    clk,
    input  wire logic [ROWS*IN_BITS-1:0] rows,
    output wire logic [OUT_BITS-1:0]     sum
);
    localparam integer LEVELS = $clog2(ROWS);

    genvar l;
    genvar i;
    generate
        if (ROWS < 1 || IN_BITS < 1 || OUT_BITS < 1) begin : g_check
            $error("int8_mvu_tree: ROWS %0d, IN_BITS %0d, OUT_BITS %0d, expected 1 or more", ROWS, IN_BITS, OUT_BITS);
        end

        for (l = 0; l <= LEVELS; l = l + 1) begin : g_level
            localparam integer COUNT = (ROWS + (1 << l) - 1) >> l;
            localparam integer WIDTH = IN_BITS + l < OUT_BITS ? IN_BITS + l : OUT_BITS;
            wire logic [COUNT*WIDTH-1:0] sums;

            if (l == 0) begin : g_rows
                for (i = 0; i < ROWS; i = i + 1) begin : g_row
                    assign sums[i*WIDTH +: WIDTH] = rows[i*IN_BITS +: WIDTH];
                end
                if (WIDTH < IN_BITS) begin : g_unused
                    wire logic unused = &{1'b0, rows};
                end
            end else begin : g_sums
                localparam integer BELOW = IN_BITS + l - 1 < OUT_BITS ? IN_BITS + l - 1 : OUT_BITS;
                localparam integer MANY  = (ROWS + (1 << (l - 1)) - 1) >> (l - 1);
                for (i = 0; i < COUNT; i = i + 1) begin : g_sum
                    logic [WIDTH-1:0] q;
                    assign sums[i*WIDTH +: WIDTH] = q;
                    wire logic [BELOW-1:0] a_in = g_level[l-1].sums[2*i*BELOW +: BELOW];
                    wire logic [WIDTH-1:0] a    = {{(WIDTH - BELOW){a_in[BELOW-1]}}, a_in};
                    if (2 * i + 1 == MANY) begin : g_alone
                        always_ff @(posedge clk) q <= a;
                    end else begin : g_add
                        wire logic [BELOW-1:0] b_in = g_level[l-1].sums[(2*i+1)*BELOW +: BELOW];
                        wire logic [WIDTH-1:0] b    = {{(WIDTH - BELOW){b_in[BELOW-1]}}, b_in};
                        always_ff @(posedge clk) q <= a + b;
                    end
                end
            end
        end

        if (LEVELS == 0) begin : g_no_clock
            wire logic unused = &{1'b0, clk};
        end
        if (IN_BITS + LEVELS < OUT_BITS) begin : g_extend
            assign sum = OUT_BITS'($signed(g_level[LEVELS].sums));
        end else begin : g_as_is
            assign sum = g_level[LEVELS].sums;
        end
    endgenerate
endmodule

`default_nettype wire
