// SPDX-License-Identifier: BSD-3-Clause
// stream_fifo: the rules of a stream; nothing lost, invented or reordered; capacity and counters exact; the memory never
// read and written at one address.
`default_nettype none

module formal_stream_fifo #(
    parameter integer WIDTH     = 2,
    parameter integer DEPTH     = 5,
    parameter [87:0]  RAM_STYLE = "distributed", // or "block"
    parameter integer COUNT     = $clog2(DEPTH + 1),
    parameter integer PARTS     = $clog2(DEPTH + 2)
) (
    input wire logic             clk,
    input wire logic             rst,
    input wire logic             pick,
    input wire logic [PARTS-1:0] which,
    input wire logic [WIDTH-1:0] s_axis_tdata,
    input wire logic             s_axis_tvalid,
    input wire logic             m_axis_tready
);
    localparam [87:0] BLOCK = "block";

    wire logic             s_axis_tready;
    wire logic [WIDTH-1:0] m_axis_tdata;
    wire logic             m_axis_tvalid;
    wire logic [COUNT-1:0] count;
    wire logic [COUNT-1:0] high_water;

    wire logic started;
    formal_reset environment (.*);
    stream_fifo #(.WIDTH(WIDTH), .DEPTH(DEPTH), .RAM_STYLE(RAM_STYLE)) dut (.*);

    // The beats inside, oldest first: the output register, then the memory from the read address on.
    wire logic [WIDTH-1:0] held;
    generate
        if (DEPTH == 2) begin : g_skid
            assign held = order.ahead == 0 ? dut.g_skid.skid.data : dut.g_skid.skid.kept;

            always_comb begin
                if (started) begin
                    assert (count == COUNT'(dut.g_skid.skid.full) + COUNT'(dut.g_skid.skid.stalled));
                    assert (dut.g_skid.skid.full || !dut.g_skid.skid.stalled);
                end
            end
        end else begin : g_ram
            localparam integer WORDS = dut.g_ram.WORDS;
            localparam integer ADDR  = $clog2(WORDS) + 2;

            wire logic            valid  = dut.g_ram.valid;
            wire logic [ADDR-1:0] stored = ADDR'(count) - ADDR'(valid); // beats in the memory
            wire logic [ADDR-1:0] raddr  = ADDR'(dut.g_ram.raddr);
            wire logic [ADDR-1:0] waddr  = ADDR'(dut.g_ram.waddr);
            wire logic [ADDR-1:0] place  = raddr + ADDR'(order.ahead) - ADDR'(valid);
            wire logic [ADDR-1:0] wrapped = place < ADDR'(WORDS) ? place : place - ADDR'(WORDS);
            wire logic [WIDTH-1:0] word;
            if (RAM_STYLE == BLOCK) begin : g_block
                assign word = dut.g_ram.ram.g_block.memory[wrapped];
            end else begin : g_distributed
                assign word = dut.g_ram.ram.g_distributed.memory[wrapped];
            end
            assign held = order.ahead == 0 && valid ? m_axis_tdata : word;

            always_comb begin
                if (started) begin
                    // One address is not read and written in the same cycle.
                    assert (!(dut.push && dut.g_ram.load && dut.g_ram.waddr == dut.g_ram.raddr));
                    // The addresses are words of the memory; between them lie the beats that the memory holds.
                    assert (raddr < ADDR'(WORDS) && waddr < ADDR'(WORDS));
                    assert (raddr + stored == waddr || raddr + stored == waddr + ADDR'(WORDS));
                    assert (stored <= ADDR'(DEPTH) - ADDR'(1) && dut.g_ram.stored == (stored != 0));
                    // The output register is empty while the memory holds a beat only behind the first one.
                    assert (valid || count <= 1);
                end
            end
        end
    endgenerate

    stream_rules #(.WIDTH(WIDTH), .ASSUME(1)) s_axis (
        .clk, .rst, .tdata(s_axis_tdata), .tvalid(s_axis_tvalid), .tready(s_axis_tready)
    );
    stream_rules #(.WIDTH(WIDTH)) m_axis (
        .clk, .rst, .tdata(m_axis_tdata), .tvalid(m_axis_tvalid), .tready(m_axis_tready)
    );
    stream_order #(.PART(WIDTH), .CAPACITY(DEPTH), .PATIENCE(DEPTH == 2 ? 0 : 1)) order (
        .clk, .rst, .started, .pick, .which,
        .s_tdata(s_axis_tdata), .s_tvalid(s_axis_tvalid), .s_tready(s_axis_tready),
        .m_tdata(m_axis_tdata), .m_tvalid(m_axis_tvalid), .m_tready(m_axis_tready),
        .number(PARTS'(count)), .held
    );

    // The most beats that were inside since the reset, by the traffic on the ports.
    logic [PARTS-1:0] most;
    always_ff @(posedge clk) begin
        if (rst) most <= '0;
        else if (order.inside_next > most) most <= order.inside_next;
    end

    always_comb begin
        if (started) begin
            // Exactly DEPTH beats fit: a beat is refused only when that many are inside.
            assert (s_axis_tready == (integer'(order.inside_now) < DEPTH));
            // The counters say what they promise.
            assert (PARTS'(count) == order.inside_now);
            assert (PARTS'(high_water) == most);
            assert (most >= order.inside_now && integer'(most) <= DEPTH);
        end
    end
endmodule

`default_nettype wire
