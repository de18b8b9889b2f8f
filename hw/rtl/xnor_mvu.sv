// SPDX-License-Identifier: BSD-3-Clause
// Binary matrix-vector unit: +-1 weights times +-1 inputs, one bit each.
//
// Function      m[o] = sum over i of w[o][i] * x[i] = 2 * popcount(xnor(w[o], x)) - MW, for o = 0..MH-1
// Data          A vector of MW bits comes in SF = MW / SIMD beats: bit i of beat sf is x[sf*SIMD + i]; 1 is +1, 0 -1.
//               MH results leave in NF = MH / PE beats: element p of beat nf is m[nf*PE + p], two's complement of
//               ACC_BITS bits, which hold +-MW; its lowest bit is the parity of MW.
// Weights       WEIGHT_FILE has SF * NF words of PE * SIMD bits, read by $readmemh: bit p*SIMD + i of word nf*SF + sf
//               is w[nf*PE + p][sf*SIMD + i]. With WEIGHT_STYLE "lut" the same can be given as a constant, COLUMNS, beside
//               the file: then they are truth tables from the start, which takes half as many LUTs.
// Structure     For every nf, for every sf: read a word, PE times xnor_popcount. A vector is kept while NF passes go
//               over it: by the register that holds it anyway if SF is 1, by an xnor_replay if SF > 1; not if NF is 1.
// Handshake     Nothing stalls between the input and the results: the last beat of a sum starts only once there is a
//               place for the result in xnor_results. So the wide registers need no enable, and s_axis_tready and all
//               of m_axis depend on registers alone. A receiver that stalls is felt at the input some results later.
// Latency       from the beat that completes the first sum of a vector to that result: about 3 + log2(SIMD) / 2 cycles
//               to xnor_results (7 for SIMD 288), 1 more with the replay buffer, and 2 to m_axis if SF < 4, else as
//               many as there are places: ceil((DELAY + 1) / (SF - 1)).
// Throughput    one vector every SF * NF cycles, from vector to vector.
// Area          0.8 to 1.1 LUTs per product and cycle (PE * SIMD of them) with weights in block RAM; docs/popcount.md.
//               The primitives in it are explained in xnor_pair.sv.
`default_nettype none

module xnor_mvu #(
    parameter integer MW           = 576,            // elements of a vector, 1 or more
    parameter integer MH           = 64,             // results per vector, 1 or more
    parameter integer SIMD         = 64,             // elements per beat and cycle, divides MW
    parameter integer PE           = 4,              // results per beat, divides MH
    parameter         WEIGHT_FILE  = "weights.mem",  // weights, see above
    parameter [87:0]  WEIGHT_STYLE = "block",        // where they are: "lut" or "block", see xnor_weights.sv
    parameter integer SF           = MW / SIMD,      // leave it
    parameter integer NF           = MH / PE,        // leave it
    parameter integer ACC_BITS     = $clog2(MW + 1) + 1,                  // leave it
    parameter integer DEPTH        = SF * NF <= 16 ? 16 : 1 << $clog2(SF * NF),  // leave it
    parameter [PE*SIMD*DEPTH-1:0] COLUMNS = 0        // with "lut", weights as a constant instead of a file, see xnor_rom.sv
) (
    input  wire logic                   clk,
    input  wire logic                   rst,

    input  wire logic [SIMD-1:0]        s_axis_tdata,
    input  wire logic                   s_axis_tvalid,
    output wire logic                   s_axis_tready,

    output wire logic [PE*ACC_BITS-1:0] m_axis_tdata,
    output wire logic                   m_axis_tvalid,
    input  wire logic                   m_axis_tready
);
    localparam [87:0] BLOCK = "block";
    localparam integer TEXT = WEIGHT_STYLE != BLOCK && COLUMNS != 0 ? 1 : 0;

    localparam integer WORDS = SF * NF;
    localparam integer ADDR  = WORDS > 1 ? $clog2(WORDS) : 1;
    localparam integer STEP  = SF > 1 ? $clog2(SF) : 1;
    localparam integer WIDTH = ACC_BITS - 1;  // m without its constant bit
    localparam integer HALF  = (MW + 1) / 2;
    localparam [WIDTH-1:0] START = WIDTH'(-HALF);
    localparam integer DELAY = 5 + $clog2(SIMD) / 2;  // cycles from the last beat to its result, at most

    // A constant weight and the XNOR with its input are one LUT if there are few words; else weights are read first.
    localparam integer PRODUCTS = WEIGHT_STYLE != BLOCK && WORDS <= 16 ? 1 : 0;

    genvar p;
    generate
        if (MW < 1 || MH < 1 || SIMD < 1 || PE < 1 || SF * SIMD != MW || NF * PE != MH
            || ACC_BITS != $clog2(MW + 1) + 1) begin : g_check
            $error("xnor_mvu: MW %0d, MH %0d, SIMD %0d, PE %0d, expected SIMD to divide MW and PE to divide MH",
                MW, MH, SIMD, PE);
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
            step    <= step + 1'b1;
            address <= address + 1'b1;
            if (last && 1 << STEP != SF) step <= '0;
            if (wrap && 1 << ADDR != WORDS) address <= '0;
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

    // One cycle later: the word, the input, and what they are
    logic                     valid_q;
    logic                     first_q;
    logic                     last_q;
    wire logic [SIMD-1:0]     x;
    wire logic [PE*SIMD-1:0]  factors;  // weights, or products
    always_ff @(posedge clk) begin
        valid_q <= issue && !rst;
        first_q <= first;
        last_q  <= last;
    end

    generate
        if (SF > 1 && NF > 1) begin : g_replay
            wire logic have;
            assign issue = go && (have || !first_pass);
            xnor_replay #(.SIMD(SIMD), .SF(SF)) u_replay (
                .clk(clk), .rst(rst),
                .s_axis_tdata(s_axis_tdata), .s_axis_tvalid(s_axis_tvalid), .s_axis_tready(s_axis_tready),
                .take(issue), .step(step), .first_pass(first_pass), .last_pass(last_pass), .have(have), .word(x)
            );
        end else begin : g_hold
            // The beat is taken with the first use of it, and stays for the others
            wire logic unused = last_pass;
            logic [SIMD-1:0] x_q;
            assign s_axis_tready = go && (NF == 1 || first_pass);
            assign issue         = go && (s_axis_tvalid || !(NF == 1 || first_pass));
            always_ff @(posedge clk) if (NF == 1 || first_pass) x_q <= s_axis_tdata;
            assign x = x_q;
        end
    endgenerate

    generate
        if (TEXT == 1) begin : g_rom
            xnor_rom #(.SIMD(SIMD), .PE(PE), .WORDS(WORDS), .MERGED(PRODUCTS), .COLUMNS(COLUMNS)) u_rom (
                .clk(clk), .address(address), .x(x), .out(factors)
            );
        end else begin : g_memory
            wire logic [PE*SIMD-1:0] word;
            xnor_weights #(.WIDTH(PE * SIMD), .WORDS(WORDS), .FILE(WEIGHT_FILE), .STYLE(WEIGHT_STYLE)) u_weights (
                .clk(clk), .address(address), .word(word)
            );
            assign factors = PRODUCTS == 1 ? word ~^ {PE{x}} : word;
        end
    endgenerate

    // PE results, without the lowest bit of m, which is constant
    wire logic [PE-1:0]       result_valid;
    wire logic [PE*WIDTH-1:0] result;
    wire logic [PE*WIDTH-1:0] kept;
    generate
        for (p = 0; p < PE; p = p + 1) begin : g_pe
            wire logic [SIMD-1:0] factor = factors[p*SIMD +: SIMD];
            xnor_popcount #(
                .SIMD(SIMD), .WIDTH(WIDTH), .START(START), .ACCUMULATE(SF > 1 ? 1 : 0), .PRODUCTS(PRODUCTS)
            ) u_popcount (
                .clk(clk), .rst(rst), .valid(valid_q), .first(first_q), .last(last_q),
                .x(PRODUCTS == 1 ? factor : x), .w(factor),
                .result_valid(result_valid[p]), .result(result[p*WIDTH +: WIDTH])
            );
            assign m_axis_tdata[p*ACC_BITS +: ACC_BITS] = {kept[p*WIDTH +: WIDTH], MW % 2 == 1};
        end
        if (PE > 1) begin : g_unused
            wire logic unused = &{1'b0, result_valid[PE-1:1]};  // all are the same
        end
    endgenerate

    xnor_results #(.WIDTH(PE * WIDTH), .PERIOD(SF), .DELAY(DELAY)) u_results (
        .clk(clk), .rst(rst), .promise(issue && last), .room(room),
        .result_valid(result_valid[0]), .result(result),
        .m_axis_tdata(kept), .m_axis_tvalid(m_axis_tvalid), .m_axis_tready(m_axis_tready)
    );
endmodule

`default_nettype wire
