// SPDX-License-Identifier: BSD-3-Clause
// The word at an index, oldest first, in a stream_fifo with a LUT RAM of 2^n words: for proofs of modules with one inside.
`default_nettype none

module formal_fifo_word #(
    parameter integer WIDTH = 8,
    parameter integer DEPTH = 4, // of the FIFO: 3 to 33
    parameter integer COUNT = $clog2(DEPTH + 1), // leave these
    parameter integer ADDR  = $clog2(DEPTH - 1)
) (
    input  wire logic             started,
    input  wire logic [COUNT-1:0] count,  // beats inside
    input  wire logic             valid,  // its output is
    input  wire logic [WIDTH-1:0] head,   // and what it offers
    input  wire logic [ADDR-1:0]  raddr,
    input  wire logic [ADDR-1:0]  waddr,
    input  wire logic [COUNT-1:0] index,
    input  wire logic [WIDTH-1:0] word,   // of the memory, at `place`
    output wire logic [WIDTH-1:0] held
);
    wire logic [ADDR-1:0] place = raddr + ADDR'(index) - ADDR'(valid);
    assign held = index == '0 && valid ? head : word;

    // Between the addresses lie the beats that the memory holds.
    always_comb if (started) assert (waddr == ADDR'(raddr + ADDR'(count) - ADDR'(valid)));
endmodule

`default_nettype wire
