"""The parser of the commands: what is wrong in one line, with the nearest right word."""

from __future__ import annotations

import argparse
import re
from collections.abc import Sequence
from difflib import get_close_matches
from typing import Any, NoReturn

BAD_INPUT = 2
_LIKE = 0.5
"""Similarity of two words from which on one may be meant by the other."""
_CHOICE = re.compile(r"argument (?P<of>\S+): invalid choice: '(?P<given>.*)' \(choose from (?P<choices>.*)\)")


class Parser(argparse.ArgumentParser):
    """A parser that says what is wrong in one line, and which option or command was probably meant."""

    def error(self, message: str) -> NoReturn:
        """End the program with status 2 and one line on standard error."""
        choice = _CHOICE.match(message)
        if choice is not None:
            message += _meant(choice["given"], re.findall(r"[\w-]+", choice["choices"]))
        self.exit(BAD_INPUT, f"{self.prog}: {' '.join(message.split())} (try {self.prog} --help)\n")

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        """Parse as :class:`argparse.ArgumentParser` does; an option that is not there is told before one that lacks."""
        if self._subparsers is None and args is not None:
            self._refuse_unknown(args)
        return super().parse_known_args(args, namespace)

    def _refuse_unknown(self, args: Sequence[str]) -> None:
        known = list(self._option_string_actions)
        for argument in args:
            option = argument.partition("=")[0]
            if option == "--":
                return
            if not re.match(r"--?[A-Za-z]", option):
                continue
            if not any(name.startswith(option) for name in known if name.startswith("--") or name == option):
                self.error(f"there is no option {option}{_meant(option, known)}")


def _meant(given: str, known: Sequence[str]) -> str:
    """The word that was probably meant, as the end of a message; nothing where none is like it."""
    bare = {name.lstrip("-").lower(): name for name in known if len(name.lstrip("-")) > 1}
    near = get_close_matches(given.lstrip("-").lower(), list(bare), n=1, cutoff=_LIKE)
    return f"; did you mean {bare[near[0]]}?" if near else ""
