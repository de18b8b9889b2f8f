# SPDX-License-Identifier: BSD-3-Clause
"""FINN without Vivado, Vitis or Docker.

What FINN's transformations and custom operators need is Python alone, as long as `finn.builder` (its command
line and build flow, which end in Vivado) is not imported. Import FINN only after `prepare()`.
"""

from __future__ import annotations

import logging
import os
import warnings
from functools import cache
from importlib.metadata import PackageNotFoundError, version

from hw.modules import ToolError

FINN_VERSION = "1.6.1"


@cache
def prepare() -> None:
    """Make `import finn...` work and be silent, in this process; calling it again does nothing.

    QONNX looks at every value of every tensor in Python loops, twice per node, to see whether it fits its
    datatype. That is switched off here, because `hw.compiler.verify` checks the same, faster.

    Raises:
        ToolError: finn-plus is missing, or is of another version.
    """
    try:
        found = version("finn-plus")
    except PackageNotFoundError:
        raise ToolError("finn-plus is not installed: run 'make setup'") from None
    if found != FINN_VERSION:
        raise ToolError(f"finn-plus is of version {found}, expected {FINN_VERSION}: run 'make setup'")
    os.environ["SANITIZE_QUANT_TENSORS"] = "0"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            import finn.custom_op.fpgadataflow
            import finn.custom_op.fpgadataflow.rtl  # noqa: F401
        except ImportError as error:
            raise ToolError(f"finn-plus cannot be imported ({error}): run 'make setup'") from None
    logging.getLogger("finn_logger").setLevel(logging.ERROR)
