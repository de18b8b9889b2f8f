// SPDX-License-Identifier: BSD-3-Clause
// Narrow: one beat of a wide stream becomes RATIO beats of a narrow one.
//
// Function      the i-th narrow beat is part i of the wide one, s_axis_tdata[i*OUT_WIDTH +: OUT_WIDTH]: the lowest bits
//               come first. RATIO = IN_WIDTH / OUT_WIDTH, an integer of 2 or more.
// Data          not interpreted.
// Handshake     every output is a register. The last part of a wide beat stands aside while the others leave, so that
//               the wide register is free a beat before they have all gone: that is what spares a skid buffer.
// Latency       2 cycles, from a wide beat to the first of its parts.
// Throughput    one narrow beat per cycle without a pause.
// Area          IN_WIDTH + 2 * OUT_WIDTH flip-flops, OUT_WIDTH multiplexers of RATIO inputs (a LUT each up to 4) and about
//               10 LUTs of control.
`default_nettype none

module stream_narrow #(
    parameter integer IN_WIDTH  = 32, // bits of a wide beat, a multiple of OUT_WIDTH, at least twice
    parameter integer OUT_WIDTH = 8   // bits of a narrow beat, 1 or more
) (
    input  wire logic                 clk,
    input  wire logic                 rst,

    input  wire logic [IN_WIDTH-1:0]  s_axis_tdata,
    input  wire logic                 s_axis_tvalid,
    output wire logic                 s_axis_tready,

    output wire logic [OUT_WIDTH-1:0] m_axis_tdata,
    output wire logic                 m_axis_tvalid,
    input  wire logic                 m_axis_tready
);
    localparam integer RATIO = IN_WIDTH / OUT_WIDTH;
    localparam integer INDEX = RATIO > 2 ? $clog2(RATIO) : 1;  // bits of an index of a part
    localparam integer TOP   = RATIO - 1;
    localparam integer SECOND_TO_LAST = RATIO - 2;
    localparam [INDEX-1:0] BEFORE = SECOND_TO_LAST[INDEX-1:0];
    localparam [INDEX-1:0] ONE    = 1;

    generate
        if (OUT_WIDTH < 1 || RATIO < 2 || IN_WIDTH != RATIO * OUT_WIDTH) begin : g_check
            $error("stream_narrow: IN_WIDTH %0d, OUT_WIDTH %0d; expected a multiple of OUT_WIDTH, at least twice",
                   IN_WIDTH, OUT_WIDTH);
        end
    endgenerate

    logic [IN_WIDTH-1:0]  wide;   // a wide beat
    logic                 free;   // wide holds nothing that is still needed
    logic [OUT_WIDTH-1:0] aside;  // the last part of a wide beat, when it is the next to go
    logic                 last;   // it is
    logic [INDEX-1:0]     index;  // of the next part to go; RATIO - 1 when it is aside
    logic [OUT_WIDTH-1:0] data;
    logic                 valid;  // data holds a beat

    assign s_axis_tready = free;
    assign m_axis_tdata  = data;
    assign m_axis_tvalid = valid;

    wire logic take = (last || !free) && (m_axis_tready || !valid);
    wire logic [IN_WIDTH-1:0] parts = {aside, wide[TOP*OUT_WIDTH-1:0]};

    always_ff @(posedge clk) begin
        if (free) wide <= s_axis_tdata;
        if (!last) aside <= wide[IN_WIDTH-1:TOP*OUT_WIDTH];
        if (take) data <= parts[index*OUT_WIDTH +: OUT_WIDTH];

        if (take) valid <= 1'b1;
        else if (m_axis_tready) valid <= 1'b0;

        if (take) begin
            index <= last ? '0 : index + ONE;
            last  <= !last && index == BEFORE;
        end
        if (free) free <= !s_axis_tvalid;
        else if (take && !last && index == BEFORE) free <= 1'b1;

        if (rst) begin
            index <= '0;
            last  <= 1'b0;
            free  <= 1'b1;
            valid <= 1'b0;
        end
    end
endmodule

`default_nettype wire
