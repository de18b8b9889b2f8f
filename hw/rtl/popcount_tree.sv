// SPDX-License-Identifier: BSD-3-Clause
// Compressor tree: columns of bits, those of column c of weight 2^c, reduced to three numbers of the same sum.
//
// Function      a + b + c = sum over columns of 2^column * (number of ones in the column), modulo 2^COLUMNS
// Data          bits holds column 0 first, then column 1, and so on.
// Structure     In every stage, the bits of a column go seven at a time through 7:3 counters. A column that is still
//               too high, and to which no lower column is about to send many more bits, gets one 6:3 counter or one
//               full adder. A random search found one or two LUTs less at best (docs/popcount.md).
// Pipeline      Registers behind every SPACING stages and behind the last. The tag travels along: what comes out with
//               it is of the bits that went in with it.
// Latency       ceil(stages / SPACING) cycles, 0 if the columns fit as they are. 64 bits in one column: 5 stages.
// Area          half a LUT for each bit that a 7:3 counter removes, a LUT for each that a full adder removes.
// Twin          COUNTED = 1 is for the behavioural twin of xnor_popcount: the same latency without the tree.
`default_nettype none

module popcount_tree #(
    parameter integer          COLUMNS = 3,       // number of columns, 1 or more
    parameter [16*COLUMNS-1:0] HEIGHTS = 48'h7,   // number of bits in each column, 16 bits per column, column 0 lowest
    parameter integer          BITS    = 7,       // their sum
    parameter [2*COLUMNS-1:0]  LIMITS  = 6'h2A,   // how high a column may stay: 2 or 3, 2 bits per column; 2 leaves c 0
    parameter integer          SPACING = 2,       // stages between registers, 1 or more
    parameter integer          TAG     = 1,       // bits of the tag, 1 or more
    parameter integer          COUNTED = 0        // 1: bits are the sum already, as a number, and are delayed only
) (
    input  wire logic               clk,
    input  wire logic               rst,      // clears the tags
    input  wire logic [TAG-1:0]     tag_in,
    input  wire logic [BITS-1:0]    bits,
    output wire logic [TAG-1:0]     tag_out,
    output wire logic [COLUMNS-1:0] a,
    output wire logic [COLUMNS-1:0] b,
    output wire logic [COLUMNS-1:0] c
);
    // Lists of numbers, one of 16 bits per column, with two columns more that stay empty.
    localparam integer LIST = 16 * (COLUMNS + 2);

    // The plan of a stage, from the heights of its columns: how many 7:3 counters (or a 6:3 one) each gets, or whether
    // it gets a full adder; how many bits stay as they are; and the heights after the stage.
    function automatic [LIST-1:0] plan_sevens(input [LIST-1:0] heights);
        reg settled;  // no lower column has seven bits
        plan_sevens = 0;
        settled     = 1'b1;
        for (integer d = 0; d < COLUMNS; d = d + 1) begin
            if (heights[16*d +: 16] >= 7) begin
                plan_sevens[16*d +: 16] = heights[16*d +: 16] / 7;
                settled = 1'b0;
            end else if (settled && heights[16*d +: 16] == 6) begin
                plan_sevens[16*d +: 16] = 1;
            end
        end
    endfunction

    function automatic [LIST-1:0] plan_threes(input [LIST-1:0] heights);
        reg settled;
        plan_threes = 0;
        settled     = 1'b1;
        for (integer d = 0; d < COLUMNS; d = d + 1) begin
            if (heights[16*d +: 16] >= 7) settled = 1'b0;
            else if (settled && heights[16*d +: 16] < 6 && heights[16*d +: 16] > {14'd0, LIMITS[2*d +: 2]})
                plan_threes[16*d +: 16] = 1;
        end
    endfunction

    function automatic [LIST-1:0] plan_rest(input [LIST-1:0] heights, input [LIST-1:0] n7, input [LIST-1:0] n3);
        plan_rest = 0;
        for (integer d = 0; d < COLUMNS; d = d + 1)
            if (heights[16*d +: 16] > 7 * n7[16*d +: 16])
                plan_rest[16*d +: 16] = heights[16*d +: 16] - 7 * n7[16*d +: 16] - 3 * n3[16*d +: 16];
    endfunction

    function automatic [LIST-1:0] plan_next(input [LIST-1:0] rest, input [LIST-1:0] n7, input [LIST-1:0] n3);
        plan_next = 0;
        for (integer d = 0; d < COLUMNS; d = d + 1) begin
            plan_next[16*d +: 16] = rest[16*d +: 16] + n7[16*d +: 16] + n3[16*d +: 16];
            if (d > 0) plan_next[16*d +: 16] = plan_next[16*d +: 16] + n7[16*(d-1) +: 16] + n3[16*(d-1) +: 16];
            if (d > 1) plan_next[16*d +: 16] = plan_next[16*d +: 16] + n7[16*(d-2) +: 16];
        end
    endfunction

    function automatic [LIST-1:0] heights_before(input integer stage);
        reg [LIST-1:0] n7;
        reg [LIST-1:0] n3;
        heights_before = LIST'(HEIGHTS);
        for (integer k = 0; k < stage; k = k + 1) begin
            n7 = plan_sevens(heights_before);
            n3 = plan_threes(heights_before);
            heights_before = plan_next(plan_rest(heights_before, n7, n3), n7, n3);
        end
    endfunction

    function automatic integer count_stages(input [LIST-1:0] start);
        reg [LIST-1:0] heights;
        reg [LIST-1:0] n7;
        reg [LIST-1:0] n3;
        heights      = start;
        count_stages = 0;
        for (integer k = 0; k < 64; k = k + 1) begin
            n7 = plan_sevens(heights);
            n3 = plan_threes(heights);
            if (n7 != 0 || n3 != 0) begin
                heights      = plan_next(plan_rest(heights, n7, n3), n7, n3);
                count_stages = count_stages + 1;
            end
        end
    endfunction

    function automatic [LIST-1:0] starts(input [LIST-1:0] heights);  // index of each column's first bit
        starts = 0;
        for (integer d = 1; d < COLUMNS + 2; d = d + 1)
            starts[16*d +: 16] = starts[16*(d-1) +: 16] + heights[16*(d-1) +: 16];
    endfunction

    function automatic [BITS-1:0] busy_bits(  // after the stage, those of columns that the stage has changed
        input [LIST-1:0] rest, input [LIST-1:0] n7, input [LIST-1:0] n3
    );
        reg              busy;
        reg   [LIST-1:0] heights;
        integer          at;
        heights   = plan_next(rest, n7, n3);
        busy_bits = 0;
        at        = 0;
        for (integer d = 0; d < COLUMNS; d = d + 1) begin
            busy = rest[16*d +: 16] != heights[16*d +: 16];
            for (integer k = 0; k < heights[16*d +: 16]; k = k + 1) busy_bits[at + k] = busy;
            at = at + {16'd0, heights[16*d +: 16]};
        end
    endfunction

    localparam integer    STAGES = count_stages(LIST'(HEIGHTS));
    localparam integer    CYCLES = (STAGES + SPACING - 1) / SPACING;
    localparam [LIST-1:0] FIRST  = starts(LIST'(HEIGHTS));
    localparam [LIST-1:0] LAST   = heights_before(STAGES);
    localparam [LIST-1:0] PLACES = starts(LAST);
    localparam integer    LEFT   = {16'd0, PLACES[16*COLUMNS +: 16]};

    genvar s, i, j;
    generate
        if (COUNTED == 1) begin : g_twin
            for (s = 0; s <= CYCLES; s = s + 1) begin : g_cycle
                wire logic [TAG-1:0]     tag;
                wire logic [COLUMNS-1:0] count;
                if (s == 0) begin : g_start
                    assign tag   = tag_in;
                    assign count = bits[COLUMNS-1:0];
                end else begin : g_register
                    logic [TAG-1:0]     tag_q;
                    logic [COLUMNS-1:0] q;
                    always_ff @(posedge clk) begin
                        tag_q <= rst ? {TAG{1'b0}} : g_cycle[s-1].tag;
                        q     <= g_cycle[s-1].count;
                    end
                    assign tag   = tag_q;
                    assign count = q;
                end
            end
            assign tag_out = g_cycle[CYCLES].tag;
            assign a       = g_cycle[CYCLES].count;
            assign b       = '0;
            assign c       = '0;
        end

        if (BITS != {16'd0, FIRST[16*COLUMNS +: 16]}) begin : g_check
            $error("popcount_tree: BITS is %0d, but the heights add up to %0d", BITS, FIRST[16*COLUMNS +: 16]);
        end

        for (s = 0; COUNTED == 0 && s < STAGES; s = s + 1) begin : g_stage
            localparam [LIST-1:0] NOW    = heights_before(s);
            localparam [LIST-1:0] SEVENS = plan_sevens(NOW);
            localparam [LIST-1:0] THREES = plan_threes(NOW);
            localparam [LIST-1:0] REST   = plan_rest(NOW, SEVENS, THREES);
            localparam [LIST-1:0] FROM   = starts(NOW);
            localparam [LIST-1:0] TO     = starts(plan_next(REST, SEVENS, THREES));
            localparam integer    IN     = {16'd0, FROM[16*COLUMNS +: 16]};
            localparam integer    OUT    = {16'd0, TO[16*COLUMNS +: 16]};

            wire logic [TAG-1:0] tag;
            wire logic [IN-1:0]  in;
            if (s == 0) begin : g_start
                assign tag = tag_in;
                assign in  = bits;
            end else begin : g_chain
                assign tag = g_stage[s-1].tag_next;
                assign in  = g_stage[s-1].next;
            end

            // A column of the next stage holds what is left of it, then its own sums, then what comes from one and from
            // two columns below.
            wire logic [OUT-1:0] reduced;
            for (i = 0; i < COLUMNS; i = i + 1) begin : g_column
                localparam integer AT    = {16'd0, FROM[16*i +: 16]};
                localparam integer HIGH  = {16'd0, NOW[16*i +: 16]};
                localparam integer SEVEN = {16'd0, SEVENS[16*i +: 16]};
                localparam integer COUNT = {16'd0, SEVENS[16*i +: 16] + THREES[16*i +: 16]};
                localparam integer STAY  = {16'd0, REST[16*i +: 16]};
                localparam integer OWN   = {16'd0, TO[16*i +: 16] + REST[16*i +: 16]};
                localparam integer TWOS  = {16'd0, TO[16*(i+1) +: 16] + REST[16*(i+1) +: 16]
                    + SEVENS[16*(i+1) +: 16] + THREES[16*(i+1) +: 16]};
                localparam integer FOURS = {16'd0, TO[16*(i+2) +: 16] + REST[16*(i+2) +: 16]
                    + SEVENS[16*(i+2) +: 16] + THREES[16*(i+2) +: 16]
                    + SEVENS[16*(i+1) +: 16] + THREES[16*(i+1) +: 16]};

                if (STAY > 0) begin : g_stay
                    assign reduced[OWN-1 -: STAY] = in[AT+HIGH-1 -: STAY];
                end
                for (j = 0; j < COUNT; j = j + 1) begin : g_counter
                    wire logic [2:0] sum;
                    if (j < SEVEN) begin : g_seven
                        localparam integer TAKEN = HIGH - 7 * j < 7 ? HIGH - 7 * j : 7;
                        popcount_add7 u_add7 (.bits(7'(in[AT+7*j +: TAKEN])), .sum(sum));
                    end else begin : g_three
                        assign sum[2] = 1'b0;
                        popcount_add3 u_add3 (.bits(in[AT+7*SEVEN +: 3]), .sum(sum[0]), .carry(sum[1]));
                    end
                    assign reduced[OWN+j] = sum[0];
                    if (i + 1 < COLUMNS) begin : g_two
                        assign reduced[TWOS+j] = sum[1];
                    end else begin : g_no_two
                        wire logic unused = sum[1];
                    end
                    if (i + 2 < COLUMNS && j < SEVEN) begin : g_four
                        assign reduced[FOURS+j] = sum[2];
                    end else begin : g_no_four
                        wire logic unused = sum[2];
                    end
                end
            end

            wire logic [TAG-1:0] tag_next;
            wire logic [OUT-1:0] next;
            if ((s + 1) % SPACING == 0 || s + 1 == STAGES) begin : g_register
                // Bits that only pass by have a reset, or synthesis would spend LUTs on them as shift registers
                localparam [OUT-1:0] BUSY = OUT'(busy_bits(REST, SEVENS, THREES));
                logic [TAG-1:0] tag_q;
                logic [OUT-1:0] q;
                always_ff @(posedge clk) begin
                    tag_q <= rst ? {TAG{1'b0}} : tag;
                    q     <= rst ? reduced & BUSY : reduced;
                end
                assign tag_next = tag_q;
                assign next     = q;
            end else begin : g_wire
                assign tag_next = tag;
                assign next     = reduced;
            end
        end

        wire logic [LEFT-1:0] last;
        if (COUNTED == 1) begin : g_no_tree
            assign last = '0;
        end else if (STAGES == 0) begin : g_none
            wire logic unused = clk || rst;
            assign tag_out = tag_in;
            assign last    = bits;
        end else begin : g_last
            assign tag_out = g_stage[STAGES-1].tag_next;
            assign last    = g_stage[STAGES-1].next;
        end
        for (i = 0; COUNTED == 0 && i < COLUMNS; i = i + 1) begin : g_row
            localparam integer AT   = {16'd0, PLACES[16*i +: 16]};
            localparam integer HIGH = {16'd0, LAST[16*i +: 16]};
            if (HIGH > 0) begin : g_a
                assign a[i] = last[AT];
            end else begin : g_no_a
                assign a[i] = 1'b0;
            end
            if (HIGH > 1) begin : g_b
                assign b[i] = last[AT+1];
            end else begin : g_no_b
                assign b[i] = 1'b0;
            end
            if (HIGH > 2) begin : g_c
                assign c[i] = last[AT+2];
            end else begin : g_no_c
                assign c[i] = 1'b0;
            end
        end
    endgenerate
endmodule

`default_nettype wire
