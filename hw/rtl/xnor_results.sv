// SPDX-License-Identifier: BSD-3-Clause
// Where the results of a pipeline that cannot stall wait for their receiver.
//
// Function      m_axis = the results, in order.
// Handshake     Whoever starts work on a result does so only while room is high, and says so by promise; then there is
//               a place for the result when it comes, up to DELAY cycles later. room depends on registers alone.
// Capacity      PLACES results, promised or here. PERIOD is the least number of cycles from one result to the next.
//               With PERIOD 4 or more the places are registers in a row, each handing on to the next one when that is
//               empty: no LUT per bit. A result every cycle takes LUT RAM instead, 4 LUTs for every 6 bits.
// Latency       PERIOD 4 or more: PLACES cycles; else 2.
// Throughput    one result every PERIOD cycles.
`default_nettype none

module xnor_results #(
    parameter integer WIDTH  = 40,  // bits of a result, 1 or more
    parameter integer PERIOD = 1,   // cycles from one result to the next, 1 or more
    parameter integer DELAY  = 10   // cycles from promise to result, at most, 2..28
) (
    input  wire logic             clk,
    input  wire logic             rst,

    input  wire logic             promise,
    output wire logic             room,

    input  wire logic             result_valid,
    input  wire logic [WIDTH-1:0] result,

    output wire logic [WIDTH-1:0] m_axis_tdata,
    output wire logic             m_axis_tvalid,
    input  wire logic             m_axis_tready
);
    localparam integer ADDR = DELAY <= 12 ? 4 : 5;  // of the LUT RAM: 16 words take as many LUTs as 32
    // In a row, a place is taken from the promise until the result has passed the row and the receiver has it.
    localparam integer PLACES = PERIOD >= 4 ? (DELAY + 1 + PERIOD - 2) / (PERIOD - 1) : (1 << ADDR) - 1;
    localparam integer COUNT  = $clog2(PLACES + 1);
    localparam [COUNT-1:0] ONE = 1;

    genvar i;
    generate
        if (WIDTH < 1 || PERIOD < 1 || DELAY < 2 || DELAY > 28) begin : g_check
            $error("xnor_results: WIDTH %0d, PERIOD %0d, DELAY %0d, expected 1 or more, 1 or more, 2..28",
                WIDTH, PERIOD, DELAY);
        end
    endgenerate

    logic [COUNT-1:0] free;
    assign room = free != '0;
    wire logic pop = m_axis_tvalid && m_axis_tready;
    always_ff @(posedge clk) begin
        if (pop && !promise) free <= free + ONE;
        if (promise && !pop) free <= free - ONE;
        if (rst) free <= COUNT'(PLACES);
    end

    generate
        if (PERIOD >= 4) begin : g_row
            logic [PLACES-1:0]       full;
            logic [PLACES*WIDTH-1:0] data;
            // moves[i]: what place i - 1 has, or the new result, goes to place i
            wire logic [PLACES:0] moves;
            assign moves[0]      = result_valid;
            assign moves[PLACES] = pop;
            for (i = 1; i < PLACES; i = i + 1) begin : g_move
                assign moves[i] = full[i-1] && !full[i];
            end
            always_ff @(posedge clk) begin
                if (moves[0]) data[0 +: WIDTH] <= result;
                for (integer k = 1; k < PLACES; k = k + 1)
                    if (moves[k]) data[k*WIDTH +: WIDTH] <= data[(k-1)*WIDTH +: WIDTH];
                for (integer k = 0; k < PLACES; k = k + 1) full[k] <= moves[k] || (full[k] && !moves[k+1]);
                if (rst) full <= '0;
            end
            assign m_axis_tvalid = full[PLACES-1];
            assign m_axis_tdata  = data[(PLACES-1)*WIDTH +: WIDTH];
`ifndef SYNTHESIS
            always_ff @(posedge clk) begin
                if (!rst && result_valid && full[0]) begin
                    $error("xnor_results %m: a result comes and there is no place for it");
                    $fatal;
                end
            end
`endif
        end else begin : g_ram
            logic [ADDR-1:0]  waddr;
            logic [ADDR-1:0]  raddr;
            logic             valid;
            wire logic read = waddr != raddr && (!valid || m_axis_tready);
            always_ff @(posedge clk) begin
                if (result_valid) waddr <= waddr + 1'b1;
                if (read) raddr <= raddr + 1'b1;
                valid <= read || (valid && !m_axis_tready);
                if (rst) begin
                    waddr <= '0;
                    raddr <= '0;
                    valid <= 1'b0;
                end
            end
            ram_sdp #(.WIDTH(WIDTH), .DEPTH(1 << ADDR), .STYLE("distributed")) u_ram (
                .clk(clk), .wen(result_valid), .waddr(waddr), .wdata(result),
                .ren(read), .raddr(raddr), .rdata(m_axis_tdata)
            );
            assign m_axis_tvalid = valid;
        end
    endgenerate
endmodule

`default_nettype wire
