// SPDX-License-Identifier: BSD-3-Clause
// Main program of the simulated board: processor and memory around `bitmend_board` (sim/ps7.sv), told what to do by pipes.
//
// GP0  single reads and writes of registers, as AXI3 transactions with random ids, gaps, and orders of address and data.
// HP0  a memory (sim/board_port.h). If the design breaks a rule there, the program ends.
//
// Arguments  file of the memory, its base address and size, seed, probability of stalls in 0..1.
// Input      requests of 24 bytes: sequence, kind, a, b (uint32), c (uint64), little-endian.
//            'R' read register at a
//            'W' write b to register at a
//            'P' read register at a until it is not b, for c cycles at most
//            'A' let c cycles pass
//            'M' allow access to b bytes at address a; 'F' forbid those at a again
//            'I' error response b in the burst after the next c ones, a: 0 of reads, 1 of writes
//            'H' the memory stops (b = 1) or goes on (b = 0), a: 0 with reads, 1 with writes, 2 with write responses
// Output     replies of 24 bytes: sequence, result (uint32), cycle (uint64), value (uint32), 0. The result is 0, or the
//            error response at GP0, or BROKEN: then the last line of standard error says what, and the program ends.
// What the model prints goes to standard error.

#include <unistd.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>

#include "Vbitmend.h"
#include "board_memory.h"
#include "board_port.h"
#include "program.h"
#include "verilated.h"

namespace {

using board::broken;
using board::Memory;
using program::Random;
using program::Unheard;

constexpr uint32_t BROKEN = 0xFFFFFFFF;
constexpr uint64_t NO_ANSWER = 20000;    // cycles after which GP0 gives up
constexpr uint64_t POLL = 64;            // cycles between two reads of 'P'

struct Request {
    uint32_t sequence, kind, a, b;
    uint64_t c;
};
struct Reply {
    uint32_t sequence, result;
    uint64_t cycle;
    uint32_t value, zero;
};
static_assert(sizeof(Request) == 24 && sizeof(Reply) == 24);

int replies;
Request request;
uint64_t cycle_count = 0;

void reply(uint32_t result, uint32_t value) {
    const Reply answer = {request.sequence, result, cycle_count, value, 0};
    if (write(replies, &answer, sizeof answer) != ssize_t(sizeof answer)) _exit(3);  // the reader is gone
}

}  // namespace

[[noreturn]] void board::broken(const std::string& text) {
    fflush(stdout);
    fprintf(stderr, "\nError: %s, in cycle %llu\n", text.c_str(), (unsigned long long)cycle_count);
    fflush(stderr);
    reply(BROKEN, 0);
    _exit(1);
}

namespace {

class Board {
public:
    Board(VerilatedContext& context, char** argument)
        : context_(context)
        , model_(&context)
        , memory_(argument[1], uint32_t(strtoul(argument[2], nullptr, 0)), uint32_t(strtoul(argument[3], nullptr, 0)))
        , random_(strtoull(argument[4], nullptr, 10) * 8)
        , stressed_(atof(argument[5]) > 0)
        , hp_(model_, memory_, random_, strtoull(argument[4], nullptr, 10) * 8, atof(argument[5])) {}

    [[noreturn]] void run() {
        model_.fclk = 0;
        model_.fclk_resetn = 0;
        model_.gp_awvalid = model_.gp_wvalid = model_.gp_bready = model_.gp_arvalid = model_.gp_rready = 0;
        model_.hp_rvalid = model_.hp_bvalid = 0;
        {
            const Unheard unheard;
            pass(16);
        }
        model_.fclk_resetn = 1;
        pass(16);
        for (;;) {
            if (read(0, &request, sizeof request) != ssize_t(sizeof request)) _exit(0);  // nobody is left
            serve();
        }
    }

private:
    void serve() {
        switch (request.kind) {
        case 'R': return finish(read_register(request.a));
        case 'W': return finish(write_register(request.a, request.b));
        case 'P': return watch();
        case 'A': pass(request.c); break;
        case 'M': memory_.allow(request.a, request.b); break;
        case 'F': memory_.forbid(request.a); break;
        case 'I': hp_.fail(request.a, request.b, request.c); break;
        case 'H': hp_.hold(request.a % 3, request.b); break;
        default: broken("a request of unknown kind");
        }
        reply(0, 0);
    }

    struct Answer {
        uint32_t value, response;
    };
    void finish(Answer answer) { reply(answer.response, answer.value); }

    void watch() {
        const uint64_t end = cycle_count + request.c;
        Answer answer = read_register(request.a);
        while (!answer.response && answer.value == request.b && cycle_count < end) {
            pass(cycle_count + POLL < end ? POLL : end - cycle_count);
            answer = read_register(request.a);
        }
        finish(answer);
    }

    void pass(uint64_t cycles) {
        while (cycles--) cycle();
    }

    void gap() {  // between two actions of the processor
        if (stressed_) pass(random_.draw() % 4);
    }

    Answer read_register(uint32_t address) {
        gap();
        const unsigned id = random_.draw() & 0xFFF;
        model_.gp_araddr = address;
        model_.gp_arid = id;
        model_.gp_arlen = 0;
        model_.gp_arvalid = 1;
        await([this] { return model_.gp_arready; }, "a read address");
        model_.gp_arvalid = 0;
        gap();
        model_.gp_rready = 1;
        Answer answer{};
        await([&] {
            if (!model_.gp_rvalid) return false;
            if (model_.gp_rid != id) broken("GP0: RID is not that of the read");
            if (!model_.gp_rlast) broken("GP0: a read of one beat came without RLAST");
            answer = {model_.gp_rdata, model_.gp_rresp};
            return true;
        }, "a read");
        model_.gp_rready = 0;
        return answer;
    }

    Answer write_register(uint32_t address, uint32_t value) {
        gap();
        const unsigned id = random_.draw() & 0xFFF, order = stressed_ ? random_.draw() % 3 : 0;
        model_.gp_awaddr = address;
        model_.gp_awid = id;
        model_.gp_awlen = 0;
        model_.gp_wdata = value;
        model_.gp_wstrb = 0xF;
        model_.gp_wlast = 1;
        bool address_taken = false, data_taken = false;
        model_.gp_awvalid = order != 2;  // 0: both at once, 1: the address first, 2: the data first
        model_.gp_wvalid = order != 1;
        await([&] {
            if (model_.gp_awvalid && model_.gp_awready) address_taken = true;
            if (model_.gp_wvalid && model_.gp_wready) data_taken = true;
            next_aw_ = !address_taken;
            next_w_ = !data_taken;
            return address_taken && data_taken;
        }, "a write", true);
        gap();
        model_.gp_bready = 1;
        Answer answer{};
        await([&] {
            if (!model_.gp_bvalid) return false;
            if (model_.gp_bid != id) broken("GP0: BID is not that of the write");
            answer = {0, model_.gp_bresp};
            return true;
        }, "a write");
        model_.gp_bready = 0;
        return answer;
    }

    // Let cycles pass until `done`, which looks at the outputs of a cycle before its edge.
    template <typename Done>
    void await(Done done, const char* what, bool writing = false) {
        for (uint64_t waited = 0;; ++waited) {
            if (waited > NO_ANSWER) broken(std::string("GP0: no answer to ") + what);
            bool now = false;
            cycle([&] { now = done(); });
            if (writing) {
                model_.gp_awvalid = next_aw_ && (model_.gp_awvalid || waited > 4);
                model_.gp_wvalid = next_w_ && (model_.gp_wvalid || waited > 4);
            }
            if (now) return;
        }
    }

    void cycle() {
        cycle([] {});
    }

    template <typename Look>
    void cycle(Look look) {
        hp_.drive(cycle_count);
        model_.eval();
        look();
        if (model_.fclk_resetn) hp_.sample();
        model_.fclk = 1;
        model_.eval();
        context_.timeInc(1);
        model_.fclk = 0;
        ++cycle_count;
        hp_.after_edge();
    }

    VerilatedContext& context_;
    Vbitmend model_;
    Memory memory_;
    Random random_;
    bool stressed_;
    board::MemoryPort<Vbitmend> hp_;
    bool next_aw_ = false, next_w_ = false;
};

}  // namespace

// Called by $fatal and $stop; the library is compiled with VL_USER_STOP
void vl_stop(const char*, int, const char*) {
    if (!program::resetting) {
        fflush(stdout);
        _exit(1);
    }
}

double sc_time_stamp() { return 0; }

int main(int count, char** argument) {
    replies = dup(1);
    dup2(2, 1);  // what the model prints must not come between the replies
    if (count != 6) return 2;
    static VerilatedContext context;
    context.randReset(2);
    context.randSeed(int(strtoull(argument[4], nullptr, 10) % 0x7fffffff) + 1);
    static Board board(context, argument);
    board.run();
}
