# SPDX-License-Identifier: BSD-3-Clause
"""Networks with factors and statistics in Verilator: equal to golden's streaming form over all frames."""

from dataclasses import replace

import numpy as np
import pytest
from compiler_examples import random_folding
from top_examples import random_frames

from golden import run, run_streaming
from golden.random_attention import attention_like, ebsr_like
from golden.random_networks import random_image
from golden.statistics import means
from hw.compiler.fifos import decide
from hw.compiler.lower import Job, lower
from hw.compiler.timing import estimate, fifo_depths, stages
from sim.equivalence import FAILURES, Case, Mismatch, compare, compile_case, expected, save
from sim.top import Ports, TopSimulator

SIZE = (7, 9)

# Every new operator, means in a row, factors and thresholds of one frame at two places of a unit
STRUCTURES = {
    "ebsr": lambda rng: ebsr_like(rng, 4, 2, 2),
    "squeeze-spatial": lambda rng: attention_like(rng, 4, 1, 1, 1, "se", "spatial"),
    "pixel-x3": lambda rng: attention_like(rng, 3, 1, 3, 1, "pixel", "none", extreme=0.3),
}


class Top:
    """A structure in Verilator, with a random folding."""

    def __init__(self, name, folder):
        rng = np.random.default_rng(sum(name.encode()))
        self.name, self.seed = name, int(rng.integers(1 << 30))
        self.network = STRUCTURES[name](rng)
        self.case = Case(
            self.network, [np.zeros((*SIZE, self.network.channels), np.uint8)], self.folding, decide
        )
        self.simulator = TopSimulator(compile_case(self.case, folder))

    def folding(self, model):
        return random_folding(np.random.default_rng(self.seed))(model)

    def frames(self, sizes):
        rng = np.random.default_rng(len(sizes))
        return [random_image(rng, *size, self.network.channels) for size in sizes]

    def check(self, frames, ports=None):
        """Run frames; what fails is left behind, as `sim.equivalence.check` leaves it."""
        ports = ports or Ports()
        try:
            result = self.simulator.run(frames, ports)
            compare(self.network, frames, result.images)
        except Exception as error:
            left = save(replace(self.case, frames=frames, ports=ports), FAILURES / f"attention-{self.name}")
            raise AssertionError(f"{error}\nrun it again: python -m sim.equivalence {left}") from error
        return result


@pytest.fixture(scope="module", params=STRUCTURES)
def top(request, tmp_path_factory):
    return Top(request.param, tmp_path_factory.mktemp("top"))


@pytest.mark.parametrize("seed", range(3))
def test_frames_of_different_sizes_under_random_stalls(top, seed):
    rng = np.random.default_rng(seed)
    frames = random_frames(rng, top.network.channels, 8, *SIZE)
    top.check(frames, Ports(*rng.uniform(0, 0.6, 3), seed=seed))


@pytest.mark.parametrize(
    "sizes",
    [
        [(1, 1)] * 12,
        [(1, 1), (7, 9), (1, 1), (1, 1), (1, 9), (7, 1), (2, 2), (1, 1), (7, 9), (1, 2), (1, 1)],
        [(1, 9)] * 5 + [(1, 1)] * 5 + [(3, 9)],
    ],
    ids=["pixels", "mixed", "rows"],
)
@pytest.mark.parametrize("ports", [Ports(), Ports(stall_out=0.9, seed=1)], ids=["fast", "slow out"])
def test_tiny_frames_back_to_back(top, sizes, ports):
    """Several frames wait for vectors of frames that are still on their way."""
    top.check(top.frames(sizes), ports)


def test_a_reset_begins_with_the_initial_statistics(top):
    """Each run begins with a reset."""
    frames = top.frames([SIZE, SIZE])
    first, second = (top.simulator.run(frames) for _ in range(2))
    compare(top.network, frames, first.images)
    assert [f.image.tobytes() for f in first.frames] == [f.image.tobytes() for f in second.frames]


def test_cycles_are_those_that_the_compiler_expects(top):
    model = lower(Job(top.network, top.folding, decide), *SIZE)
    guess = estimate(stages(model), *SIZE, set(fifo_depths(model)))
    result = top.check(top.frames([SIZE] * 5))
    first = result.frames[0]
    assert first.first_out - first.first_in == pytest.approx(guess.first, rel=0.1)
    assert first.cycles == pytest.approx(guess.frame, rel=0.1)
    assert result.interval <= 1.03 * guess.steady + 3
    assert result.interval >= (0.7 if means(top.network) else 0.97) * guess.steady - 3


def test_the_streaming_form_is_not_the_exact_one(top):
    frames = top.frames([SIZE] * 3)
    exact, streaming = [run(top.network, frame) for frame in frames], list(run_streaming(top.network, frames))
    same = all(np.array_equal(a, b) for a, b in zip(exact, streaming, strict=True))
    assert same == (not means(top.network))
    assert all(np.array_equal(a, b) for a, b in zip(expected(top.network, frames), streaming, strict=True))
    if not same:
        with pytest.raises(Mismatch):
            compare(top.network, frames, exact)
