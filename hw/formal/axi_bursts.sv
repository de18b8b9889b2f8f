// SPDX-License-Identifier: BSD-3-Clause
// The bursts that are under way on one side of an AXI3 port, oldest first: what a proof has to know of the past.
//
// A burst enters when it is requested (`enter`) and leaves when it is answered (`leave`). `oldest` is the number of beats,
// minus 1, of the one that entered first; `sent` counts the beats of it that have moved; `left` is the number of beats of
// all of them that have not.
`default_nettype none

module axi_bursts #(
    parameter integer MOST  = 4, // a power of two
    parameter integer COUNT = $clog2(MOST + 1) // leave it
) (
    input  wire logic             clk,
    input  wire logic             rst,
    input  wire logic             enter,
    input  wire logic [3:0]       beats, // of it, minus 1
    input  wire logic             beat,  // moves
    input  wire logic             leave,
    output wire logic [COUNT-1:0] number,
    output wire logic [3:0]       oldest,
    output wire logic [3:0]       sent,
    output wire logic [7:0]       left
);
    localparam integer AT = $clog2(MOST);
    logic [4*MOST-1:0] lengths; // a ring
    logic [AT-1:0]     first;
    logic [COUNT-1:0]  count;
    logic [3:0]        done;

    wire logic [AT-1:0] free = first + AT'(count);
    assign number = count;
    assign oldest = lengths[4*first +: 4];
    assign sent   = done;

    logic [7:0] sum;
    logic [AT-1:0] at;
    integer i;
    always_comb begin
        sum = '0;
        for (i = 0; i < MOST; i = i + 1) begin
            at = first + AT'(i);
            if (COUNT'(i) < count) sum = sum + 8'(lengths[4*at +: 4]) + 8'd1;
        end
    end
    assign left = sum - 8'(done);

    always_ff @(posedge clk) begin
        if (enter) lengths[4*free +: 4] <= beats;
        if (beat) done <= done + 1'b1;
        if (leave) begin
            first <= first + 1'b1;
            done  <= '0;
        end
        count <= count + COUNT'(enter) - COUNT'(leave);
        if (rst) begin
            first  <= '0;
            count <= '0;
            done   <= '0;
        end
    end
endmodule

`default_nettype wire
