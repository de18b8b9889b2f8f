// SPDX-License-Identifier: BSD-3-Clause
// Write engine: words become bursts.
//
// Function      The words of s_word, in order, are written by the bursts of s_burst.
// Bus           AXI3, 64 bits, one identifier, incrementing bursts, up to OUTSTANDING under way. A burst is requested when
//               all its words are here, so a network that stops never holds the bus; its words follow the request, and do
//               not wait until it is accepted. bready is always high.
// stop          no further bursts; those under way end. quiet says that none is, and stays high while stop is.
// discard       words are sent without strobes from now on: what is under way ends, and changes nothing any more.
// Errors        error is high for a cycle after every response of SLVERR or DECERR (`error_decode`), with the address of its
//               burst.
// done          is high for a cycle after the response to the last burst of a job, if no response since the reset was an
//               error.
// Reset         rst forgets the words; it may come only while quiet.
`default_nettype none

module shell_write #(
    parameter integer OUTSTANDING = 8,  // bursts under way, 2 or more
    parameter integer WORDS       = 512 // words of the memory, 16 or more
) (
    input  wire logic        clk,
    input  wire logic        rst,
    input  wire logic        stop,
    input  wire logic        discard,
    output wire logic        quiet,

    input  wire logic [33:0] s_burst_tdata,
    input  wire logic        s_burst_tvalid,
    output wire logic        s_burst_tready,

    input  wire logic [71:0] s_word_tdata,
    input  wire logic        s_word_tvalid,
    output wire logic        s_word_tready,

    output wire logic [31:0] m_axi_awaddr,
    output wire logic [3:0]  m_axi_awlen,
    output wire logic        m_axi_awvalid,
    input  wire logic        m_axi_awready,

    output wire logic [63:0] m_axi_wdata,
    output wire logic [7:0]  m_axi_wstrb,
    output wire logic        m_axi_wlast,
    output wire logic        m_axi_wvalid,
    input  wire logic        m_axi_wready,

    input  wire logic [1:0]  m_axi_bresp,
    input  wire logic        m_axi_bvalid,
    output wire logic        m_axi_bready,

    output wire logic        done,
    output wire logic        error,
    output wire logic        error_decode,
    output wire logic [31:0] error_addr
);
    localparam integer FLIGHT = $clog2(OUTSTANDING + 1);
    localparam integer STORED = $clog2(WORDS + 1);
    localparam [FLIGHT-1:0] MOST = FLIGHT'(OUTSTANDING);

    generate
        if (OUTSTANDING < 2 || WORDS < 16) begin : g_check
            $error("shell_write: OUTSTANDING %0d, WORDS %0d; expected 2 and 16 at least", OUTSTANDING, WORDS);
        end
    endgenerate

    logic [28:0]       word;    // the request: address in words
    logic [3:0]        beats;   // and its words, minus 1
    logic              request;
    logic [FLIGHT-1:0] flight;  // bursts requested that are not answered
    logic [STORED-1:0] stored;  // words here that belong to no burst that was requested
    logic [63:0]       data;    // the beat that is offered
    logic [7:0]        strobes;
    logic              last;
    logic              valid;
    logic [3:0]        beat;    // number of the next one in its burst
    logic              failed, failed_decode, finished, spoiled;
    logic [28:0]       failed_word;

    wire logic [71:0] head;     // the next word
    wire logic        has_head;
    wire logic [3:0]  length;   // beats of the burst whose words go now, minus 1
    wire logic        has_length;
    wire logic [29:0] oldest;   // {end of job, address} of the burst that is answered next

    wire logic issue  = s_burst_tvalid && s_burst_tready;
    wire logic push   = s_word_tvalid && s_word_tready;
    wire logic load   = has_head && has_length && (!valid || m_axi_wready);
    wire logic ends   = beat == length;

    assign s_burst_tready = !stop && !request && stored > STORED'(s_burst_tdata[32:29]) && flight != MOST;
    assign quiet          = flight == '0;
    assign m_axi_awaddr   = {word, 3'd0};
    assign m_axi_awlen    = beats;
    assign m_axi_awvalid  = request;
    assign m_axi_wdata    = data;
    assign m_axi_wstrb    = strobes;
    assign m_axi_wlast    = last;
    assign m_axi_wvalid   = valid;
    assign m_axi_bready   = 1'b1;
    assign done           = finished;
    assign error          = failed;
    assign error_decode   = failed_decode;
    assign error_addr     = {failed_word, 3'd0};

    always_ff @(posedge clk) begin
        if (issue) {beats, word} <= s_burst_tdata[32:0];
        if (issue) request <= 1'b1;
        else if (m_axi_awready) request <= 1'b0;

        if (issue && !m_axi_bvalid) flight <= flight + 1'b1;
        if (m_axi_bvalid && !issue) flight <= flight - 1'b1;
        stored <= stored + STORED'(push) - (issue ? STORED'(s_burst_tdata[32:29]) + 1'b1 : '0);

        if (load) begin
            data    <= head[63:0];
            strobes <= discard ? '0 : head[71:64];
            last    <= ends;
            beat    <= ends ? '0 : beat + 1'b1;
        end
        if (load) valid <= 1'b1;
        else if (m_axi_wready) valid <= 1'b0;

        failed        <= m_axi_bvalid && m_axi_bresp[1];
        failed_decode <= m_axi_bresp[0];
        failed_word   <= oldest[28:0];
        finished      <= m_axi_bvalid && !m_axi_bresp[1] && !spoiled && oldest[29];
        if (m_axi_bvalid && m_axi_bresp[1]) spoiled <= 1'b1;

        if (rst) begin
            request  <= 1'b0;
            flight   <= '0;
            stored   <= '0;
            valid    <= 1'b0;
            beat     <= '0;
            failed   <= 1'b0;
            finished <= 1'b0;
            spoiled  <= 1'b0;
        end
    end

    // verilator lint_off PINCONNECTEMPTY
    stream_fifo #(.WIDTH(72), .DEPTH(WORDS), .RAM_STYLE("block")) u_words (
        .clk(clk), .rst(rst),
        .s_axis_tdata(s_word_tdata), .s_axis_tvalid(s_word_tvalid), .s_axis_tready(s_word_tready),
        .m_axis_tdata(head), .m_axis_tvalid(has_head), .m_axis_tready(load),
        .count(), .high_water()
    );

    stream_fifo #(.WIDTH(4), .DEPTH(OUTSTANDING)) u_lengths (
        .clk(clk), .rst(rst),
        .s_axis_tdata(s_burst_tdata[32:29]), .s_axis_tvalid(issue), .s_axis_tready(),
        .m_axis_tdata(length), .m_axis_tvalid(has_length), .m_axis_tready(load && ends),
        .count(), .high_water()
    );

    stream_fifo #(.WIDTH(30), .DEPTH(OUTSTANDING)) u_answers (
        .clk(clk), .rst(rst),
        .s_axis_tdata({s_burst_tdata[33], s_burst_tdata[28:0]}), .s_axis_tvalid(issue), .s_axis_tready(),
        .m_axis_tdata(oldest), .m_axis_tvalid(), .m_axis_tready(m_axi_bvalid),
        .count(), .high_water()
    );
    // verilator lint_on PINCONNECTEMPTY
endmodule

`default_nettype wire
