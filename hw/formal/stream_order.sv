// SPDX-License-Identifier: BSD-3-Clause
// Nothing lost, nothing invented, nothing out of order: the properties of a module that passes a stream on.
//
// Idea          Follow one part of the stream, any one, from the input to the output. The solver picks it: `pick` is
//               free in every cycle, and starts the watch on a part of the beat that enters. The properties keep its
//               value and the number of parts ahead of it. What holds for a part that could be any, holds for all.
//               A beat that is lost shows as a wrong value of one behind it, and so does one that is invented; one
//               that is never passed on shows in `patience`.
// Parts         Beats of the two sides may have different widths: a beat has IN_PARTS parts at the input and
//               OUT_PARTS at the output, the lowest bits first.
// Inside        For induction, the proof says what the registers of the module mean: `number` parts are inside, and
//               the one with `ahead` older ones before it is `held`. These are properties like the others, not
//               assumptions. They cannot hide an error: wrong ones are not proven.
`default_nettype none

module stream_order #(
    parameter integer PART      = 4, // bits of a part
    parameter integer IN_PARTS  = 1, // parts of a beat that enters
    parameter integer OUT_PARTS = 1, // parts of a beat that leaves
    parameter integer CAPACITY  = 2, // most parts that can be inside
    parameter integer NEEDED    = OUT_PARTS, // parts inside with which a beat is certain to be offered,
    parameter integer PATIENCE  = 1, // after at most so many cycles
    parameter integer OPEN      = 1, // 1: number and held are given; 0: the module is a black box
    parameter integer COUNT     = $clog2(CAPACITY + IN_PARTS + 1)  // bits of a number of parts; leave it
) (
    input wire logic                      clk,
    input wire logic                      rst,
    input wire logic                      started, // there has been a reset

    input wire logic                      pick,   // free
    input wire logic [COUNT-1:0]          which,  // free: of the parts of a beat

    input wire logic [IN_PARTS*PART-1:0]  s_tdata,
    input wire logic                      s_tvalid,
    input wire logic                      s_tready,

    input wire logic [OUT_PARTS*PART-1:0] m_tdata,
    input wire logic                      m_tvalid,
    input wire logic                      m_tready,

    input wire logic [COUNT-1:0]          number,
    input wire logic [PART-1:0]           held
);
    localparam [COUNT-1:0] IN   = COUNT'(IN_PARTS);
    localparam [COUNT-1:0] OUT  = COUNT'(OUT_PARTS);
    localparam [COUNT-1:0] FULL = COUNT'(CAPACITY);
    localparam integer     WAIT = $clog2(PATIENCE + 2);

    wire logic push = s_tvalid && s_tready;
    wire logic pop  = m_tvalid && m_tready;

    logic [COUNT-1:0] inside_now; // parts that have entered and not left
    logic             watching;   // one of them is being followed
    logic [COUNT-1:0] ahead;      // parts that leave before it
    logic [PART-1:0]  value;      // it
    logic [WAIT-1:0]  patience;   // cycles for which a beat could have been offered, and none has been

    wire logic [COUNT-1:0] gone   = pop ? OUT : '0;
    wire logic [COUNT-1:0] inside_next = inside_now + (push ? IN : '0) - gone;
    wire logic             leaves = watching && pop && ahead < OUT;
    wire logic             start  = push && pick && !watching && which < IN;

    always_ff @(posedge clk) begin
        inside_now <= inside_next;

        if (watching) ahead <= ahead - gone;
        if (leaves) watching <= 1'b0;
        if (start) begin
            watching <= 1'b1;
            value    <= s_tdata[which*PART +: PART];
            ahead    <= inside_now + which - gone;
        end

        if (inside_now >= COUNT'(NEEDED) && !m_tvalid) patience <= patience + 1'b1;
        else patience <= '0;

        if (rst) begin
            inside_now <= '0;
            watching   <= 1'b0;
            patience   <= '0;
        end
    end

    always_comb begin
        if (started) begin
            // Nothing is invented: a beat is offered only when as many parts are inside.
            assert (!m_tvalid || inside_now >= OUT);
            // In order and unchanged: when its turn comes, the part that is followed is what is offered.
            if (watching && m_tvalid && ahead < OUT) assert (m_tdata[ahead*PART +: PART] == value);
            // No more is taken than there is room for.
            assert (!s_tready || inside_now + IN <= FULL);
            // Nothing stays inside for good: what makes a beat is soon offered.
            assert (patience <= WAIT'(PATIENCE));
            assert (inside_now <= FULL);
            assert (!watching || ahead < inside_now);
        end
    end

    // A part that was followed leaves.
    always_comb cover (started && leaves && !rst);

    generate
        if (OPEN != 0) begin : g_open
            logic was_full  = 1'b0;
            logic from_last = 1'b0; // the part that is followed was the last in a full module
            always_ff @(posedge clk) begin
                was_full  <= !rst && (was_full || inside_now == FULL);
                from_last <= watching && !rst && (from_last || ahead + 1'b1 == FULL);
            end

            always_comb begin
                if (started) begin
                    // What the registers mean.
                    assert (number == inside_now);
                    if (watching) assert (held == value);
                end

                // Full; emptied after that; and a part that was last in a full module leaves.
                cover (started && inside_now == FULL);
                cover (started && was_full && inside_now == '0);
                cover (started && leaves && from_last && !rst);
            end
        end
    endgenerate
endmodule

`default_nettype wire
