// SPDX-License-Identifier: BSD-3-Clause
// Addresses of a row of pixel_shuffle, for its writer or its reader.
//
// Function      Block k of a row (k = 0, 1, ...) has BLOCK consecutive addresses from k*S on, where the sum is reduced
//               by the modulus N - BLOCK whenever it exceeds that; S, N and the modulus are multiples of BLOCK.
// Arguments     onward = S - BLOCK + 1 leads from the last address of a block to the first of the next, and
//               back = onward - modulus, which is negative, does so where the sum exceeds the modulus.
//               Does it? addr + back is the address to come. In the last beat of a block it should be 1 or more, which is
//               to say, 0 or more one beat earlier, when addr is less by 1. There it is tested: a sign, in good time.
// Timing        addr and block_end are registers. A `step` moves on by one beat, or with `home`, which may only be high
//               at the end of a block, to address 0. The arguments may change in the last block of a row.
// Area          about 2 LUTs per bit of the address.
`default_nettype none

module pixel_shuffle_walk #(
    parameter integer ADDR  = 8,  // bits of an address
    parameter integer BLOCK = 2   // beats of a block, 2 or more
) (
    input  wire logic            clk,
    input  wire logic            rst,

    input  wire logic [ADDR-1:0] onward,
    input  wire logic [ADDR:0]   back,      // signed

    input  wire logic            step,
    input  wire logic            home,
    output wire logic [ADDR-1:0] addr,
    output wire logic            block_end  // addr is the last of a block
);
    localparam integer PLACE = $clog2(BLOCK);

    generate
        if (BLOCK < 2) begin : g_check
            $error("pixel_shuffle_walk: BLOCK is %0d, expected 2 or more", BLOCK);
        end
    endgenerate

    logic [ADDR-1:0]  at;
    logic [PLACE-1:0] place;
    logic             last;
    logic             exceeds;

    assign addr      = at;
    assign block_end = last;

    wire logic [ADDR-1:0] stride = exceeds ? back[ADDR-1:0] : onward;
    wire logic [ADDR:0]   probe  = {1'b0, at} + back;
    wire logic            unused = &{1'b0, probe[ADDR-1:0]};

    always_ff @(posedge clk) begin
        if (step) begin
            at      <= at + (last ? stride : ADDR'(1));
            exceeds <= !probe[ADDR];
            place   <= last ? '0 : place + PLACE'(1);
            last    <= place == PLACE'(BLOCK - 2);
        end
        if (rst || (step && home)) at <= '0;
        if (rst) begin
            place <= '0;
            last  <= 1'b0;
        end
    end
endmodule

`default_nettype wire
