// SPDX-License-Identifier: BSD-3-Clause
// Matrix-vector unit for int8 weights on DSP48E1 slices, two products in each: golden.operators.conv_int8 behind a window,
// conv_point without one.
//
// Function      acc[o] = sum over i of w[o][i] * x[i], for o = 0..MH-1, exact
// Data          A vector of MW elements comes in SF = MW / SIMD beats: element i of beat sf is x[sf*SIMD + i], unsigned
//               pixels of 8 bits or (X_SIGNED) two's complement of IN_BITS bits. MH results leave in NF = MH / PE beats:
//               element p of beat nf is acc[nf*PE + p], two's complement of ACC_BITS bits, which must hold every result.
// Weights       WEIGHT_FILE has SF * NF words of PE * SIMD weights of 8 bits, two's complement: element p*SIMD + i of
//               word nf*SF + sf is w[nf*PE + p][sf*SIMD + i].
// Packing       With PACK 1, two results share a DSP48 per input element (int8_mvu_dsp): PE * SIMD / 2 of them, plus
//               SIMD / 2 if PE is odd. With PACK 0 there are PE * SIMD. If no weight is -128, NARROW 1 saves a third of
//               the LUTs: then the slices add four packed products. (Without PACK they always do.)
//   Pixels      The packing is for signed x. Of pixels x - 128 is multiplied, and what is missing is what each sum
//               starts from: that is in BIAS_FILE, for PACK 1 and X_SIGNED 0 only. It has NF words of PE elements of
//               ACC_BITS bits: element p of word nf is 128 * sum over i of w[nf*PE + p][i], modulo 2^ACC_BITS.
// Structure     For every nf, for every sf: read a word, and PE sums grow by SIMD products (int8_mvu_lane). A vector is
//               kept while NF passes go over it: in the register that holds it anyway if SF is 1, in an xnor_replay if
//               SF > 1, not at all if NF is 1.
// Handshake     Nothing stalls between the input and the results: work on a result starts once there is a place for it in
//               xnor_results. So the wide registers and the DSP48s have no enable, and s_axis_tready and all of m_axis
//               depend on registers alone.
// Latency       C + 4 + ceil(log2(ceil(SIMD / C))) cycles from the last beat of a vector to its first result, where C is
//               the length of the chains, 4 or (PACK 1, NARROW 0) 1, but at most SIMD; plus the places of
//               xnor_results, plus 1 with the replay buffer.
// Throughput    one vector every SF * NF cycles, from vector to vector.
`default_nettype none

module int8_mvu #(
    parameter integer MW           = 27,             // elements of a vector, 1 or more
    parameter integer MH           = 32,             // results per vector, 1 or more
    parameter integer SIMD         = 27,             // elements per beat and cycle, divides MW
    parameter integer PE           = 2,              // results per beat, divides MH
    parameter integer X_SIGNED     = 0,              // 0: pixels; 1: a stream
    parameter integer IN_BITS      = 8,              // bits of an element, 2..8; of pixels 8
    parameter integer ACC_BITS     = 21,             // bits of a result
    parameter integer PACK         = 1,              // 1: two products in a DSP48; 0: one
    parameter integer NARROW       = 0,              // 1: no weight is -128
    parameter         WEIGHT_FILE  = "weights.mem",  // see above
    parameter         BIAS_FILE    = "bias.mem",     // see above
    parameter [87:0]  WEIGHT_STYLE = "lut",          // where the weights are: "lut" or "block", see xnor_weights.sv
    parameter integer SF           = MW / SIMD,      // leave it
    parameter integer NF           = MH / PE         // leave it
) (
    input  wire logic                    clk,
    input  wire logic                    rst,

    input  wire logic [SIMD*IN_BITS-1:0] s_axis_tdata,
    input  wire logic                    s_axis_tvalid,
    output wire logic                    s_axis_tready,

    output wire logic [PE*ACC_BITS-1:0]  m_axis_tdata,
    output wire logic                    m_axis_tvalid,
    input  wire logic                    m_axis_tready
);
    localparam integer BIAS   = PACK != 0 && X_SIGNED == 0 ? 1 : 0;
    localparam integer X_BITS = PACK == 0 && X_SIGNED == 0 ? 9 : IN_BITS;  // as two's complement
    localparam integer PAIRS  = PACK != 0 ? PE / 2 : 0;
    localparam integer WORDS  = SF * NF;
    localparam integer ADDR   = WORDS > 1 ? $clog2(WORDS) : 1;
    localparam integer STEP   = SF > 1 ? $clog2(SF) : 1;
    localparam integer FOLD   = NF > 1 ? $clog2(NF) : 1;
    localparam integer LONGEST = PACK != 0 && NARROW == 0 ? 1 : 4;
    localparam integer CHAIN  = SIMD < LONGEST ? SIMD : LONGEST;
    localparam integer SUM    = CHAIN + 2 + $clog2((SIMD + CHAIN - 1) / CHAIN); // cycles from x to the sum of a beat

    genvar i;
    generate
        if (MW < 1 || MH < 1 || SIMD < 1 || PE < 1 || SF * SIMD != MW || NF * PE != MH) begin : g_check
            $error("int8_mvu: MW %0d, MH %0d, SIMD %0d, PE %0d, expected SIMD to divide MW and PE to divide MH",
                MW, MH, SIMD, PE);
        end
        if (ACC_BITS < 2 || ACC_BITS > 32) begin : g_check_bits
            $error("int8_mvu: ACC_BITS is %0d, expected 2..32", ACC_BITS);
        end
        if (IN_BITS < 2 || IN_BITS > 8 || (X_SIGNED == 0 && IN_BITS != 8)) begin : g_check_in
            $error("int8_mvu: IN_BITS is %0d with X_SIGNED %0d, expected 2..8, or 8 for pixels", IN_BITS, X_SIGNED);
        end
    endgenerate

    // Which word is next, and where it is in its sum and its vector
    logic [ADDR-1:0] address;
    logic [STEP-1:0] step;
    logic            first_pass;
    logic            last_pass;
    wire logic       first = SF == 1 || step == '0;
    wire logic       last  = SF == 1 || step == STEP'(SF - 1);
    wire logic       wrap  = address == ADDR'(WORDS - 1);
    wire logic       room;
    wire logic       go = room || !last;
    wire logic       issue;  // the next word is read, and what it is multiplied with

    always_ff @(posedge clk) begin
        if (issue) begin
            step    <= last ? '0 : step + 1'b1;
            address <= wrap ? '0 : address + 1'b1;
            if (last) begin
                first_pass <= wrap;
                last_pass  <= NF == 1 || address == ADDR'(WORDS - 1 - SF);
            end
        end
        if (rst) begin
            step       <= '0;
            address    <= '0;
            first_pass <= 1'b1;
            last_pass  <= NF == 1;
        end
    end

    // One cycle later: the input and the weights
    wire logic [SIMD*IN_BITS-1:0] taken;
    wire logic [SIMD*X_BITS-1:0]  x;
    wire logic [PE*SIMD*8-1:0]    weights;

    xnor_weights #(.WIDTH(PE * SIMD * 8), .WORDS(WORDS), .FILE(WEIGHT_FILE), .STYLE(WEIGHT_STYLE)) u_weights (
        .clk(clk), .address(address), .word(weights)
    );

    generate
        if (SF > 1 && NF > 1) begin : g_replay
            wire logic have;
            assign issue = go && (have || !first_pass);
            xnor_replay #(.SIMD(SIMD * IN_BITS), .SF(SF)) u_replay (
                .clk(clk), .rst(rst),
                .s_axis_tdata(s_axis_tdata), .s_axis_tvalid(s_axis_tvalid), .s_axis_tready(s_axis_tready),
                .take(issue), .step(step), .first_pass(first_pass), .last_pass(last_pass), .have(have), .word(taken)
            );
        end else begin : g_hold
            // The beat is taken with the first use of it, and stays for the others
            wire logic unused = last_pass;
            logic [SIMD*IN_BITS-1:0] x_q;
            assign s_axis_tready = go && (NF == 1 || first_pass);
            assign issue         = go && (s_axis_tvalid || !(NF == 1 || first_pass));
            always_ff @(posedge clk) if (NF == 1 || first_pass) x_q <= s_axis_tdata;
            assign taken = x_q;
        end

        for (i = 0; i < SIMD; i = i + 1) begin : g_x
            wire logic [IN_BITS-1:0] element = taken[i*IN_BITS +: IN_BITS];
            if (X_BITS == 9) begin : g_pixel
                assign x[i*X_BITS +: X_BITS] = {1'b0, element};
            end else begin : g_signed
                assign x[i*X_BITS +: X_BITS] = {element[IN_BITS-1] ^ (BIAS == 1), element[IN_BITS-2:0]};
            end
        end
    endgenerate

    // What is known about the sums, until they are there
    logic [SUM:0] valid;   // valid[0] belongs to x and the weights, valid[SUM] to their sum
    logic [SUM:0] is_first;
    logic [SUM:0] is_last;
    logic         done;
    always_ff @(posedge clk) begin
        valid    <= {valid[SUM-1:0], issue};
        is_first <= {is_first[SUM-1:0], first};
        is_last  <= {is_last[SUM-1:0], last};
        done     <= valid[SUM] && is_last[SUM];
        if (rst) begin
            valid <= '0;
            done  <= 1'b0;
        end
    end

    // What a sum starts from
    wire logic [PE*ACC_BITS-1:0] start;
    generate
        if (BIAS == 1) begin : g_bias
            logic [FOLD-1:0] fold;  // of the next sum that starts
            always_ff @(posedge clk) begin
                if (valid[SUM-1] && is_first[SUM-1]) fold <= fold == FOLD'(NF - 1) ? '0 : fold + 1'b1;
                if (rst) fold <= '0;
            end
            xnor_weights #(.WIDTH(PE * ACC_BITS), .WORDS(NF), .FILE(BIAS_FILE), .STYLE("lut")) u_bias (
                .clk(clk), .address(fold), .word(start)
            );
        end else begin : g_zero
            assign start = '0;
        end
    endgenerate

    wire logic [PE*ACC_BITS-1:0] result;
    generate
        for (i = 0; i < PE - PAIRS; i = i + 1) begin : g_lane
            localparam integer PAIR  = i < PAIRS ? 1 : 0;
            localparam integer FIRST = i < PAIRS ? 2 * i : PAIRS + i;  // of its results
            int8_mvu_lane #(
                .PAIR(PAIR), .NARROW(NARROW), .SIMD(SIMD), .X_BITS(X_BITS), .CHAIN(CHAIN), .ACC_BITS(ACC_BITS),
                .ACCUMULATE(SF > 1 || BIAS == 1 ? 1 : 0)
            ) u_lane (
                .clk(clk), .x(x), .w(weights[FIRST*SIMD*8 +: (PAIR+1)*SIMD*8]),
                .add(valid[SUM]), .first(is_first[SUM]), .start(start[FIRST*ACC_BITS +: (PAIR+1)*ACC_BITS]),
                .result(result[FIRST*ACC_BITS +: (PAIR+1)*ACC_BITS])
            );
        end
    endgenerate

`ifndef SYNTHESIS
    generate
        if (NARROW != 0) begin : g_check_weights
            for (i = 0; i < PE * SIMD; i = i + 1) begin : g_weight
                always_ff @(posedge clk) begin
                    if (valid[0] && weights[i*8 +: 8] == 8'h80) begin
                        $error("int8_mvu %m: a weight is -128, expected none with NARROW");
                        $fatal;
                    end
                end
            end
        end
    endgenerate
`endif

    xnor_results #(.WIDTH(PE * ACC_BITS), .PERIOD(SF), .DELAY(SUM + 2)) u_results (
        .clk(clk), .rst(rst), .promise(issue && last), .room(room),
        .result_valid(done), .result(result),
        .m_axis_tdata(m_axis_tdata), .m_axis_tvalid(m_axis_tvalid), .m_axis_tready(m_axis_tready)
    );
endmodule

`default_nettype wire
