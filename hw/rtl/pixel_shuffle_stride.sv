// SPDX-License-Identifier: BSD-3-Clause
// Strides of the rows of pixel_shuffle: 1, r, r^2, ... modulo the number of blocks less one, computed one row ahead.
//
// Function      In beats: the stride is S = BLOCK at first, and each swap replaces it by r*S, reduced to
//               BLOCK..modulus. The modulus is the address of the last block of a row.
//               onward = S - BLOCK + 1, back = onward - modulus: the arguments of pixel_shuffle_walk.
// Timing        rst: S = BLOCK, and the modulus is unknown, that is, infinite. `found` gives it. The next stride is
//               then `ready` after 2r cycles, and 2r cycles after each swap, which is at most the time of a row.
//               onward and back change with swap, which may only be high when ready is.
// Steps         onward + BLOCK - 1 gives S; then r - 1 times: add S, and subtract the modulus unless that gives less
//               than 0. All this is in terms of `onward`: a sum that equals the modulus is onward = modulus - BLOCK + 1,
//               which is less than the modulus, and so is not reduced, as it should be. One adder does all steps, and
//               when nothing is left, it shows the next `back`.
// Area          about 2 LUTs per bit of the address.
`default_nettype none

module pixel_shuffle_stride #(
    parameter integer ADDR   = 8,  // bits of an address
    parameter integer BLOCK  = 2,  // beats of a block, 2 or more
    parameter integer FACTOR = 2   // r, 2..4
) (
    input  wire logic            clk,
    input  wire logic            rst,

    input  wire logic            found,
    input  wire logic [ADDR-1:0] address,  // of the last block, with found

    input  wire logic            swap,
    output wire logic            ready,
    output wire logic [ADDR-1:0] onward,
    output wire logic [ADDR:0]   back,     // signed
    output wire logic [ADDR-1:0] modulus
);
    localparam [2:0] LAST = 3'(2 * FACTOR - 2);

    logic [ADDR-1:0] now_onward;
    logic [ADDR:0]   now_back;
    logic [ADDR-1:0] limit;
    logic [ADDR-1:0] stride;
    logic [ADDR:0]   next;    // becomes the next `onward`
    logic [2:0]      op;      // 0: S; odd: add; even: subtract
    logic            busy;
    logic            done;

    assign ready   = done;
    assign onward  = now_onward;
    assign back    = now_back;
    assign modulus = limit;

    wire logic          minus = op != 3'd0 && !op[0];
    wire logic [ADDR:0] term  = minus ? {1'b1, ~limit} : op[0] ? {1'b0, stride} : (ADDR + 1)'(BLOCK - 1);
    wire logic [ADDR:0] sum   = next + term + (ADDR + 1)'(minus);

    always_ff @(posedge clk) begin
        if (busy) begin
            if (op == 3'd0) stride <= sum[ADDR-1:0];
            else if (op[0] || !sum[ADDR]) next <= sum;
            if (op == LAST) begin
                busy <= 1'b0;
                done <= 1'b1;
            end else begin
                op <= op + 3'd1;
            end
        end
        if (found) begin
            limit <= address;
            next  <= (ADDR + 1)'(1);
        end
        if (swap) begin
            now_onward <= next[ADDR-1:0];
            now_back   <= sum;
        end
        if (found || swap) begin
            op   <= 3'd0;
            busy <= 1'b1;
            done <= 1'b0;
        end
        if (rst) begin
            now_onward <= ADDR'(1);
            now_back   <= {1'b1, ADDR'(0)};
            busy       <= 1'b0;
            done       <= 1'b0;
        end
    end
endmodule

`default_nettype wire
