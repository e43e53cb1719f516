"""Where the points of robot hands are for given joints, how they move with them, and what of them overlaps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from scipy.spatial.transform import Rotation

from dexman_pose.arrays import Array, Bools
from dexman_pose.data.tracks import JOINT_NAMES
from dexman_pose.geometry.align import kabsch
from dexman_pose.geometry.se3 import matrix_from_quaternion, quaternion_from_matrix, so3_exp
from dexman_pose.robot.assets.attached import read_source, site_name
from dexman_pose.robot.assets.body import BASE, MARK
from dexman_pose.robot.assets.floating import FloatingOptions, add_floating_hand, base_joints
from dexman_pose.robot.assets.hand import Followed, HandDescription
from dexman_pose.robot.assets.rig import HandPlace
from dexman_pose.robot.assets.standing import BodyPlace, add_body
from dexman_pose.robot.engine import mujoco
from dexman_pose.robot.objects.model import ContactOptions, add_table
from dexman_pose.robot.retarget.obstacles import Obstacle, Placed, add_obstacles
from dexman_pose.robot.world.physics import PhysicsOptions, new_spec

_AXES = 3
_BASE = 6


@dataclass(frozen=True)
class Overlap:
    """Two parts of a robot, or a part and the table or an obstacle, that are too near each other.

    Attributes:
        gap: metres between them, negative inside.
        change: (N,) of the gap per radian or metre of each joint.
        parts: names of the two bodies.
        lacking: metres that the gap should grow by, times how much that counts.
        weight: how much it counts.
    """

    gap: float
    change: Array
    parts: tuple[str, str]
    lacking: float
    weight: float = 1.0


class Kinematics:
    """Hands and what carries them; of objects those alone that are in the way.

    Attributes:
        hands: whose points are followed.
        joints: names of the N joints, in the order of the model.
        lower: (N,) limits.
        upper: (N,) limits.
        is_carrier: (N,) joints that carry hands; the others are fingers'.
        is_floating: (N,) those of them that are slides and hinges of free hands.
        is_trunk: (N,) those of them that carry all hands of a body.
        weights: (K,) of the followed points of all hands, one hand after the other.
        ease: (N,) joints at which the robot is at ease.
    """

    def __init__(
        self,
        spec: Any,
        hands: Sequence[HandDescription],
        carriers: Sequence[str],
        obstacles: Sequence[Obstacle] = (),
    ) -> None:
        mj = mujoco()
        self.hands = tuple(hands)
        add_obstacles(spec, obstacles)
        self._model = spec.compile()
        self._obstacles = Placed(self._model, obstacles)
        self._data = mj.MjData(self._model)
        self.joints = tuple(self._model.joint(i).name for i in range(self._model.njnt))
        self.lower, self.upper = np.asarray(self._model.jnt_range, np.float64).T.copy()
        self.is_carrier: Bools = np.array([name in carriers for name in self.joints])
        self.is_floating: Bools = np.zeros(len(self.joints), np.bool_)
        self.is_trunk: Bools = np.zeros(len(self.joints), np.bool_)
        self.ease: Array = np.zeros(len(self.joints))
        points = [(hand, f) for hand in self.hands for f in hand.followed]
        self.weights = np.array([f.weight for _, f in points])
        self._sites = [self._model.site(site_name(hand, f.joint)).id for hand, f in points]

    @property
    def equal(self) -> tuple[tuple[str, str], ...]:
        """Pairs of joints that one motor drives together."""
        return tuple((h.mark + a, h.mark + b) for h in self.hands for a, b in h.equal)

    def rows(self, hand: HandDescription) -> slice:
        """Where a hand's followed points are among all of them."""
        sides = [h.side for h in self.hands]
        first = sum(len(h.followed) for h in self.hands[: sides.index(hand.side)])
        return slice(first, first + len(hand.followed))

    def points(self, joints: Array) -> Array:
        """(K, 3) world, of the followed points for joints (N,)."""
        self._data.qpos[:] = joints
        mujoco().mj_kinematics(self._model, self._data)
        return np.array(self._data.site_xpos[self._sites])

    def points_and_jacobian(self, joints: Array) -> tuple[Array, Array]:
        """(K, 3) places, and (3 K, N) derivatives of them."""
        places = self.points(joints)
        mj = mujoco()
        mj.mj_comPos(self._model, self._data)
        out, one = np.zeros((len(self._sites), _AXES, self._model.nv)), np.zeros((_AXES, self._model.nv))
        for k, site in enumerate(self._sites):
            mj.mj_jacSite(self._model, self._data, one, None, site)
            out[k] = one
        return places, out.reshape(-1, self._model.nv)

    def palm(self, hand: HandDescription, joints: Array) -> tuple[Array, Array]:
        """Rotations (T, 3, 3) and places (T, 3) of a palm for joints (T, N)."""
        body = self._model.body(hand.mark + hand.palm).id
        turns, places = np.zeros((len(joints), _AXES, _AXES)), np.zeros((len(joints), _AXES))
        for t, q in enumerate(joints):
            self.points(q)
            turns[t] = self._data.xmat[body].reshape(_AXES, _AXES)
            places[t] = self._data.xpos[body]
        return turns, places

    def overlaps(
        self, joints: Array, clear: float, frame: int | None = None, wide: float = 0.0
    ) -> list[Overlap]:
        """What of the robot is nearer to itself than it should be, by the shapes that collide in the simulation.

        Args:
            joints: (N,).
            clear: metres that parts keep from each other. Neighbours in the tree are no pair, as in the simulation.
            frame: in which obstacles count, where they are then; None to leave them out.
            wide: metres that parts keep from obstacles.
        """
        mj, model, data = mujoco(), self._model, self._data
        model.geom_margin[:] = clear
        model.geom_margin[self._obstacles.geoms] = wide
        self._obstacles.put(data, frame)
        self.points(joints)
        mj.mj_comPos(model, data)
        mj.mj_collision(model, data)
        out = []
        first, second = np.zeros((_AXES, model.nv)), np.zeros((_AXES, model.nv))
        for i in range(data.ncon):
            contact = data.contact[i]
            one, other = (int(model.geom_bodyid[g]) for g in (contact.geom1, contact.geom2))
            counts = self._obstacles.weight((one, other), frame)
            weight, least = (1.0, clear) if counts is None else (counts, wide)
            if contact.dist >= least or weight <= 0.0:
                continue
            mj.mj_jac(model, data, first, None, contact.pos, one)
            mj.mj_jac(model, data, second, None, contact.pos, other)
            names = (str(model.body(one).name), str(model.body(other).name))
            gap, change = float(contact.dist), contact.frame[:_AXES] @ (second - first)
            out.append(Overlap(gap, change, names, weight * (least - gap), weight))
        return out


class FreeKinematics(Kinematics):
    """Free hands.

    Attributes:
        free: each hand and its zero.
    """

    def __init__(
        self,
        free: Sequence[HandPlace],
        options: FloatingOptions | None = None,
        obstacles: Sequence[Obstacle] = (),
    ) -> None:
        self.free = tuple(free)
        spec = new_spec(PhysicsOptions())
        for placed in self.free:
            add_floating_hand(spec, placed.hand, placed.place, placed.quaternion, options)
        hands = [placed.hand for placed in self.free]
        super().__init__(spec, hands, [joint for hand in hands for joint in base_joints(hand)], obstacles)
        self.is_floating = self.is_carrier


class HandKinematics(FreeKinematics):
    """A free hand alone.

    Attributes:
        placed: the hand and its zero.
    """

    def __init__(
        self,
        placed: HandPlace,
        options: FloatingOptions | None = None,
        obstacles: Sequence[Obstacle] = (),
    ) -> None:
        self.placed = placed
        super().__init__([placed], options, obstacles)
        assert self.joints[:_BASE] == base_joints(placed.hand)

    def carried(self, palms: tuple[Array, Array]) -> Array:
        """Values (T, 6) of the joints that carry the hand for palms at rotations (T, 3, 3) and places (T, 3)."""
        zero = matrix_from_quaternion(self.placed.quaternion)
        rotations, places = palms
        turns = Rotation.from_matrix(zero.T @ rotations).as_euler("XYZ")
        turns = np.unwrap(turns, axis=0)
        return np.concatenate([(places - self.placed.place) @ zero, turns], axis=1)


class BodyKinematics(Kinematics):
    """A body with all its hands, over the table.

    Attributes:
        placed: the body where it stands.
    """

    def __init__(self, placed: BodyPlace, obstacles: Sequence[Obstacle] = ()) -> None:
        self.placed = placed
        spec = new_spec(PhysicsOptions())
        add_body(spec, placed)
        add_table(spec, ContactOptions())
        super().__init__(spec, placed.hands, placed.carriers, obstacles)
        trunk = {MARK + joint for joint in placed.body.trunk}
        self.is_trunk = np.array([name in trunk for name in self.joints])
        self._base = self._model.body(BASE).id
        self._palms = [self._model.body(hand.mark + hand.palm).id for hand in placed.hands]
        self._arms = [self._model.body(MARK + arm_link).id for arm_link in _links(placed)]
        rest = {MARK + j: a for arm in placed.body.arms for j, a in zip(arm.joints, arm.rest)}
        self.ease = np.array([rest.get(name, 0.0) for name in self.joints])

    def move(self, place: Array, turn: float) -> None:
        """Let the body stand elsewhere: root at (3,), turned by radians about the vertical."""
        self.placed = replace(self.placed, place=place, turn=turn)
        self._model.body_pos[self._base] = place
        self._model.body_quat[self._base] = quaternion_from_matrix(so3_exp(np.array([0.0, 0.0, turn])))

    def palms_and_jacobian(self, joints: Array) -> tuple[Array, Array, Array]:
        """Rotations (H, 3, 3) and places (H, 3) of the palms, and (6 H, N) derivatives: of place, then of rotation."""
        mj, model, data = mujoco(), self._model, self._data
        self.points(joints)
        mj.mj_comPos(model, data)
        out = np.zeros((len(self._palms), 2 * _AXES, model.nv))
        for block, palm in zip(out, self._palms):
            mj.mj_jacBody(model, data, block[:_AXES], block[_AXES:], palm)
        turns = data.xmat[self._palms].reshape(-1, _AXES, _AXES).copy()
        return turns, data.xpos[self._palms].copy(), out.reshape(-1, model.nv)

    def lowest_link(self) -> float:
        """Height of the lowest joint of the arms that act, where they are now."""
        return float(self._data.xpos[self._arms, 2].min())


def _links(placed: BodyPlace) -> list[str]:
    """Bodies of the joints of the arms that act."""
    spec = read_source(placed.body.file, new_spec(PhysicsOptions()))
    arms = [placed.body.arm(hand.side) for hand in placed.hands]
    return [spec.joint(joint).parent.name for arm in arms for joint in arm.joints]


def palm_of(hand: HandDescription, joints: Array) -> tuple[Array, Array]:
    """Rotations (..., 3, 3) and places (..., 3) of a stiff palm fitted to a person's joints (..., 21, 3)."""
    index = [JOINT_NAMES.index(name) for name, _ in hand.palm_points]
    model = np.array([place for _, place in hand.palm_points])
    seen = joints[..., index, :]
    found = kabsch(np.broadcast_to(model, seen.shape), seen)
    return found[..., :3, :3], found[..., :3, 3]


def tips_of(hand: HandDescription) -> tuple[list[int], tuple[Followed, ...]]:
    """Where a hand's fingertips are among its followed points, and which they are."""
    found = [i for i, f in enumerate(hand.followed) if f.is_tip]
    return found, tuple(hand.followed[i] for i in found)
