// SPDX-License-Identifier: BSD-3-Clause
// Replay buffer of a matrix-vector unit: keeps a vector for as many passes over it as are made.
//
// Function      Vectors of SF words come on s_axis. Each take puts word number step of the vector on word; step goes
//               from 0 to SF - 1 and from 0 again. Takes with first_pass are of the first pass over the vector, takes
//               with last_pass of the last.
// Memory        SF words of SIMD bits, LUT RAM up to 64 words. A word of the next vector takes the place of one of this
//               vector as soon as the last pass has read it: one vector follows the other without a pause.
// Handshake     have is high when the next word of a first pass is in the buffer: a take with first_pass needs it. have
//               and s_axis_tready depend on registers alone.
// Latency       1 cycle from take to word; word stays until the next take.
// Area          4 LUTs for every 6 bits of a word up to 32 words, for every 3 bits up to 64, and about 12 of control.
`default_nettype none

module xnor_replay #(
    parameter integer SIMD = 64,  // bits of a word, 1 or more
    parameter integer SF   = 9,   // words of a vector, 2 or more
    parameter integer ADDR = $clog2(SF)  // bits of the number of a word; leave it
) (
    input  wire logic            clk,
    input  wire logic            rst,

    input  wire logic [SIMD-1:0] s_axis_tdata,
    input  wire logic            s_axis_tvalid,
    output wire logic            s_axis_tready,

    input  wire logic            take,
    input  wire logic [ADDR-1:0] step,  // which word of the vector: 0, 1, ... SF - 1, 0, ... with every take
    input  wire logic            first_pass,
    input  wire logic            last_pass,
    output wire logic            have,
    output wire logic [SIMD-1:0] word
);
    localparam integer       COUNT = $clog2(SF + 1);
    localparam [87:0]        STYLE = SF <= 64 ? "distributed" : "auto";
    localparam [ADDR-1:0]    END   = ADDR'(SF - 1);
    localparam [COUNT-1:0]   ALL   = COUNT'(SF);
    localparam [COUNT-1:0]   ONE   = 1;

    generate
        if (SIMD < 1 || SF < 2) begin : g_check
            $error("xnor_replay: SIMD %0d, SF %0d, expected 1 or more and 2 or more", SIMD, SF);
        end
    endgenerate

    logic [ADDR-1:0]  waddr;
    logic [COUNT-1:0] free;   // words that may be overwritten
    logic [COUNT-1:0] fresh;  // words that no first pass has read

    assign s_axis_tready = free != '0;
    assign have          = fresh != '0;

    wire logic write  = s_axis_tvalid && s_axis_tready;
    wire logic start  = take && first_pass;
    wire logic finish = take && last_pass;

    always_ff @(posedge clk) begin
        if (write) waddr <= waddr == END ? '0 : waddr + 1'b1;
        if (finish && !write) free  <= free + ONE;
        if (write && !finish) free  <= free - ONE;
        if (write && !start)  fresh <= fresh + ONE;
        if (start && !write)  fresh <= fresh - ONE;
        if (rst) begin
            waddr <= '0;
            free  <= ALL;
            fresh <= '0;
        end
    end

    ram_sdp #(.WIDTH(SIMD), .DEPTH(SF), .STYLE(STYLE)) u_ram (
        .clk(clk), .wen(write), .waddr(waddr), .wdata(s_axis_tdata), .ren(take), .raddr(step), .rdata(word)
    );
endmodule

`default_nettype wire
