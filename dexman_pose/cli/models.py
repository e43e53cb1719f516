"""``dexman-pose models``: which networks there are, and fetching, checking and removing their weights."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any


def add(subparsers: Any) -> None:
    """Add the command to the parser."""
    p: argparse.ArgumentParser = subparsers.add_parser(
        "models",
        help="list and fetch pretrained networks",
        description="Nothing is downloaded unless it is asked for here.",
    )
    actions = p.add_subparsers(dest="action", required=True, metavar="list|fetch|where|verify|remove")
    actions.add_parser("list", help="name, licence, size, whether it is here").set_defaults(
        handler=handle_list
    )
    fetch = actions.add_parser("fetch", help="download one, check its hash, keep it")
    fetch.add_argument("name", metavar="NAME")
    fetch.add_argument(
        "--from",
        dest="source",
        type=Path,
        metavar="PATH",
        help="a folder or file of this machine that holds it: nothing is downloaded then",
    )
    fetch.add_argument(
        "--accept-licence",
        action="store_true",
        help="you have read its licence, which asks for consent or forbids commercial use",
    )
    fetch.set_defaults(handler=handle_fetch)
    where = actions.add_parser("where", help="the folder they are kept in, or the path of one of them")
    where.add_argument("name", metavar="NAME", nargs="?")
    where.set_defaults(handler=handle_where)
    verify = actions.add_parser("verify", help="read what is here again and compare it with its card")
    verify.add_argument("name", metavar="NAME", nargs="?", help="one of them; all that are here without it")
    verify.set_defaults(handler=handle_verify)
    remove = actions.add_parser("remove", help="delete one from this machine")
    remove.add_argument("name", metavar="NAME")
    remove.set_defaults(handler=handle_remove)


def handle_list(args: argparse.Namespace) -> int:
    """Print every network there is a card for."""
    from dexman_pose.data import model_store

    for name in model_store.names():
        card = model_store.card(name)
        size = model_store.size_of(name)
        megabytes = "  size ?" if size is None else f"{size / 1e6:5.0f} MB"
        state = model_store.problem(name) or "here"
        print(f"{name:<32} {megabytes}  {model_store.terms(name)}")
        print(f"    {card['title']}; {card['used_by']}")
        print(f"    {state}")
    return 0


def handle_fetch(args: argparse.Namespace) -> int:
    """Show a network's licence, download it, and print where it lies."""
    from dexman_pose.data import model_store

    terms = model_store.terms(args.name)
    home = model_store.card(args.name).get("source", {}).get("home", "")
    print(f"licence of {args.name}: {terms}{f'; {terms.note}' * bool(terms.note)} ({home})", file=sys.stderr)
    path = model_store.fetch(args.name, source=args.source, accept_licence=args.accept_licence)
    print(f"checked against: {model_store.hashes_known(args.name)}", file=sys.stderr)
    print(path)
    return 0


def handle_where(args: argparse.Namespace) -> int:
    """Print the folder of the networks, or the path of one."""
    from dexman_pose.data import model_store

    print(model_store.folder() if args.name is None else model_store.locate(args.name))
    return 0


def handle_verify(args: argparse.Namespace) -> int:
    """Compare networks with their cards; the exit status is 1 where one differs or is missing."""
    from dexman_pose.data import model_store

    names = [args.name] if args.name else [n for n in model_store.names() if model_store.path_of(n).exists()]
    wrong = 0
    for name in names:
        found = model_store.problem(name, again=True)
        wrong += found is not None
        print(f"{name}: {found or f'as expected by {model_store.hashes_known(name)}'}")
        if found is not None and model_store.path_of(name).exists():
            print(f"    dexman-pose models remove {name}, then: {model_store.fetch_command(name)}")
    if not names:
        print(f"no model is in {model_store.folder()}; get one with: dexman-pose models fetch NAME")
    return int(wrong > 0)


def handle_remove(args: argparse.Namespace) -> int:
    """Delete a network."""
    from dexman_pose.data import model_store

    there = model_store.remove(args.name)
    print(f"removed {args.name}" if there else f"{args.name} was not here")
    return 0
