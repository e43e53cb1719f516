"""Where metrics draw the line between what has an error and what is none: poses that are rigid, points with a pixel."""

from __future__ import annotations

RIGID = 1e-3
"""By which a rotation may miss orthonormality: poses of float32 files pass, scaled ones do not."""

NEAR = 0.01
"""Metres in front of the camera plane from where on a vertex has a pixel."""
