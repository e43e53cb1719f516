"""Copies of a world in Genesis, with the interface that the environment for learning asks for."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from dexman_pose.arrays import Array, Bools
from dexman_pose.genesis.engine import genesis
from dexman_pose.genesis.options import GenesisOptions
from dexman_pose.genesis.parts import driven_by, parts_of
from dexman_pose.geometry.se3 import matrix_from_quaternion
from dexman_pose.robot.engine import mujoco
from dexman_pose.robot.learning.worlds import Worlds
from dexman_pose.robot.objects.model import body_name
from dexman_pose.robot.planning.members import Difference
from dexman_pose.robot.world.build import POSE, World
from dexman_pose.robot.world.controls import stepped
from dexman_pose.robot.world.pads import pad_directions

_TWIST = 6
_HUGE = 1e3
"""Metres, radians and their speeds beyond which a state is none."""


class GenesisWorlds:
    """Copies in Genesis, all of the world that is believed in.

    States are those of the world's MuJoCo model: places of bodies' origins, quaternions wxyz, speeds of free bodies
    along the world's axes and about the body's own.

    Args:
        world: what is copied.
        count: of copies.
        options: settings.

    Raises:
        MissingExtraError: Genesis is not installed.
    """

    def __init__(self, world: World, count: int, options: GenesisOptions | None = None) -> None:
        o = options or GenesisOptions()
        self._gs, self.world, self._count = genesis(o), world, count
        self._driven, self.steps = driven_by(world), 0
        self._scene, self._hands, self._objects = self._built(o)
        self._dofs = [self._hands.get_joint(n).dofs_idx_local[0] for n in world.joints]
        self._targets = [self._hands.get_joint(n).dofs_idx_local[0] for n in self._driven.joints]
        model = world.model
        sites = [model.site(name).id for name in world.points]
        bodies = [str(model.body(int(model.site_bodyid[s])).name) for s in sites]
        self._links = [self._hands.get_link(name).idx_local for name in bodies]
        self._offsets = np.array([model.site_pos[s] for s in sites])
        self._inner = pad_directions(world)
        self._joint_speeds = np.array([model.jnt_dofadr[model.joint(n).id] for n in world.joints], np.intp)
        self._object_speeds = np.array(
            [model.jnt_dofadr[model.body(body_name(n)).jntadr[0]] for n in world.objects], np.intp
        )
        self.qpos = np.tile(model.qpos0, (count, 1))
        self.qvel = np.zeros((count, model.nv))
        self.points = np.zeros((count, len(world.points), 3))
        self.pads = np.zeros_like(self.points)
        self.broken: Bools = np.zeros(count, np.bool_)

    @property
    def count(self) -> int:
        """Number of copies N."""
        return self._count

    def put(self, which: Sequence[int], qpos: Array, qvel: Array) -> None:
        """Put some copies into states (K, nq), (K, nv)."""
        if not len(which):
            return
        index = np.asarray(which, np.int32)
        self._hands.set_dofs_position(self._number(qpos[:, self.world.joint_at]), self._dofs, envs_idx=index)
        self._hands.set_dofs_velocity(self._number(qvel[:, self._joint_speeds]), self._dofs, envs_idx=index)
        for entity, at, speed in zip(self._objects, self.world.object_at, self._object_speeds):
            entity.set_pos(self._number(qpos[:, at : at + 3]), envs_idx=index)
            entity.set_quat(self._number(qpos[:, at + 3 : at + POSE]), envs_idx=index)
            twist = qvel[:, speed : speed + _TWIST].copy()
            turn = matrix_from_quaternion(qpos[:, at + 3 : at + POSE])
            twist[:, 3:] = np.einsum("nij,nj->ni", turn, twist[:, 3:])
            entity.set_dofs_velocity(self._number(twist), envs_idx=index)
        self._read()

    def step(self, before: Array, after: Array) -> None:
        """Go one frame on, controls on the straight way from (N, A) to (N, A)."""
        targets = self._driven.targets(stepped(np.stack([before, after], 1), self.world.steps))
        for k in range(self.world.steps):
            self._hands.control_dofs_position(self._number(targets[:, k]), self._targets)
            self._scene.step()
        self.steps += self._count * self.world.steps
        self._read()

    def close(self) -> None:
        """End the scene."""
        self._scene.destroy()

    def _built(self, o: GenesisOptions) -> tuple[Any, Any, list[Any]]:
        gs, world = self._gs, self.world
        parts = parts_of(world)
        scene = gs.Scene(
            show_viewer=False,
            sim_options=gs.options.SimOptions(dt=float(world.model.opt.timestep), substeps=1),
            rigid_options=gs.options.RigidOptions(
                enable_self_collision=True,
                constraint_solver=gs.constraint_solver.Newton,
                integrator=gs.integrator.implicitfast,
                friction_cone=gs.friction_cone.elliptic,
                iterations=o.iterations,
            ),
        )
        friction = _friction(world)
        scene.add_entity(gs.morphs.Plane(), material=gs.materials.Rigid(friction=friction["table"]))
        with tempfile.TemporaryDirectory(prefix="dexman_pose_") as folder:

            def added(name: str, xml: str, **material: float) -> Any:
                file = Path(folder) / f"{name}.xml"
                file.write_text(xml, encoding="utf-8")
                return scene.add_entity(
                    gs.morphs.MJCF(file=str(file), default_armature=None),
                    material=gs.materials.Rigid(**material),
                )

            hands = added("hands", parts.hands, friction=friction["hands"], gravity_compensation=1.0)
            objects = [
                added(f"object_{i}", parts.objects[name], friction=friction["objects"])
                for i, name in enumerate(world.objects)
            ]
            scene.build(n_envs=self._count)
        return scene, hands, objects

    def _read(self) -> None:
        """States of all copies."""
        qpos, qvel = self.qpos, self.qvel
        qpos[:, self.world.joint_at] = _array(self._hands.get_dofs_position(self._dofs))
        qvel[:, self._joint_speeds] = _array(self._hands.get_dofs_velocity(self._dofs))
        for entity, at, speed in zip(self._objects, self.world.object_at, self._object_speeds):
            place, quaternion = _array(entity.get_pos()), _array(entity.get_quat())
            qpos[:, at : at + 3], qpos[:, at + 3 : at + POSE] = place, quaternion
            qvel[:, speed : speed + 3] = _array(entity.get_vel())
            turn = matrix_from_quaternion(_rotations(quaternion))
            qvel[:, speed + 3 : speed + _TWIST] = np.einsum("nji,nj->ni", turn, _array(entity.get_ang()))
        places = _array(self._hands.get_links_pos())[:, self._links]
        turns = matrix_from_quaternion(_rotations(_array(self._hands.get_links_quat())[:, self._links]))
        self.points = places + np.einsum("npij,pj->npi", turns, self._offsets)
        self.pads = np.einsum("npij,pj->npi", turns, self._inner)
        whole = np.concatenate([qpos, qvel], 1)
        self.broken = ~(np.abs(whole) < _HUGE).all(1)  # false where it is no number, too

    def _number(self, values: Array) -> Any:
        import torch

        return torch.as_tensor(np.ascontiguousarray(values), dtype=self._gs.tc_float, device=self._gs.device)


class InGenesis:
    """Genesis, to learn in; all copies are of the world that is believed in.

    Args:
        options: settings.
    """

    name = "genesis"

    def __init__(self, options: GenesisOptions | None = None) -> None:
        self.options = options or GenesisOptions()

    def __call__(self, world: World, count: int, differences: Sequence[Difference], threads: int) -> Worlds:
        """Copies; ``differences`` are left away, and Genesis takes what threads it wants."""
        return GenesisWorlds(world, count, self.options)


def _array(values: Any) -> Array:
    return np.asarray(values.detach().cpu().numpy(), np.float64)


def _rotations(quaternions: Array) -> Array:
    """Quaternions, upright where they are none."""
    good = np.isfinite(quaternions).all(-1, keepdims=True) & (
        np.linalg.norm(np.nan_to_num(quaternions), axis=-1, keepdims=True) > 0
    )
    return np.where(good, quaternions, np.eye(4)[0])


def _friction(world: World) -> dict[str, float]:
    """Sliding friction of hands, objects and table in a world; Genesis takes the larger of a pair, as MuJoCo does."""
    mj, model = mujoco(), world.model
    out = {"hands": 0.0, "objects": 0.0, "table": 0.0}
    for i in range(model.ngeom):
        body = str(model.body(int(model.body_rootid[model.geom_bodyid[i]])).name)
        if model.geom_type[i] == mj.mjtGeom.mjGEOM_PLANE:
            kind = "table"
        else:
            kind = "objects" if body.startswith(body_name("")) else "hands"
        out[kind] = max(out[kind], float(model.geom_friction[i, 0]))
    return out
