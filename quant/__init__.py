# SPDX-License-Identifier: BSD-3-Clause
"""Brevitas quantization-aware training of binary restoration networks, and their export to integers."""
