// SPDX-License-Identifier: BSD-3-Clause
// Constants of one element of requant or output_stage: a read-only memory.
//
// Function      word is, one cycle after enable, the word of index; it stays until the next enable.
// Contents      FILE is shared by ELEMENTS of these memories: element e has the 2^INDEX words from e * 2^INDEX on. Every
//               element holds the whole file and reads its part of it. In LUTs nothing of the rest remains. A block RAM
//               of 512 words of 36 or 72 bits is the smallest there is, and larger than most files.
// Memory        STYLE "block" is block RAM, "distributed" LUTs, "auto" what the synthesis tool thinks best.
// Latency       1 cycle.
`default_nettype none

module requant_const #(
    parameter integer ELEMENTS = 1,      // number of elements, 1 or more
    parameter integer ELEMENT  = 0,      // which of them this is
    parameter integer INDEX    = 6,      // bits of an index; 0: one word
    parameter integer WIDTH    = 40,     // bits of a word
    parameter         FILE     = "const.mem",
    parameter [87:0]  STYLE    = "auto", // "auto", "block" or "distributed"
    parameter integer PORT     = INDEX > 0 ? INDEX : 1  // leave it
) (
    input  wire logic             clk,
    input  wire logic             enable,
    input  wire logic [PORT-1:0]  index,
    output wire logic [WIDTH-1:0] word
);
    localparam [87:0]  AUTO        = "auto";
    localparam [87:0]  BLOCK       = "block";
    localparam [87:0]  DISTRIBUTED = "distributed";
    localparam integer WORDS       = ELEMENTS << INDEX;
    localparam integer ADDR        = WORDS > 1 ? $clog2(WORDS) : 1;

    // bits of index above INDEX do not exist, those of the element are constant
    wire logic [ADDR-1:0] address;
    generate
        if (INDEX == 0) begin : g_fixed
            assign address = ADDR'(ELEMENT);
            wire logic unused = &{1'b0, index};
        end else begin : g_address
            assign address = ADDR'(ELEMENT << INDEX) | ADDR'(index);
        end

        if (ELEMENTS < 1 || ELEMENT < 0 || ELEMENT >= ELEMENTS || INDEX < 0 || WIDTH < 1) begin : g_check
            $error("requant_const: ELEMENT %0d of ELEMENTS %0d, INDEX %0d, WIDTH %0d", ELEMENT, ELEMENTS, INDEX, WIDTH);
        end
        if (STYLE != AUTO && STYLE != BLOCK && STYLE != DISTRIBUTED) begin : g_check_style
            $error("requant_const: STYLE is %0s, expected auto, block or distributed", STYLE);
        end
    endgenerate

    logic [WIDTH-1:0] q;
    assign word = q;

    generate
        if (STYLE == BLOCK) begin : g_block
            (* ram_style = "block", rom_style = "block" *) logic [WIDTH-1:0] memory [WORDS];
            initial $readmemh(FILE, memory);
            always_ff @(posedge clk) if (enable) q <= memory[address];
        end else if (STYLE == DISTRIBUTED) begin : g_distributed
`ifdef YOSYS
            // "distributed" means RAM cells to Yosys, which have no place for a memory that is never written
            (* rom_style = "logic" *)
`else
            (* rom_style = "distributed" *)
`endif
            logic [WIDTH-1:0] memory [WORDS];
            initial $readmemh(FILE, memory);
            always_ff @(posedge clk) if (enable) q <= memory[address];
        end else begin : g_auto
            logic [WIDTH-1:0] memory [WORDS];
            initial $readmemh(FILE, memory);
            always_ff @(posedge clk) if (enable) q <= memory[address];
        end
    endgenerate
endmodule

`default_nettype wire
