// SPDX-License-Identifier: BSD-3-Clause
// shell_axil: the rules of AXI3 for a slave. Every access is answered once, with its identifier, as many beats as it has
// and OKAY only if it was requested inside; a request comes once, for a single word in the range; and nothing waits but for
// the master or the request.
`default_nettype none

module formal_shell_axil #(
    parameter integer PATIENCE = 2
) (
    input wire logic        clk,
    input wire logic        rst,
    input wire logic [11:0] s_axil_awid,
    input wire logic [31:0] s_axil_awaddr,
    input wire logic [3:0]  s_axil_awlen,
    input wire logic        s_axil_awvalid,
    input wire logic [31:0] s_axil_wdata,
    input wire logic [3:0]  s_axil_wstrb,
    input wire logic        s_axil_wvalid,
    input wire logic        s_axil_bready,
    input wire logic [11:0] s_axil_arid,
    input wire logic [31:0] s_axil_araddr,
    input wire logic [3:0]  s_axil_arlen,
    input wire logic        s_axil_arvalid,
    input wire logic        s_axil_rready,
    input wire logic [31:0] rdata,
    input wire logic        done
);
    localparam [31:0] BASE = 32'h43C00000;

    wire logic        s_axil_awready, s_axil_wready, s_axil_bvalid, s_axil_arready, s_axil_rlast, s_axil_rvalid;
    wire logic [11:0] s_axil_bid, s_axil_rid;
    wire logic [1:0]  s_axil_bresp, s_axil_rresp;
    wire logic [31:0] s_axil_rdata, wdata;
    wire logic        write, read;
    wire logic [13:0] addr;
    wire logic [3:0]  wstrb;

    wire logic started;
    formal_reset environment (.*);
    shell_axil #(.BASE(BASE)) dut (.*);

    // The master keeps the rules of its channels, the slave of its own.
    stream_rules #(.WIDTH(48), .ASSUME(1), .STEADY(0)) aw (
        .clk, .rst, .tdata({s_axil_awlen, s_axil_awid, s_axil_awaddr}), .tvalid(s_axil_awvalid), .tready(s_axil_awready)
    );
    stream_rules #(.WIDTH(36), .ASSUME(1)) w (
        .clk, .rst, .tdata({s_axil_wstrb, s_axil_wdata}), .tvalid(s_axil_wvalid), .tready(s_axil_wready)
    );
    stream_rules #(.WIDTH(14), .STEADY(0)) b (
        .clk, .rst, .tdata({s_axil_bresp, s_axil_bid}), .tvalid(s_axil_bvalid), .tready(s_axil_bready)
    );
    stream_rules #(.WIDTH(48), .ASSUME(1), .STEADY(0)) ar (
        .clk, .rst, .tdata({s_axil_arlen, s_axil_arid, s_axil_araddr}), .tvalid(s_axil_arvalid), .tready(s_axil_arready)
    );
    stream_rules #(.WIDTH(47)) r (
        .clk, .rst, .tdata({s_axil_rlast, s_axil_rresp, s_axil_rid, s_axil_rdata}), .tvalid(s_axil_rvalid),
        .tready(s_axil_rready)
    );

    // The access that is under way, from its address to the end of its answer
    logic        writing, reading;
    logic [11:0] id;
    logic [31:0] address;
    logic [3:0]  length;
    logic [4:0]  words;     // beats of data that have come, or of the answer that have gone
    logic        requested; // inside
    logic        finished;
    logic [31:0] word;      // read or written
    logic [3:0]  strobes;
    logic [2:0]  patience;
    wire logic   legal  = length == 4'd0 && address[31:16] == BASE[31:16];
    wire logic [1:0] want = address[31:16] != BASE[31:16] ? 2'b11 : length != 4'd0 ? 2'b10 : 2'b00;
    wire logic   all_in = words == 5'(length) + 5'd1;
    wire logic   aw_moves = s_axil_awvalid && s_axil_awready;
    wire logic   ar_moves = s_axil_arvalid && s_axil_arready;
    wire logic   w_moves  = s_axil_wvalid && s_axil_wready;
    wire logic   r_moves  = s_axil_rvalid && s_axil_rready;
    wire logic   b_moves  = s_axil_bvalid && s_axil_bready;
    wire logic   asks     = write || read;
    // Somebody else's turn: the master's, or that of the request
    wire logic   others = (writing && !all_in && s_axil_wready && !s_axil_wvalid) || (s_axil_bvalid && !s_axil_bready) ||
                          (s_axil_rvalid && !s_axil_rready) || ((asks || requested) && !finished && !done) ||
                          (!writing && !reading && !s_axil_awvalid && !s_axil_arvalid);
    wire logic   moves = aw_moves || ar_moves || w_moves || r_moves || b_moves || asks;

    always_ff @(posedge clk) begin
        if (aw_moves || ar_moves) begin
            writing   <= aw_moves;
            reading   <= ar_moves;
            id        <= aw_moves ? s_axil_awid : s_axil_arid;
            address   <= aw_moves ? s_axil_awaddr : s_axil_araddr;
            length    <= aw_moves ? s_axil_awlen : s_axil_arlen;
            words     <= '0;
        end
        if (w_moves || r_moves) words <= words + 1'b1;
        if (w_moves) begin
            word    <= s_axil_wdata;
            strobes <= s_axil_wstrb;
        end
        if (asks) requested <= 1'b1;
        if ((asks || requested) && done && !finished) begin
            finished <= 1'b1;
            if (reading) word <= rdata;
        end
        if (aw_moves || ar_moves) begin
            requested <= 1'b0;
            finished  <= 1'b0;
        end
        if (b_moves) writing <= 1'b0;
        if (r_moves && s_axil_rlast) reading <= 1'b0;
        patience <= moves || others ? '0 : patience + 1'b1;
        if (rst) begin
            writing   <= 1'b0;
            reading   <= 1'b0;
            requested <= 1'b0;
            finished  <= 1'b0;
            patience  <= '0;
        end
    end

    always_comb begin
        if (started) begin
            // One access at a time.
            assert (!(aw_moves && ar_moves) && !((aw_moves || ar_moves) && (writing || reading)));
            // Data are taken for a write that is under way, and no more than it has.
            assert (!w_moves || (writing && !all_in));
            // It is answered when all its data are there, and it was carried out or was not legal.
            if (s_axil_bvalid) begin
                assert (writing && all_in && s_axil_bid == id && s_axil_bresp == want);
                assert (finished == legal);
            end
            // A read has as many beats as it asked for, the last one marked, and the word that was read.
            if (s_axil_rvalid) begin
                assert (reading && s_axil_rid == id && s_axil_rresp == want && finished == legal);
                assert (s_axil_rlast == (words == 5'(length)) && words <= 5'(length));
                assert (s_axil_rdata == (legal ? word : '0));
            end
            // A request comes once, for a legal access, with what belongs to it.
            assert (!(write && read));
            if (write) assert (writing && all_in && legal && !requested && wdata == word && wstrb == strobes);
            if (read) assert (reading && legal && !requested);
            if (asks) assert (addr == address[15:2]);
            // Nothing waits but for the master or the request.
            assert (32'(patience) <= PATIENCE);

            // What the registers mean.
            assert (!(writing && reading));
            assert (writing == (dut.state >= 4'd2 && dut.state <= 4'd5));
            assert (reading == (dut.state >= 4'd7));
            assert (dut.state <= 4'd9);
            if (writing || reading) begin
                assert (dut.id == id && dut.word == address[15:2] && dut.resp == want);
                assert (!finished || requested);
                assert (!requested || legal);
            end
            if (dut.state == 4'd2) assert (5'(dut.beats) + words == 5'(length) && words <= 5'(length) && !requested);
            if (dut.state == 4'd3) assert (all_in && legal && !requested && dut.data == word && dut.strobes == strobes);
            if (dut.state == 4'd4) assert (all_in && legal && requested && !finished);
            if (dut.state == 4'd5) assert (all_in && finished == legal);
            if (dut.state == 4'd7) assert (words == 5'd0 && legal && !requested && dut.beats == length);
            if (dut.state == 4'd8) assert (words == 5'd0 && legal && requested && !finished && dut.beats == length);
            if (dut.state == 4'd9) assert (5'(dut.beats) + words == 5'(length) && finished == legal &&
                                           dut.data == (legal ? word : '0));
            if (dut.state == 4'd1) assert (s_axil_awvalid || rst);
            if (dut.state == 4'd6) assert (s_axil_arvalid || rst);
        end
        cover (started && b_moves && legal && !rst);
        cover (started && b_moves && length == 4'd2 && !rst);
        cover (started && r_moves && s_axil_rlast && length == 4'd2 && !rst);
        cover (started && r_moves && legal && !rst);
    end
endmodule

`default_nettype wire
