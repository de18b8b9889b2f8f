// SPDX-License-Identifier: BSD-3-Clause
// What the main programs of simulations share: random stalls, and a reset during which nobody listens.

#pragma once

#include <fcntl.h>
#include <unistd.h>

#include <cstdint>
#include <cstdio>

namespace program {

inline bool resetting = false;

// While the reset lasts, registers hold whatever they held before, and what modules say of that is not heard.
class Unheard {
public:
    Unheard()
        : errors_(dup(2)) {
        resetting = true;
        redirect(open("/dev/null", O_WRONLY));
    }
    ~Unheard() {
        redirect(errors_);
        resetting = false;
    }

private:
    static void redirect(int file) {
        fflush(stdout);
        dup2(file, 1);
        close(file);
    }
    int errors_;
};

class Random {  // splitmix64
public:
    explicit Random(uint64_t seed)
        : state_(seed * 2 + 1) {
        for (int i = 0; i < 8; ++i) draw();
    }
    uint32_t draw() {
        uint64_t z = (state_ += 0x9E3779B97F4A7C15ull);
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ull;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EBull;
        return uint32_t(z >> 32);
    }

private:
    uint64_t state_;
};

// Says in which cycles a port stalls. Its mood changes now and then: no stall, stalls as asked for, nearly only stalls.
class Stalls {
public:
    Stalls(uint64_t seed, double probability)
        : random_(seed)
        , probability_(probability) {}
    bool operator()() {
        if (probability_ <= 0) return false;
        if (!left_--) {
            left_ = 16 + random_.draw() % 497;
            const unsigned mood = random_.draw() % 4;
            const double p = mood == 0 ? 0 : mood == 3 ? 1 - (1 - probability_) / 16 : probability_;
            limit_ = p >= 1 ? UINT32_MAX : uint32_t(p * 4294967296.0);
        }
        return random_.draw() < limit_;
    }

private:
    Random random_;
    double probability_;
    uint32_t left_ = 0, limit_ = 0;
};

}  // namespace program
