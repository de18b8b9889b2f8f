// SPDX-License-Identifier: BSD-3-Clause
// What the registers of a stream_fifo with a memory mean, for induction over a module with one inside. That they do is
// proven in formal_stream_fifo, too.
`default_nettype none

module formal_fifo #(
    parameter integer DEPTH = 8
) (
    input wire logic        started,
    input wire logic [31:0] beats,
    input wire logic        ready,
    input wire logic        valid,
    input wire logic        stored,
    input wire logic [31:0] largest
);
    always_comb begin
        if (started) begin
            assert (beats <= DEPTH);
            assert (ready == (beats < DEPTH));
            assert (stored == (beats - 32'(valid) != 0));
            assert (!valid || beats != 0);
            assert (valid || beats <= 1);
            assert (largest >= beats && largest <= DEPTH);
        end
    end
endmodule

`default_nettype wire
