// SPDX-License-Identifier: BSD-3-Clause
// Port HP0 of the simulated board: a memory behind an AXI3 slave.
//
// Some latency, eight bursts under way each way, random stalls. It checks what the design asks for: bursts of rising
// addresses of 8 bytes, aligned, within 4 KiB, WLAST and WID as announced, nothing withdrawn or changed before it is
// taken, no byte outside the allowed regions; any of this broken goes to `broken`. Data are written when the response is
// given, not earlier.

#pragma once

#include <cstdint>
#include <cstdio>
#include <deque>
#include <string>

#include "board_memory.h"
#include "program.h"

namespace board {

constexpr unsigned MOST_BURSTS = 8;   // that are taken before the first is answered, each way
constexpr unsigned MOST_BEATS = 128;  // of writes that are held
constexpr unsigned LATENCY = 24;      // cycles from an address to the first answer, at least

inline std::string hex(uint64_t value) {
    char text[32];
    snprintf(text, sizeof text, "0x%08llx", (unsigned long long)value);
    return text;
}

// In every cycle: drive, the model settles, sample, the edge of the clock, after_edge.
template <typename Model>
class MemoryPort {
public:
    // `random` says latencies and which beat of a burst fails; the stalls have seeds of their own, from seed + 1 on.
    MemoryPort(Model& model, Memory& memory, program::Random& random, uint64_t seed, double stalls)
        : model_(model)
        , memory_(memory)
        , random_(random)
        , stressed_(stalls > 0)
        , stall_ar_(seed + 1, stalls)
        , stall_r_(seed + 2, stalls)
        , stall_aw_(seed + 3, stalls)
        , stall_w_(seed + 4, stalls)
        , stall_b_(seed + 5, stalls) {}

    // An error response in the burst after the next `after` ones.
    void fail(bool write, unsigned response, uint64_t after) {
        (write ? inject_write_ : inject_read_) = response;
        (write ? after_write_ : after_read_) = after;
    }
    // Stop or go on with 0: reads, 1: writes, 2: write responses.
    void hold(unsigned what, bool stop) { hold_[what] = stop; }

    // What the memory shows in this cycle; what is offered stays until it is taken.
    void drive(uint64_t cycle) {
        cycle_ = cycle;
        if (!model_.hp_rvalid) {
            const bool there = !reads_.empty() && reads_.front().ready_at <= cycle_;
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
            const bool there = !done_.empty() && done_.front().ready_at <= cycle_;
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

private:
    void check_burst(const char* name, const Address& a) {
        const uint32_t bytes = 8 * (a.len + 1);
        const std::string what = std::string(name) + " of " + std::to_string(a.len + 1) + " beats at " + hex(a.address);
        if (a.size != 3) broken(what + " is not of 8 bytes per beat");
        if (a.burst != 1) broken(what + " is not of rising addresses");
        if (a.address % 8) broken(what + " is not aligned to 8 bytes");
        if ((a.address & 0xFFF) + bytes > 0x1000) broken(what + " crosses a boundary of 4 KiB");
    }

    uint64_t answer_at() { return cycle_ + LATENCY + (stressed_ ? random_.draw() % 64 : 0); }

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

    Model& model_;
    Memory& memory_;
    program::Random& random_;
    bool stressed_;
    program::Stalls stall_ar_, stall_r_, stall_aw_, stall_w_, stall_b_;
    uint64_t cycle_ = 0;
    std::deque<Burst> reads_, writes_, done_;   // under way; done_: data complete, response not given
    std::deque<Beat> beats_;                    // of writes_, in order
    std::deque<std::deque<Beat>> burst_beats_;  // of done_
    Held<Address> held_ar_{"AR"}, held_aw_{"AW"};
    Held<Data> held_w_{"W"};
    bool read_taken_ = false, response_taken_ = false;
    unsigned inject_read_ = 0, inject_write_ = 0;
    uint64_t after_read_ = 0, after_write_ = 0;
    bool hold_[3] = {};
};

}  // namespace board
