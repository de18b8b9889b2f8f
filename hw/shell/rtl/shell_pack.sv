// SPDX-License-Identifier: BSD-3-Clause
// Bytes to words with strobes.
//
// Function      A beat is E bytes; the first is byte `lane` of a word. A word leaves when its byte 7 is there or the row
//               ends, with a strobe for every byte that is. What a beat has beyond byte 7 begins the next word.
// Data          s_axis {end of row, lane, beat}; m_word {strobes, word}: bytes without a strobe are not defined.
// Handshake     m_word is a register. s_axis_tready depends on m_word_tready.
// Throughput    a beat per cycle, but for one cycle after a row whose last beat lies in two words.
`default_nettype none

module shell_pack #(
    parameter integer E = 1 // bytes of a beat, 1 to 8
) (
    input  wire logic           clk,
    input  wire logic           rst,

    input  wire logic [8*E+3:0] s_axis_tdata,
    input  wire logic           s_axis_tvalid,
    output wire logic           s_axis_tready,

    output wire logic [71:0]    m_word_tdata,
    output wire logic           m_word_tvalid,
    input  wire logic           m_word_tready
);
    localparam integer BYTES = 7 + E; // of a word, and of a beat that begins in its byte 7

    generate
        if (E < 1 || E > 8) begin : g_check
            $error("shell_pack: E is %0d, expected 1 to 8", E);
        end
    endgenerate

    logic [8*BYTES-1:0] bytes;
    logic [BYTES-1:0]   there; // which of them are
    logic               full;  // a word is offered
    logic               more;  // what is left when it has gone is a word, too

    assign m_word_tdata  = {there[7:0], bytes[63:0]};
    assign m_word_tvalid = full;
    assign s_axis_tready = !more && (!full || m_word_tready);

    wire logic       take  = s_axis_tvalid && s_axis_tready;
    wire logic       moves = full && m_word_tready;
    wire logic       ends  = s_axis_tdata[8*E+3];
    wire logic [2:0] lane  = s_axis_tdata[8*E +: 3];
    wire logic [3:0] reach = {1'b0, lane} + 4'(E);

    wire logic [BYTES-1:0]   kept = moves ? there >> 8 : there;
    wire logic [BYTES-1:0]   hit  = take ? BYTES'((1 << E) - 1) << lane : '0;
    wire logic [8*BYTES-1:0] fresh = (8 * BYTES)'(s_axis_tdata[8*E-1:0]) << {lane, 3'd0};

    integer i;
    always_ff @(posedge clk) begin
        there <= kept | hit;
        if (moves) bytes <= bytes >> 64;
        for (i = 0; i < BYTES; i = i + 1) begin
            if (hit[i]) bytes[8*i +: 8] <= fresh[8*i +: 8];
        end

        if (take) begin
            full <= ends || reach >= 4'd8;
            more <= ends && reach > 4'd8;
        end else if (moves) begin
            full <= more;
            more <= 1'b0;
        end

        if (rst) begin
            there <= '0;
            full  <= 1'b0;
            more  <= 1'b0;
        end
    end
endmodule

`default_nettype wire
