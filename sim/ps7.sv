// SPDX-License-Identifier: BSD-3-Clause
// What stands for the processor of a Zynq-7000 in the simulation of a board, and for its clock buffer.
//
// PS7 has the ports of the device's primitive that a design of ours connects (UG585; the primitive has some 600).
// It does nothing itself: its pins are wired to the ports of `bitmend_board`, the module on top of the simulation,
// behind which sim/board_main.cpp plays the processor (master at GP0) and sim/board_port.h the memory (slave at HP0).
`default_nettype none

/* verilator lint_off DECLFILENAME */
module BUFG (input wire logic I, output wire logic O);
    assign O = I;
endmodule

module PS7 (
    output wire logic [3:0]  FCLKCLK, FCLKRESETN,

    input  wire logic        MAXIGP0ACLK,
    output wire logic [31:0] MAXIGP0AWADDR, MAXIGP0ARADDR, MAXIGP0WDATA,
    output wire logic [11:0] MAXIGP0AWID, MAXIGP0ARID, MAXIGP0WID,
    output wire logic [3:0]  MAXIGP0AWLEN, MAXIGP0ARLEN, MAXIGP0WSTRB,
    output wire logic [3:0]  MAXIGP0AWCACHE, MAXIGP0ARCACHE, MAXIGP0AWQOS, MAXIGP0ARQOS,
    output wire logic [2:0]  MAXIGP0AWPROT, MAXIGP0ARPROT,
    output wire logic [1:0]  MAXIGP0AWSIZE, MAXIGP0ARSIZE, MAXIGP0AWBURST, MAXIGP0ARBURST,
    output wire logic [1:0]  MAXIGP0AWLOCK, MAXIGP0ARLOCK,
    output wire logic        MAXIGP0AWVALID, MAXIGP0ARVALID, MAXIGP0WVALID, MAXIGP0WLAST,
    output wire logic        MAXIGP0BREADY, MAXIGP0RREADY, MAXIGP0ARESETN,
    input  wire logic        MAXIGP0AWREADY, MAXIGP0ARREADY, MAXIGP0WREADY,
    input  wire logic [11:0] MAXIGP0BID, MAXIGP0RID,
    input  wire logic [1:0]  MAXIGP0BRESP, MAXIGP0RRESP,
    input  wire logic [31:0] MAXIGP0RDATA,
    input  wire logic        MAXIGP0BVALID, MAXIGP0RVALID, MAXIGP0RLAST,

    input  wire logic        SAXIHP0ACLK,
    input  wire logic [31:0] SAXIHP0AWADDR, SAXIHP0ARADDR,
    input  wire logic [5:0]  SAXIHP0AWID, SAXIHP0ARID, SAXIHP0WID,
    input  wire logic [3:0]  SAXIHP0AWLEN, SAXIHP0ARLEN,
    input  wire logic [3:0]  SAXIHP0AWCACHE, SAXIHP0ARCACHE, SAXIHP0AWQOS, SAXIHP0ARQOS,
    input  wire logic [2:0]  SAXIHP0AWPROT, SAXIHP0ARPROT,
    input  wire logic [1:0]  SAXIHP0AWSIZE, SAXIHP0ARSIZE, SAXIHP0AWBURST, SAXIHP0ARBURST,
    input  wire logic [1:0]  SAXIHP0AWLOCK, SAXIHP0ARLOCK,
    input  wire logic        SAXIHP0AWVALID, SAXIHP0ARVALID, SAXIHP0WVALID, SAXIHP0WLAST,
    input  wire logic [63:0] SAXIHP0WDATA,
    input  wire logic [7:0]  SAXIHP0WSTRB,
    input  wire logic        SAXIHP0BREADY, SAXIHP0RREADY,
    input  wire logic        SAXIHP0RDISSUECAP1EN, SAXIHP0WRISSUECAP1EN,
    output wire logic        SAXIHP0AWREADY, SAXIHP0ARREADY, SAXIHP0WREADY, SAXIHP0ARESETN,
    output wire logic [5:0]  SAXIHP0BID, SAXIHP0RID,
    output wire logic [1:0]  SAXIHP0BRESP, SAXIHP0RRESP,
    output wire logic [63:0] SAXIHP0RDATA,
    output wire logic        SAXIHP0BVALID, SAXIHP0RVALID, SAXIHP0RLAST,
    output wire logic [7:0]  SAXIHP0RCOUNT, SAXIHP0WCOUNT,
    output wire logic [2:0]  SAXIHP0RACOUNT,
    output wire logic [5:0]  SAXIHP0WACOUNT
);
    assign FCLKCLK    = {3'd0, bitmend_board.fclk};
    assign FCLKRESETN = {3'd7, bitmend_board.fclk_resetn};

    assign MAXIGP0AWADDR  = bitmend_board.gp_awaddr;
    assign MAXIGP0AWID    = bitmend_board.gp_awid;
    assign MAXIGP0AWLEN   = bitmend_board.gp_awlen;
    assign MAXIGP0AWVALID = bitmend_board.gp_awvalid;
    assign MAXIGP0WDATA   = bitmend_board.gp_wdata;
    assign MAXIGP0WID     = bitmend_board.gp_awid;
    assign MAXIGP0WSTRB   = bitmend_board.gp_wstrb;
    assign MAXIGP0WLAST   = bitmend_board.gp_wlast;
    assign MAXIGP0WVALID  = bitmend_board.gp_wvalid;
    assign MAXIGP0BREADY  = bitmend_board.gp_bready;
    assign MAXIGP0ARADDR  = bitmend_board.gp_araddr;
    assign MAXIGP0ARID    = bitmend_board.gp_arid;
    assign MAXIGP0ARLEN   = bitmend_board.gp_arlen;
    assign MAXIGP0ARVALID = bitmend_board.gp_arvalid;
    assign MAXIGP0RREADY  = bitmend_board.gp_rready;
    assign MAXIGP0AWSIZE  = 2'd2;  // 4 bytes
    assign MAXIGP0ARSIZE  = 2'd2;
    assign MAXIGP0AWBURST = 2'd1;  // rising addresses
    assign MAXIGP0ARBURST = 2'd1;
    assign {MAXIGP0AWCACHE, MAXIGP0ARCACHE, MAXIGP0AWQOS, MAXIGP0ARQOS} = '0;
    assign {MAXIGP0AWPROT, MAXIGP0ARPROT, MAXIGP0AWLOCK, MAXIGP0ARLOCK} = '0;
    assign MAXIGP0ARESETN = bitmend_board.fclk_resetn;

    assign SAXIHP0AWREADY = bitmend_board.hp_awready;
    assign SAXIHP0WREADY  = bitmend_board.hp_wready;
    assign SAXIHP0BID     = bitmend_board.hp_bid;
    assign SAXIHP0BRESP   = bitmend_board.hp_bresp;
    assign SAXIHP0BVALID  = bitmend_board.hp_bvalid;
    assign SAXIHP0ARREADY = bitmend_board.hp_arready;
    assign SAXIHP0RID     = bitmend_board.hp_rid;
    assign SAXIHP0RDATA   = bitmend_board.hp_rdata;
    assign SAXIHP0RRESP   = bitmend_board.hp_rresp;
    assign SAXIHP0RLAST   = bitmend_board.hp_rlast;
    assign SAXIHP0RVALID  = bitmend_board.hp_rvalid;
    assign SAXIHP0ARESETN = bitmend_board.fclk_resetn;
    assign {SAXIHP0RCOUNT, SAXIHP0WCOUNT, SAXIHP0RACOUNT, SAXIHP0WACOUNT} = '0;

    assign bitmend_board.gp_awready = MAXIGP0AWREADY;
    assign bitmend_board.gp_wready  = MAXIGP0WREADY;
    assign bitmend_board.gp_bid     = MAXIGP0BID;
    assign bitmend_board.gp_bresp   = MAXIGP0BRESP;
    assign bitmend_board.gp_bvalid  = MAXIGP0BVALID;
    assign bitmend_board.gp_arready = MAXIGP0ARREADY;
    assign bitmend_board.gp_rid     = MAXIGP0RID;
    assign bitmend_board.gp_rdata   = MAXIGP0RDATA;
    assign bitmend_board.gp_rresp   = MAXIGP0RRESP;
    assign bitmend_board.gp_rlast   = MAXIGP0RLAST;
    assign bitmend_board.gp_rvalid  = MAXIGP0RVALID;

    assign bitmend_board.hp_awaddr  = SAXIHP0AWADDR;
    assign bitmend_board.hp_awid    = SAXIHP0AWID;
    assign bitmend_board.hp_awlen   = SAXIHP0AWLEN;
    assign bitmend_board.hp_awsize  = SAXIHP0AWSIZE;
    assign bitmend_board.hp_awburst = SAXIHP0AWBURST;
    assign bitmend_board.hp_awvalid = SAXIHP0AWVALID;
    assign bitmend_board.hp_wdata   = SAXIHP0WDATA;
    assign bitmend_board.hp_wid     = SAXIHP0WID;
    assign bitmend_board.hp_wstrb   = SAXIHP0WSTRB;
    assign bitmend_board.hp_wlast   = SAXIHP0WLAST;
    assign bitmend_board.hp_wvalid  = SAXIHP0WVALID;
    assign bitmend_board.hp_bready  = SAXIHP0BREADY;
    assign bitmend_board.hp_araddr  = SAXIHP0ARADDR;
    assign bitmend_board.hp_arid    = SAXIHP0ARID;
    assign bitmend_board.hp_arlen   = SAXIHP0ARLEN;
    assign bitmend_board.hp_arsize  = SAXIHP0ARSIZE;
    assign bitmend_board.hp_arburst = SAXIHP0ARBURST;
    assign bitmend_board.hp_arvalid = SAXIHP0ARVALID;
    assign bitmend_board.hp_rready  = SAXIHP0RREADY;
endmodule

// The top of the simulation: the design, and the pins of its PS7.
module bitmend_board (
    input  wire logic        fclk, fclk_resetn,
    input  wire logic [31:0] gp_awaddr, gp_araddr, gp_wdata,
    input  wire logic [11:0] gp_awid, gp_arid,
    input  wire logic [3:0]  gp_awlen, gp_arlen, gp_wstrb,
    input  wire logic        gp_awvalid, gp_wvalid, gp_wlast, gp_bready, gp_arvalid, gp_rready,
    output wire logic        gp_awready, gp_wready, gp_bvalid, gp_arready, gp_rvalid, gp_rlast,
    output wire logic [11:0] gp_bid, gp_rid,
    output wire logic [1:0]  gp_bresp, gp_rresp,
    output wire logic [31:0] gp_rdata,

    input  wire logic        hp_awready, hp_wready, hp_bvalid, hp_arready, hp_rvalid, hp_rlast,
    input  wire logic [5:0]  hp_bid, hp_rid,
    input  wire logic [1:0]  hp_bresp, hp_rresp,
    input  wire logic [63:0] hp_rdata,
    output wire logic [31:0] hp_awaddr, hp_araddr,
    output wire logic [5:0]  hp_awid, hp_wid, hp_arid,
    output wire logic [3:0]  hp_awlen, hp_arlen,
    output wire logic [1:0]  hp_awsize, hp_arsize, hp_awburst, hp_arburst,
    output wire logic [63:0] hp_wdata,
    output wire logic [7:0]  hp_wstrb,
    output wire logic        hp_awvalid, hp_wvalid, hp_wlast, hp_bready, hp_arvalid, hp_rready
);
    bitmend_top u_top ();
endmodule
/* verilator lint_on DECLFILENAME */

`default_nettype wire
