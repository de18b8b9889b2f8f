# SPDX-License-Identifier: BSD-3-Clause
"""Simulation: cocotb testbenches that hold the RTL in `hw/rtl/` to `golden/`, and the Verilator runner."""
