"""Which film a seed gives: a story, the grasps in it, what stands beside; from a folder of grasps and one of meshes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from dexman_pose.arrays import Array
from dexman_pose.errors import EstimationError, InputError
from dexman_pose.meshing import load_mesh
from dexman_pose.synthetic.grasps.film import FilmOptions, GraspFilm
from dexman_pose.synthetic.grasps.hand_over import hand_over
from dexman_pose.synthetic.grasps.placed import PlacedGrasp, place_grasp
from dexman_pose.synthetic.grasps.recorded import (
    MESH_TYPES,
    find_mesh,
    list_grasps,
    read_grasp,
)
from dexman_pose.synthetic.grasps.scene import Scene
from dexman_pose.synthetic.grasps.stories import KINDS, lift, put_back, two_hands, with_bystander

_VIEWS = 8
_BESIDE = 0.6
_FASTEST = 2.0
_BEFORE = 8


@dataclass(frozen=True)
class FilmPlan:
    """A film before it is rendered.

    Attributes:
        name: of the film.
        film: what is rendered.
        fit_error: (H,) metres, mean distance of measured joints from the hands fitted to them.
    """

    name: str
    film: GraspFilm
    fit_error: Array


class Casting:
    """Films of grasps by their seeds; grasps that were placed are kept.

    Args:
        grasps: folder of measured grasps, see :mod:`dexman_pose.synthetic.grasps.recorded`.
        meshes: folder of the meshes of their objects; others in it stand beside.
        kinds: stories to choose from, of :data:`KINDS`.
        options: how scenes are filmed.
        frames: most frames of a film; longer stories are played faster, at most twice, and then cut.

    Raises:
        InputError: no grasps, or an unknown story.
    """

    def __init__(
        self,
        grasps: str | Path,
        meshes: str | Path,
        *,
        kinds: Sequence[str] = KINDS,
        options: FilmOptions | None = None,
        frames: int | None = None,
    ) -> None:
        unknown = [kind for kind in kinds if kind not in KINDS]
        if unknown or not kinds:
            raise InputError(f"stories are {', '.join(KINDS)}, but got {', '.join(unknown) or 'none'}")
        self.paths, self.meshes = list_grasps(grasps), Path(meshes)
        if not self.meshes.is_dir():
            raise InputError(f"there is no folder of meshes {self.meshes}")
        self.kinds, self.options, self.frames = tuple(kinds), options or FilmOptions(), frames
        self._placed: dict[tuple[int, bool], PlacedGrasp] = {}

    def plan(self, seed: int) -> FilmPlan:
        """The film of a seed.

        Raises:
            EstimationError: no camera shows the whole of the scene.
        """
        rng = np.random.default_rng([29, seed])
        kind = self.kinds[seed % len(self.kinds)]
        first = int(rng.integers(len(self.paths)))
        mirrored = bool(rng.random() < 0.5)
        scene, errors = self._story(kind, first, mirrored, rng)
        if rng.random() < _BESIDE:
            scene = self._with_bystander(scene, rng)
        scene = _shortened(scene, self.frames)
        named = [o.name for k, o in enumerate(scene.objects) if scene.held[:, k].any()]
        name = f"{seed:03d}_{scene.kind}_{'_'.join(dict.fromkeys(named))}"
        for view in range(_VIEWS):
            try:
                return FilmPlan(name, GraspFilm(scene, seed + view * 1000003, self.options), np.array(errors))
            except EstimationError:
                if view == _VIEWS - 1:
                    raise
        raise AssertionError

    def _story(
        self, kind: str, first: int, mirrored: bool, rng: np.random.Generator
    ) -> tuple[Scene, list[float]]:
        one = self._grasp(first, mirrored)
        if kind == "hand_over":
            return self._handed_over(first, mirrored, rng)
        if kind != "two_hands":
            make = lift if kind == "lift" else put_back
            return make(one, rng), [one.measured_error]
        step = 1 + int(rng.integers(max(len(self.paths) - 1, 1)))
        second = (first + step) % len(self.paths)
        # Recordings may be of either hand: whichever makes the other hand of this one is taken.
        other = self._grasp(second, False)
        if other.hand.side == one.hand.side:
            other = self._grasp(second, True)
        return two_hands(one, other, rng), [one.measured_error, other.measured_error]

    def _handed_over(self, first: int, mirrored: bool, rng: np.random.Generator) -> tuple[Scene, list[float]]:
        """The first grasp from ``first`` on that can be handed over; where there is none, it is put back."""
        for step in range(len(self.paths)):
            one = self._grasp((first + step) % len(self.paths), mirrored)
            scene = hand_over(one, rng)
            if scene is not None:
                return scene, [one.measured_error] * 2
        one = self._grasp(first, mirrored)
        return put_back(one, rng), [one.measured_error]

    def _grasp(self, index: int, mirrored: bool) -> PlacedGrasp:
        key = (index, mirrored)
        if key not in self._placed:
            grasp = read_grasp(self.paths[index], self.meshes)
            self._placed[key] = place_grasp(grasp.mirrored() if mirrored else grasp)
        return self._placed[key]

    def _with_bystander(self, scene: Scene, rng: np.random.Generator) -> Scene:
        taken = {thing.name.removesuffix("_mirrored") for thing in scene.objects}
        names = sorted(
            p.stem
            for p in self.meshes.iterdir()
            if (p.is_dir() or p.suffix.lower() in MESH_TYPES) and p.stem not in taken
        )
        if not names:
            return scene
        name = names[int(rng.integers(len(names)))]
        try:
            mesh = load_mesh(find_mesh(self.meshes, name), "m")
        except InputError:
            return scene
        return with_bystander(scene, name, mesh, rng)


def _shortened(scene: Scene, frames: int | None) -> Scene:
    """At most so many frames: played up to twice as fast, then from shortly before something is carried."""
    if frames is None or scene.num_frames <= frames:
        return scene
    step = min(scene.num_frames / frames, _FASTEST)
    times: Array = float(step) * np.arange(float(int((scene.num_frames - 1) / step) + 1))
    scene = scene.at_frames(times)
    carried = scene.held.any((0, 1))
    first = int(np.argmax(carried)) if carried.any() else 0
    start = float(np.clip(first - _BEFORE, 0, max(scene.num_frames - frames, 0)))
    return scene.at_frames(start + np.arange(float(min(frames, scene.num_frames))))
