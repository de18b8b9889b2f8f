// SPDX-License-Identifier: BSD-3-Clause
// Width converter: the bits of a stream, in beats of another width.
//
// Function      the bits of m are those of s, in order, the lowest of a beat first: a narrow beat that comes earlier is
//               in lower bits of the wide one.
// Data          not interpreted; a beat of elements becomes a beat of more or fewer elements if both widths are
//               multiples of the element's. There is no tlast: what does not fill a beat waits for the next frame. The
//               sender sees to it that frames are whole beats of the least common multiple of the widths.
// Structure     equal widths: a stream_skid. One width divides the other: a stream_widen or a stream_narrow. Neither
//               does: a stream_widen to the least common multiple and a stream_narrow from there, which takes twice
//               that many flip-flops.
// Handshake     m_axis_tvalid and m_axis_tdata are registers, s_axis_tready is a function of at most two registers.
// Latency       1 cycle (equal, widen), 2 (narrow), 3 (neither), from the last beat that is needed.
// Throughput    one beat per cycle on the narrower side, without a pause.
`default_nettype none

module stream_width #(
    parameter integer IN_WIDTH  = 8,  // bits of a beat of s_axis, 1 or more
    parameter integer OUT_WIDTH = 32  // bits of a beat of m_axis, 1 or more
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
    function automatic integer divisor(input integer a, input integer b);  // the greatest common one, of Euclid
        integer x, y, rest;
        x = a;
        y = b;
        while (y != 0) begin
            rest = x % y;
            x = y;
            y = rest;
        end
        divisor = x;
    endfunction

    generate
        if (IN_WIDTH < 1 || OUT_WIDTH < 1) begin : g_check
            $error("stream_width: IN_WIDTH %0d, OUT_WIDTH %0d; expected 1 or more", IN_WIDTH, OUT_WIDTH);
        end else if (IN_WIDTH == OUT_WIDTH) begin : g_equal
            stream_skid #(.WIDTH(IN_WIDTH)) skid (
                .clk(clk), .rst(rst),
                .s_axis_tdata(s_axis_tdata), .s_axis_tvalid(s_axis_tvalid), .s_axis_tready(s_axis_tready),
                .m_axis_tdata(m_axis_tdata), .m_axis_tvalid(m_axis_tvalid), .m_axis_tready(m_axis_tready)
            );
        end else if (OUT_WIDTH % IN_WIDTH == 0) begin : g_widen
            stream_widen #(.IN_WIDTH(IN_WIDTH), .OUT_WIDTH(OUT_WIDTH)) widen (
                .clk(clk), .rst(rst),
                .s_axis_tdata(s_axis_tdata), .s_axis_tvalid(s_axis_tvalid), .s_axis_tready(s_axis_tready),
                .m_axis_tdata(m_axis_tdata), .m_axis_tvalid(m_axis_tvalid), .m_axis_tready(m_axis_tready)
            );
        end else if (IN_WIDTH % OUT_WIDTH == 0) begin : g_narrow
            stream_narrow #(.IN_WIDTH(IN_WIDTH), .OUT_WIDTH(OUT_WIDTH)) narrow (
                .clk(clk), .rst(rst),
                .s_axis_tdata(s_axis_tdata), .s_axis_tvalid(s_axis_tvalid), .s_axis_tready(s_axis_tready),
                .m_axis_tdata(m_axis_tdata), .m_axis_tvalid(m_axis_tvalid), .m_axis_tready(m_axis_tready)
            );
        end else begin : g_both
            localparam integer MIDDLE = IN_WIDTH / divisor(IN_WIDTH, OUT_WIDTH) * OUT_WIDTH;

            wire logic [MIDDLE-1:0] tdata;
            wire logic              tvalid;
            wire logic              tready;

            stream_widen #(.IN_WIDTH(IN_WIDTH), .OUT_WIDTH(MIDDLE)) widen (
                .clk(clk), .rst(rst),
                .s_axis_tdata(s_axis_tdata), .s_axis_tvalid(s_axis_tvalid), .s_axis_tready(s_axis_tready),
                .m_axis_tdata(tdata), .m_axis_tvalid(tvalid), .m_axis_tready(tready)
            );
            stream_narrow #(.IN_WIDTH(MIDDLE), .OUT_WIDTH(OUT_WIDTH)) narrow (
                .clk(clk), .rst(rst),
                .s_axis_tdata(tdata), .s_axis_tvalid(tvalid), .s_axis_tready(tready),
                .m_axis_tdata(m_axis_tdata), .m_axis_tvalid(m_axis_tvalid), .m_axis_tready(m_axis_tready)
            );
        end
    endgenerate
endmodule

`default_nettype wire
