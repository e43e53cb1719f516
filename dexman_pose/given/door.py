"""One guard for everything that is read from outside: a broken file gives one line, whatever it led to."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from dexman_pose.data.files import reason, single_line
from dexman_pose.errors import DexmanError, InputError


@contextmanager
def reading(source: Any) -> Iterator[None]:
    """Turn what broken values lead to into an :class:`InputError` that names the source.

    Args:
        source: a path, or values in memory.
    """
    try:
        yield
    except InputError as error:
        said = single_line(str(error))  # messages quote what stands in the file, however long
        if said == str(error):
            raise
        raise type(error)(said) from error
    except DexmanError:
        raise
    except Exception as error:  # no list: numpy alone raises those of zip, zlib and Python's tokenizer
        name = str(source) if isinstance(source, str) or hasattr(source, "__fspath__") else "what was given"
        why = reason(error)
        raise InputError(
            f"{single_line(name)} cannot be read, it is damaged or of another kind: {why}"
        ) from error
