// SPDX-License-Identifier: BSD-3-Clause
// The bus of the registers: an AXI3 slave that turns accesses into one request at a time.
//
// Function      A write of one word at an address of the range makes `write` high for a cycle, with addr, data and strobes;
//               it is answered OKAY when `done` is high, in that cycle or later. A read makes `read` high for a cycle, and
//               `rdata` is taken when `done` is high. Requests wait as long as the other side takes.
// Refusals      bursts of more than one beat: SLVERR on all beats, addresses outside BASE .. BASE + 64 KiB: DECERR; nothing
//               is requested.
// Order         one access at a time; a read and a write that wait together take turns.
// Handshake     every output is a register or a function of the state.
`default_nettype none

module shell_axil #(
    parameter [31:0] BASE = 32'h43C00000 // of the range, a multiple of 64 KiB
) (
    input  wire logic        clk,
    input  wire logic        rst,

    input  wire logic [11:0] s_axil_awid,
    input  wire logic [31:0] s_axil_awaddr,
    input  wire logic [3:0]  s_axil_awlen,
    input  wire logic        s_axil_awvalid,
    output wire logic        s_axil_awready,
    input  wire logic [31:0] s_axil_wdata,
    input  wire logic [3:0]  s_axil_wstrb,
    input  wire logic        s_axil_wvalid,
    output wire logic        s_axil_wready,
    output wire logic [11:0] s_axil_bid,
    output wire logic [1:0]  s_axil_bresp,
    output wire logic        s_axil_bvalid,
    input  wire logic        s_axil_bready,
    input  wire logic [11:0] s_axil_arid,
    input  wire logic [31:0] s_axil_araddr,
    input  wire logic [3:0]  s_axil_arlen,
    input  wire logic        s_axil_arvalid,
    output wire logic        s_axil_arready,
    output wire logic [11:0] s_axil_rid,
    output wire logic [31:0] s_axil_rdata,
    output wire logic [1:0]  s_axil_rresp,
    output wire logic        s_axil_rlast,
    output wire logic        s_axil_rvalid,
    input  wire logic        s_axil_rready,

    output wire logic        write,
    output wire logic        read,
    output wire logic [13:0] addr,    // in words
    output wire logic [31:0] wdata,
    output wire logic [3:0]  wstrb,
    input  wire logic [31:0] rdata,
    input  wire logic        done
);
    localparam [3:0] IDLE    = 4'd0;
    localparam [3:0] AW      = 4'd1; // takes an address
    localparam [3:0] W       = 4'd2; // takes the data
    localparam [3:0] WRITE   = 4'd3; // requests
    localparam [3:0] WRITING = 4'd4; // until it is done
    localparam [3:0] B       = 4'd5; // answers
    localparam [3:0] AR      = 4'd6;
    localparam [3:0] READ    = 4'd7;
    localparam [3:0] READING = 4'd8;
    localparam [3:0] R       = 4'd9;

    localparam [1:0] OKAY   = 2'b00;
    localparam [1:0] SLVERR = 2'b10;
    localparam [1:0] DECERR = 2'b11;

    generate
        if (BASE[15:0] != 16'd0) begin : g_check
            $error("shell_axil: BASE is %0h, expected a multiple of 64 KiB", BASE);
        end
    endgenerate

    logic [3:0]  state;
    logic        turn;   // reads go first if both wait
    logic [11:0] id;
    logic [13:0] word;
    logic [3:0]  beats;  // that are still to come, minus 1
    logic [1:0]  resp;
    logic [31:0] data;
    logic [3:0]  strobes;

    assign s_axil_awready = state == AW;
    assign s_axil_wready  = state == W;
    assign s_axil_bvalid  = state == B;
    assign s_axil_bid     = id;
    assign s_axil_bresp   = resp;
    assign s_axil_arready = state == AR;
    assign s_axil_rvalid  = state == R;
    assign s_axil_rid     = id;
    assign s_axil_rdata   = data;
    assign s_axil_rresp   = resp;
    assign s_axil_rlast   = beats == 4'd0;
    assign write          = state == WRITE;
    assign read           = state == READ;
    assign addr           = word;
    assign wdata          = data;
    assign wstrb          = strobes;

    wire logic [31:0] bus_addr = state == AR ? s_axil_araddr : s_axil_awaddr;
    wire logic [3:0]  bus_len  = state == AR ? s_axil_arlen : s_axil_awlen;

    always_ff @(posedge clk) begin
        if (state == AW || state == AR) begin
            id    <= state == AR ? s_axil_arid : s_axil_awid;
            word  <= bus_addr[15:2];
            beats <= bus_len;
            resp  <= bus_addr[31:16] != BASE[31:16] ? DECERR : bus_len != 4'd0 ? SLVERR : OKAY;
            data  <= '0;
            turn  <= state == AW;
        end

        case (state)
            IDLE: begin
                if (s_axil_arvalid && (turn || !s_axil_awvalid)) state <= AR;
                else if (s_axil_awvalid) state <= AW;
            end
            AW: state <= W;
            W: if (s_axil_wvalid) begin
                data    <= s_axil_wdata;
                strobes <= s_axil_wstrb;
                beats   <= beats - 4'd1;
                if (beats == 4'd0) state <= resp == OKAY ? WRITE : B;
            end
            WRITE, WRITING: state <= done ? B : WRITING;
            B: if (s_axil_bready) state <= IDLE;
            AR: state <= READ;
            READ, READING: begin
                if (done) data <= rdata;
                state <= done ? R : READING;
            end
            R: if (s_axil_rready) begin
                beats <= beats - 4'd1;
                if (beats == 4'd0) state <= IDLE;
            end
            default: state <= IDLE;
        endcase
        if (state == AR && (s_axil_arlen != 4'd0 || s_axil_araddr[31:16] != BASE[31:16])) state <= R;

        if (rst) begin
            state <= IDLE;
            turn  <= 1'b0;
        end
    end

    wire logic unused = &{1'b0, bus_addr[1:0]};
endmodule

`default_nettype wire
