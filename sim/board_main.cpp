// SPDX-License-Identifier: BSD-3-Clause
// Main program of the simulated board: processor and memory around `bitmend_board` (sim/ps7.sv), told what to do by pipes.
//
// GP0  single reads and writes of registers, as AXI3 transactions with random ids, gaps, and orders of address and data.
// HP0  a memory behind an AXI3 slave: some latency, eight bursts under way each way, random stalls. It checks what the
//      design asks for: bursts of rising addresses of 8 bytes, aligned, within 4 KiB, WLAST and WID as announced,
//      nothing withdrawn or changed before it is taken, no byte outside the allocated regions. Any of this broken ends
//      the program. Data are written when the response is given, not earlier.
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
#include <deque>
#include <string>

#include "Vbitmend.h"
#include "board_memory.h"
#include "program.h"
#include "verilated.h"

namespace {

using board::Address;
using board::Beat;
using board::broken;
using board::Burst;
using board::Data;
using board::Held;
using board::Memory;
using program::Random;
using program::Stalls;
using program::Unheard;

constexpr uint32_t BROKEN = 0xFFFFFFFF;
constexpr unsigned MOST_BURSTS = 8;      // that HP0 takes before it answers the first, each way
constexpr unsigned MOST_BEATS = 128;     // of writes that HP0 holds
constexpr unsigned LATENCY = 24;         // cycles from an address to the first answer, at least
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

std::string hex(uint64_t value) {
    char text[32];
    snprintf(text, sizeof text, "0x%08llx", (unsigned long long)value);
    return text;
}

class Board {
public:
    Board(VerilatedContext& context, char** argument)
        : context_(context)
        , model_(&context)
        , memory_(argument[1], uint32_t(strtoul(argument[2], nullptr, 0)), uint32_t(strtoul(argument[3], nullptr, 0)))
        , random_(strtoull(argument[4], nullptr, 10) * 8)
        , stressed_(atof(argument[5]) > 0)
        , stall_ar_(strtoull(argument[4], nullptr, 10) * 8 + 1, atof(argument[5]))
        , stall_r_(strtoull(argument[4], nullptr, 10) * 8 + 2, atof(argument[5]))
        , stall_aw_(strtoull(argument[4], nullptr, 10) * 8 + 3, atof(argument[5]))
        , stall_w_(strtoull(argument[4], nullptr, 10) * 8 + 4, atof(argument[5]))
        , stall_b_(strtoull(argument[4], nullptr, 10) * 8 + 5, atof(argument[5])) {}

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
        case 'I':
            (request.a ? inject_write_ : inject_read_) = request.b;
            (request.a ? after_write_ : after_read_) = request.c;
            break;
        case 'H': hold_[request.a % 3] = request.b; break;
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
        drive();
        model_.eval();
        look();
        sample();
        model_.fclk = 1;
        model_.eval();
        context_.timeInc(1);
        model_.fclk = 0;
        ++cycle_count;
        after_edge();
    }

    // What the memory shows in this cycle; what is offered stays until it is taken.
    void drive() {
        if (!model_.hp_rvalid) {
            const bool there = !reads_.empty() && reads_.front().ready_at <= cycle_count;
            if (there && !hold_[0] && !stall_r_()) {
                const Burst& burst = reads_.front();
                model_.hp_rdata = memory_.beat(burst.address + 8 * burst.done);
                model_.hp_rresp = burst.response && burst.done == burst.bad_beat ? burst.response : 0;
                model_.hp_rid = burst.id;
                model_.hp_rlast = burst.done + 1 == burst.beats;
                model_.hp_rvalid = 1;
            }
        }
        if (!model_.hp_bvalid) {
            const bool there = !done_.empty() && done_.front().ready_at <= cycle_count;
            if (there && !hold_[2] && !stall_b_()) {
                commit(done_.front());
                model_.hp_bid = done_.front().id;
                model_.hp_bresp = done_.front().response;
                model_.hp_bvalid = 1;
            }
        }
        model_.hp_arready = reads_.size() < MOST_BURSTS && !hold_[0] && !stall_ar_();
        model_.hp_awready = writes_.size() + done_.size() < MOST_BURSTS && !hold_[1] && !stall_aw_();
        model_.hp_wready = beats_.size() < MOST_BEATS && !hold_[1] && !stall_w_();
    }

    void sample() {
        if (!model_.fclk_resetn) return;
        const Address read = {model_.hp_araddr, model_.hp_arid, model_.hp_arlen, model_.hp_arsize, model_.hp_arburst};
        held_ar_.check(model_.hp_arvalid, model_.hp_arready, read);
        if (model_.hp_arvalid && model_.hp_arready) take_read(read);
        const Address write = {model_.hp_awaddr, model_.hp_awid, model_.hp_awlen, model_.hp_awsize, model_.hp_awburst};
        held_aw_.check(model_.hp_awvalid, model_.hp_awready, write);
        if (model_.hp_awvalid && model_.hp_awready) take_write(write);
        const Data data = {model_.hp_wdata, model_.hp_wid, model_.hp_wstrb, bool(model_.hp_wlast)};
        held_w_.check(model_.hp_wvalid, model_.hp_wready, data);
        if (model_.hp_wvalid && model_.hp_wready)
            beats_.push_back({data.data, data.id, uint8_t(data.strobes), data.last});
        read_taken_ = model_.hp_rvalid && model_.hp_rready;
        response_taken_ = model_.hp_bvalid && model_.hp_bready;
        finish_writes();
    }

    void after_edge() {  // what was taken is offered no longer
        if (read_taken_) {
            model_.hp_rvalid = 0;
            if (++reads_.front().done == reads_.front().beats) reads_.pop_front();
        }
        if (response_taken_) {
            model_.hp_bvalid = 0;
            done_.pop_front();
        }
        read_taken_ = response_taken_ = false;
    }

    void check_burst(const char* name, const Address& a) {
        const uint32_t bytes = 8 * (a.len + 1);
        const std::string what = std::string(name) + " of " + std::to_string(a.len + 1) + " beats at " + hex(a.address);
        if (a.size != 3) broken(what + " is not of 8 bytes per beat");
        if (a.burst != 1) broken(what + " is not of rising addresses");
        if (a.address % 8) broken(what + " is not aligned to 8 bytes");
        if ((a.address & 0xFFF) + bytes > 0x1000) broken(what + " crosses a boundary of 4 KiB");
    }

    uint64_t answer_at() { return cycle_count + LATENCY + (stressed_ ? random_.draw() % 64 : 0); }

    static unsigned inject(unsigned& response, uint64_t& after) {
        if (!response || after--) return 0;
        const unsigned now = response;
        response = 0;
        return now;
    }

    void take_read(const Address& a) {
        check_burst("a read", a);
        if (!memory_.allowed(a.address, 8 * a.len + 1))  // of the last beat one byte is enough
            broken("a read of " + std::to_string(a.len + 1) + " beats at " + hex(a.address) + " is outside the buffers");
        const unsigned response = inject(inject_read_, after_read_), bad = random_.draw() % (a.len + 1);
        reads_.push_back({a.address, a.id, a.len + 1, 0, answer_at(), response, bad});
    }

    void take_write(const Address& a) {
        check_burst("a write", a);
        writes_.push_back({a.address, a.id, a.len + 1, 0, 0, inject(inject_write_, after_write_), 0});
    }

    // Bursts whose data are complete wait for their response.
    void finish_writes() {
        while (!writes_.empty()) {
            Burst& burst = writes_.front();
            while (burst.done < burst.beats && burst.done < beats_.size()) {
                const Beat& beat = beats_[burst.done++];
                const bool last = burst.done == burst.beats;
                if (beat.last != last) broken("WLAST does not go with AWLEN of the write at " + hex(burst.address));
                if (beat.id != burst.id) broken("WID is not AWID of the write at " + hex(burst.address));
                const uint32_t address = burst.address + 8 * (burst.done - 1);
                for (unsigned i = 0; i < 8; ++i)
                    if (beat.strobes >> i & 1 && !memory_.allowed(address + i, 1))
                        broken("a byte is written at " + hex(address + i) + ", outside the buffers");
            }
            if (burst.done < burst.beats) return;
            burst.ready_at = answer_at();
            burst_beats_.emplace_back(beats_.begin(), beats_.begin() + burst.beats);
            beats_.erase(beats_.begin(), beats_.begin() + burst.beats);
            done_.push_back(burst);
            writes_.pop_front();
        }
    }

    void commit(const Burst& burst) {
        const std::deque<Beat>& beats = burst_beats_.front();
        for (unsigned n = 0; n < burst.beats && !burst.response; ++n)
            for (unsigned i = 0; i < 8; ++i)
                if (beats[n].strobes >> i & 1)
                    memory_.byte(burst.address + 8 * n + i, uint8_t(beats[n].data >> (8 * i)));
        burst_beats_.pop_front();
    }

    VerilatedContext& context_;
    Vbitmend model_;
    Memory memory_;
    Random random_;
    bool stressed_;
    Stalls stall_ar_, stall_r_, stall_aw_, stall_w_, stall_b_;
    std::deque<Burst> reads_, writes_, done_;  // under way; done_: data complete, response not given
    std::deque<Beat> beats_;                   // of writes_, in order
    std::deque<std::deque<Beat>> burst_beats_; // of done_
    Held<Address> held_ar_{"AR"}, held_aw_{"AW"};
    Held<Data> held_w_{"W"};
    bool next_aw_ = false, next_w_ = false, read_taken_ = false, response_taken_ = false;
    unsigned inject_read_ = 0, inject_write_ = 0;
    uint64_t after_read_ = 0, after_write_ = 0;
    bool hold_[3] = {};
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
