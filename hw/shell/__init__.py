# SPDX-License-Identifier: BSD-3-Clause
"""The shell: registers, two DMA engines and a job queue between a compiled network and a Zynq processor."""
