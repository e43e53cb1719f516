"""The exceptions of the package: one per kind of mistake, all under :class:`DexmanError`.

The command line turns :class:`InputError` into one line on standard error and exit status 2. Every message names
what was given, what was expected and what to do.
"""

from __future__ import annotations


class DexmanError(Exception):
    """Base of every exception raised on purpose by this package."""


class InputError(DexmanError, ValueError):
    """What the user gave cannot be used: wrong shape, missing file, box outside the image, ..."""


class VideoError(InputError):
    """A video cannot be opened or holds no decodable frame."""


class MeshError(InputError):
    """A mesh file is missing, empty, or holds values that are no geometry (NaN, bad indices)."""


class TrajectoryError(InputError):
    """A trajectory file is missing, damaged, of another schema version, or inconsistent."""


class MissingExtraError(InputError):
    """An optional package is needed and not installed; the message holds the command that installs it."""


class MissingModelError(InputError):
    """Network weights are needed and not on this machine; the message holds the command that fetches them."""


class MissingNameError(InputError, KeyError):
    """A result holds nothing of that name; the message lists the names it holds. Also a ``KeyError``."""

    def __str__(self) -> str:
        return str(self.args[0]) if self.args else ""  # a KeyError shows its message in quotes


class EstimationError(DexmanError):
    """The data were valid but no estimate could be made from them (no hand ever seen, empty mask, ...)."""
