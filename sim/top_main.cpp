// SPDX-License-Identifier: BSD-3-Clause
// Main program of the simulation of a whole network: frames from standard input, results to standard output.
//
// The model is `bitmend_probe`, which sim/top.py generates around the top module. What differs between tops comes as
// macros: IN_ELEMENTS, OUT_ELEMENTS, CHANNELS, DIM_BITS, SCALE, MAX_DEPTHS (number of FIFOs), STREAMS.
//
// Arguments  seed, stall probabilities of s_axis, s_size and m_axis in 0..1, cycles per input pixel, cycles without any
//            beat that are a deadlock, limit of cycles (0: none).
// Input      per frame: height, width (uint32), pixels. A height of 0 ends it. All numbers are little-endian.
// Output     messages, each a letter and a payload; sim/top.py reads them.
//            'R' frame, rows done (uint32)                   progress, once per row of results
//            'F' first beat in, first out, last out (uint64 cycles), pixels of the result
//            'E' cycles (uint64), high-water marks (uint32 each), samples (uint64), of each stream the samples in which
//                it was empty, those in which it was empty and ready, and those in which it was valid and not ready
//                (uint32 each)
//            'D' cycles (uint64), beats in, beats out (uint64), valid and ready of each stream (a byte each),
//                beats in each FIFO (uint32 each)             nothing moves any more
//            'T' cycles, beats in, beats out (uint64)         the limit is reached
//            'X' cycles (uint64), text (uint32 length)        a rule of the output stream is broken
// What the model prints goes to standard error.

#include <unistd.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <string>
#include <vector>

#include "Vbitmend.h"
#include "program.h"
#include "verilated.h"

namespace {

using program::Stalls;
using program::Unheard;

FILE* results;

struct Frame {
    uint32_t height, width;
    std::vector<uint8_t> pixels;
};

struct Expected {
    uint32_t rows, row_bytes;
    uint64_t first_in, first_out;
};

[[noreturn]] void finish(int code) {
    fflush(results);
    fflush(stdout);
    _exit(code);  // nothing is left to tidy, and models of networks take long to destroy
}

void put(const void* data, size_t size) {
    if (size && fwrite(data, size, 1, results) != 1) _exit(3);  // the reader is gone
}

template <typename T>
void put(T value) {
    put(&value, sizeof value);
}

void get(void* data, size_t size) {
    if (size && fread(data, size, 1, stdin) != 1) _exit(3);  // the writer is gone
}

bool read_frame(Frame& frame) {
    get(&frame.height, 4);
    if (!frame.height) return false;
    get(&frame.width, 4);
    frame.pixels.resize(size_t(frame.height) * frame.width * CHANNELS);
    get(frame.pixels.data(), frame.pixels.size());
    return true;
}

// Beats as Verilator holds them: up to 64 bits a number, beyond an array of 32-bit words.
template <typename T>
void store(T& port, const uint8_t* bytes, unsigned count) {
    uint64_t value = 0;
    for (unsigned i = 0; i < count; ++i) value |= uint64_t(bytes[i]) << (8 * i);
    port = T(value);
}
template <std::size_t N>
void store(VlWide<N>& port, const uint8_t* bytes, unsigned count) {
    for (std::size_t i = 0; i < N; ++i) port[i] = 0;
    for (unsigned i = 0; i < count; ++i) port[i / 4] |= uint32_t(bytes[i]) << (8 * (i % 4));
}
template <typename T>
void load(const T& port, uint8_t* bytes, unsigned count) {
    for (unsigned i = 0; i < count; ++i) bytes[i] = uint8_t(uint64_t(port) >> (8 * i));
}
template <std::size_t N>
void load(const VlWide<N>& port, uint8_t* bytes, unsigned count) {
    for (unsigned i = 0; i < count; ++i) bytes[i] = uint8_t(port[i / 4] >> (8 * (i % 4)));
}
template <typename T>
bool bit(const T& port, unsigned index) {
    return (uint64_t(port) >> index) & 1;
}
template <std::size_t N>
bool bit(const VlWide<N>& port, unsigned index) {
    return (port[index / 32] >> (index % 32)) & 1;
}
template <typename T>
uint32_t number(const T& port, unsigned index) {
    return uint32_t(uint64_t(port) >> (32 * index));
}
template <std::size_t N>
uint32_t number(const VlWide<N>& port, unsigned index) {
    return port[index];
}

constexpr uint64_t QUIET = 64;    // cycles without a beat at a port before one is looked for inside
constexpr uint64_t SAMPLE = 61;   // cycles from one sample to the next: a prime, as streams beat in small numbers
constexpr uint64_t AFTER = 1000;  // cycles after the last result in which no further one may come

class Simulation {
public:
    Simulation(VerilatedContext& context, char** argument)
        : context_(context)
        , model_(&context)
        , stall_in_(strtoull(argument[1], nullptr, 10) * 3, atof(argument[2]))
        , stall_size_(strtoull(argument[1], nullptr, 10) * 3 + 1, atof(argument[3]))
        , stall_out_(strtoull(argument[1], nullptr, 10) * 3 + 2, atof(argument[4]))
        , period_(strtoull(argument[5], nullptr, 10))
        , idle_limit_(strtoull(argument[6], nullptr, 10))
        , cycle_limit_(strtoull(argument[7], nullptr, 10)) {}

    [[noreturn]] void run() {
        reset();
        for (;;) {
            more_frames();
            if (expected_.empty()) {
                if (!after_) after_ = cycle_ + AFTER;
                if (cycle_ == after_) end();
            }
            cycle();
            if (quiet_ >= QUIET && !inside_moves() && quiet_ - moved_ >= idle_limit_ && !expected_.empty()) deadlock();
            if (cycle_limit_ && cycle_ >= cycle_limit_) timeout();
        }
    }

private:
    void tick() {
        model_.clk = 1;
        model_.eval();
        context_.timeInc(1);
        model_.clk = 0;
        ++cycle_;
    }

    void reset() {
        model_.look = 0;
        model_.clk = 0;
        model_.rst = 1;
        model_.s_axis_tvalid = 0;
        model_.s_size_tvalid = 0;
        model_.m_axis_tready = 0;
        {
            const Unheard unheard;
            for (int i = 0; i < 4; ++i) {
                model_.eval();
                tick();
            }
        }
        model_.rst = 0;
        cycle_ = 0;
    }

    void more_frames() {  // the next frame is at hand while one is sent: its size may run ahead
        while (open_ && frames_.size() < 2) {
            Frame frame;
            if (!(open_ = read_frame(frame))) break;
            sizes_.push_back(frame.height << DIM_BITS | frame.width);
            expected_.push_back({frame.height * SCALE, frame.width * SCALE * CHANNELS, 0, 0});
            frames_.push_back(std::move(frame));
        }
    }

    void cycle() {
        if (!model_.s_axis_tvalid && !frames_.empty()) {
            // A pixel of several beats starts with the beat at its first channel
            const bool starts = at_ % CHANNELS == 0;
            if ((!starts || cycle_ >= next_pixel_) && !stall_in_()) {
                if (starts) next_pixel_ = (next_pixel_ + period_ > cycle_ ? next_pixel_ : cycle_) + period_;
                store(model_.s_axis_tdata, &frames_.front().pixels[at_], IN_ELEMENTS);
                model_.s_axis_tvalid = 1;
            }
        }
        if (!model_.s_size_tvalid && !sizes_.empty() && !stall_size_()) {
            model_.s_size_tdata = sizes_.front();
            model_.s_size_tvalid = 1;
        }
        model_.m_axis_tready = !stall_out_();
        model_.eval();
        const bool in = model_.s_axis_tvalid && model_.s_axis_tready;
        const bool size = model_.s_size_tvalid && model_.s_size_tready;
        const bool out = model_.m_axis_tvalid && model_.m_axis_tready;
        check_output();
        if (beats_out_ && (open_ || !frames_.empty()) && cycle_ % SAMPLE == 0) sample();
        if (out) take();
        quiet_ = in || size || out ? 0 : quiet_ + 1;
        if (!quiet_) moved_ = 0;
        tick();
        if (in) sent();
        if (size) {
            sizes_.pop_front();
            model_.s_size_tvalid = 0;
        }
    }

    void sent() {
        model_.s_axis_tvalid = 0;
        ++beats_in_;
        // frames_ holds those that are not sent completely: they are the last of expected_
        if (!at_) expected_[expected_.size() - frames_.size()].first_in = cycle_ - 1;
        at_ += IN_ELEMENTS;
        if (at_ == frames_.front().pixels.size()) {
            frames_.pop_front();
            at_ = 0;
        }
    }

    void check_output() {
        uint8_t data[OUT_ELEMENTS];
        load(model_.m_axis_tdata, data, OUT_ELEMENTS);
        if (held_ && (!model_.m_axis_tvalid || memcmp(data, offered_, OUT_ELEMENTS)))
            broken(model_.m_axis_tvalid ? "m_axis_tdata changed before it was taken"
                                        : "m_axis_tvalid fell before the beat was taken");
        held_ = model_.m_axis_tvalid && !model_.m_axis_tready;
        memcpy(offered_, data, OUT_ELEMENTS);
    }

    void take() {
        if (expected_.empty()) broken("a beat at m_axis after the last result");
        Expected& frame = expected_.front();
        if (frame.rows && !first_seen_) {
            frame.first_out = cycle_;
            first_seen_ = true;
        }
        ++beats_out_;
        result_.insert(result_.end(), offered_, offered_ + OUT_ELEMENTS);
        if (result_.size() % frame.row_bytes == 0) {
            put('R');
            put(done_);
            put(uint32_t(result_.size() / frame.row_bytes));
        }
        if (result_.size() == size_t(frame.rows) * frame.row_bytes) {
            put('F');
            put(frame.first_in);
            put(frame.first_out);
            put(cycle_);
            put(result_.data(), result_.size());
            fflush(results);
            result_.clear();
            expected_.pop_front();
            first_seen_ = false;
            ++done_;
        }
    }

    void look() {
        model_.look = 1;
        model_.eval();
        model_.look = 0;
        model_.eval();
    }

    // What every stream does now, between the first result and the last pixel: a sample of the steady state.
    void sample() {
        look();
        ++samples_;
        for (unsigned i = 0; i < STREAMS; ++i) {
            empty_[i] += !bit(model_.valid, i);
            starved_[i] += bit(model_.ready, i) && !bit(model_.valid, i);
            blocked_[i] += bit(model_.valid, i) && !bit(model_.ready, i);
        }
    }

    // Whether a beat moved inside in this cycle; looking costs time, so it is done only when no port moves.
    bool inside_moves() {
        model_.eval();
        look();
        if (model_.moved) moved_ = quiet_;
        return model_.moved;
    }

    [[noreturn]] void end() {
        look();
        put('E');
        put(cycle_ - AFTER);
        for (unsigned i = 0; i < FIFOS; ++i) put(number(model_.high_water, i));
        put(samples_);
        for (unsigned i = 0; i < STREAMS; ++i) put(empty_[i]);
        for (unsigned i = 0; i < STREAMS; ++i) put(starved_[i]);
        for (unsigned i = 0; i < STREAMS; ++i) put(blocked_[i]);
        finish(0);
    }

    [[noreturn]] void deadlock() {
        put('D');
        put(cycle_);
        put(beats_in_);
        put(beats_out_);
        for (unsigned i = 0; i < STREAMS; ++i) put(uint8_t(bit(model_.valid, i)));
        for (unsigned i = 0; i < STREAMS; ++i) put(uint8_t(bit(model_.ready, i)));
        for (unsigned i = 0; i < FIFOS; ++i) put(number(model_.count, i));
        finish(0);
    }

    [[noreturn]] void timeout() {
        put('T');
        put(cycle_);
        put(beats_in_);
        put(beats_out_);
        finish(0);
    }

    [[noreturn]] void broken(const std::string& text) {
        put('X');
        put(cycle_);
        put(uint32_t(text.size()));
        put(text.data(), text.size());
        finish(0);
    }

    VerilatedContext& context_;
    Vbitmend model_;
    Stalls stall_in_, stall_size_, stall_out_;
    uint64_t period_, idle_limit_, cycle_limit_;
    uint64_t cycle_ = 0, next_pixel_ = 0, after_ = 0, beats_in_ = 0, beats_out_ = 0;
    uint64_t samples_ = 0;
    uint32_t empty_[STREAMS] = {}, starved_[STREAMS] = {}, blocked_[STREAMS] = {};
    uint64_t quiet_ = 0, moved_ = 0;  // cycles since a beat at a port; quiet_ when one moved inside
    std::deque<Frame> frames_;        // not sent completely
    std::deque<uint32_t> sizes_;
    std::deque<Expected> expected_;   // not received completely
    std::vector<uint8_t> result_;
    size_t at_ = 0;
    uint32_t done_ = 0;
    uint8_t offered_[OUT_ELEMENTS] = {};
    bool open_ = true, held_ = false, first_seen_ = false;
};

}  // namespace

// Called by $fatal and $stop; the library is compiled with VL_USER_STOP
void vl_stop(const char*, int, const char*) {
    if (!program::resetting) finish(1);
}

double sc_time_stamp() { return 0; }

int main(int count, char** argument) {
    results = fdopen(dup(1), "wb");
    dup2(2, 1);  // what the model prints must not come between the messages
    if (count != 8) return 2;
    static VerilatedContext context;
    context.randReset(2);
    context.randSeed(int(strtoull(argument[1], nullptr, 10) % 0x7fffffff) + 1);
    static Simulation simulation(context, argument);
    simulation.run();
}
