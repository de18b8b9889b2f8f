# SPDX-License-Identifier: BSD-3-Clause
"""Hardware: the operator library in SystemVerilog, its proofs, and its synthesis."""
