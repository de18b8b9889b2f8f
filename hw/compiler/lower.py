# SPDX-License-Identifier: BSD-3-Clause
"""From an integer network to a graph of our RTL operators, in named steps, each checked against golden."""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from finn.transformation.fpgadataflow.annotate_cycles import AnnotateCycles
from finn.transformation.fpgadataflow.convert_to_hw.conv_inp_gen import InferConvInpGen
from finn.transformation.fpgadataflow.convert_to_hw.duplicate_streams import InferDuplicateStreamsLayer
from finn.transformation.fpgadataflow.convert_to_hw.fm_padding import InferFMPadding
from finn.transformation.fpgadataflow.convert_to_hw.quantized_matrix_vector_activation import (
    InferQuantizedMatrixVectorActivation,
)
from finn.transformation.fpgadataflow.insert_dwc import InsertDWC
from finn.transformation.fpgadataflow.insert_fifo import InsertFIFO
from finn.transformation.fpgadataflow.specialize_layers import SpecializeLayers
from finn.transformation.streamline.absorb import AbsorbConsecutiveTransposes
from qonnx.core.modelwrapper import ModelWrapper
from qonnx.custom_op.registry import getCustomOp
from qonnx.transformation.base import Transformation
from qonnx.transformation.fold_constants import FoldConstants
from qonnx.transformation.infer_datatypes import InferDataTypes
from qonnx.transformation.infer_shapes import InferShapes
from qonnx.transformation.lower_convs_to_matmul import LowerConvsToMatMul

from golden.network import IntegerNetwork
from hw.compiler import BuildError
from hw.compiler.config import PLUMBING, Config, apply_config
from hw.compiler.graph import build
from hw.compiler.transforms import (
    AdoptPlumbing,
    DenseSingleChannels,
    InferInt8MVU,
    InferWindow,
    InferXnorMVU,
    OnlyOurs,
    OrderChannels,
    RestoreNames,
    SplitDuplicateStreams,
    match_windows,
    stream_nodes,
)
from hw.compiler.verify import Verifier, check_beats, check_same, sample_images

PART = "xc7z020clg400-1"

CHECK_SIZE = 11, 17
"""Height and width of the frame on which a graph for larger frames is executed, by a twin of that size."""

Decision = Callable[[ModelWrapper], Config]


@dataclass(frozen=True)
class Job:
    """What is lowered, and what is decided on the way.

    Attributes:
        network: the network.
        folding: decides the folding of a graph whose nodes are all specialised; what it leaves out is folded
            to the least hardware, but for the P of a window, which follows from the SIMD of its unit.
        fifos: decides the FIFO depths (inFIFODepths, outFIFODepths) of a graph with width converters.
    """

    network: IntegerNetwork
    folding: Decision = field(default=lambda model: {})
    fifos: Decision = field(default=lambda model: {})


@dataclass(frozen=True)
class Step:
    """A step: `apply` takes a graph, the job, and what `decide` said of the graph for the nominal frame."""

    name: str
    apply: Callable[[ModelWrapper, Job, Config], ModelWrapper]
    decide: Callable[[ModelWrapper, Job], Config] = lambda model, job: {}


def _transform(model: ModelWrapper, job: Job, *transformations: Transformation) -> ModelWrapper:
    model = copy.deepcopy(model)
    for transformation in transformations:
        model = model.transform(transformation, make_deepcopy=False, cleanup=False)
    return model.transform(RestoreNames(job.network), make_deepcopy=False)


def _step(name: str, *transformations: Callable[[], Transformation]) -> Step:
    return Step(name, lambda model, job, _: _transform(model, job, *(make() for make in transformations)))


def _set_folding(model: ModelWrapper, job: Job, config: Config) -> ModelWrapper:
    for node in stream_nodes(model):
        op = getCustomOp(node)
        for name in op.foldings:
            op.set_nodeattr(name, op.taps if name == "SIMD" else 1)
    model = apply_config(model, {k: v for k, v in config.items() if not k.endswith("/window")}, PLUMBING)
    for node in stream_nodes(model):
        getCustomOp(node).check_folding()
    match_windows(model)
    model = apply_config(model, {k: v for k, v in config.items() if k.endswith("/window")})
    match_windows(model, check=True)
    return model


def _insert_width_converters(model: ModelWrapper, job: Job, _: Config) -> ModelWrapper:
    model = _transform(model, job, InsertDWC(), AdoptPlumbing(), SpecializeLayers(PART))
    check_beats(model)
    return model


def _insert_fifos(model: ModelWrapper, job: Job, config: Config) -> ModelWrapper:
    fifos = {name: value for name, value in config.items() if name.endswith("/fifo")}
    model = apply_config(model, {name: value for name, value in config.items() if name not in fifos})
    model = _transform(model, job, InsertFIFO(), AdoptPlumbing(), SpecializeLayers(PART))
    check_beats(model)
    return apply_config(model, fifos)


STEPS: tuple[Step, ...] = (
    _step("tidy_up", InferShapes, FoldConstants, InferDataTypes),
    _step("lower_convolutions", LowerConvsToMatMul, DenseSingleChannels, AbsorbConsecutiveTransposes),
    _step("infer_sliding_windows", InferFMPadding, InferConvInpGen),
    _step("infer_matrix_vector_units", InferXnorMVU, InferQuantizedMatrixVectorActivation),
    _step("infer_our_operators", InferInt8MVU, InferWindow, OnlyOurs),
    _step("infer_forks", InferDuplicateStreamsLayer, SplitDuplicateStreams),
    _step("order_channels", OrderChannels),
    _step("specialize_layers", lambda: SpecializeLayers(PART)),
    Step("set_folding", _set_folding, lambda model, job: job.folding(model)),
    Step("insert_width_converters", _insert_width_converters),
    Step("insert_fifos", _insert_fifos, lambda model, job: job.fifos(model)),
    _step("annotate_cycles", AnnotateCycles),
)
"""The steps in order, after `build`; docs/finn.md describes each."""


def lower(
    job: Job,
    height: int,
    width: int,
    folder: Path | None = None,
    images: Sequence[np.ndarray] | None = None,
    steps: Sequence[Step] = STEPS,
    progress: Callable[[str], None] = lambda name: None,
) -> ModelWrapper:
    """Build the graph of a network and take it through the steps.

    After every step the graph is executed on `images` and compared with golden. A graph for a frame of
    another size than the images has a twin of their size, which goes through the same steps with the same
    decisions, must not differ from it in anything but sizes, and is executed in its place.

    Args:
        job: the network, and what to decide.
        height, width: of the nominal frame.
        folder: where the graph is saved after every step, as NN_step.onnx; None saves nothing.
        images: (H, W, C) uint8, all of one size; None takes `sample_images` of at most `CHECK_SIZE`.
        steps: the steps to take.
        progress: called with the name of every step before it is taken.

    Returns:
        The graph for the nominal frame after the last step.

    Raises:
        BuildError: the network does not fit this compiler; a configuration is wrong; or a step changed the
            function of the graph: the message has the step's name and the first wrong tensor.
    """
    network = job.network
    if images is None:
        sizes = min(height, CHECK_SIZE[0]), min(width, CHECK_SIZE[1])
        images = sample_images(*sizes, network.channels)
    size = images[0].shape[:2]
    progress("build")
    model = build(network, height, width)
    twin = None if size == (height, width) else build(network, *size)
    verifier = Verifier(network, images)

    def finish(number: int, name: str) -> None:
        verifier.check(twin or model, name)
        if twin is not None:
            check_same(model, twin, name)
        if folder is not None:
            folder.mkdir(parents=True, exist_ok=True)
            model.save(str(folder / f"{number:02d}_{name}.onnx"))

    finish(0, "build")
    for number, step in enumerate(steps, 1):
        progress(step.name)
        try:
            decision = step.decide(model, job)
            model = step.apply(model, job, decision)
            twin = twin and step.apply(twin, job, decision)
        except BuildError as error:
            raise BuildError(f"step '{step.name}': {error}") from None
        except Exception as error:  # whatever FINN or QONNX raise
            reason = " ".join(str(error).split())
            raise BuildError(f"step '{step.name}' failed: {type(error).__name__}: {reason}") from error
        finish(number, step.name)
    return model
