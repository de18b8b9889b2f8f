// SPDX-License-Identifier: BSD-3-Clause
// The memory of the simulated board, and what is on its way to and from it.

#pragma once

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstdint>
#include <cstdio>
#include <cstring>
#include <map>
#include <string>

namespace board {

[[noreturn]] void broken(const std::string& text);  // a rule of AXI3, by the design

// The memory, and which parts of it the design may touch.
class Memory {
public:
    Memory(const char* path, uint32_t base, uint32_t size)
        : base_(base)
        , size_(size) {
        const int file = open(path, O_RDWR);
        void* at = file < 0 ? MAP_FAILED : mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
        if (at == MAP_FAILED) {
            fprintf(stderr, "Error: %s cannot be mapped\n", path);
            _exit(2);
        }
        bytes_ = static_cast<uint8_t*>(at);
    }
    void allow(uint32_t address, uint32_t size) { regions_[address] = size; }
    void forbid(uint32_t address) { regions_.erase(address); }
    // Whether `size` bytes at an address lie in one region.
    bool allowed(uint64_t address, uint32_t size) const {
        if (address < base_ || address + size > uint64_t(base_) + size_) return false;
        auto after = regions_.upper_bound(uint32_t(address));
        if (after == regions_.begin()) return false;
        --after;
        return address + size <= uint64_t(after->first) + after->second;
    }
    uint64_t beat(uint32_t address) const {
        uint64_t value;
        memcpy(&value, bytes_ + (address - base_), 8);
        return value;
    }
    void byte(uint32_t address, uint8_t value) { bytes_[address - base_] = value; }

private:
    uint8_t* bytes_;
    uint32_t base_, size_;
    std::map<uint32_t, uint32_t> regions_;
};

struct Burst {
    uint32_t address, id;
    unsigned beats, done;
    uint64_t ready_at;
    unsigned response, bad_beat;
};
struct Beat {
    uint64_t data;
    uint32_t id;
    uint8_t strobes;
    bool last;
};

// An offer (valid and its payload) must stay as it is until it is taken.
template <typename Payload>
class Held {
public:
    explicit Held(const char* name)
        : name_(name) {}
    void check(bool valid, bool ready, const Payload& payload) {
        if (waiting_ && !valid) broken(std::string(name_) + "VALID fell before it was taken");
        if (waiting_ && !(payload == payload_)) broken(std::string(name_) + " changed before it was taken");
        waiting_ = valid && !ready;
        payload_ = payload;
    }

private:
    const char* name_;
    bool waiting_ = false;
    Payload payload_{};
};

struct Address {
    uint32_t address, id, len, size, burst;
    bool operator==(const Address& o) const {
        return address == o.address && id == o.id && len == o.len && size == o.size && burst == o.burst;
    }
};
struct Data {
    uint64_t data;
    uint32_t id, strobes;
    bool last;
    bool operator==(const Data& o) const {
        return data == o.data && id == o.id && strobes == o.strobes && last == o.last;
    }
};

}  // namespace board
