// SPDX-License-Identifier: BSD-3-Clause
// Widen: RATIO beats of a narrow stream become one beat of a wide one.
//
// Function      part i of a wide beat, m_axis_tdata[i*IN_WIDTH +: IN_WIDTH], is the i-th of its narrow beats:
//               the first one is in the lowest bits. RATIO = OUT_WIDTH / IN_WIDTH, an integer of 2 or more.
// Data          not interpreted. There is no tlast: narrow beats that do not fill a wide one wait for those of the next
//               frame. The sender sees to it that frames are whole wide beats.
// Handshake     m_axis_tvalid and m_axis_tdata are registers, s_axis_tready is a function of two registers. While a wide
//               beat waits to be taken, the first part of the next one is taken in and stands aside: that is what
//               spares a skid buffer.
// Latency       1 cycle, from the last narrow beat to the wide one.
// Throughput    one narrow beat per cycle without a pause, if each wide beat is taken in its first cycle.
// Area          OUT_WIDTH + IN_WIDTH flip-flops, no LUT per bit; about 10 LUTs of control.
`default_nettype none

module stream_widen #(
    parameter integer IN_WIDTH  = 8,  // bits of a narrow beat, 1 or more
    parameter integer OUT_WIDTH = 32  // bits of a wide beat, a multiple of IN_WIDTH, at least twice
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
    localparam integer RATIO = OUT_WIDTH / IN_WIDTH;
    localparam integer INDEX = RATIO > 2 ? $clog2(RATIO) : 1;  // bits of an index of a part
    localparam integer TOP   = RATIO - 1;
    localparam [INDEX-1:0] LAST = TOP[INDEX-1:0];
    localparam [INDEX-1:0] ONE  = 1;

    generate
        if (IN_WIDTH < 1 || RATIO < 2 || OUT_WIDTH != RATIO * IN_WIDTH) begin : g_check
            $error("stream_widen: IN_WIDTH %0d, OUT_WIDTH %0d; expected a multiple of IN_WIDTH, at least twice",
                   IN_WIDTH, OUT_WIDTH);
        end
    endgenerate

    logic [IN_WIDTH-1:0]  first;  // part 0 of the beat that is being put together
    logic [OUT_WIDTH-1:0] wide;   // its other parts, entering at the top; then the whole beat, while valid
    logic                 valid;
    logic [INDEX-1:0]     index;  // of the next narrow beat
    logic                 begins; // index is 0

    assign s_axis_tready = begins || !valid;
    assign m_axis_tdata  = wide;
    assign m_axis_tvalid = valid;

    wire logic push = s_axis_tvalid && s_axis_tready;
    wire logic last = index == LAST;

    always_ff @(posedge clk) begin
        if (begins) first <= s_axis_tdata;
        if (push && !begins) begin
            wide <= wide >> IN_WIDTH;
            wide[OUT_WIDTH-1 -: IN_WIDTH] <= s_axis_tdata;
            wide[0 +: IN_WIDTH] <= first;
        end

        if (push) begin
            index  <= last ? '0 : index + ONE;
            begins <= last;
        end
        if (push && last) valid <= 1'b1;
        else if (m_axis_tready) valid <= 1'b0;

        if (rst) begin
            index  <= '0;
            begins <= 1'b1;
            valid  <= 1'b0;
        end
    end
endmodule

`default_nettype wire
