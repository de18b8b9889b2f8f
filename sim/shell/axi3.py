# SPDX-License-Identifier: BSD-3-Clause
"""A memory behind an AXI3 port, with random delays and errors, which watches what the master does.

What it insists on (Arm IHI 0022, AXI3): valid and its payload stay until ready; bursts lie within 4 KiB;
wlast at the last beat and there only;
and what docs/shell.md promises beyond that, see `_check_address` and `_words`.
"""

from __future__ import annotations

import random
from collections import deque
from dataclasses import dataclass

OKAY, SLVERR, DECERR = 0, 2, 3
BEAT = 8
BLOCK = 128
"""Bytes within which a burst of the shell stays."""

PATIENCE = 8
"""Cycles that the words of a burst that was requested may be away while the memory is ready for them."""

_PAYLOADS = {
    "aw": ("awaddr", "awlen", "awsize", "awburst", "awid", "awlock", "awcache", "awprot", "awqos"),
    "w": ("wdata", "wstrb", "wlast", "wid"),
    "ar": ("araddr", "arlen", "arsize", "arburst", "arid", "arlock", "arcache", "arprot", "arqos"),
}


@dataclass
class Mood:
    """How the memory behaves.

    Attributes:
        stall: share of cycles in which a channel does nothing, 0..1.
        delay: most cycles from a request to its first answer.
        least: fewest cycles of that.
        address_after_data: takes the address of a write only when its first word is there.
    """

    stall: float = 0.0
    delay: int = 3
    address_after_data: bool = False
    least: int = 0


@dataclass
class _Burst:
    address: int
    beats: int
    due: int
    response: int = OKAY
    done: int = 0


class Memory:
    """Memory from `base` on. Call `sample` before every rising edge of the clock and `drive` after it.

    Attributes:
        content: its bytes.
        mood: of delays; may be changed at any time.
        errors: responses by the number of the burst of its kind: errors["r"][3] is for the fourth read.
        reads, writes: number of bursts that were requested.
        read_beats, write_beats: that were moved.
        failed: addresses of the bursts that were answered with an error, in order.
        cycle: number of edges so far.
        last_response, first_read: cycles in which the last response was taken and a read was first requested
            since `mark`.
    """

    def __init__(self, dut, base: int, size: int, rng: random.Random, outstanding: int = 8) -> None:
        self.dut, self.base, self.rng, self.outstanding = dut, base, rng, outstanding
        self.content = bytearray(rng.randbytes(size))
        self.mood = Mood()
        self.errors: dict[str, dict[int, int]] = {"r": {}, "w": {}}
        self.failed: list[int] = []
        self.reads = self.writes = self.read_beats = self.write_beats = 0
        self.cycle = self.last_response = 0
        self.first_read: int | None = None
        self._signals = {n: getattr(dut, f"m_axi_{n}") for names in _PAYLOADS.values() for n in names}
        self._signals |= {
            f"{c}{h}": getattr(dut, f"m_axi_{c}{h}")
            for c in ("aw", "w", "b", "ar", "r")
            for h in ("valid", "ready")
        }
        self._reading: deque[_Burst] = deque()
        self._writing: deque[_Burst] = deque()  # requested, not all words here
        self._answering: deque[_Burst] = deque()
        self._offered: deque[tuple[int, int, int]] = (
            deque()
        )  # writes seen at the port, not taken yet: at most one
        self._held: dict[str, tuple | None] = {"aw": None, "w": None, "ar": None}
        self._seen = {"aw": 0, "ar": 0}  # offers of an address
        self._away = 0
        self._drive = dict.fromkeys(("awready", "wready", "arready", "rvalid", "bvalid"), 0)
        for name in self._drive:
            self._signals[name].value = 0

    def mark(self) -> None:
        """Forget `first_read`."""
        self.first_read = None

    @property
    def quiet(self) -> bool:
        """Whether nothing is under way."""
        return not (self._reading or self._writing or self._answering or self._offered)

    def view(self, address: int, size: int) -> memoryview:
        """Return the bytes at an address."""
        return memoryview(self.content)[address - self.base : address - self.base + size]

    def _get(self, name: str) -> int:
        return int(self._signals[name].value)

    def _response(self, kind: str, number: int, address: int, size: int) -> int:
        inside = self.base <= address and address + size <= self.base + len(self.content)
        return self.errors[kind].get(number, OKAY if inside else DECERR)

    def sample(self) -> None:
        """Note what moves at the coming edge, and check the rules."""
        valid = {channel: self._get(f"{channel}valid") for channel in _PAYLOADS}
        payload = {c: tuple(self._get(n) for n in _PAYLOADS[c]) if valid[c] else None for c in _PAYLOADS}
        for channel, held in self._held.items():
            if held is not None:
                assert payload[channel] is not None, f"{channel}valid fell before it was taken"
                assert payload[channel] == held, (
                    f"{channel}: {held} changed to {payload[channel]} while it waited"
                )
            taken = valid[channel] and self._drive[f"{channel}ready"]
            self._held[channel] = None if taken else payload[channel]
        assert self._get("rready"), "rready is low: room for the words was promised"
        assert self._get("bready"), "bready is low"
        self._requests(payload["aw"], payload["ar"])
        self._words(payload["w"])
        self._answers()
        self.cycle += 1

    def _requests(self, aw: tuple | None, ar: tuple | None) -> None:
        if ar is not None and self._seen["ar"] == 0:
            self._seen["ar"] = 1
            self._check_address("ar", ar)
            assert len(self._reading) < self.outstanding, f"more than {self.outstanding} reads under way"
            if self.first_read is None:
                self.first_read = self.cycle
        if aw is not None and self._seen["aw"] == 0:
            self._seen["aw"] = 1
            self._check_address("aw", aw)
            under_way = len(self._writing) + len(self._answering)
            assert under_way < self.outstanding, f"more than {self.outstanding} writes under way"
            response = self._response("w", self.writes, aw[0], BEAT * (aw[1] + 1))
            self._writing.append(_Burst(aw[0], aw[1] + 1, 0, response))
            self.writes += 1
        if ar is not None and self._drive["arready"]:
            self._seen["ar"] = 0
            due = self.cycle + 1 + self.rng.randint(self.mood.least, self.mood.delay)
            response = self._response("r", self.reads, ar[0], BEAT * (ar[1] + 1))
            self._reading.append(_Burst(ar[0], ar[1] + 1, due, response))
            self.reads += 1
        if aw is not None and self._drive["awready"]:
            self._seen["aw"] = 0

    def _check_address(self, channel: str, payload: tuple) -> None:
        address, length, size, burst, identity, lock, cache, prot, qos = payload
        end = address + BEAT * (length + 1) - 1
        assert address % BEAT == 0, f"{channel}addr {address:#x} is not a multiple of {BEAT}"
        assert address // BLOCK == end // BLOCK, (
            f"{channel}: {address:#x}..{end:#x} crosses a block of {BLOCK}"
        )
        assert (size, burst, identity, lock, cache, prot, qos) == (3, 1, 0, 0, 3, 0, 0), (
            f"{channel}: {payload}"
        )

    def _words(self, word: tuple | None) -> None:
        pending = self._writing[0] if self._writing else None
        # Words follow their request, and are there when it is: a burst never waits for the network.
        if word is None:
            self._away = self._away + 1 if pending else 0
            assert self._away <= PATIENCE, f"the words of the write to {pending.address:#x} do not come"
            return
        self._away = 0
        assert pending is not None, "a word before its burst is requested"
        data, strobes, last, identity = word
        assert identity == 0, f"wid is {identity}"
        assert last == (pending.done == pending.beats - 1), (
            f"wlast is {last} at beat {pending.done} of {pending.beats}"
        )
        if not self._drive["wready"]:
            return
        place = pending.address + BEAT * pending.done - self.base
        if pending.response == OKAY:
            for lane in range(BEAT):
                if strobes >> lane & 1:
                    self.content[place + lane] = data >> (8 * lane) & 0xFF
        pending.done += 1
        self.write_beats += 1
        if last:
            self._writing.popleft()
            pending.due = self.cycle + 1 + self.rng.randint(self.mood.least, self.mood.delay)
            self._answering.append(pending)

    def _answers(self) -> None:
        if self._drive["rvalid"]:
            burst = self._reading[0]
            burst.done += 1
            self.read_beats += 1
            if burst.done == burst.beats:
                self._reading.popleft()
                if burst.response != OKAY:
                    self.failed.append(burst.address)
            self._drive["rvalid"] = 0
        if self._drive["bvalid"]:
            burst = self._answering.popleft()
            self.last_response = self.cycle
            if burst.response != OKAY:
                self.failed.append(burst.address)
            self._drive["bvalid"] = 0

    def drive(self) -> None:
        """Set what the master sees in the coming cycle."""
        moves = {name: self.rng.random() >= self.mood.stall for name in ("aw", "w", "ar", "r", "b")}
        drive = self._drive
        drive["arready"] = int(moves["ar"])
        drive["wready"] = int(moves["w"])
        # Some slaves want to see the first word before they take the address
        waits = (
            self.mood.address_after_data
            and not (self._writing and self._writing[-1].done)
            and bool(self._writing)
        )
        drive["awready"] = int(moves["aw"] and not waits)
        burst = self._reading[0] if self._reading else None
        drive["rvalid"] = int(burst is not None and burst.due <= self.cycle and moves["r"])
        if drive["rvalid"]:
            place = burst.address + BEAT * burst.done - self.base
            word = self.content[place : place + BEAT] if 0 <= place < len(self.content) else b""
            # One beat of a bad burst is enough to spoil it
            bad = burst.response != OKAY and (not word or burst.done == burst.beats - 1)
            self.dut.m_axi_rdata.value = self.rng.getrandbits(64) if bad else int.from_bytes(word, "little")
            self.dut.m_axi_rresp.value = burst.response if bad else OKAY
            self.dut.m_axi_rlast.value = int(burst.done == burst.beats - 1)
            self.dut.m_axi_rid.value = 0
        answer = self._answering[0] if self._answering else None
        # A response comes after the address was taken, too
        late = answer is not None and self._seen["aw"] and not self._writing
        drive["bvalid"] = int(answer is not None and not late and answer.due <= self.cycle and moves["b"])
        if drive["bvalid"]:
            self.dut.m_axi_bresp.value = answer.response
            self.dut.m_axi_bid.value = 0
        for name, value in drive.items():
            self._signals[name].value = value
