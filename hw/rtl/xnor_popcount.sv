// SPDX-License-Identifier: BSD-3-Clause
// Popcount of an XNOR, accumulated: one output element of a binary matrix-vector unit.
//
// Function      Beats of SIMD inputs and weights; a sum goes from a beat with first to the beat with last:
//                   sum = START + sum over its beats of popcount(xnor(w, x)), modulo 2^WIDTH
//               With PRODUCTS = 1, x holds xnor(w, x) already and w is not used.
// Structure     Weights and inputs go two at a time into chains of CHAIN xnor_pair, which leave one bit of weight 1 and
//               CHAIN bits of weight 2. A popcount_tree reduces those to two numbers, and popcount_sum adds them to the
//               accumulator. Without an accumulator (ACCUMULATE = 0, every beat is first and last) the tree may leave
//               three numbers wherever START has no one: START takes no adder.
// Handshake     None: beats come with valid, at most one per cycle, and their sum leaves with result_valid, a fixed
//               number of cycles after the last beat. Nothing in here can stall, so no register has an enable but the
//               accumulator.
// Latency       the chains 1 cycle (0 with PRODUCTS), the tree about log2(SIMD) / 2, the accumulator 1. Levels of LUTs
//               between registers: CHAIN in the chains, 2 and two short carries in the tree, 2 and one long carry in
//               the accumulator.
// Twin          With the macro BITMEND_BEHAVIOURAL the first level counts the ones and the tree delays that number: the
//               same results in the same cycles, from far fewer operations. For simulations of whole networks alone;
//               tests/sim runs the same tests on both.
// Area          about 0.8 * SIMD + WIDTH LUTs (0.5 * SIMD + WIDTH with PRODUCTS); docs/popcount.md has the table.
`default_nettype none

module xnor_popcount #(
    parameter integer     SIMD       = 64,  // products per beat, 1 or more
    parameter integer     WIDTH      = 10,  // bits of the sum, at least those of SIMD
    parameter [WIDTH-1:0] START      = 0,   // where a sum starts
    parameter integer     ACCUMULATE = 1,   // 0: every beat is a sum of its own, first and last are not looked at
    parameter integer     PRODUCTS   = 0,   // 1: x are the products
    parameter integer     CHAIN      = 4,   // xnor_pair in a row without a register
    parameter integer     SPACING    = 2    // stages of the tree between registers
) (
    input  wire logic             clk,
    input  wire logic             rst,

    input  wire logic             valid,
    input  wire logic             first,
    input  wire logic             last,
    input  wire logic [SIMD-1:0]  x,
    input  wire logic [SIMD-1:0]  w,

    output wire logic             result_valid,
    output wire logic [WIDTH-1:0] result
);
    localparam integer COLUMNS = $clog2(SIMD + 1);
    localparam integer PAIRS   = (SIMD + 1) / 2;
    localparam integer CHAINS  = (PAIRS + CHAIN - 1) / CHAIN;
    localparam integer ONES    = PRODUCTS == 1 ? SIMD : CHAINS;               // bits of weight 1
    localparam integer TWOS    = PRODUCTS == 1 || COLUMNS == 1 ? 0 : PAIRS;   // bits of weight 2

    localparam [16*COLUMNS-1:0] HEIGHTS = (16*COLUMNS)'(ONES) | (16*COLUMNS)'(32'(TWOS) << 16);

    function automatic [2*COLUMNS-1:0] limits(input [WIDTH-1:0] start);
        for (integer d = 0; d < COLUMNS; d = d + 1)
            limits[2*d +: 2] = ACCUMULATE == 0 && !start[d] ? 2'd3 : 2'd2;
    endfunction

    genvar i;
    generate
        if (SIMD < 1 || WIDTH < COLUMNS || CHAIN < 1 || SPACING < 1) begin : g_check
            $error("xnor_popcount: SIMD %0d, WIDTH %0d, CHAIN %0d, SPACING %0d, expected WIDTH >= %0d, others >= 1",
                SIMD, WIDTH, CHAIN, SPACING, COLUMNS);
        end

        // First level
        wire logic [2:0]           tag;   // last, first, valid
        wire logic [ONES+TWOS-1:0] bits;
`ifdef BITMEND_BEHAVIOURAL
        wire logic [COLUMNS-1:0] ones = COLUMNS'($countones(PRODUCTS == 1 ? x : x ~^ w));
        if (PRODUCTS == 1) begin : g_products
            assign tag  = {last, first, valid};
            assign bits = (ONES+TWOS)'(ones);
        end else begin : g_pairs
            logic [2:0]         tag_q;
            logic [COLUMNS-1:0] ones_q;
            always_ff @(posedge clk) begin
                tag_q  <= rst ? 3'b000 : {last, first, valid};
                ones_q <= ones;
            end
            assign tag  = tag_q;
            assign bits = (ONES+TWOS)'(ones_q);
        end
`else
        if (PRODUCTS == 1) begin : g_products
            wire logic unused = &{1'b0, w};
            assign tag  = {last, first, valid};
            assign bits = x;
        end else begin : g_pairs
            wire logic [2*PAIRS-1:0] xs = (2*PAIRS)'(x);
            wire logic [2*PAIRS-1:0] ws = SIMD % 2 == 0 ? (2*PAIRS)'(w) : (2*PAIRS)'({1'b1, w});  // fill: 1 xnor 0
            wire logic [CHAINS-1:0]  sums;
            wire logic [PAIRS-1:0]   carries;
            for (i = 0; i < PAIRS; i = i + 1) begin : g_pair
                wire logic bit_in;
                wire logic sum;
                if (i % CHAIN == 0) begin : g_head
                    assign bit_in = 1'b0;
                end else begin : g_link
                    assign bit_in = g_pair[i-1].sum;
                end
                xnor_pair u_pair (
                    .x(xs[2*i +: 2]), .w(ws[2*i +: 2]), .bit_in(bit_in), .sum(sum), .carry(carries[i])
                );
                if (i % CHAIN == CHAIN - 1 || i == PAIRS - 1) begin : g_tail
                    assign sums[i/CHAIN] = sum;
                end
            end

            logic [2:0]           tag_q;
            logic [ONES+TWOS-1:0] bits_q;
            always_ff @(posedge clk) begin
                tag_q <= rst ? 3'b000 : {last, first, valid};
                bits_q <= (ONES+TWOS)'({carries, sums});  // of a single product no carry
            end
            assign tag  = tag_q;
            assign bits = bits_q;
        end
`endif
    endgenerate

    wire logic               sum_valid;
    wire logic               sum_first;
    wire logic               sum_last;
    wire logic [COLUMNS-1:0] a;
    wire logic [COLUMNS-1:0] b;
    wire logic [COLUMNS-1:0] c;
`ifdef BITMEND_BEHAVIOURAL
    localparam integer COUNTED = 1;
`else
    localparam integer COUNTED = 0;
`endif
    popcount_tree #(
        .COLUMNS(COLUMNS), .HEIGHTS(HEIGHTS), .BITS(ONES + TWOS), .LIMITS(limits(START)),
        .SPACING(SPACING), .TAG(3), .COUNTED(COUNTED)
    ) u_tree (
        .clk(clk), .rst(rst), .tag_in(tag), .bits(bits), .tag_out({sum_last, sum_first, sum_valid}), .a(a), .b(b), .c(c)
    );

    logic [WIDTH-1:0]      total;
    logic                  total_valid;
    wire logic [WIDTH-1:0] sum;
    wire logic [WIDTH-1:0] third;
    wire logic             load;
    popcount_sum #(.WIDTH(WIDTH), .START(ACCUMULATE == 1 ? START : '0)) u_sum (
        .a(WIDTH'(a)), .b(WIDTH'(b)), .c(third), .load(load), .sum(sum)
    );
    generate
        if (ACCUMULATE == 1) begin : g_accumulate
            wire logic unused = &{1'b0, c};
            assign third = total;
            assign load  = sum_first;
            always_ff @(posedge clk) begin
                if (sum_valid) total <= sum;
                total_valid <= sum_valid && sum_last && !rst;
            end
        end else begin : g_single
            wire logic unused = sum_first && sum_last;
            assign third = WIDTH'(c) | START;
            assign load  = 1'b0;
            always_ff @(posedge clk) begin
                total       <= sum;
                total_valid <= sum_valid && !rst;
            end
        end
    endgenerate

    assign result_valid = total_valid;
    assign result       = total;
endmodule

`default_nettype wire
