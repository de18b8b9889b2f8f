# SPDX-License-Identifier: BSD-3-Clause
"""The processor's port to the registers: an AXI3 master, one access at a time, with random delays."""

from __future__ import annotations

import random

from cocotb.triggers import Event

_CHANNELS = ("aw", "w", "ar")
_PAYLOAD = {"b": ("bid", "bresp"), "r": ("rid", "rdata", "rresp", "rlast")}


class Registers:
    """Reads and writes words. Call `sample` before every rising edge of the clock and `drive` after it.

    Attributes:
        stall: share of cycles in which a channel does nothing, 0..1.
    """

    def __init__(self, dut, rng: random.Random) -> None:
        self.dut, self.rng, self.stall = dut, rng, 0.0
        self._queues: dict[str, list[dict[str, int]]] = {channel: [] for channel in _CHANNELS}
        self._offered = dict.fromkeys(_CHANNELS, False)
        self._ready = {"b": False, "r": False}
        self._held: dict[str, tuple | None] = {"b": None, "r": None}
        self._answers: dict[str, list[tuple[int, ...]]] = {"b": [], "r": []}
        self._wanted = {"b": 0, "r": 0}
        self._event = {"b": Event(), "r": Event()}
        for channel in _CHANNELS:
            getattr(dut, f"s_axil_{channel}valid").value = 0
        for channel in self._ready:
            getattr(dut, f"s_axil_{channel}ready").value = 0

    def _get(self, name: str) -> int:
        return int(getattr(self.dut, f"s_axil_{name}").value)

    def sample(self) -> None:
        """Note what moves at the coming edge."""
        for channel in _CHANNELS:
            if self._offered[channel] and self._get(f"{channel}ready"):
                self._queues[channel].pop(0)
                self._offered[channel] = False
        for channel, names in _PAYLOAD.items():
            answer = tuple(self._get(n) for n in names) if self._get(f"{channel}valid") else None
            held = self._held[channel]
            assert held is None or answer == held, f"{channel}: {held} changed to {answer} while it waited"
            self._held[channel] = answer
            if answer is not None and self._ready[channel]:
                self._held[channel] = None
                self._answers[channel].append(answer)
                assert len(self._answers[channel]) <= self._wanted[channel], (
                    f"{channel}: {answer} was not asked for"
                )
                if len(self._answers[channel]) == self._wanted[channel]:
                    self._event[channel].set()

    def drive(self) -> None:
        """Set what the slave sees in the coming cycle."""
        for channel in _CHANNELS:
            if not self._offered[channel]:
                self._offered[channel] = bool(self._queues[channel]) and self.rng.random() >= self.stall
                getattr(self.dut, f"s_axil_{channel}valid").value = int(self._offered[channel])
                if self._offered[channel]:
                    for name, value in self._queues[channel][0].items():
                        getattr(self.dut, f"s_axil_{name}").value = value
        for channel in self._ready:
            self._ready[channel] = self.rng.random() >= self.stall
            getattr(self.dut, f"s_axil_{channel}ready").value = int(self._ready[channel])

    async def write(self, address: int, words: list[int], strobes: int = 0xF) -> int:
        """Write words in one burst; returns the response."""
        identity = self.rng.getrandbits(12)
        self._queues["aw"].append(
            {"awaddr": address, "awid": identity, "awlen": len(words) - 1, "awsize": 2, "awburst": 1}
        )
        for index, word in enumerate(words):
            last = int(index == len(words) - 1)
            self._queues["w"].append({"wdata": word, "wstrb": strobes, "wlast": last, "wid": identity})
        ((got, response),) = await self._finish("b", 1)
        assert got == identity, f"bid {got:#x}, expected {identity:#x}"
        return response

    async def read(self, address: int, beats: int = 1) -> list[tuple[int, int]]:
        """Read words in one burst; returns each with its response."""
        identity = self.rng.getrandbits(12)
        self._queues["ar"].append(
            {"araddr": address, "arid": identity, "arlen": beats - 1, "arsize": 2, "arburst": 1}
        )
        answers = await self._finish("r", beats)
        for index, (got, _, _, last) in enumerate(answers):
            assert got == identity, f"rid {got:#x}, expected {identity:#x}"
            assert last == (index == beats - 1), f"rlast is {last} at beat {index} of {beats}"
        return [(data, response) for _, data, response, _ in answers]

    async def _finish(self, channel: str, answers: int) -> list[tuple[int, ...]]:
        self._answers[channel], self._wanted[channel] = [], answers
        self._event[channel].clear()
        await self._event[channel].wait()
        self._wanted[channel] = 0
        answered, self._answers[channel] = self._answers[channel], []
        return answered
