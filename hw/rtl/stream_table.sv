// SPDX-License-Identifier: BSD-3-Clause
// Any function of a narrow stream, from a table: golden.operators.lookup.
//
// Function      y = table[x + 2^(IN_BITS-1)]
// Data          s_axis: PE elements of IN_BITS bits. m_axis: PE elements of BITS bits. Element i is in bits
//               [i*bits, (i+1)*bits), all are two's complement.
// Contents      TABLE_FILE has 2^IN_BITS words of BITS bits, two's complement; word i is table[i], so the first is that of
//               the least x. All elements use the same.
// Structure     cycle 1   read: two elements share a memory with two read ports; the last of an odd PE has its own
//               cycle 2   skid buffer
// Handshake     One enable for both stages, the ready register of the skid buffer. s_axis_tready and all of m_axis are
//               registers.
// Latency       2 cycles.
// Throughput    one beat per cycle.
// Area          ceil(PE / 2) memories: of block RAM one of 18 kbit for up to 1024 words of up to 18 bits, the whole width
//               for two elements; in LUTs each read port takes its own. And the skid buffer, BITS LUTs per element.
`default_nettype none

module stream_table #(
    parameter integer PE          = 1,           // elements per beat, 1 or more
    parameter integer IN_BITS     = 10,          // bits of an input element, 2..12
    parameter integer BITS        = 12,          // bits of the result, 2..16
    parameter         TABLE_FILE  = "table.mem", // see above
    parameter [87:0]  TABLE_STYLE = "auto"       // "block", "distributed", or what the tool thinks best
) (
    input  wire logic                  clk,
    input  wire logic                  rst,

    input  wire logic [PE*IN_BITS-1:0] s_axis_tdata,
    input  wire logic                  s_axis_tvalid,
    output wire logic                  s_axis_tready,

    output wire logic [PE*BITS-1:0]    m_axis_tdata,
    output wire logic                  m_axis_tvalid,
    input  wire logic                  m_axis_tready
);
    generate
        if (PE < 1 || IN_BITS < 2 || IN_BITS > 12 || BITS < 2 || BITS > 16) begin : g_check
            $error("stream_table: PE %0d, IN_BITS %0d, BITS %0d, expected PE >= 1, IN_BITS 2..12, BITS 2..16",
                   PE, IN_BITS, BITS);
        end
    endgenerate

    wire logic               enable;
    logic                    full; // word holds a beat
    wire logic [PE*BITS-1:0] word;
    assign s_axis_tready = enable;

    always_ff @(posedge clk) begin
        if (enable) full <= s_axis_tvalid;
        if (rst) full <= 1'b0;
    end

    genvar i;
    generate
        for (i = 0; i < PE; i = i + 2) begin : g_memory
            localparam integer PORTS = i + 1 < PE ? 2 : 1;
            stream_table_rom #(
                .PORTS(PORTS),
                .IN_BITS(IN_BITS),
                .BITS(BITS),
                .FILE(TABLE_FILE),
                .STYLE(TABLE_STYLE)
            ) u_rom (
                .clk(clk),
                .enable(enable),
                .x(s_axis_tdata[i*IN_BITS +: PORTS*IN_BITS]),
                .y(word[i*BITS +: PORTS*BITS])
            );
        end
    endgenerate

    stream_skid #(.WIDTH(PE * BITS)) u_skid (
        .clk(clk), .rst(rst),
        .s_axis_tdata(word), .s_axis_tvalid(full), .s_axis_tready(enable),
        .m_axis_tdata(m_axis_tdata), .m_axis_tvalid(m_axis_tvalid), .m_axis_tready(m_axis_tready)
    );
endmodule

`default_nettype wire
