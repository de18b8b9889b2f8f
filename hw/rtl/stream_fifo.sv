// SPDX-License-Identifier: BSD-3-Clause
// FIFO: a stream with room for DEPTH beats.
//
// Function      m = s, in order.
// Data          WIDTH bits, not interpreted.
// Capacity      exactly DEPTH beats: s_axis_tready is high while fewer than DEPTH beats are inside. A beat is inside
//               from the clock edge that takes it to the clock edge that passes it on, so the one shown at m_axis
//               counts. Inside are a memory of DEPTH - 1 beats and the output register, which is the register of the
//               memory's read port; a FIFO of two beats is a stream_skid.
// Counters      count is the number of beats inside now, high_water the largest that count has been since the reset:
//               if high_water stays below DEPTH, the FIFO has never refused a beat. Both are registers, and cost
//               nothing where they are left open.
// Handshake     every output is a register. A full FIFO that passes a beat on takes the next one a cycle later.
// Latency       2 cycles through an empty FIFO (write, read), 1 if DEPTH is 2.
// Throughput    one beat per cycle, in and out. A receiver that takes a beat per cycle sees no pause, however full the
//               FIFO was: the pause of a full one at its input is over before the beats behind it run out.
// Memory        LUT RAM up to 32 words or 1 kbit, block RAM beyond, unless RAM_STYLE says "block" or "distributed".
//               It never reads and writes one address in the same cycle, so that a block RAM needs no bypass.
// Area          WIDTH flip-flops, 4 LUTs for every 6 bits of a LUT RAM of up to 32 words, and about 25 LUTs of control
//               for 32 beats, 45 for 1000.
`default_nettype none

module stream_fifo #(
    parameter integer WIDTH     = 8,      // bits of a beat, 1 or more
    parameter integer DEPTH     = 32,     // beats of capacity, 2 or more; need not be a power of two
    parameter [87:0]  RAM_STYLE = "auto", // "auto", "block" or "distributed"
    parameter integer COUNT     = $clog2(DEPTH + 1)  // bits of the counters; leave it
) (
    input  wire logic             clk,
    input  wire logic             rst,

    input  wire logic [WIDTH-1:0] s_axis_tdata,
    input  wire logic             s_axis_tvalid,
    output wire logic             s_axis_tready,

    output wire logic [WIDTH-1:0] m_axis_tdata,
    output wire logic             m_axis_tvalid,
    input  wire logic             m_axis_tready,

    output wire logic [COUNT-1:0] count,
    output wire logic [COUNT-1:0] high_water
);
    localparam [87:0] AUTO        = "auto";
    localparam [87:0] BLOCK       = "block";
    localparam [87:0] DISTRIBUTED = "distributed";

    localparam [COUNT-1:0] ONE = 1;

    logic [COUNT-1:0] beats;    // inside now
    logic [COUNT-1:0] largest;  // number that has been
    assign count      = beats;
    assign high_water = largest;

    wire logic push = s_axis_tvalid && s_axis_tready;
    wire logic pop  = m_axis_tvalid && m_axis_tready;

    always_ff @(posedge clk) begin
        if (push && !pop) beats <= beats + ONE;
        if (pop && !push) beats <= beats - ONE;
        // beats never exceeds largest, so an increment at equality keeps the maximum without a wide comparator
        if (push && !pop && beats == largest) largest <= largest + ONE;
        if (rst) begin
            beats   <= '0;
            largest <= '0;
        end
    end

    generate
        if (WIDTH < 1 || DEPTH < 2 || COUNT != $clog2(DEPTH + 1)) begin : g_check_size
            $error("stream_fifo: WIDTH %0d, DEPTH %0d; expected WIDTH >= 1, DEPTH >= 2, COUNT left alone", WIDTH, DEPTH);
        end
        if (RAM_STYLE != AUTO && RAM_STYLE != BLOCK && RAM_STYLE != DISTRIBUTED) begin : g_check_style
            $error("stream_fifo: RAM_STYLE %0s, expected auto, block or distributed", RAM_STYLE);
        end

        if (DEPTH == 2) begin : g_skid
            stream_skid #(.WIDTH(WIDTH)) skid (
                .clk(clk), .rst(rst),
                .s_axis_tdata(s_axis_tdata), .s_axis_tvalid(s_axis_tvalid), .s_axis_tready(s_axis_tready),
                .m_axis_tdata(m_axis_tdata), .m_axis_tvalid(m_axis_tvalid), .m_axis_tready(m_axis_tready)
            );
        end else begin : g_ram
            // A LUT RAM of fewer than 32 words costs as much as one of 32: with a power of two the pointers wrap
            // by themselves.
            localparam integer ADDR  = $clog2(DEPTH - 1);
            localparam integer WORDS = DEPTH <= 33 ? 1 << ADDR : DEPTH - 1;
            localparam [87:0]  STYLE = RAM_STYLE != AUTO ? RAM_STYLE :
                                       DEPTH <= 33 || WIDTH * (DEPTH - 1) <= 1024 ? DISTRIBUTED : BLOCK;
            localparam integer TOP        = WORDS - 1;
            localparam integer ALMOST     = DEPTH - 1;
            localparam [ADDR-1:0]  LAST   = TOP[ADDR-1:0];
            localparam [COUNT-1:0] FULL_1 = ALMOST[COUNT-1:0];  // one beat short of full
            localparam [ADDR-1:0]  NEXT   = 1;

            logic            ready;   // fewer than DEPTH beats inside
            logic            stored;  // the memory holds a beat
            logic            valid;   // the output register holds a beat
            logic [ADDR-1:0] waddr;
            logic [ADDR-1:0] raddr;

            assign s_axis_tready = ready;
            assign m_axis_tvalid = valid;

            // The output register is refilled whenever it is free. So it is empty for at most a cycle while the
            // memory holds a beat, and then it holds only one: DEPTH - 1 words are enough. A read needs a stored
            // beat and a write needs room for it, so the addresses differ whenever both happen.
            wire logic load = stored && (!valid || m_axis_tready);

            always_ff @(posedge clk) begin
                if (push) waddr <= waddr + NEXT;
                if (load) raddr <= raddr + NEXT;
                if (rst || (push && waddr == LAST)) waddr <= '0;
                if (rst || (load && raddr == LAST)) raddr <= '0;

                if (load) valid <= 1'b1;
                else if (m_axis_tready) valid <= 1'b0;

                // of three beats inside, at least two are in the memory: one stays when one leaves
                if (push) stored <= 1'b1;
                else if (load) stored <= beats >= 3;

                if (pop) ready <= 1'b1;
                else if (push && beats == FULL_1) ready <= 1'b0;
                if (rst) begin
                    valid  <= 1'b0;
                    stored <= 1'b0;
                    ready  <= 1'b1;
                end
            end

            ram_sdp #(.WIDTH(WIDTH), .DEPTH(WORDS), .STYLE(STYLE)) ram (
                .clk(clk),
                .wen(push), .waddr(waddr), .wdata(s_axis_tdata),
                .ren(load), .raddr(raddr), .rdata(m_axis_tdata)
            );
        end
    endgenerate
endmodule

`default_nettype wire
