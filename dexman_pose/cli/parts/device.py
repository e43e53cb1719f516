"""The option that says where networks run."""

from __future__ import annotations

import argparse


def add_device(parser: argparse.ArgumentParser) -> None:
    """Add the option ``--device`` to a command."""
    parser.add_argument(
        "--device",
        default="auto",
        metavar="NAME",
        help="where networks run: cpu, cuda, cuda:1; auto (default) takes a graphics card that torch sees. The engine "
        "itself computes on the CPU",
    )
