// SPDX-License-Identifier: BSD-3-Clause
// Mean of each channel over a whole frame, for the frame that comes next: golden.operators.global_mean, streaming.
//
// Function      vector 0 = initial; vector k + 1 = sat(floor(2^SHIFT * sum_c / n + 1/2)), with sum_c over the n =
//               height * width pixels of frame k, exact, and sat to BITS bits. So vector k is there before frame k is.
//               A reset begins anew with initial.
// Data          s_axis: P elements of IN_BITS bits, two's complement; a pixel is CHANNELS / P beats. m_axis: one element
//               of BITS bits, two's complement; a vector is CHANNELS beats, channels rising.
// Size          {height, width} of each frame, before or with its first pixel.
// Constants     INITIAL_FILE has CHANNELS words of BITS bits, that of channel c is word c.
// Method        Elements are summed with an offset that makes them unsigned: their sign bit is inverted. With U = sum +
//               n * 2^(IN_BITS-1), a long division gives D = floor(U * 2^(SHIFT+1) / n), and (D + 1) >> 1 is the result
//               with an offset of 2^(IN_BITS-1+SHIFT). In the last pixel of a frame the sums go to a second memory,
//               from which they are divided while the next frame enters. The results wait in a FIFO of a whole vector.
// Handshake     All outputs are registers or functions of registers. A frame enters even if vectors wait for ever:
//               while vector k waits, frame k enters, and frame k + 1 up to its last pixel. That one waits until the
//               means of frame k are divided and in the FIFO.
// Latency       From the last beat of a frame to the first element of its vector IN_BITS + SHIFT + 8 cycles, and from
//               one element to the next IN_BITS + SHIFT + 5. From the end of the reset to initial 5 cycles, and 2 from
//               one element to the next.
// Throughput    One beat per cycle, from frame to frame, as long as a frame takes at least the
//               CHANNELS * (IN_BITS + SHIFT + 5) + 2 cycles of its division, and vectors are taken.
// Memory        Twice CHANNELS / P words of P * S bits, S = IN_BITS + 2 * DIM_BITS, as RAM_STYLE says (see ram_sdp), or
//               registers if a pixel is one beat. The FIFO is LUT RAM.
// Area          The memories, P * S LUTs for the adders, S * (P - 1) / 3 for the choice between the P sums of a word, and
//               about 200 for the division and the rest.
`default_nettype none

module global_mean #(
    parameter integer CHANNELS  = 4,      // divisible by P
    parameter integer P         = 1,      // elements of a beat of s_axis
    parameter integer IN_BITS   = 12,     // bits of an element, 2..16
    parameter integer SHIFT     = 0,      // fraction bits of the means, 0..15
    parameter integer BITS      = 12,     // bits of a mean, 2..16
    parameter integer DIM_BITS  = 12,     // bits of a height or width
    parameter INITIAL_FILE      = "initial.mem",
    parameter [87:0]  RAM_STYLE = "auto"  // of the sums, see ram_sdp
) (
    input  wire logic                  clk,
    input  wire logic                  rst,

    input  wire logic [2*DIM_BITS-1:0] s_size_tdata,
    input  wire logic                  s_size_tvalid,
    output wire logic                  s_size_tready,

    input  wire logic [P*IN_BITS-1:0]  s_axis_tdata,
    input  wire logic                  s_axis_tvalid,
    output wire logic                  s_axis_tready,

    output wire logic [BITS-1:0]       m_axis_tdata,
    output wire logic                  m_axis_tvalid,
    input  wire logic                  m_axis_tready
);
    localparam integer BEATS  = CHANNELS / P;              // of a pixel
    localparam integer BEAT   = BEATS > 1 ? $clog2(BEATS) : 1;
    localparam integer LANE   = P > 1 ? $clog2(P) : 1;
    localparam integer N      = 2 * DIM_BITS;              // bits of a number of pixels
    localparam integer SUM    = IN_BITS + N;               // bits of a sum
    localparam integer STEPS  = IN_BITS + SHIFT + 1;       // bits of a quotient
    localparam integer STEP   = $clog2(STEPS);
    localparam integer MEAN   = IN_BITS + SHIFT;           // bits of a mean before it is saturated
    localparam integer INDEX  = CHANNELS > 1 ? $clog2(CHANNELS) : 1;
    localparam integer QUEUE  = CHANNELS > 1 ? CHANNELS : 2;

    generate
        if (P < 1 || CHANNELS < 1 || CHANNELS % P != 0) begin : g_check_p
            $error("global_mean: P = %0d does not divide CHANNELS = %0d", P, CHANNELS);
        end
        if (IN_BITS < 2 || IN_BITS > 16 || BITS < 2 || BITS > 16 || SHIFT < 0 || SHIFT > 15) begin : g_check_bits
            $error("global_mean: IN_BITS %0d, BITS %0d, SHIFT %0d, expected 2..16, 2..16, 0..15", IN_BITS, BITS, SHIFT);
        end
        if (DIM_BITS < 1 || DIM_BITS > 16) begin : g_check_dim
            $error("global_mean: DIM_BITS is %0d, expected 1..16", DIM_BITS);
        end
    endgenerate

    // The sums of the last frame are in the second memory, and n is its number of pixels.
    logic         busy;
    logic [N-1:0] n;

    // Input: which beat of which pixel comes next?
    wire logic       active;
    wire logic       first;
    wire logic       last;
    wire logic       beat_last;
    wire logic [BEAT-1:0] beat;

    assign s_axis_tready = active && !(last && busy);
    wire logic take      = s_axis_tvalid && s_axis_tready;
    wire logic pixel_end = take && beat_last;
    wire logic frame_end = pixel_end && last;

    frame_pixels #(
        .DIM_BITS(DIM_BITS)
    ) u_pixels (
        .clk, .rst,
        .s_size_tdata, .s_size_tvalid, .s_size_tready,
        .step(pixel_end), .active, .first, .last
    );

    logic [N-1:0] pixels; // number of the pixel that comes next, from 1

    always_ff @(posedge clk) begin
        if (pixel_end) pixels <= last ? N'(1) : pixels + N'(1);
        if (frame_end) n <= pixels;
        if (rst) pixels <= N'(1);
    end

    // Sums: in the cycle after a beat its elements are added to what the memory has read meanwhile.
    logic [P*IN_BITS-1:0] x;
    logic [BEAT-1:0]      x_beat;
    logic                 x_valid;
    logic                 x_first;  // of the first pixel
    logic                 x_last;   // of the last pixel
    wire logic [P*SUM-1:0] so_far;  // sums without x
    wire logic [P*SUM-1:0] sum;     // and with it
    wire logic [P*SUM-1:0] word;    // sums of the last frame

    always_ff @(posedge clk) begin
        x       <= s_axis_tdata;
        x_beat  <= beat;
        x_first <= first;
        x_last  <= last;
        x_valid <= take && !rst;
    end

    genvar i;
    generate
        for (i = 0; i < P; i = i + 1) begin : g_add
            wire logic [IN_BITS-1:0] element = x[i*IN_BITS +: IN_BITS];
            wire logic [SUM-1:0]     start   = x_first ? '0 : so_far[i*SUM +: SUM];
            assign sum[i*SUM +: SUM] = start + SUM'({!element[IN_BITS-1], element[IN_BITS-2:0]});
        end
    endgenerate

    // Division: which channel is it, and how far is it?
    localparam [2:0] IDLE   = 3'd0;
    localparam [2:0] READ   = 3'd1;
    localparam [2:0] LOAD   = 3'd2;
    localparam [2:0] DIVIDE = 3'd3;
    localparam [2:0] CLIP   = 3'd4;
    localparam [2:0] PUSH   = 3'd5;

    logic [2:0]           state;
    logic                 starting; // initial has not been sent yet
    logic [STEP-1:0]      count;
    wire logic [LANE-1:0] lane;
    wire logic [BEAT-1:0] d_beat;
    wire logic            lane_last;
    wire logic            d_last;   // the last beat
    wire logic            f_ready;  // the FIFO takes a mean

    wire logic pushed  = state == PUSH && f_ready;
    wire logic d_end   = pushed && lane_last && d_last;

    always_ff @(posedge clk) begin
        count <= state == DIVIDE ? count + STEP'(1) : '0;

        if (state == IDLE && (starting || busy)) state <= starting ? CLIP : READ;
        if (state == READ) state <= LOAD;
        if (state == LOAD) state <= DIVIDE;
        if (state == DIVIDE && count == STEP'(STEPS - 1)) state <= CLIP;
        if (state == CLIP) state <= PUSH;
        if (pushed) state <= d_end ? IDLE : starting ? CLIP : READ;

        if (d_end) starting <= 1'b0;
        busy <= frame_end || (busy && (starting || !d_end));

        if (rst) begin
            state    <= IDLE;
            starting <= 1'b1;
            busy     <= 1'b0;
        end
    end

    generate
        if (BEATS > 1) begin : g_sums
            logic [BEAT-1:0] x_next;
            logic [BEAT-1:0] d_next;

            assign beat      = x_next;
            assign beat_last = x_next == BEAT'(BEATS - 1);
            assign d_beat    = d_next;
            assign d_last    = d_next == BEAT'(BEATS - 1);

            always_ff @(posedge clk) begin
                if (take) x_next <= beat_last ? '0 : x_next + BEAT'(1);
                if (pushed && lane_last) d_next <= d_last ? '0 : d_next + BEAT'(1);
                if (rst) begin
                    x_next <= '0;
                    d_next <= '0;
                end
            end

            // A beat is written in the cycle in which the next one, another word, is read.
            ram_sdp #(
                .WIDTH(P * SUM), .DEPTH(BEATS), .STYLE(RAM_STYLE)
            ) u_sums (
                .clk,
                .wen(x_valid), .waddr(x_beat), .wdata(sum),
                .ren(take), .raddr(beat), .rdata(so_far)
            );

            ram_sdp #(
                .WIDTH(P * SUM), .DEPTH(BEATS), .STYLE(RAM_STYLE)
            ) u_last (
                .clk,
                .wen(x_valid && x_last), .waddr(x_beat), .wdata(sum),
                .ren(state == READ), .raddr(d_beat), .rdata(word)
            );
        end else begin : g_sums
            logic [P*SUM-1:0] sums;
            logic [P*SUM-1:0] last_sums;

            assign beat      = 1'b0;
            assign beat_last = 1'b1;
            assign d_beat    = 1'b0;
            assign d_last    = 1'b1;
            assign so_far    = sums;
            assign word      = last_sums;
            wire logic unused = &{1'b0, x_beat};

            always_ff @(posedge clk) begin
                if (x_valid) sums <= sum;
                if (x_valid && x_last) last_sums <= sum;
            end
        end

        if (P > 1) begin : g_lane
            logic [LANE-1:0] next;

            assign lane      = next;
            assign lane_last = next == LANE'(P - 1);

            always_ff @(posedge clk) begin
                if (pushed) next <= lane_last ? '0 : next + LANE'(1);
                if (rst) next <= '0;
            end
        end else begin : g_lane
            assign lane      = 1'b0;
            assign lane_last = 1'b1;
        end
    endgenerate

    // Long division. Since U < n * 2^IN_BITS, its upper bits are the first remainder; the others enter from the top of
    // `bits` while the quotient enters at its bottom.
    logic [N-1:0]     rest;
    logic [STEPS-1:0] bits;
    wire logic [SUM-1:0] total      = word[lane*SUM +: SUM];
    wire logic [N:0]     now        = {rest, bits[STEPS-1]};
    wire logic [N+1:0]   difference = {1'b0, now} - {2'b00, n};
    wire logic           digit      = !difference[N+1];

    always_ff @(posedge clk) begin
        if (state == LOAD) begin
            rest <= total[SUM-1:IN_BITS];
            bits <= {total[IN_BITS-1:0], {STEPS - IN_BITS{1'b0}}};
        end else if (state == DIVIDE) begin
            rest <= digit ? difference[N-1:0] : now[N-1:0];
            bits <= {bits[STEPS-2:0], digit};
        end
    end
    wire logic unused_difference = &{1'b0, difference[N], now[N]};

    // The mean, rounded, its offset taken away: that is the sign bit. It does not overflow, for U * 2^SHIFT / n is at
    // most 2^MEAN - 2^SHIFT.
    wire logic [MEAN-1:0] biased = bits[STEPS-1:1] + MEAN'(bits[0]);
    wire logic [MEAN-1:0] mean   = {!biased[MEAN-1], biased[MEAN-2:0]};
    wire logic [BITS-1:0] clipped;

    generate
        if (MEAN > BITS) begin : g_clip
            wire logic sign = mean[MEAN-1];
            wire logic over = mean[MEAN-2:BITS-1] != {MEAN - BITS{sign}};
            assign clipped = over ? {sign, {BITS - 1{!sign}}} : mean[BITS-1:0];
        end else if (MEAN == BITS) begin : g_clip
            assign clipped = mean;
        end else begin : g_clip
            assign clipped = {{BITS - MEAN{mean[MEAN-1]}}, mean};
        end
    endgenerate

    logic [BITS-1:0] initials [CHANNELS];
    initial $readmemh(INITIAL_FILE, initials);
    wire logic [INDEX-1:0] channel = INDEX'(d_beat * P + lane);

    logic [BITS-1:0] result;
    always_ff @(posedge clk) result <= state == CLIP ? (starting ? initials[channel] : clipped) : result;

    wire logic [$clog2(QUEUE+1)-1:0] f_count;
    wire logic [$clog2(QUEUE+1)-1:0] f_high_water;
    wire logic unused_counters = &{1'b0, f_count, f_high_water};

    stream_fifo #(
        .WIDTH(BITS), .DEPTH(QUEUE), .RAM_STYLE("distributed")
    ) u_vector (
        .clk, .rst,
        .s_axis_tdata(result), .s_axis_tvalid(state == PUSH), .s_axis_tready(f_ready),
        .m_axis_tdata, .m_axis_tvalid, .m_axis_tready,
        .count(f_count), .high_water(f_high_water)
    );
endmodule

`default_nettype wire
