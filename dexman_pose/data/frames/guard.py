"""The one door that files of others come through: whatever a library raises becomes one line about the file."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from dexman_pose.data.files import single_line
from dexman_pose.errors import DexmanError, InputError, VideoError


@contextmanager
def damage_is_bad_input(
    path: Path, complaint: str = "{path} cannot be read as an image", kind: type[InputError] = VideoError
) -> Iterator[None]:
    """Turn what a library raises over a damaged file into one error of ``kind``.

    Libraries raise anything over damaged files (Pillow: SyntaxError, struct.error, ZeroDivisionError, MemoryError,
    EOFError; PyAV: UnicodeDecodeError, AttributeError); none of it says which file, or what to do.

    Args:
        path: the file.
        complaint: how the message begins; ``{path}`` stands for the file.
        kind: the error that the caller promises.

    Raises:
        InputError: of the kind, with the first line of the library's message.
    """
    try:
        yield
    except DexmanError:
        raise
    except Exception as error:
        first = str(getattr(error, "strerror", None) or error).strip().split("\n")[0]
        reason = single_line(first.replace(str(path), "it"))
        raise kind(f"{complaint.format(path=path)}: {reason or type(error).__name__}") from error
