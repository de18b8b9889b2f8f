// SPDX-License-Identifier: BSD-3-Clause
// The shell around a network: registers for the processor, pixels from memory to the network and back.
//
// Function      see docs/registers.md for what it does and docs/shell.md for how.
// Network       m_size: {height, width} of every frame, m_pixels: its pixels, s_result: the result; net_rst resets it.
//               taps_valid, taps_ready: of its streams, for the counters.
// Buses         s_axil: AXI3 slave, the registers. m_axi: AXI3 master, 64 bits, bursts of 1 to 16 beats in blocks of
//               128 bytes, identifiers 0, modifiable and bufferable.
//
//       registers <-> control <-> check
//                        |
//                      jobs: a queue for each of the five that work on a job
//                        |
//       bursts -> read -> unpack -> m_pixels          size -> m_size
//       s_result -> crop -> pack -> write <- bursts
`default_nettype none

module bitmend_shell #(
    parameter [255:0] HASH         = '0,    // content hash of the network
    parameter integer SCALE        = 2,     // of the result to the frame
    parameter integer CHANNELS     = 3,
    parameter integer IN_ELEMENTS  = 1,     // channels of a beat of m_pixels; divides CHANNELS
    parameter integer OUT_ELEMENTS = 1,     // channels of a beat of s_result
    parameter integer DIM_BITS     = 12,    // bits of a height or width
    parameter integer MAX_WIDTH    = 331,   // of a frame
    parameter integer MAX_HEIGHT   = 2047,
    parameter integer TAPS         = 100,   // streams of the network
    parameter integer PERIOD       = 107,   // of the sampler: a prime, TAPS + 5 at least
    parameter integer QUEUE        = 4,     // most jobs queued or under way
    parameter integer OUTSTANDING  = 8,     // most bursts under way, each way
    parameter integer CLOCK_HZ     = 100000000,
    parameter [31:0]  BASE         = 32'h43C00000 // of the registers
) (
    input  wire logic                      clk,
    input  wire logic                      rst,

    input  wire logic [11:0]               s_axil_awid,
    input  wire logic [31:0]               s_axil_awaddr,
    input  wire logic [3:0]                s_axil_awlen,
    input  wire logic [2:0]                s_axil_awsize,
    input  wire logic [1:0]                s_axil_awburst,
    input  wire logic                      s_axil_awvalid,
    output wire logic                      s_axil_awready,
    input  wire logic [11:0]               s_axil_wid,
    input  wire logic [31:0]               s_axil_wdata,
    input  wire logic [3:0]                s_axil_wstrb,
    input  wire logic                      s_axil_wlast,
    input  wire logic                      s_axil_wvalid,
    output wire logic                      s_axil_wready,
    output wire logic [11:0]               s_axil_bid,
    output wire logic [1:0]                s_axil_bresp,
    output wire logic                      s_axil_bvalid,
    input  wire logic                      s_axil_bready,
    input  wire logic [11:0]               s_axil_arid,
    input  wire logic [31:0]               s_axil_araddr,
    input  wire logic [3:0]                s_axil_arlen,
    input  wire logic [2:0]                s_axil_arsize,
    input  wire logic [1:0]                s_axil_arburst,
    input  wire logic                      s_axil_arvalid,
    output wire logic                      s_axil_arready,
    output wire logic [11:0]               s_axil_rid,
    output wire logic [31:0]               s_axil_rdata,
    output wire logic [1:0]                s_axil_rresp,
    output wire logic                      s_axil_rlast,
    output wire logic                      s_axil_rvalid,
    input  wire logic                      s_axil_rready,

    output wire logic [5:0]                m_axi_awid,
    output wire logic [31:0]               m_axi_awaddr,
    output wire logic [3:0]                m_axi_awlen,
    output wire logic [2:0]                m_axi_awsize,
    output wire logic [1:0]                m_axi_awburst,
    output wire logic [1:0]                m_axi_awlock,
    output wire logic [3:0]                m_axi_awcache,
    output wire logic [2:0]                m_axi_awprot,
    output wire logic [3:0]                m_axi_awqos,
    output wire logic                      m_axi_awvalid,
    input  wire logic                      m_axi_awready,
    output wire logic [5:0]                m_axi_wid,
    output wire logic [63:0]               m_axi_wdata,
    output wire logic [7:0]                m_axi_wstrb,
    output wire logic                      m_axi_wlast,
    output wire logic                      m_axi_wvalid,
    input  wire logic                      m_axi_wready,
    input  wire logic [5:0]                m_axi_bid,
    input  wire logic [1:0]                m_axi_bresp,
    input  wire logic                      m_axi_bvalid,
    output wire logic                      m_axi_bready,
    output wire logic [5:0]                m_axi_arid,
    output wire logic [31:0]               m_axi_araddr,
    output wire logic [3:0]                m_axi_arlen,
    output wire logic [2:0]                m_axi_arsize,
    output wire logic [1:0]                m_axi_arburst,
    output wire logic [1:0]                m_axi_arlock,
    output wire logic [3:0]                m_axi_arcache,
    output wire logic [2:0]                m_axi_arprot,
    output wire logic [3:0]                m_axi_arqos,
    output wire logic                      m_axi_arvalid,
    input  wire logic                      m_axi_arready,
    input  wire logic [5:0]                m_axi_rid,
    input  wire logic [63:0]               m_axi_rdata,
    input  wire logic [1:0]                m_axi_rresp,
    input  wire logic                      m_axi_rlast,
    input  wire logic                      m_axi_rvalid,
    output wire logic                      m_axi_rready,

    output wire logic                      net_rst,
    output wire logic [2*DIM_BITS-1:0]     m_size_tdata,
    output wire logic                      m_size_tvalid,
    input  wire logic                      m_size_tready,
    output wire logic [8*IN_ELEMENTS-1:0]  m_pixels_tdata,
    output wire logic                      m_pixels_tvalid,
    input  wire logic                      m_pixels_tready,
    input  wire logic [8*OUT_ELEMENTS-1:0] s_result_tdata,
    input  wire logic                      s_result_tvalid,
    output wire logic                      s_result_tready,
    input  wire logic [TAPS-1:0]           taps_valid,
    input  wire logic [TAPS-1:0]           taps_ready
);
    localparam integer D    = DIM_BITS;
    localparam integer ROW  = DIM_BITS + 4; // bits of the bytes of a row
    localparam integer TAP  = $clog2(TAPS + 1);

    localparam integer BURSTS = D + ROW + 64;  // bits of a job as the modules want it
    localparam integer UNPACK = D + ROW + 6;
    localparam integer CROP   = 6 * D + 6;

    generate
        if (CHANNELS % IN_ELEMENTS != 0 || CHANNELS % OUT_ELEMENTS != 0) begin : g_check
            $error("bitmend_shell: CHANNELS %0d, IN_ELEMENTS %0d, OUT_ELEMENTS %0d; expected divisors of CHANNELS",
                   CHANNELS, IN_ELEMENTS, OUT_ELEMENTS);
        end
    endgenerate

    // ---- Registers and control

    wire logic        write, read, reg_done;
    wire logic [13:0] reg_addr;
    wire logic [31:0] reg_wdata, reg_rdata;
    wire logic [3:0]  reg_wstrb;

    shell_axil #(.BASE(BASE)) u_axil (
        .clk(clk), .rst(rst),
        .s_axil_awid(s_axil_awid), .s_axil_awaddr(s_axil_awaddr), .s_axil_awlen(s_axil_awlen),
        .s_axil_awvalid(s_axil_awvalid), .s_axil_awready(s_axil_awready),
        .s_axil_wdata(s_axil_wdata), .s_axil_wstrb(s_axil_wstrb),
        .s_axil_wvalid(s_axil_wvalid), .s_axil_wready(s_axil_wready),
        .s_axil_bid(s_axil_bid), .s_axil_bresp(s_axil_bresp),
        .s_axil_bvalid(s_axil_bvalid), .s_axil_bready(s_axil_bready),
        .s_axil_arid(s_axil_arid), .s_axil_araddr(s_axil_araddr), .s_axil_arlen(s_axil_arlen),
        .s_axil_arvalid(s_axil_arvalid), .s_axil_arready(s_axil_arready),
        .s_axil_rid(s_axil_rid), .s_axil_rdata(s_axil_rdata), .s_axil_rresp(s_axil_rresp),
        .s_axil_rlast(s_axil_rlast), .s_axil_rvalid(s_axil_rvalid), .s_axil_rready(s_axil_rready),
        .write(write), .read(read), .addr(reg_addr), .wdata(reg_wdata), .wstrb(reg_wstrb),
        .rdata(reg_rdata), .done(reg_done)
    );

    wire logic         start, soft_reset, clear_counters, command_done;
    wire logic [9:0]   clear_errors, errors;
    wire logic [319:0] job;
    wire logic [31:0]  status, jobs_done, first_addr, job_cycles;
    wire logic [63:0]  cycles;
    wire logic [31:0]  read_wait, write_wait, read_beats, write_beats, samples;
    wire logic         tap_read, tap_answer;
    wire logic [TAP-1:0] tap;
    wire logic [63:0]  tap_counts;

    shell_registers #(
        .HASH(HASH), .SCALE(SCALE), .CHANNELS(CHANNELS), .MAX_WIDTH(MAX_WIDTH), .MAX_HEIGHT(MAX_HEIGHT), .TAPS(TAPS),
        .QUEUE(QUEUE), .OUTSTANDING(OUTSTANDING), .CLOCK_HZ(CLOCK_HZ)
    ) u_registers (
        .clk(clk), .rst(rst),
        .write(write), .read(read), .addr(reg_addr), .wdata(reg_wdata), .wstrb(reg_wstrb),
        .rdata(reg_rdata), .done(reg_done),
        .start(start), .soft_reset(soft_reset), .clear_counters(clear_counters), .command_done(command_done),
        .clear_errors(clear_errors),
        .job(job), .status(status), .errors(errors), .jobs_done(jobs_done), .error_addr(first_addr),
        .cycles(cycles), .job_cycles(job_cycles), .read_wait(read_wait), .write_wait(write_wait),
        .read_beats(read_beats), .write_beats(write_beats), .samples(samples),
        .taps_valid(taps_valid), .taps_ready(taps_ready),
        .tap_read(tap_read), .tap(tap), .tap_answer(tap_answer), .tap_counts(tap_counts)
    );

    wire logic [31:0] src_addr   = job[31:0];
    wire logic [31:0] src_stride = job[63:32];
    wire logic [31:0] width      = job[95:64];
    wire logic [31:0] height     = job[127:96];
    wire logic [31:0] dst_addr   = job[159:128];
    wire logic [31:0] dst_stride = job[191:160];
    wire logic [31:0] crop_x     = job[223:192];
    wire logic [31:0] crop_y     = job[255:224];
    wire logic [31:0] out_width  = job[287:256];
    wire logic [31:0] out_height = job[319:288];

    wire logic           check, checked, bad_size, bad_region, bad_stride, bad_address;
    wire logic [ROW-1:0] src_bytes, dst_bytes;
    wire logic [D-1:0]   full_width, full_height;

    shell_check #(
        .SCALE(SCALE), .CHANNELS(CHANNELS), .DIM_BITS(D), .MAX_WIDTH(MAX_WIDTH), .MAX_HEIGHT(MAX_HEIGHT)
    ) u_check (
        .clk(clk), .rst(rst), .go(check), .done(checked),
        .size(bad_size), .region(bad_region), .stride(bad_stride), .address(bad_address),
        .src_addr(src_addr), .src_stride(src_stride), .width(width), .height(height),
        .dst_addr(dst_addr), .dst_stride(dst_stride), .crop_x(crop_x), .crop_y(crop_y),
        .out_width(out_width), .out_height(out_height),
        .src_bytes(src_bytes), .dst_bytes(dst_bytes), .full_width(full_width), .full_height(full_height)
    );

    wire logic        push, stop, discard, flush, busy, cleared;
    wire logic        read_quiet, read_error, read_decode, write_quiet, write_error, write_decode, job_done;
    wire logic [31:0] read_addr, write_addr;

    shell_control #(.QUEUE(QUEUE)) u_control (
        .clk(clk), .rst(rst),
        .start(start), .soft_reset(soft_reset), .clear_counters(clear_counters), .cleared(cleared),
        .command_done(command_done), .clear_errors(clear_errors),
        .check(check), .checked(checked), .bad_size(bad_size), .bad_region(bad_region), .bad_stride(bad_stride),
        .bad_address(bad_address), .push(push),
        .read_quiet(read_quiet), .read_error(read_error), .read_decode(read_decode), .read_addr(read_addr),
        .write_quiet(write_quiet), .write_error(write_error), .write_decode(write_decode), .write_addr(write_addr),
        .job_done(job_done),
        .stop(stop), .discard(discard), .flush(flush), .busy(busy),
        .status(status), .errors(errors), .jobs_done(jobs_done), .error_addr(first_addr)
    );

    logic work_rst; // of all that works on jobs, and of the network
    always_ff @(posedge clk) work_rst <= rst || flush;
    assign net_rst = work_rst;

    // ---- Jobs

    wire logic [BURSTS-1:0] read_job, write_job;
    wire logic [UNPACK-1:0] unpack_job;
    wire logic [CROP-1:0]   crop_job;
    wire logic read_job_valid, read_job_ready, write_job_valid, write_job_ready;
    wire logic unpack_job_valid, unpack_job_ready, crop_job_valid, crop_job_ready;

    shell_jobs #(.DIM_BITS(D), .ROW_BITS(ROW), .QUEUE(QUEUE)) u_jobs (
        .clk(clk), .rst(work_rst), .push(push),
        .src_addr(src_addr), .src_stride(src_stride), .width(width), .height(height),
        .dst_addr(dst_addr), .dst_stride(dst_stride), .crop_x(crop_x), .crop_y(crop_y),
        .out_width(out_width), .out_height(out_height),
        .src_bytes(src_bytes), .dst_bytes(dst_bytes), .full_width(full_width), .full_height(full_height),
        .m_read_tdata(read_job), .m_read_tvalid(read_job_valid), .m_read_tready(read_job_ready),
        .m_size_tdata(m_size_tdata), .m_size_tvalid(m_size_tvalid), .m_size_tready(m_size_tready),
        .m_unpack_tdata(unpack_job), .m_unpack_tvalid(unpack_job_valid), .m_unpack_tready(unpack_job_ready),
        .m_crop_tdata(crop_job), .m_crop_tvalid(crop_job_valid), .m_crop_tready(crop_job_ready),
        .m_write_tdata(write_job), .m_write_tvalid(write_job_valid), .m_write_tready(write_job_ready)
    );

    // ---- Pixels in

    wire logic [33:0] read_burst;
    wire logic        read_burst_valid, read_burst_ready;
    wire logic [63:0] word;
    wire logic        word_valid, word_ready, pending;

    shell_bursts #(.ROW_BITS(ROW), .DIM_BITS(D)) u_read_bursts (
        .clk(clk), .rst(work_rst),
        .s_job_tdata(read_job), .s_job_tvalid(read_job_valid), .s_job_tready(read_job_ready),
        .m_burst_tdata(read_burst), .m_burst_tvalid(read_burst_valid), .m_burst_tready(read_burst_ready)
    );
    shell_read #(.OUTSTANDING(OUTSTANDING)) u_read (
        .clk(clk), .rst(work_rst), .stop(stop), .quiet(read_quiet),
        .s_burst_tdata(read_burst), .s_burst_tvalid(read_burst_valid), .s_burst_tready(read_burst_ready),
        .m_word_tdata(word), .m_word_tvalid(word_valid), .m_word_tready(word_ready),
        .m_axi_araddr(m_axi_araddr), .m_axi_arlen(m_axi_arlen),
        .m_axi_arvalid(m_axi_arvalid), .m_axi_arready(m_axi_arready),
        .m_axi_rdata(m_axi_rdata), .m_axi_rresp(m_axi_rresp), .m_axi_rlast(m_axi_rlast),
        .m_axi_rvalid(m_axi_rvalid), .m_axi_rready(m_axi_rready),
        .error(read_error), .error_decode(read_decode), .error_addr(read_addr)
    );
    shell_unpack #(.E(IN_ELEMENTS), .ROW_BITS(ROW), .DIM_BITS(D)) u_unpack (
        .clk(clk), .rst(work_rst),
        .s_job_tdata(unpack_job), .s_job_tvalid(unpack_job_valid), .s_job_tready(unpack_job_ready),
        .s_word_tdata(word), .s_word_tvalid(word_valid), .s_word_tready(word_ready),
        .m_axis_tdata(m_pixels_tdata), .m_axis_tvalid(m_pixels_tvalid), .m_axis_tready(m_pixels_tready),
        .pending(pending)
    );

    // ---- Pixels out

    wire logic [33:0]               write_burst;
    wire logic                      write_burst_valid, write_burst_ready;
    wire logic [8*OUT_ELEMENTS+3:0] cropped;
    wire logic                      cropped_valid, cropped_ready;
    wire logic [71:0]               packed_word;
    wire logic                      packed_valid, packed_ready;

    shell_crop #(.E(OUT_ELEMENTS), .BEATS(CHANNELS / OUT_ELEMENTS), .DIM_BITS(D)) u_crop (
        .clk(clk), .rst(work_rst),
        .s_job_tdata(crop_job), .s_job_tvalid(crop_job_valid), .s_job_tready(crop_job_ready),
        .s_axis_tdata(s_result_tdata), .s_axis_tvalid(s_result_tvalid), .s_axis_tready(s_result_tready),
        .m_axis_tdata(cropped), .m_axis_tvalid(cropped_valid), .m_axis_tready(cropped_ready)
    );
    shell_pack #(.E(OUT_ELEMENTS)) u_pack (
        .clk(clk), .rst(work_rst),
        .s_axis_tdata(cropped), .s_axis_tvalid(cropped_valid), .s_axis_tready(cropped_ready),
        .m_word_tdata(packed_word), .m_word_tvalid(packed_valid), .m_word_tready(packed_ready)
    );
    shell_bursts #(.ROW_BITS(ROW), .DIM_BITS(D)) u_write_bursts (
        .clk(clk), .rst(work_rst),
        .s_job_tdata(write_job), .s_job_tvalid(write_job_valid), .s_job_tready(write_job_ready),
        .m_burst_tdata(write_burst), .m_burst_tvalid(write_burst_valid), .m_burst_tready(write_burst_ready)
    );
    shell_write #(.OUTSTANDING(OUTSTANDING)) u_write (
        .clk(clk), .rst(work_rst), .stop(stop), .discard(discard), .quiet(write_quiet),
        .s_burst_tdata(write_burst), .s_burst_tvalid(write_burst_valid), .s_burst_tready(write_burst_ready),
        .s_word_tdata(packed_word), .s_word_tvalid(packed_valid), .s_word_tready(packed_ready),
        .m_axi_awaddr(m_axi_awaddr), .m_axi_awlen(m_axi_awlen),
        .m_axi_awvalid(m_axi_awvalid), .m_axi_awready(m_axi_awready),
        .m_axi_wdata(m_axi_wdata), .m_axi_wstrb(m_axi_wstrb), .m_axi_wlast(m_axi_wlast),
        .m_axi_wvalid(m_axi_wvalid), .m_axi_wready(m_axi_wready),
        .m_axi_bresp(m_axi_bresp), .m_axi_bvalid(m_axi_bvalid), .m_axi_bready(m_axi_bready),
        .done(job_done), .error(write_error), .error_decode(write_decode), .error_addr(write_addr)
    );

    localparam [2:0] WORD8       = 3'd3;    // 8 bytes
    localparam [1:0] INCREMENT   = 2'b01;
    localparam [3:0] MODIFIABLE  = 4'b0011; // and bufferable
    assign {m_axi_arid, m_axi_awid, m_axi_wid} = '0;
    assign {m_axi_arsize, m_axi_awsize}        = {2{WORD8}};
    assign {m_axi_arburst, m_axi_awburst}      = {2{INCREMENT}};
    assign {m_axi_arlock, m_axi_awlock}        = '0;
    assign {m_axi_arcache, m_axi_awcache}      = {2{MODIFIABLE}};
    assign {m_axi_arprot, m_axi_awprot}        = '0;
    assign {m_axi_arqos, m_axi_awqos}          = '0;

    // ---- Counters

    wire logic clear = rst || clear_counters;
    shell_counter #(.BITS(64)) u_cycles (.clk(clk), .clear(clear), .event_now(busy), .count(cycles));
    shell_counter u_read_wait (
        .clk(clk), .clear(clear), .event_now(busy && pending && m_pixels_tready && !m_pixels_tvalid), .count(read_wait)
    );
    shell_counter u_write_wait (
        .clk(clk), .clear(clear), .event_now(busy && s_result_tvalid && !s_result_tready), .count(write_wait)
    );
    shell_counter u_read_beats (.clk(clk), .clear(clear), .event_now(m_axi_rvalid), .count(read_beats));
    shell_counter u_write_beats (
        .clk(clk), .clear(clear), .event_now(m_axi_wvalid && m_axi_wready), .count(write_beats)
    );

    shell_sampler #(.TAPS(TAPS), .PERIOD(PERIOD)) u_sampler (
        .clk(clk), .rst(rst), .busy(busy), .taps_valid(taps_valid), .taps_ready(taps_ready),
        .clear(clear_counters), .cleared(cleared), .read(tap_read), .which(tap), .answer(tap_answer),
        .counts(tap_counts), .samples(samples)
    );

    // When the job at hand began, for each that is not finished
    logic [31:0] now, taken;
    wire logic [31:0] began;
    always_ff @(posedge clk) begin
        now <= now + 32'd1;
        if (job_done) taken <= now - began;
        if (rst) begin
            now   <= '0;
            taken <= '0;
        end
    end
    assign job_cycles = taken;

    // verilator lint_off PINCONNECTEMPTY
    stream_fifo #(.WIDTH(32), .DEPTH(QUEUE)) u_began (
        .clk(clk), .rst(work_rst),
        .s_axis_tdata(now), .s_axis_tvalid(read_job_valid && read_job_ready), .s_axis_tready(),
        .m_axis_tdata(began), .m_axis_tvalid(), .m_axis_tready(job_done),
        .count(), .high_water()
    );
    // verilator lint_on PINCONNECTEMPTY

    wire logic unused = &{
        1'b0, s_axil_awsize, s_axil_awburst, s_axil_wid, s_axil_wlast, s_axil_arsize, s_axil_arburst, m_axi_bid, m_axi_rid
    };
endmodule

`default_nettype wire
