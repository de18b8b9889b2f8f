// SPDX-License-Identifier: BSD-3-Clause
// The table of one or two elements of stream_table: a read-only memory.
//
// Function      element p of y is, one cycle after enable, the word of element p of x, which is two's complement; it
//               stays until the next enable. Word 0 is that of the least x: the index is x with its sign inverted.
// Contents      FILE has 2^IN_BITS words of BITS bits.
// Memory        STYLE "block" is block RAM, whose two ports read for two elements; "distributed" LUTs; "auto" what the
//               synthesis tool thinks best.
// Latency       1 cycle.
`default_nettype none

module stream_table_rom #(
    parameter integer PORTS   = 2,           // elements, 1 or 2
    parameter integer IN_BITS = 10,          // bits of an index
    parameter integer BITS    = 12,          // bits of a word
    parameter         FILE    = "table.mem",
    parameter [87:0]  STYLE   = "auto"       // "auto", "block" or "distributed"
) (
    input  wire logic                     clk,
    input  wire logic                     enable,
    input  wire logic [PORTS*IN_BITS-1:0] x,
    output wire logic [PORTS*BITS-1:0]    y
);
    localparam [87:0]  AUTO        = "auto";
    localparam [87:0]  BLOCK       = "block";
    localparam [87:0]  DISTRIBUTED = "distributed";
    localparam integer WORDS       = 1 << IN_BITS;

    wire logic [PORTS*IN_BITS-1:0] index;
    logic      [PORTS*BITS-1:0]    q;
    assign y = q;

    genvar p;
    generate
        if (PORTS < 1 || PORTS > 2 || IN_BITS < 1 || BITS < 1) begin : g_check
            $error("stream_table_rom: PORTS %0d, IN_BITS %0d, BITS %0d, expected 1 or 2, >= 1, >= 1", PORTS, IN_BITS, BITS);
        end
        if (STYLE != AUTO && STYLE != BLOCK && STYLE != DISTRIBUTED) begin : g_check_style
            $error("stream_table_rom: STYLE is %0s, expected auto, block or distributed", STYLE);
        end

        for (p = 0; p < PORTS; p = p + 1) begin : g_index
            assign index[p*IN_BITS +: IN_BITS] = x[p*IN_BITS +: IN_BITS] ^ IN_BITS'(WORDS / 2);
        end

        if (STYLE == BLOCK) begin : g_block
            (* ram_style = "block", rom_style = "block" *) logic [BITS-1:0] memory [WORDS];
            initial $readmemh(FILE, memory);
            for (p = 0; p < PORTS; p = p + 1) begin : g_port
                always_ff @(posedge clk) if (enable) q[p*BITS +: BITS] <= memory[index[p*IN_BITS +: IN_BITS]];
            end
        end else if (STYLE == DISTRIBUTED) begin : g_distributed
`ifdef YOSYS
            // "distributed" means RAM cells to Yosys, which have no place for a memory that is never written
            (* rom_style = "logic" *)
`else
            (* rom_style = "distributed" *)
`endif
            logic [BITS-1:0] memory [WORDS];
            initial $readmemh(FILE, memory);
            for (p = 0; p < PORTS; p = p + 1) begin : g_port
                always_ff @(posedge clk) if (enable) q[p*BITS +: BITS] <= memory[index[p*IN_BITS +: IN_BITS]];
            end
        end else begin : g_auto
            logic [BITS-1:0] memory [WORDS];
            initial $readmemh(FILE, memory);
            for (p = 0; p < PORTS; p = p + 1) begin : g_port
                always_ff @(posedge clk) if (enable) q[p*BITS +: BITS] <= memory[index[p*IN_BITS +: IN_BITS]];
            end
        end
    endgenerate
endmodule

`default_nettype wire
