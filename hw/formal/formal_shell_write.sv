// SPDX-License-Identifier: BSD-3-Clause
// shell_write: the rules of AXI3 for a master that writes; never more under way than promised; the words of a burst never
// before their request and never late; wlast exact; no strobes under `discard`; and under `stop` nothing begins and
// everything ends.
//
// The memory answers in order, after the address and the last word, whenever it likes.
`default_nettype none

module formal_shell_write #(
    parameter integer OUTSTANDING = 4,
    parameter integer WORDS       = 20
) (
    input wire logic        clk,
    input wire logic        rst,
    input wire logic        stop,
    input wire logic        discard,
    input wire logic        pick, // free: the request that enters is followed
    input wire logic [33:0] s_burst_tdata,
    input wire logic        s_burst_tvalid,
    input wire logic        data, // free: of the word that enters
    input wire logic        s_word_tvalid,
    input wire logic        m_axi_awready,
    input wire logic        m_axi_wready,
    input wire logic [1:0]  m_axi_bresp,
    input wire logic        m_axi_bvalid
);
    localparam integer COUNT = $clog2(OUTSTANDING + 1);
    wire logic [71:0] s_word_tdata = {8'hFF, 63'd0, data}; // its bits are alike

    wire logic        quiet, s_burst_tready, s_word_tready, m_axi_awvalid, m_axi_wlast, m_axi_wvalid, m_axi_bready;
    wire logic        done, error, error_decode;
    wire logic [31:0] m_axi_awaddr, error_addr;
    wire logic [3:0]  m_axi_awlen;
    wire logic [63:0] m_axi_wdata;
    wire logic [7:0]  m_axi_wstrb;

    wire logic started;
    formal_reset environment (.*);
    shell_write #(.OUTSTANDING(OUTSTANDING), .WORDS(WORDS)) dut (.*);

    stream_rules #(.WIDTH(34), .ASSUME(1), .STEADY(0)) s_burst (
        .clk, .rst, .tdata(s_burst_tdata), .tvalid(s_burst_tvalid), .tready(s_burst_tready)
    );
    stream_rules #(.WIDTH(72), .ASSUME(1)) s_word (
        .clk, .rst, .tdata(s_word_tdata), .tvalid(s_word_tvalid), .tready(s_word_tready)
    );
    // Valid and what goes with it stay until they are taken.
    stream_rules #(.WIDTH(36), .STEADY(0)) aw (
        .clk, .rst, .tdata({m_axi_awlen, m_axi_awaddr}), .tvalid(m_axi_awvalid), .tready(m_axi_awready)
    );
    stream_rules #(.WIDTH(73)) w (
        .clk, .rst, .tdata({m_axi_wlast, m_axi_wstrb, m_axi_wdata}), .tvalid(m_axi_wvalid), .tready(m_axi_wready)
    );

    // The bursts that have been requested and not got all their words, and those that wait for their answer. A request
    // counts from the first cycle of awvalid on.
    wire logic issue = s_burst_tvalid && s_burst_tready;
    wire logic moves = m_axi_wvalid && m_axi_wready;
    wire logic ends  = moves && m_axi_wlast;
    wire logic [COUNT-1:0] number;
    wire logic [3:0]       oldest, sent;
    wire logic [7:0]       left;
    axi_bursts #(.MOST(OUTSTANDING)) requested (
        .clk, .rst, .enter(issue), .beats(s_burst_tdata[32:29]), .beat(moves), .leave(ends),
        .number, .oldest, .sent, .left
    );
    logic [COUNT-1:0] unanswered; // all words there
    wire logic [COUNT-1:0] flight = number + unanswered;

    // A request that is followed: `ahead` older ones are not answered
    logic             watching;
    logic [COUNT-1:0] ahead;
    logic [29:0]      burst;
    logic             failed, failed_decode, finished;
    logic             spoiled; // a response was an error
    logic             stopped, stirred, discarded, was_valid;
    logic [1:0]       away;    // cycles in which a word could have been sent, and none was
    logic [8:0]       measure_before;
    // Everything that must happen until nothing is under way
    wire logic [8:0] measure = 9'(left) + 9'(flight) + 9'(m_axi_awvalid);

    always_ff @(posedge clk) begin
        unanswered <= unanswered + COUNT'(ends) - COUNT'(m_axi_bvalid);
        failed        <= watching && ahead == '0 && m_axi_bvalid && m_axi_bresp[1];
        failed_decode <= m_axi_bresp[0];
        finished      <= watching && ahead == '0 && m_axi_bvalid && !m_axi_bresp[1] && !spoiled && burst[29];
        if (m_axi_bvalid && m_axi_bresp[1]) spoiled <= 1'b1;
        if (watching && m_axi_bvalid) begin
            ahead <= ahead - 1'b1;
            if (ahead == '0) watching <= 1'b0;
        end
        if (issue && pick && !watching) begin
            watching <= 1'b1;
            ahead    <= flight - COUNT'(m_axi_bvalid);
            burst    <= {s_burst_tdata[33], s_burst_tdata[28:0]};
        end
        away           <= number == '0 || m_axi_wvalid ? '0 : away + 1'b1;
        stopped        <= stop && !rst;
        stirred        <= (m_axi_awvalid && m_axi_awready) || moves || m_axi_bvalid;
        discarded      <= discard;
        was_valid      <= m_axi_wvalid && !m_axi_wready;
        measure_before <= measure;
        if (rst) begin
            unanswered <= '0;
            watching   <= 1'b0;
            failed     <= 1'b0;
            finished   <= 1'b0;
            spoiled    <= 1'b0;
            away       <= '0;
        end
    end

    wire logic [29:0] held;  // of the request that is followed, in the module
    logic [28:0] burst_before; // of the last one that was followed
    always_ff @(posedge clk) if (watching) burst_before <= burst[28:0];

    always_comb begin
        // The memory answers what has its address and its words; a reset comes when nothing is under way.
        assume (!m_axi_bvalid || (unanswered != '0 && !rst));
        assume (!m_axi_bvalid || !m_axi_awvalid || flight > COUNT'(1));
        assume (!rst || !started || quiet);
        // The bursts are those of shell_bursts: within a block of 16 words.
        assume (5'(s_burst_tdata[3:0]) + 5'(s_burst_tdata[32:29]) <= 5'd15);

        if (started) begin
            // Answers are always taken.
            assert (m_axi_bready);
            // Bursts stay in their block of 128 bytes, so within 4 KiB, and begin with a whole word.
            assert (!m_axi_awvalid || (m_axi_awaddr[2:0] == 3'd0 &&
                                       5'(m_axi_awaddr[6:3]) + 5'(m_axi_awlen) <= 5'd15));
            // No more than OUTSTANDING under way; quiet says that none is.
            assert (32'(flight) <= OUTSTANDING);
            assert (quiet == (flight == '0));
            // A word only for a burst that was requested; wlast with its last one, and then only.
            assert (!m_axi_wvalid || number != '0);
            assert (!m_axi_wvalid || m_axi_wlast == (sent == oldest));
            // The words of what was requested do not wait for anything but the memory: a network that stops never holds
            // the bus.
            assert (away <= 2'd2);
            // Under discard no byte is changed by what is not offered yet.
            if (discarded && !was_valid && m_axi_wvalid && !rst) assert (m_axi_wstrb == '0);
            // An error is told with its kind and the address of its burst; the end of a job, if there was none.
            if (failed) assert (error && error_addr == {burst_before, 3'd0} && error_decode == failed_decode);
            if (finished) assert (done);
            // Under stop nothing begins, and everything that moves brings the end nearer: so if the memory takes addresses
            // and words and answers, quiet comes.
            if (stopped && !rst) begin
                assert (measure <= measure_before);
                assert (!stirred || measure < measure_before);
            end
            assert ((measure == 9'd0) == quiet);

            // What the registers mean.
            assert (dut.flight == flight);
            assert (unanswered <= flight && number <= flight);
            assert (!m_axi_awvalid || flight != '0);
            // Every word of a burst that was requested is here.
            assert (left == 8'(dut.u_words.beats) + 8'(m_axi_wvalid) - 8'(dut.stored));
            assert (8'(dut.stored) <= 8'(dut.u_words.beats));
            assert (COUNT'(dut.u_lengths.beats) == number - COUNT'(m_axi_wvalid && m_axi_wlast));
            assert (number == '0 || sent <= oldest);
            assert (number != '0 || sent == 4'd0);
            assert (dut.beat == (m_axi_wvalid && m_axi_wlast ? 4'd0 : sent + 4'(m_axi_wvalid)));
            assert (!m_axi_wvalid || sent <= oldest);
            assert (COUNT'(dut.u_answers.beats) == flight);
            assert (unanswered == '0 || dut.u_answers.m_axis_tvalid);
            assert (dut.spoiled == spoiled);
            assert (!watching || ahead < flight);
            if (watching) assert (held == burst);
        end
        cover (started && 32'(flight) == OUTSTANDING && !rst);
        cover (started && failed && !rst);
        cover (started && finished && !rst);
    end

    formal_fifo_word #(.WIDTH(30), .DEPTH(OUTSTANDING)) kept (
        .started, .count(dut.u_answers.beats), .valid(dut.u_answers.m_axis_tvalid),
        .head(dut.u_answers.m_axis_tdata), .raddr(dut.u_answers.g_ram.raddr), .waddr(dut.u_answers.g_ram.waddr),
        .index(ahead), .word(dut.u_answers.g_ram.ram.g_distributed.memory[kept.place]), .held(held)
    );
    // The length that is due is that of the burst whose words go: the one after it, if its last word is offered
    wire logic [COUNT-1:0] due = COUNT'(m_axi_wvalid && m_axi_wlast);
    genvar i;
    generate
        for (i = 0; i < OUTSTANDING; i = i + 1) begin : g_length
            wire logic [3:0] length;
            wire logic [COUNT-1:0] turn = COUNT'(i) + due; // in `requested`
            wire logic [1:0] at = requested.first + 2'(turn);
            formal_fifo_word #(.WIDTH(4), .DEPTH(OUTSTANDING)) kept (
                .started, .count(dut.u_lengths.beats), .valid(dut.u_lengths.m_axis_tvalid),
                .head(dut.u_lengths.m_axis_tdata), .raddr(dut.u_lengths.g_ram.raddr),
                .waddr(dut.u_lengths.g_ram.waddr), .index(COUNT'(i)),
                .word(dut.u_lengths.g_ram.ram.g_distributed.memory[kept.place]), .held(length)
            );
            always_comb begin
                if (started && COUNT'(i) < COUNT'(dut.u_lengths.beats)) assert (length == requested.lengths[4*at +: 4]);
            end
        end
    endgenerate

    formal_fifo #(.DEPTH(WORDS)) words (
        .started, .beats(32'(dut.u_words.beats)), .ready(dut.u_words.s_axis_tready), .valid(dut.u_words.m_axis_tvalid),
        .stored(dut.u_words.g_ram.stored), .largest(32'(dut.u_words.largest))
    );
    formal_fifo #(.DEPTH(OUTSTANDING)) lengths (
        .started, .beats(32'(dut.u_lengths.beats)), .ready(dut.u_lengths.s_axis_tready),
        .valid(dut.u_lengths.m_axis_tvalid), .stored(dut.u_lengths.g_ram.stored), .largest(32'(dut.u_lengths.largest))
    );
    formal_fifo #(.DEPTH(OUTSTANDING)) answers (
        .started, .beats(32'(dut.u_answers.beats)), .ready(dut.u_answers.s_axis_tready),
        .valid(dut.u_answers.m_axis_tvalid), .stored(dut.u_answers.g_ram.stored), .largest(32'(dut.u_answers.largest))
    );
endmodule

`default_nettype wire
