// SPDX-License-Identifier: BSD-3-Clause
// The shell around a network that is easily predicted: result = 255 - pixel, enlarged SCALE times by repetition.
//
// hold          stops the network, all of it. Taps: its streams, as in a compiled network.
`default_nettype none

module shell_bench #(
    parameter integer SCALE        = 2,
    parameter integer CHANNELS     = 3,
    parameter integer IN_ELEMENTS  = 1,
    parameter integer OUT_ELEMENTS = 1,
    parameter integer MAX_WIDTH    = 40,
    parameter integer MAX_HEIGHT   = 30,
    parameter integer OUTSTANDING  = 8
) (
    input  wire logic        clk,
    input  wire logic        rst,
    input  wire logic        hold,

    input  wire logic [11:0] s_axil_awid,
    input  wire logic [31:0] s_axil_awaddr,
    input  wire logic [3:0]  s_axil_awlen,
    input  wire logic [2:0]  s_axil_awsize,
    input  wire logic [1:0]  s_axil_awburst,
    input  wire logic        s_axil_awvalid,
    output wire logic        s_axil_awready,
    input  wire logic [11:0] s_axil_wid,
    input  wire logic [31:0] s_axil_wdata,
    input  wire logic [3:0]  s_axil_wstrb,
    input  wire logic        s_axil_wlast,
    input  wire logic        s_axil_wvalid,
    output wire logic        s_axil_wready,
    output wire logic [11:0] s_axil_bid,
    output wire logic [1:0]  s_axil_bresp,
    output wire logic        s_axil_bvalid,
    input  wire logic        s_axil_bready,
    input  wire logic [11:0] s_axil_arid,
    input  wire logic [31:0] s_axil_araddr,
    input  wire logic [3:0]  s_axil_arlen,
    input  wire logic [2:0]  s_axil_arsize,
    input  wire logic [1:0]  s_axil_arburst,
    input  wire logic        s_axil_arvalid,
    output wire logic        s_axil_arready,
    output wire logic [11:0] s_axil_rid,
    output wire logic [31:0] s_axil_rdata,
    output wire logic [1:0]  s_axil_rresp,
    output wire logic        s_axil_rlast,
    output wire logic        s_axil_rvalid,
    input  wire logic        s_axil_rready,

    output wire logic [5:0]  m_axi_awid,
    output wire logic [31:0] m_axi_awaddr,
    output wire logic [3:0]  m_axi_awlen,
    output wire logic [2:0]  m_axi_awsize,
    output wire logic [1:0]  m_axi_awburst,
    output wire logic [1:0]  m_axi_awlock,
    output wire logic [3:0]  m_axi_awcache,
    output wire logic [2:0]  m_axi_awprot,
    output wire logic [3:0]  m_axi_awqos,
    output wire logic        m_axi_awvalid,
    input  wire logic        m_axi_awready,
    output wire logic [5:0]  m_axi_wid,
    output wire logic [63:0] m_axi_wdata,
    output wire logic [7:0]  m_axi_wstrb,
    output wire logic        m_axi_wlast,
    output wire logic        m_axi_wvalid,
    input  wire logic        m_axi_wready,
    input  wire logic [5:0]  m_axi_bid,
    input  wire logic [1:0]  m_axi_bresp,
    input  wire logic        m_axi_bvalid,
    output wire logic        m_axi_bready,
    output wire logic [5:0]  m_axi_arid,
    output wire logic [31:0] m_axi_araddr,
    output wire logic [3:0]  m_axi_arlen,
    output wire logic [2:0]  m_axi_arsize,
    output wire logic [1:0]  m_axi_arburst,
    output wire logic [1:0]  m_axi_arlock,
    output wire logic [3:0]  m_axi_arcache,
    output wire logic [2:0]  m_axi_arprot,
    output wire logic [3:0]  m_axi_arqos,
    output wire logic        m_axi_arvalid,
    input  wire logic        m_axi_arready,
    input  wire logic [5:0]  m_axi_rid,
    input  wire logic [63:0] m_axi_rdata,
    input  wire logic [1:0]  m_axi_rresp,
    input  wire logic        m_axi_rlast,
    input  wire logic        m_axi_rvalid,
    output wire logic        m_axi_rready,

    // What the testbench watches
    output wire logic        net_rst,
    output wire logic        pixels_tvalid,
    output wire logic        pixels_tready,
    output wire logic        result_tvalid,
    output wire logic        result_tready
);
    localparam integer DIM   = 12;
    localparam integer PIXEL = 8 * CHANNELS;
    localparam integer TAPS  = 5;
    localparam [255:0] HASH  = 256'h0123456789ABCDEF_0011223344556677_8899AABBCCDDEEFF_FEDCBA9876543210;

    wire logic [2*DIM-1:0]          size_tdata;
    wire logic                      size_tvalid, size_tready;
    wire logic [8*IN_ELEMENTS-1:0]  pixels_tdata;
    wire logic [8*OUT_ELEMENTS-1:0] result_tdata, offered_tdata;
    wire logic                      offered_tvalid, offered_tready, taken_tvalid, taken_tready;
    wire logic [PIXEL-1:0]          wide_tdata, up_tdata;
    wire logic                      wide_tvalid, wide_tready, up_tvalid, up_tready;

    bitmend_shell #(
        .HASH(HASH), .SCALE(SCALE), .CHANNELS(CHANNELS), .IN_ELEMENTS(IN_ELEMENTS), .OUT_ELEMENTS(OUT_ELEMENTS),
        .DIM_BITS(DIM), .MAX_WIDTH(MAX_WIDTH), .MAX_HEIGHT(MAX_HEIGHT), .TAPS(TAPS), .PERIOD(11),
        .OUTSTANDING(OUTSTANDING)
    ) u_shell (
        .m_size_tdata(size_tdata), .m_size_tvalid(size_tvalid), .m_size_tready(size_tready),
        .m_pixels_tdata(pixels_tdata), .m_pixels_tvalid(pixels_tvalid), .m_pixels_tready(pixels_tready),
        .s_result_tdata(result_tdata), .s_result_tvalid(result_tvalid), .s_result_tready(result_tready),
        .taps_valid({size_tvalid, result_tvalid, up_tvalid, wide_tvalid, pixels_tvalid}),
        .taps_ready({size_tready, result_tready, up_tready, wide_tready, pixels_tready}),
        .*
    );

    assign taken_tvalid  = pixels_tvalid && !hold;
    assign pixels_tready = taken_tready && !hold;
    stream_width #(.IN_WIDTH(8 * IN_ELEMENTS), .OUT_WIDTH(PIXEL)) u_wide (
        .clk(clk), .rst(net_rst),
        .s_axis_tdata(pixels_tdata), .s_axis_tvalid(taken_tvalid), .s_axis_tready(taken_tready),
        .m_axis_tdata(wide_tdata), .m_axis_tvalid(wide_tvalid), .m_axis_tready(wide_tready)
    );

    generate
        if (SCALE == 1) begin : g_same
            assign size_tready = 1'b1;
            stream_fifo #(.WIDTH(PIXEL), .DEPTH(16)) u_up (
                .clk(clk), .rst(net_rst),
                .s_axis_tdata(wide_tdata), .s_axis_tvalid(wide_tvalid), .s_axis_tready(wide_tready),
                .m_axis_tdata(up_tdata), .m_axis_tvalid(up_tvalid), .m_axis_tready(up_tready),
                .count(), .high_water()
            );
        end else begin : g_up
            nearest_up #(
                .CHANNELS(CHANNELS), .FACTOR(SCALE), .P(CHANNELS), .BITS(8), .MAX_WIDTH(MAX_WIDTH), .DIM_BITS(DIM),
                .DEPTH(MAX_WIDTH + 16)
            ) u_up (
                .clk(clk), .rst(net_rst),
                .s_size_tdata(size_tdata), .s_size_tvalid(size_tvalid), .s_size_tready(size_tready),
                .s_axis_tdata(wide_tdata), .s_axis_tvalid(wide_tvalid), .s_axis_tready(wide_tready),
                .m_axis_tdata(up_tdata), .m_axis_tvalid(up_tvalid), .m_axis_tready(up_tready),
                .high_water()
            );
        end
    endgenerate

    stream_width #(.IN_WIDTH(PIXEL), .OUT_WIDTH(8 * OUT_ELEMENTS)) u_narrow (
        .clk(clk), .rst(net_rst),
        .s_axis_tdata(~up_tdata), .s_axis_tvalid(up_tvalid), .s_axis_tready(up_tready),
        .m_axis_tdata(offered_tdata), .m_axis_tvalid(offered_tvalid), .m_axis_tready(offered_tready)
    );
    assign result_tdata   = offered_tdata;
    assign result_tvalid  = offered_tvalid && !hold;
    assign offered_tready = result_tready && !hold;
endmodule

`default_nettype wire
