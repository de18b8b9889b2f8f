# SPDX-License-Identifier: BSD-3-Clause
"""What the user runs: `restore.py` and the demo. Python 3.10, NumPy, Pillow, tqdm: it runs on the board."""


class RestoreError(Exception):
    """Something that the user can put right.

    The message is one line: what was given, what was expected, what to do.
    """
