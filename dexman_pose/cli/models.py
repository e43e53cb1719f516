"""``dexman-pose models``: which networks there are, and fetching their weights."""

from __future__ import annotations

import argparse
from typing import Any


def add(subparsers: Any) -> None:
    """Add the command to the parser."""
    p: argparse.ArgumentParser = subparsers.add_parser(
        "models",
        help="list and fetch pretrained networks",
        description="Nothing is downloaded unless it is asked for here.",
    )
    actions = p.add_subparsers(dest="action", required=True, metavar="list|fetch|where")
    actions.add_parser("list", help="name, licence, size, whether it is here").set_defaults(
        handler=handle_list
    )
    fetch = actions.add_parser("fetch", help="download one, check its hash, keep it")
    fetch.add_argument("name", metavar="NAME")
    fetch.set_defaults(handler=handle_fetch)
    where = actions.add_parser("where", help="the folder they are kept in, or the file of one of them")
    where.add_argument("name", metavar="NAME", nargs="?")
    where.set_defaults(handler=handle_where)


def handle_list(args: argparse.Namespace) -> int:
    """Print every network there is a card for."""
    from dexman_pose.data import model_store

    for name in model_store.names():
        card = model_store.card(name)
        size = sum(int(member["bytes"]) for member in card.get("members", ())) / 1e6
        state = model_store.problem(name) or "here"
        print(f"{name:<20} {card['licence']:<12} {size:6.1f} MB  {card['title']}; {card['used_by']}")
        print(f"{'':<20} {state}")
    return 0


def handle_fetch(args: argparse.Namespace) -> int:
    """Download a network and print where it lies."""
    from dexman_pose.data import model_store

    print(model_store.fetch(args.name))
    return 0


def handle_where(args: argparse.Namespace) -> int:
    """Print the folder of the networks, or the file of one."""
    from dexman_pose.data import model_store

    print(model_store.folder() if args.name is None else model_store.locate(args.name))
    return 0
