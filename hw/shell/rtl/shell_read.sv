// SPDX-License-Identifier: BSD-3-Clause
// Read engine: bursts become words.
//
// Function      m_word is the words of the bursts of s_burst, in order.
// Bus           AXI3, 64 bits, one identifier, incrementing bursts, up to OUTSTANDING under way. A burst is requested when
//               there is room for all its words, so rready is always high and the memory never waits for the network.
// stop          no further bursts; those under way end. quiet says that none is, and stays high while stop is.
// Errors        error is high for a cycle after every beat with SLVERR or DECERR (`error_decode`), with the address of
//               its burst. The beat is passed on like others.
// Reset         rst forgets the words; it may come only while quiet.
// Latency       3 cycles from rdata to m_word.
`default_nettype none

module shell_read #(
    parameter integer OUTSTANDING = 8,  // bursts under way, 2 or more
    parameter integer WORDS       = 512 // words of the memory, 32 or more
) (
    input  wire logic        clk,
    input  wire logic        rst,
    input  wire logic        stop,
    output wire logic        quiet,

    input  wire logic [33:0] s_burst_tdata,
    input  wire logic        s_burst_tvalid,
    output wire logic        s_burst_tready,

    output wire logic [63:0] m_word_tdata,
    output wire logic        m_word_tvalid,
    input  wire logic        m_word_tready,

    output wire logic [31:0] m_axi_araddr,
    output wire logic [3:0]  m_axi_arlen,
    output wire logic        m_axi_arvalid,
    input  wire logic        m_axi_arready,

    input  wire logic [63:0] m_axi_rdata,
    input  wire logic [1:0]  m_axi_rresp,
    input  wire logic        m_axi_rlast,
    input  wire logic        m_axi_rvalid,
    output wire logic        m_axi_rready,

    output wire logic        error,
    output wire logic        error_decode,
    output wire logic [31:0] error_addr
);
    localparam integer FLIGHT = $clog2(OUTSTANDING + 1);
    localparam integer SPACE  = $clog2(WORDS + 1);
    localparam [FLIGHT-1:0] MOST = FLIGHT'(OUTSTANDING);
    localparam [SPACE-1:0]  ALL  = SPACE'(WORDS);

    generate
        if (OUTSTANDING < 2 || WORDS < 32) begin : g_check
            $error("shell_read: OUTSTANDING %0d, WORDS %0d; expected 2 and 32 at least", OUTSTANDING, WORDS);
        end
    endgenerate

    logic [28:0]       word;    // the request: address in words
    logic [3:0]        beats;   // and its words, minus 1
    logic              request;
    logic [FLIGHT-1:0] flight;  // bursts requested whose last beat has not come
    logic [SPACE-1:0]  space;   // words of the memory that no burst has been promised
    logic              failed, failed_decode;
    logic [28:0]       failed_word;
    wire logic [28:0]  oldest;  // the burst whose words come now

    wire logic room   = space >= SPACE'(16);
    wire logic issue  = s_burst_tvalid && s_burst_tready;
    wire logic landed = m_axi_rvalid && m_axi_rlast;
    wire logic pop    = m_word_tvalid && m_word_tready;

    assign s_burst_tready = !stop && !request && room && flight != MOST;
    assign quiet          = flight == '0;
    assign m_axi_araddr   = {word, 3'd0};
    assign m_axi_arlen    = beats;
    assign m_axi_arvalid  = request;
    assign m_axi_rready   = 1'b1;
    assign error          = failed;
    assign error_decode   = failed_decode;
    assign error_addr     = {failed_word, 3'd0};

    always_ff @(posedge clk) begin
        if (issue) {beats, word} <= s_burst_tdata[32:0];
        if (issue) request <= 1'b1;
        else if (m_axi_arready) request <= 1'b0;

        if (issue && !landed) flight <= flight + 1'b1;
        if (landed && !issue) flight <= flight - 1'b1;
        space <= space + SPACE'(pop) - (issue ? SPACE'(s_burst_tdata[32:29]) + 1'b1 : '0);

        failed        <= m_axi_rvalid && m_axi_rresp[1];
        failed_decode <= m_axi_rresp[0];
        failed_word   <= oldest;

        if (rst) begin
            request <= 1'b0;
            flight  <= '0;
            space   <= ALL;
            failed  <= 1'b0;
        end
    end

    // verilator lint_off PINCONNECTEMPTY
    stream_fifo #(.WIDTH(29), .DEPTH(OUTSTANDING)) u_addresses (
        .clk(clk), .rst(rst),
        .s_axis_tdata(s_burst_tdata[28:0]), .s_axis_tvalid(issue), .s_axis_tready(),
        .m_axis_tdata(oldest), .m_axis_tvalid(), .m_axis_tready(landed),
        .count(), .high_water()
    );

    stream_fifo #(.WIDTH(64), .DEPTH(WORDS), .RAM_STYLE("block")) u_words (
        .clk(clk), .rst(rst),
        .s_axis_tdata(m_axi_rdata), .s_axis_tvalid(m_axi_rvalid), .s_axis_tready(),
        .m_axis_tdata(m_word_tdata), .m_axis_tvalid(m_word_tvalid), .m_axis_tready(m_word_tready),
        .count(), .high_water()
    );
    // verilator lint_on PINCONNECTEMPTY

    wire logic unused = &{1'b0, s_burst_tdata[33]};
endmodule

`default_nettype wire
