// SPDX-License-Identifier: BSD-3-Clause
// Repetition of pixels: a vector becomes a frame of equal pixels.
//
// Function      out[y][x][c] = vector[c], y < height, x < width: how a vector is an input of an operator with pixels.
// Data          P elements of BITS bits per beat, not interpreted, in and out; a vector, and a pixel, is CHANNELS / P
//               beats. One vector per frame.
// Size          {height, width} of each frame of the output, before or after its vector.
// Method        A memory of two vectors: one is read again and again while the next arrives. If a vector is a single
//               beat, it waits in a register, and is repeated by the output register, which does not change.
// Handshake     All outputs are registers or functions of registers. While a frame leaves, the next vector is taken, and
//               the next size.
// Latency       2 cycles from the last beat of a vector to the first of its frame; 3 from a size.
// Throughput    one output beat per cycle, from frame to frame, if vector and size come in time; a frame of a single
//               beat takes 2 cycles.
// Memory        LUT RAM of 2 * CHANNELS / P words, rounded up to a power of two. For a single beat, registers.
// Area          the memory, and about 4 LUTs and 6 flip-flops per bit of a height or width.
`default_nettype none

module repeat_pixels #(
    parameter integer CHANNELS = 4,  // divisible by P
    parameter integer P        = 1,  // elements of a beat
    parameter integer BITS     = 12, // bits of an element, 1..32
    parameter integer DIM_BITS = 12  // bits of a height or width
) (
    input  wire logic                  clk,
    input  wire logic                  rst,

    input  wire logic [2*DIM_BITS-1:0] s_size_tdata,
    input  wire logic                  s_size_tvalid,
    output wire logic                  s_size_tready,

    input  wire logic [P*BITS-1:0]     s_axis_tdata,
    input  wire logic                  s_axis_tvalid,
    output wire logic                  s_axis_tready,

    output wire logic [P*BITS-1:0]     m_axis_tdata,
    output wire logic                  m_axis_tvalid,
    input  wire logic                  m_axis_tready
);
    localparam integer WIDTH = P * BITS;
    localparam integer BEATS = CHANNELS / P;  // of a vector

    generate
        if (P < 1 || CHANNELS < 1 || CHANNELS % P != 0) begin : g_check_p
            $error("repeat_pixels: P = %0d does not divide CHANNELS = %0d", P, CHANNELS);
        end
        if (BITS < 1 || BITS > 32 || DIM_BITS < 1 || DIM_BITS > 16) begin : g_check_bits
            $error("repeat_pixels: BITS = %0d, DIM_BITS = %0d, expected 1..32, 1..16", BITS, DIM_BITS);
        end
    endgenerate

    wire logic active;
    wire logic first;     // the pixel that is read next is the first of its frame
    wire logic last;
    wire logic there;     // its vector is here
    wire logic beat_last; // the beat that is read next is the last of its pixel

    logic valid;

    wire logic take      = s_axis_tvalid && s_axis_tready;
    wire logic go        = active && there;
    wire logic step      = go && (m_axis_tready || !valid);
    wire logic pixel_end = step && beat_last;

    frame_pixels #(
        .DIM_BITS(DIM_BITS)
    ) u_pixels (
        .clk, .rst,
        .s_size_tdata, .s_size_tvalid, .s_size_tready,
        .step(pixel_end), .active, .first, .last
    );

    assign m_axis_tvalid = valid;

    always_ff @(posedge clk) begin
        valid <= step || (valid && !m_axis_tready);
        if (rst) valid <= 1'b0;
    end

    generate
        if (BEATS > 1) begin : g_vector
            localparam integer BEAT = $clog2(BEATS);

            logic [1:0]      full;   // each of the two vectors is there
            logic            w_half; // which of them is written
            logic            r_half; // and read
            logic [BEAT-1:0] w_beat;
            logic [BEAT-1:0] r_beat;

            assign s_axis_tready = !full[w_half];
            assign there         = full[r_half];
            assign beat_last     = r_beat == BEAT'(BEATS - 1);
            wire logic unused    = &{1'b0, first};
            wire logic w_last    = take && w_beat == BEAT'(BEATS - 1);
            wire logic r_last    = pixel_end && last;

            always_ff @(posedge clk) begin
                if (take) w_beat <= w_last ? '0 : w_beat + BEAT'(1);
                if (step) r_beat <= beat_last ? '0 : r_beat + BEAT'(1);
                w_half <= w_half ^ w_last;
                r_half <= r_half ^ r_last;
                if (w_last) full[w_half] <= 1'b1;
                if (r_last) full[r_half] <= 1'b0;

                if (rst) begin
                    full   <= '0;
                    w_half <= 1'b0;
                    r_half <= 1'b0;
                    w_beat <= '0;
                    r_beat <= '0;
                end
            end

            ram_sdp #(
                .WIDTH(WIDTH), .DEPTH(2 << BEAT), .STYLE("distributed")
            ) u_vectors (
                .clk,
                .wen(take), .waddr({w_half, w_beat}), .wdata(s_axis_tdata),
                .ren(step), .raddr({r_half, r_beat}), .rdata(m_axis_tdata)
            );
        end else begin : g_vector
            logic             full; // the next vector waits
            logic [WIDTH-1:0] next;
            logic [WIDTH-1:0] vector;

            assign s_axis_tready = !full;
            assign there         = full || !first;
            assign beat_last     = 1'b1;
            assign m_axis_tdata  = vector;
            wire logic unused    = &{1'b0, last, take};
            wire logic load      = step && first;

            always_ff @(posedge clk) begin
                if (!full) next <= s_axis_tdata;
                if (load) vector <= next;
                full <= full ? !load : s_axis_tvalid;
                if (rst) full <= 1'b0;
            end
        end
    endgenerate
endmodule

`default_nettype wire
