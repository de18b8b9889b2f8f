// SPDX-License-Identifier: BSD-3-Clause
// Simple dual-port memory: one write port, one read port, one clock.
//
// Function      rdata is, one cycle after ren, the word that was at raddr; it stays until the next ren.
// Collision     A read and a write of one address in one cycle is a bug of the caller: the word read is undefined
//               (simulation stops). This lets synthesis use a block RAM as it is, without a bypass.
// Memory        DEPTH words of WIDTH bits; not initialised. Block RAM from the size at which it pays, unless STYLE
//               says "block" or "distributed".
// Latency       1 cycle.
`default_nettype none

module ram_sdp #(
    parameter integer WIDTH = 8,      // bits of a word
    parameter integer DEPTH = 512,    // words, 2 or more; need not be a power of two
    parameter [87:0]  STYLE = "auto", // "auto", "block" or "distributed"
    parameter integer ADDR = $clog2(DEPTH)  // bits of an address; leave it
) (
    input  wire logic             clk,

    input  wire logic             wen,
    input  wire logic [ADDR-1:0]  waddr,
    input  wire logic [WIDTH-1:0] wdata,

    input  wire logic             ren,
    input  wire logic [ADDR-1:0]  raddr,
    output wire logic [WIDTH-1:0] rdata
);
    localparam [87:0] BLOCK       = "block";
    localparam [87:0] DISTRIBUTED = "distributed";

    logic [WIDTH-1:0] q;
    assign rdata = q;

    generate
        if (DEPTH < 2 || ADDR != $clog2(DEPTH)) begin : g_check
            $error("ram_sdp: DEPTH is %0d, expected 2 or more; ADDR must be left alone", DEPTH);
        end

        if (STYLE == BLOCK) begin : g_block
            (* ram_style = "block", no_rw_check *) logic [WIDTH-1:0] memory [DEPTH];
            always_ff @(posedge clk) begin
                if (wen) memory[waddr] <= wdata;
                if (ren) q <= memory[raddr];
            end
        end else if (STYLE == DISTRIBUTED) begin : g_distributed
            (* ram_style = "distributed", no_rw_check *) logic [WIDTH-1:0] memory [DEPTH];
            always_ff @(posedge clk) begin
                if (wen) memory[waddr] <= wdata;
                if (ren) q <= memory[raddr];
            end
        end else begin : g_auto
            (* no_rw_check *) logic [WIDTH-1:0] memory [DEPTH];
            always_ff @(posedge clk) begin
                if (wen) memory[waddr] <= wdata;
                if (ren) q <= memory[raddr];
            end
        end
    endgenerate

`ifndef SYNTHESIS
    always_ff @(posedge clk) begin
        if (wen && ren && waddr == raddr) begin
            $error("ram_sdp %m: address %0d is read and written in one cycle", raddr);
            $fatal;
        end
    end
`endif
endmodule

`default_nettype wire
