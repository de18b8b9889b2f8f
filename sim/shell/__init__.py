# SPDX-License-Identifier: BSD-3-Clause
"""Testbenches of the shell, hw/shell/rtl/."""
