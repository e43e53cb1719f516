"""One guard for everything that is read from outside: a broken file gives one line, whatever it led to."""

from __future__ import annotations

import tokenize
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from dexman_pose.errors import DexmanError, InputError

_LONGEST = 160


@contextmanager
def reading(source: Any) -> Iterator[None]:
    """Turn what broken values lead to into an :class:`InputError` that names the source.

    Args:
        source: a path, or values in memory.
    """
    try:
        yield
    except DexmanError:
        raise
    except (
        ArithmeticError,
        AttributeError,
        EOFError,
        LookupError,
        MemoryError,
        NotImplementedError,
        OSError,
        RecursionError,
        SyntaxError,
        TypeError,
        ValueError,
        tokenize.TokenError,
    ) as error:
        name = str(source) if isinstance(source, str) or hasattr(source, "__fspath__") else "what was given"
        why = " ".join(str(error).split())[:_LONGEST] or type(error).__name__
        raise InputError(f"{name} cannot be read, it is damaged or of another kind: {why}") from error
