"""The versions a result was made with, for manifests and provenance."""

from __future__ import annotations

import platform
from importlib.metadata import PackageNotFoundError, version

DISTRIBUTIONS = (
    "numpy",
    "scipy",
    "torch",
    "warp-lang",
    "trimesh",
    "pillow",
    "av",
    "opencv-python-headless",
    "ai-edge-litert",
    "matplotlib",
    "segment-anything",
    "transformers",
)
"""Distributions that can change a result."""


def installed(distribution: str) -> str | None:
    """The installed version of a distribution, or None."""
    try:
        return version(distribution)
    except PackageNotFoundError:
        return None


def versions() -> dict[str, str]:
    """Version of this package, of Python, and of each of :data:`DISTRIBUTIONS` that is installed."""
    from dexman_pose._version import __version__

    found = {"dexman_pose": __version__, "python": platform.python_version()}
    for name in DISTRIBUTIONS:
        number = installed(name)
        if number is not None:
            found[name] = number
    return found
