# SPDX-License-Identifier: BSD-3-Clause
"""Boards as data: <name>/board.json, which hw.compiler.boards reads."""
