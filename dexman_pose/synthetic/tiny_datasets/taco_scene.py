"""Small scenes with exact truth for synthetic TACO files: a tool over a target, two hands, three cameras."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np

from dexman_pose.arrays import Array
from dexman_pose.data import Camera, Mesh
from dexman_pose.data.tracks import SIDES
from dexman_pose.datasets.taco.cameras import EGOCENTRIC
from dexman_pose.geometry.se3 import inverse, se3, so3_exp, so3_log
from dexman_pose.hands.model.hand_model import HandModel
from dexman_pose.hands.model.skeleton import BONE_NAMES
from dexman_pose.render import Rasterizer
from dexman_pose.render.scene import SceneRendering, render_scene
from dexman_pose.synthetic.scenes.shapes import stress_shape

SERIALS = ("22070938", "22139905")
DISTORTION = (-0.083, 0.051, 0.0004, -0.0003, 0.002)
"""Coefficients in the files; the pictures are drawn without them, as the dataset's own code draws."""

_TOOLS = (("001", "tool", "drill"), ("014", "mug", "mug"), ("107", "irregular", "sponge"))
_TARGETS = (("135", "bowl", "bowl"), ("042", "can", "can"), ("218", "box", "box"))
_ACTIONS = ("stir", "pour in some", "brush", "skim off")
_SPLITS = ("train", "test_1", "test_2", "test_3", "test_4")
_MANO_FINGERS = ("index", "middle", "pinky", "ring", "thumb")


@dataclass(frozen=True)
class TacoScene:
    """The truth of one sequence; N frames, metres.

    Attributes:
        name: of the sequence.
        triplet: of action, tool and target.
        split: it belongs to.
        object_ids: by role.
        meshes: by role.
        world_from_object: (N, 4, 4) by role.
        joints: (N, 2, 21, 3) world, left then right, order of ``JOINT_NAMES``.
        hand_pose: (N, 2, 48) rotation vectors in MANO's order of joints.
        hand_shape: (2, 10).
        fingers: (N, 2, 15, 3) pose of our own hand, which the pictures show.
        world_from_hand: (N, 2, 4, 4).
        cameras: by view, the head last.
        camera_from_world: (N, 4, 4) by view.
    """

    name: str
    triplet: str
    split: str
    object_ids: dict[str, str]
    meshes: dict[str, Mesh]
    world_from_object: dict[str, Array]
    joints: Array
    hand_pose: Array
    hand_shape: Array
    fingers: Array
    world_from_hand: Array
    cameras: dict[str, Camera]
    camera_from_world: dict[str, Array]

    @property
    def num_frames(self) -> int:
        """How many frames there are."""
        return len(self.joints)

    def renderings(self) -> Iterator[dict[str, SceneRendering]]:
        """What every camera sees, frame by frame: 0 the tool, 1 the target, 2 and 3 the left and right hand."""
        rigid = [Rasterizer(self.meshes[role]) for role in ("tool", "target")]
        models = [_hand_model(side) for side in SIDES]
        for t in range(self.num_frames):
            skins = [m.mesh(self.fingers[t, s], self.world_from_hand[t, s]) for s, m in enumerate(models)]
            drawn = [*rigid, *(Rasterizer(skin) for skin in skins)]
            places = [self.world_from_object[role][t] for role in ("tool", "target")] + [np.eye(4)] * 2
            yield {name: self._seen(name, t, drawn, np.stack(places)) for name in self.cameras}

    def _seen(self, name: str, t: int, drawn: list[Rasterizer], places: Array) -> SceneRendering:
        camera, poses = self.cameras[name], self.camera_from_world[name][t] @ places
        return render_scene(
            drawn, poses, camera.K, camera.width, camera.height, attributes=("depth", "color", "normal")
        )


def taco_scenes(
    sequences: int = 4, frames: int = 12, *, size: tuple[int, int] = (160, 120), seed: int = 0
) -> list[TacoScene]:
    """The scenes that :func:`dexman_pose.synthetic.tiny_datasets.taco.write_taco` writes for the same arguments.

    Args:
        sequences: how many.
        frames: of each.
        size: width and height of the pictures.
        seed: of motions and cameras.
    """
    return [_scene(i, frames, size, np.random.default_rng([seed, i])) for i in range(sequences)]


def _scene(index: int, frames: int, size: tuple[int, int], rng: np.random.Generator) -> TacoScene:
    tool, target = _TOOLS[index % 3], _TARGETS[(index + index // 3) % 3]
    t = np.arange(frames) / 30.0
    objects = _object_paths(t, target[1], rng)
    fingers, wrists = _hand_paths(t, objects, rng)
    models = [_hand_model(side) for side in SIDES]
    joints = np.stack([m.joints(fingers[:, s], wrists[:, s]) for s, m in enumerate(models)], axis=1)
    cameras, poses = _cameras(t, size, rng)
    return TacoScene(
        name=f"202310{index // 3 + 1:02d}_{7 * index + 3:03d}",
        triplet=f"({_ACTIONS[index % 4]}, {tool[2]}, {target[2]})",
        split=_SPLITS[index % 5],
        object_ids={"tool": tool[0], "target": target[0]},
        meshes={"tool": _mesh(tool[1]), "target": _mesh(target[1])},
        world_from_object=objects,
        joints=joints,
        hand_pose=_mano_pose(fingers, wrists),
        hand_shape=rng.normal(0.0, 0.5, (2, 10)),
        fingers=fingers,
        world_from_hand=wrists,
        cameras=cameras,
        camera_from_world=poses,
    )


@lru_cache(maxsize=6)
def _mesh(name: str) -> Mesh:
    """A printed shape with a small texture: its file is split at seams by readers that keep one uv per vertex."""
    mesh = stress_shape(name).mesh
    return mesh if mesh.texture is None else replace(mesh, texture=mesh.texture[::6, ::6].copy())


@lru_cache(maxsize=2)
def _hand_model(side: str) -> HandModel:
    return HandModel(side, forearm_length=0.05, resolution=0.005)


def _wave(t: Array, rng: np.random.Generator, amplitude: float, size: int) -> Array:
    """Smooth random motion (N, size) that begins anywhere."""
    rate, phase = rng.uniform(1.5, 4.0, size), rng.uniform(0.0, 6.28, size)
    return amplitude * np.sin(t[:, None] * rate + phase)


def _object_paths(t: Array, target: str, rng: np.random.Generator) -> dict[str, Array]:
    height = {"can": 0.051, "box": 0.105}.get(target, 0.0)
    turn = so3_exp(np.array([0.0, 0.0, rng.uniform(-3.0, 3.0)]) + _wave(t, rng, 0.15, 3) * [0.1, 0.1, 1.0])
    rest = np.array([0.0, 0.0, height]) + np.abs(_wave(t, rng, 0.01, 3))
    start = so3_exp(rng.uniform(-1.5, 1.5, 3))
    held = np.array([0.02, -0.03, height + 0.2]) + _wave(t, rng, 0.03, 3)
    return {"tool": se3(so3_exp(_wave(t, rng, 0.5, 3)) @ start, held), "target": se3(turn, rest)}


def _hand_paths(t: Array, objects: dict[str, Array], rng: np.random.Generator) -> tuple[Array, Array]:
    """Fingers (N, 2, 15, 3) and wrists (N, 2, 4, 4): the left hand at the target, the right at the tool."""
    flexion = 0.5 + _wave(t, rng, 0.25, 2)
    fingers = np.stack(
        [
            [model.pose(finger_flexion=float(f)) for f in flexion[:, s]]
            for s, model in enumerate(_hand_model(side) for side in SIDES)
        ],
        axis=1,
    )
    left = se3(
        so3_exp(_wave(t, rng, 0.2, 3)),
        objects["target"][:, :3, 3] + [-0.2, 0.0, 0.07] + _wave(t, rng, 0.01, 3),
    )
    turned = so3_exp(np.array([0.0, 0.0, np.pi]))
    right = se3(so3_exp(_wave(t, rng, 0.2, 3)) @ turned, objects["tool"][:, :3, 3] + [0.2, 0.0, 0.02])
    return fingers, np.stack([left, right], axis=1)


def _mano_pose(fingers: Array, wrists: Array) -> Array:
    order = [BONE_NAMES.index(n) for f in _MANO_FINGERS for n in BONE_NAMES if n.startswith(f)]
    root = so3_log(wrists[..., :3, :3])
    return np.concatenate([root, fingers[:, :, order].reshape(*fingers.shape[:2], 45)], axis=-1)


def _cameras(
    t: Array, size: tuple[int, int], rng: np.random.Generator
) -> tuple[dict[str, Camera], dict[str, Array]]:
    width, height = size
    middle = np.array([0.0, 0.0, 0.13])
    cameras: dict[str, Camera] = {}
    poses: dict[str, Array] = {}
    for serial, place in zip(SERIALS, ([0.62, -0.66, 0.5], [-0.55, -0.7, 0.55])):
        eye = np.array(place) + rng.uniform(-0.05, 0.05, 3)
        k = _intrinsics(1.45 * width, 1.46 * width, width, height, rng)
        cameras[serial] = Camera(k, width, height, np.array(DISTORTION))
        poses[serial] = np.tile(_look_at(eye, middle), (len(t), 1, 1))
    eyes = np.array([0.05, 0.6, 0.6]) + _wave(t, rng, 0.02, 3)
    cameras[EGOCENTRIC] = Camera(_intrinsics(1.2 * width, 1.2 * width, width, height, rng), width, height)
    poses[EGOCENTRIC] = np.stack([_look_at(eye, middle) for eye in eyes])
    return cameras, poses


def _intrinsics(fx: float, fy: float, width: int, height: int, rng: np.random.Generator) -> Array:
    cx, cy = (np.array([width, height]) - 1) / 2 + rng.uniform(-0.02, 0.02, 2) * width
    return np.array([[fx, 0.0, cx], [0.0, fy, cy], [0.0, 0.0, 1.0]])


def _look_at(eye: Array, at: Array) -> Array:
    """camera_from_world (4, 4) of a camera at ``eye``, upright in a world whose z is up."""
    z = (at - eye) / np.linalg.norm(at - eye)
    x = np.cross(z, [0.0, 0.0, 1.0])
    x /= np.linalg.norm(x)
    return inverse(se3(np.stack([x, np.cross(z, x), z], axis=1), eye))
