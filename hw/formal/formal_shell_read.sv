// SPDX-License-Identifier: BSD-3-Clause
// shell_read: the rules of AXI3 for a master that reads; never more under way than promised; room for every word that
// comes; errors with the address of their burst; and under `stop` nothing begins and everything ends.
//
// The memory answers in order, with as many beats as were asked for, whenever it likes.
`default_nettype none

module formal_shell_read #(
    parameter integer OUTSTANDING = 4,
    parameter integer WORDS       = 40
) (
    input wire logic        clk,
    input wire logic        rst,
    input wire logic        stop,
    input wire logic        pick, // free: the request that enters is followed
    input wire logic [33:0] s_burst_tdata,
    input wire logic        s_burst_tvalid,
    input wire logic        m_word_tready,
    input wire logic        m_axi_arready,
    input wire logic        data, // free: of the word that comes
    input wire logic [1:0]  m_axi_rresp,
    input wire logic        m_axi_rvalid
);
    localparam integer COUNT = $clog2(OUTSTANDING + 1);

    wire logic        quiet, s_burst_tready, m_word_tvalid, m_axi_arvalid, m_axi_rready, error, error_decode;
    wire logic [63:0] m_word_tdata;
    wire logic [63:0] m_axi_rdata = {63'd0, data}; // its bits are alike
    wire logic [31:0] m_axi_araddr, error_addr;
    wire logic [3:0]  m_axi_arlen;
    wire logic        m_axi_rlast;

    wire logic started;
    formal_reset environment (.*);
    shell_read #(.OUTSTANDING(OUTSTANDING), .WORDS(WORDS)) dut (.*);

    stream_rules #(.WIDTH(34), .ASSUME(1), .STEADY(0)) s_burst (
        .clk, .rst, .tdata(s_burst_tdata), .tvalid(s_burst_tvalid), .tready(s_burst_tready)
    );
    // Valid and address stay until they are taken.
    stream_rules #(.WIDTH(36), .STEADY(0)) ar (
        .clk, .rst, .tdata({m_axi_arlen, m_axi_araddr}), .tvalid(m_axi_arvalid), .tready(m_axi_arready)
    );
    stream_rules #(.WIDTH(64)) m_word (
        .clk, .rst, .tdata(m_word_tdata), .tvalid(m_word_tvalid), .tready(m_word_tready)
    );

    // What the memory has been asked for and not answered
    wire logic taken = m_axi_arvalid && m_axi_arready;
    wire logic beat  = m_axi_rvalid && m_axi_rready;
    wire logic leave = beat && m_axi_rlast;
    wire logic [COUNT-1:0] number;
    wire logic [3:0]       oldest, sent;
    wire logic [7:0]       left;
    axi_bursts #(.MOST(OUTSTANDING)) asked (
        .clk, .rst, .enter(taken), .beats(m_axi_arlen), .beat(beat), .leave(leave), .number, .oldest, .sent, .left
    );
    assign m_axi_rlast = sent == oldest;

    // A request that is followed: `ahead` older ones are not answered
    logic             watching;
    logic [COUNT-1:0] ahead;
    logic [28:0]      address;
    logic             failed, failed_decode;  // the last beat was an error, of the one that is followed
    logic             stopped;
    logic [7:0]       measure_before;
    logic             moved;
    wire logic issue = s_burst_tvalid && s_burst_tready;
    wire logic [COUNT-1:0] flight = number + COUNT'(m_axi_arvalid);
    // Everything under way: addresses to be taken and words to come
    wire logic [7:0] promised = left + (m_axi_arvalid ? 8'(m_axi_arlen) + 8'd1 : 8'd0);
    wire logic [7:0] measure  = promised + 8'(m_axi_arvalid);

    always_ff @(posedge clk) begin
        failed        <= watching && ahead == '0 && beat && m_axi_rresp[1];
        failed_decode <= m_axi_rresp[0];
        if (watching && leave) begin
            ahead <= ahead - 1'b1;
            if (ahead == '0) watching <= 1'b0;
        end
        if (issue && pick && !watching) begin
            watching <= 1'b1;
            ahead    <= flight - COUNT'(leave);
            address  <= s_burst_tdata[28:0];
        end
        stopped        <= stop && !rst;
        measure_before <= measure;
        moved          <= beat || taken;
        if (rst) begin
            watching <= 1'b0;
            failed   <= 1'b0;
        end
    end

    wire logic [28:0] held; // of the request that is followed, in the module

    always_comb begin
        // The memory answers what it was asked for; a reset comes when nothing is under way.
        assume (!m_axi_rvalid || (number != '0 && !rst));
        assume (!rst || !started || quiet);
        // The bursts are those of shell_bursts: within a block of 16 words.
        assume (5'(s_burst_tdata[3:0]) + 5'(s_burst_tdata[32:29]) <= 5'd15);

        if (started) begin
            // Words are always taken.
            assert (m_axi_rready);
            assert (!m_axi_rvalid || dut.u_words.s_axis_tready);
            // Bursts stay in their block of 128 bytes, so within 4 KiB, and begin with a whole word.
            assert (!m_axi_arvalid || (m_axi_araddr[2:0] == 3'd0 &&
                                       5'(m_axi_araddr[6:3]) + 5'(m_axi_arlen) <= 5'd15));
            // No more than OUTSTANDING under way; quiet says that none is.
            assert (32'(flight) <= OUTSTANDING);
            assert (quiet == (flight == '0));
            // An error is told with its kind and the address of its burst.
            if (failed) assert (error && error_addr == {address, 3'd0} && error_decode == failed_decode);
            // Under stop nothing begins, and everything that moves brings the end nearer: so if the memory takes addresses
            // and answers, quiet comes.
            if (stopped && !rst) begin
                assert (measure <= measure_before);
                assert (!moved || measure < measure_before);
            end
            assert ((measure == 8'd0) == quiet);

            // What the registers mean.
            assert (dut.flight == flight);
            assert (8'(dut.space) + promised + 8'(dut.u_words.beats) == 8'(WORDS));
            assert (number == '0 || sent <= oldest);
            assert (number != '0 || sent == 4'd0);
            assert (!watching || ahead < flight);
            assert (COUNT'(dut.u_addresses.beats) == flight);
            // The address of a burst is there when its first word may come.
            assert (number == '0 || dut.u_addresses.m_axis_tvalid);
            if (watching) assert (held == address);
        end
        // As many as possible are under way; the memory of words is full; a followed burst fails.
        cover (started && 32'(flight) == OUTSTANDING && !rst);
        cover (started && failed && !rst);
    end
    formal_fifo_word #(.WIDTH(29), .DEPTH(OUTSTANDING)) kept (
        .started, .count(dut.u_addresses.beats), .valid(dut.u_addresses.m_axis_tvalid),
        .head(dut.u_addresses.m_axis_tdata), .raddr(dut.u_addresses.g_ram.raddr), .waddr(dut.u_addresses.g_ram.waddr),
        .index(COUNT'(ahead)), .word(dut.u_addresses.g_ram.ram.g_distributed.memory[kept.place]), .held(held)
    );

    formal_fifo #(.DEPTH(WORDS)) words (
        .started, .beats(32'(dut.u_words.beats)), .ready(dut.u_words.s_axis_tready), .valid(dut.u_words.m_axis_tvalid),
        .stored(dut.u_words.g_ram.stored), .largest(32'(dut.u_words.largest))
    );
    formal_fifo #(.DEPTH(OUTSTANDING)) addresses (
        .started, .beats(32'(dut.u_addresses.beats)), .ready(dut.u_addresses.s_axis_tready),
        .valid(dut.u_addresses.m_axis_tvalid), .stored(dut.u_addresses.g_ram.stored),
        .largest(32'(dut.u_addresses.largest))
    );
endmodule

`default_nettype wire
