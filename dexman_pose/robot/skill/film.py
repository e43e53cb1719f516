"""Pictures of a plan: what happened in the simulation, and where the objects should have been."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dexman_pose.arrays import Array
from dexman_pose.errors import EstimationError
from dexman_pose.robot.assets.body import BASE
from dexman_pose.robot.engine import mujoco
from dexman_pose.robot.objects.model import body_name
from dexman_pose.robot.skill.plan import Plan


@dataclass(frozen=True)
class FilmOptions:
    """How a plan is filmed.

    Attributes:
        size: width and height in pixels.
        distance: metres of the camera from the middle of the motion, at least.
        wide: times the extent of the motion that it is away.
        turn: degrees about the vertical.
        before: metres that it is away from what a body does, at least.
        aside: degrees that it looks at a body from the side of its face.
        down: degrees that it looks down.
        light: brightness of all sides, and of those that face the camera.
        solid: colour and opacity of objects.
        wanted: of their references.
        skin: of hands.
        ground: of the table.
    """

    size: tuple[int, int] = (480, 360)
    distance: float = 0.75
    wide: float = 1.5
    turn: float = 140.0
    before: float = 1.3
    aside: float = 40.0
    down: float = -20.0
    light: tuple[float, float] = (0.35, 0.6)
    solid: tuple[float, float, float, float] = (0.85, 0.45, 0.2, 1.0)
    wanted: tuple[float, float, float, float] = (0.2, 0.7, 0.3, 0.3)
    skin: tuple[float, float, float, float] = (0.75, 0.75, 0.8, 1.0)
    ground: tuple[float, float, float, float] = (0.6, 0.6, 0.62, 1.0)


def filmed(
    plan: Plan, qpos: Array | None = None, options: FilmOptions | None = None
) -> Iterator[NDArray[np.uint8]]:
    """Pictures (H, W, 3) of every frame; objects as they should be shine through, green.

    Args:
        plan: what is shown.
        qpos: (T, nq) of another replay of it.
        options: how it is filmed.

    Raises:
        EstimationError: nothing can be drawn on this machine (no OpenGL).
    """
    o = options or FilmOptions()
    mj = mujoco()
    world = plan.world()
    model = world.model
    _paint(model, world.objects, o)
    width, height = o.size
    try:
        renderer = mj.Renderer(model, height, width)
    except Exception as error:  # whatever a missing OpenGL makes its bindings raise
        raise EstimationError(
            f"the simulator cannot draw here ({type(error).__name__}); with MUJOCO_GL=egl or MUJOCO_GL=osmesa it may"
        ) from error
    data = mj.MjData(model)
    camera = mj.MjvCamera()
    places = plan.reference[..., :3].reshape(-1, 3)
    low, high = places.min(0), places.max(0)
    camera.lookat[:] = 0.5 * (low + high)
    turned = _body_turn(model)
    least = o.distance if turned is None else o.before
    camera.distance = max(least, o.wide * float(np.linalg.norm(high - low)))
    camera.azimuth = o.turn if turned is None else turned + 180.0 + o.aside  # of the way it looks
    camera.elevation = o.down
    options_seen = mj.MjvOption()
    options_seen.geomgroup[:] = 1
    try:
        for state, wanted in zip(plan.qpos if qpos is None else qpos, plan.reference):
            data.qpos[:] = state
            mj.mj_forward(model, data)
            renderer.update_scene(data, camera, options_seen)
            for name, pose in zip(world.objects, wanted):
                _add_ghost(renderer.scene, model, data, name, pose, o)
            yield renderer.render().copy()
    finally:
        renderer.close()


def _body_turn(model: Any) -> float | None:
    """Degrees about the vertical by which a body that carries the hands is turned; None for free hands."""
    for i in range(model.nbody):
        if model.body(i).name == BASE:
            w, _, _, z = model.body_quat[i]
            return float(np.degrees(2.0 * np.arctan2(z, w)))
    return None


def _paint(model: Any, objects: tuple[str, ...], o: FilmOptions) -> None:
    model.vis.headlight.ambient[:], model.vis.headlight.diffuse[:] = o.light
    things = {model.body(body_name(name)).id for name in objects}
    for i in range(model.ngeom):
        body = int(model.geom_bodyid[i])
        model.geom_rgba[i] = o.solid if body in things else o.ground if body == 0 else o.skin


def _add_ghost(scene: Any, model: Any, data: Any, name: str, pose: Array, o: FilmOptions) -> None:
    """Draw an object's pieces where they should be."""
    mj = mujoco()
    body = model.body(body_name(name)).id
    rotation = np.zeros(9)
    mj.mju_quat2Mat(rotation, pose[3:])
    here = data.xmat[body].reshape(3, 3)
    for i in np.flatnonzero(model.geom_bodyid == body):
        if scene.ngeom >= scene.maxgeom:
            return
        local = here.T @ (data.geom_xpos[i] - data.xpos[body])
        turned = rotation.reshape(3, 3) @ here.T @ data.geom_xmat[i].reshape(3, 3)
        ghost = scene.geoms[scene.ngeom]
        place = pose[:3] + rotation.reshape(3, 3) @ local
        mj.mjv_initGeom(
            ghost,
            model.geom_type[i],
            model.geom_size[i],
            place,
            turned.reshape(-1),
            np.array(o.wanted, np.float32),
        )
        ghost.dataid = 2 * int(model.geom_dataid[i])
        scene.ngeom += 1
