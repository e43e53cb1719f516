"""Six everyday shapes of the stress suite, made in code: box, can, mug, bowl, tool, irregular; metres."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from dexman_pose.arrays import Array
from dexman_pose.data import Mesh
from dexman_pose.errors import InputError
from dexman_pose.geometry.se3 import so3_exp
from dexman_pose.synthetic.scenes import textures as paint
from dexman_pose.synthetic.scenes.shape_parts import Part, corner_normals, grid_box, joined, lathe, tube
from dexman_pose.synthetic.scenes.true_symmetry import TrueSymmetry, half_turns

SHAPES = ("box", "can", "mug", "bowl", "tool", "irregular")
"""Names of all shapes."""

_PLAIN = {
    "box": (196, 168, 126),
    "can": (168, 172, 178),
    "mug": (70, 110, 170),
    "bowl": (188, 70, 60),
    "tool": (210, 150, 50),
    "irregular": (120, 160, 110),
}


@dataclass(frozen=True)
class StressShape:
    """A shape with its truth.

    Attributes:
        name: one of :data:`SHAPES`.
        textured: with a print, or in one plain colour.
        mesh: metres.
        normals: (F, 3, 3) unit normals at face corners, for shading.
        symmetry: turns that leave it, print included, as it is.
    """

    name: str
    textured: bool
    mesh: Mesh
    normals: Array
    symmetry: TrueSymmetry


@lru_cache(maxsize=12)
def stress_shape(name: str, textured: bool = True) -> StressShape:
    """A shape by name, printed or plain.

    Raises:
        InputError: no such shape.
    """
    makers = {"box": _box, "can": _can, "mug": _mug, "bowl": _bowl, "tool": _tool, "irregular": _irregular}
    if name not in makers:
        raise InputError(f"no stress shape named {name!r}; there are: {', '.join(SHAPES)}")
    mesh = makers[name]()
    symmetry = TrueSymmetry() if textured else _symmetry(name)
    if not textured:
        plain = np.tile(np.array(_PLAIN[name], np.uint8), (len(mesh.vertices), 1))
        mesh = replace(mesh, uv=None, texture=None, vertex_colors=plain)
    return StressShape(name, textured, mesh, corner_normals(mesh.vertices, mesh.faces), symmetry)


def _symmetry(name: str) -> TrueSymmetry:
    """Of the bare geometry: the box has three half turns, can and bowl spin, the can also stands on its head."""
    z = np.array([[0.0, 0.0, 1.0]])
    if name == "box":
        return TrueSymmetry(half_turns([1, 0, 0], [0, 1, 0], [0, 0, 1]))
    if name == "can":
        return TrueSymmetry(half_turns([1, 0, 0]), z)
    return TrueSymmetry(axes=z) if name == "bowl" else TrueSymmetry()


def _mesh(part: Part, texture: NDArray[np.uint8]) -> Mesh:
    return Mesh(
        part.vertices, part.faces.astype(np.int32), part.uv.astype(np.float32), texture, source="synthetic"
    )


def _box() -> Mesh:
    """A cracker box, 160 x 60 x 210 mm about its middle, every side another print."""
    image, draw = paint.canvas(768, 768, (200, 40, 40))
    grounds = ((214, 178, 60), (40, 90, 160), (196, 40, 44), (226, 214, 190), (60, 130, 80), (150, 70, 130))
    for k, ground in enumerate(grounds):
        x, y = 256 * (k % 3), 384 * (1 - k // 3)
        paint.panel(draw, (x, y, x + 255, y + 383), ground, k)
    return _mesh(grid_box((0.16, 0.06, 0.21)), paint.finished(image))


def _can() -> Mesh:
    """A soup can, 66 mm across, 102 mm high, rims alike at both ends; origin in its middle."""
    r, h = 0.033, 0.051
    rim = [(0.0, 0.003), (0.5 * r, 0.003), (r - 0.003, 0.003), (r - 0.002, 0.0), (r, 0.0)]
    low = [(a, b - h) for a, b in rim]
    high = [(a, h - b) for a, b in reversed(rim)]
    side = [(r, z) for z in np.linspace(-h, h, 14)[1:-1]]
    part = lathe([*low, *side, *high])
    image, draw = paint.canvas(512, 512, (186, 188, 192))
    top, bottom = _rows(r + 0.003, 2 * h, 512)
    for k, ground in enumerate(((190, 36, 40), (238, 226, 200), (40, 110, 80), (236, 180, 60))):
        paint.panel(draw, (128 * k, top + 8, 128 * k + 127, bottom - 8), ground, 20 + k, marks=8)
    for k in range(6):  # marks on both lids, so that the printed can differs end from end
        draw.rectangle((85 * k, 30, 85 * k + 12 + 6 * k, 90), fill=(90, 94, 100))
    draw.rectangle((0, 440, 200, 480), fill=(110, 80, 60))
    return _mesh(part, paint.finished(image))


def _rows(end: float, side: float, height: int) -> tuple[int, int]:
    """First and last texture row of the side of a closed lathe whose two ends have a profile length each."""
    total = 2 * end + side
    return round(height * end / total), round(height * (end + side) / total)


def _mug() -> Mesh:
    """A mug, 84 mm across, 95 mm high, hollow, handle towards +x; origin in the middle of its bottom."""
    r, h, wall = 0.042, 0.095, 0.004
    outside = [
        (0.0, 0.0),
        (0.5 * r, 0.0),
        (r - 0.002, 0.0),
        (r, 0.002),
        *((r, z) for z in np.linspace(0.01, h - 0.002, 10)),
    ]
    inside = [(r - wall, z) for z in np.linspace(h - 0.002, 0.01, 8)]
    bottom = [(r - wall - 0.003, 0.006), (0.5 * r, 0.006), (0.0, 0.006)]
    body = lathe([*outside, (r - 0.5 * wall, h), *inside, *bottom], 56).within(0.0, 0.25, 1.0, 1.0)
    a = np.linspace(-0.5 * np.pi, 0.5 * np.pi, 25)
    flat = np.zeros_like(a)
    curve = np.stack([r - 0.002 + 0.034 * np.cos(a), flat, 0.05 + 0.029 * np.sin(a)], -1)
    out = np.stack([0.029 * np.cos(a), flat, 0.034 * np.sin(a)], -1)
    out /= np.linalg.norm(out, axis=1, keepdims=True)
    handle = tube(curve, np.tile([0.0, -1.0, 0.0], (25, 1)), out, 0.006).within(0.0, 0.0, 1.0, 0.2)
    image, draw = paint.canvas(512, 768, (230, 224, 212))
    for k, ground in enumerate(((40, 84, 150), (236, 214, 120), (200, 80, 60), (90, 150, 120))):
        paint.panel(draw, (128 * k, 300, 128 * k + 127, 490), ground, 40 + k, marks=8)
    draw.rectangle((0, 614, 512, 768), fill=(40, 60, 110))
    return _mesh(joined([body, handle]), paint.finished(image))


def _bowl() -> Mesh:
    """A bowl, 160 mm across, 56 mm high; origin in the middle of its foot."""
    a = np.linspace(0, 0.5 * np.pi, 12)
    outer = np.stack([0.036 + 0.044 * np.sin(a), 0.056 * (1 - np.cos(a))], -1)
    inner = outer[::-1] * [1.0, 0.93] + [-0.004, 0.004]
    profile = np.concatenate([[(0.0, 0.0), (0.02, 0.0)], outer, inner[:-1], [(0.02, 0.004), (0.0, 0.004)]])
    image, draw = paint.canvas(768, 768, (232, 226, 214))
    for k, ground in enumerate(
        ((44, 120, 130), (226, 180, 70), (180, 60, 60), (230, 220, 200), (80, 90, 150))
    ):
        x = round(768 * k / 5)
        paint.panel(draw, (x, 60, x + 150, 330), ground, 60 + k, marks=8)
        paint.panel(draw, (x, 420, x + 150, 640), (200, 196 - 20 * k, 120 + 20 * k), 70 + k, marks=8)
    return _mesh(lathe(profile), paint.finished(image, 1.2))


def _tool() -> Mesh:
    """A cordless drill, about 200 x 60 x 190 mm: motor along x, chuck ahead, slanted grip, battery."""
    to_x = np.array([[0.0, 0, 1], [0, 1, 0], [-1, 0, 0]])
    r = 0.029
    motor = [
        (0.0, -0.075),
        (0.8 * r, -0.075),
        (r, -0.066),
        *((r, z) for z in np.linspace(-0.05, 0.045, 8)),
        (0.024, 0.06),
    ]
    chuck = [(0.0, 0.055), (0.022, 0.055), (0.022, 0.07), (0.017, 0.1), (0.006, 0.104), (0.0, 0.104)]
    body = lathe([*motor, (0.0, 0.06)], 40).placed(to_x, (0, 0, 0.055)).within(0, 0.5, 1, 1)
    nose = lathe(chuck, 32).placed(to_x, (0, 0, 0.055)).within(0, 0, 0.2, 0.5)
    slant = np.array([[1.0, 0, 0.3], [0, 1, 0], [0, 0, 1]])
    grip = grid_box((0.042, 0.034, 0.12), 8).placed(slant, (-0.035, 0, -0.02)).within(0.2, 0, 0.6, 0.5)
    foot = grid_box((0.105, 0.056, 0.04), 8).placed(np.eye(3), (-0.035, 0, -0.095)).within(0.6, 0, 1, 0.5)
    image, draw = paint.canvas(1024, 512, (40, 42, 46))
    for k, ground in enumerate(((226, 120, 36), (40, 42, 48), (226, 120, 36), (220, 190, 60))):
        paint.panel(draw, (256 * k, 0, 256 * k + 255, 255), ground, 90 + k, marks=9)
    draw.rectangle((0, 256, 204, 511), fill=(70, 72, 78))
    draw.rectangle((0, 330, 204, 350), fill=(190, 190, 190))
    for k in range(12):
        c, x, y = divmod(k, 6)[0], k % 3, (k % 6) // 3
        left, ground = (205, 615)[c], ((52, 54, 60), (214, 110, 30), (60, 60, 66))[(x + y + c) % 3]
        paint.panel(
            draw,
            (left + 136 * x, 256 + 128 * y, left + 136 * x + 135, 383 + 128 * y),
            ground,
            100 + k,
            marks=5,
        )
    return _mesh(joined([body, nose, grip, foot]), paint.finished(image))


def _irregular() -> Mesh:
    """A smooth lump of about 110 mm, painted in patches; origin inside."""
    import trimesh

    ball = trimesh.creation.icosphere(subdivisions=4, radius=1.0)
    d, faces = np.asarray(ball.vertices, np.float64), np.asarray(ball.faces)
    rng = np.random.default_rng(11)
    radius = np.ones(len(d))
    for k in range(6):
        way, sharp = so3_exp(rng.uniform(-3, 3, 3))[0], rng.uniform(3.0, 7.0)
        radius += rng.uniform(0.35, 0.75) * (-1) ** (k % 3 == 2) * np.exp(sharp * (d @ way - 1))
    vertices = 0.040 * radius[:, None] * d * [1.15, 0.95, 0.85]
    waves = np.stack(
        [
            np.sin(rng.uniform(5, 11, 3) * (d @ so3_exp(rng.uniform(-2, 2, 3))) + rng.uniform(0, 6, 3)).sum(1)
            for _ in range(3)
        ],
        -1,
    )
    colors = 130 + 62 * np.tanh(2.2 * waves)
    return Mesh(vertices, faces, vertex_colors=np.clip(colors, 0, 255).astype(np.uint8), source="synthetic")
