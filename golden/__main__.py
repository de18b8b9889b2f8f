# SPDX-License-Identifier: BSD-3-Clause
"""Command line: python -m golden describe models/x.npz."""

from __future__ import annotations

import argparse
import sys

from golden import IntegerNetwork, ModelError, describe


def _size(text: str) -> tuple[int, int]:
    width, _, height = text.partition("x")
    if not (width.isdecimal() and height.isdecimal() and int(width) and int(height)):
        raise argparse.ArgumentTypeError(f"{text!r} is not a size, expected WIDTHxHEIGHT such as 320x180")
    return int(width), int(height)


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; return its exit code: 0, or 2 after one line on bad input."""
    parser = argparse.ArgumentParser(prog="python -m golden", description="Tools for integer networks.")
    commands = parser.add_subparsers(dest="command", required=True)
    command = commands.add_parser("describe", help="print layers, operations and storage of a network")
    command.add_argument("model", help="an .npz file of models/")
    command.add_argument("--size", type=_size, default=(320, 180), metavar="WxH", help="input size: 320x180")
    options = parser.parse_args(arguments)
    width, height = options.size
    try:
        print(describe(IntegerNetwork.load(options.model), height, width))
    except ModelError as error:
        print(error, file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
