"""Joints of a robot's hand for a whole motion at once: Levenberg-Marquardt, smooth in time, within limits."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from dexman_pose.arrays import Array, Bools
from dexman_pose.robot.retarget.banded import BandedSystem
from dexman_pose.robot.retarget.kinematics import HandKinematics, Kinematics


@dataclass(frozen=True)
class RetargetOptions:
    """How a motion is solved. Weights are metres of a fingertip that weigh as much as one radian.

    Attributes:
        speed: of a joint's step from frame to frame.
        jerk: of the change of that step.
        rest: of a finger's joint against being straight, of an arm's against being at ease.
        trunk: of a trunk's joint against being upright.
        equal: of two joints that one motor drives against being unlike.
        rounds: of the solver, at most.
        damping: at the beginning, as share of the diagonal.
        eased: factor on it after a good step; ``tightened`` after a bad one.
        tightened: see there.
        most_damping: at which the solver gives up.
        enough: relative gain at which it stops.
        bent: radians that fingers are bent at the beginning: each is tried, the best solution counts, for a thumb that
            begins on the wrong side does not find its way around.
        apart: weight, beside a fingertip's error, of what overlaps of the robot itself.
        clear: metres that parts of the robot are kept from each other; 0 or less not to look at them.
        wide: metres that they are kept from objects while they come and go.
    """

    speed: float = 0.005
    jerk: float = 0.01
    rest: float = 0.003
    trunk: float = 0.008
    equal: float = 0.005
    rounds: int = 60
    damping: float = 1e-3
    eased: float = 0.3
    tightened: float = 5.0
    most_damping: float = 1e5
    enough: float = 1e-5
    bent: tuple[float, ...] = (0.3, 1.0)
    apart: float = 1.0
    clear: float = 0.001
    wide: float = 0.005


def solve_motion(
    hand: HandKinematics, targets: Array, palms: tuple[Array, Array], options: RetargetOptions | None = None
) -> Array:
    """Find joints that bring a free hand's points to their targets.

    Args:
        hand: the robot's.
        targets: (T, K, 3) metres, world, in the order of ``HandDescription.followed``.
        palms: rotations (T, 3, 3) and places (T, 3) of the palm to begin with.
        options: weights.

    Returns:
        (T, N) in the order of ``hand.joints``, within their limits.
    """
    o = options or RetargetOptions()
    carried = hand.carried(palms)
    fingers = np.ones((len(targets), len(hand.joints) - carried.shape[1]))
    bent = [np.concatenate([carried, angle * fingers], 1) for angle in o.bent]
    # fingers may pass through each other at first, else some never come around
    starts = [bent[0], *(solve_joints(hand, targets, start, replace(o, clear=0.0)) for start in bent)]
    solved = [solve_joints(hand, targets, start, o) for start in starts]
    return min(solved, key=_Problem(hand, targets, o).cost)


def solve_joints(
    robot: Kinematics, targets: Array, start: Array, options: RetargetOptions | None = None
) -> Array:
    """Find joints that bring all points of a robot to their targets.

    Args:
        robot: hands and what carries them.
        targets: (T, K, 3) metres, world, in the order of the robot's points.
        start: (T, N) joints to begin with.
        options: weights.

    Returns:
        (T, N) in the order of ``robot.joints``, within their limits.
    """
    o = options or RetargetOptions()
    problem = _Problem(robot, targets, o)
    joints = problem.clipped(start)
    cost = problem.cost(joints)
    damping = o.damping
    for _ in range(o.rounds):
        system, gradient = problem.equations(joints)
        free = problem.free(joints, gradient)
        while damping < o.most_damping:
            step = system.solved(
                -gradient.reshape(-1), damping * (system.diagonal() + 1e-9), free.reshape(-1)
            )
            if step is None:
                damping *= o.tightened
                continue
            tried = problem.clipped(joints + step.reshape(joints.shape))
            reached = problem.cost(tried)
            if reached < cost:
                break
            damping *= o.tightened
        else:
            return joints
        gain, joints, cost = (cost - reached) / cost, tried, reached
        damping *= o.eased
        if gain < o.enough:
            break
    return joints


class _Problem:
    """Residuals and normal equations."""

    def __init__(self, robot: Kinematics, targets: Array, o: RetargetOptions) -> None:
        self.robot, self.targets, self.o = robot, targets, o
        self.size = len(robot.joints)
        self.ease = robot.ease
        self.rest = np.full(self.size, o.rest**2)
        self.ties = np.ones(self.size)
        self.rest[robot.is_trunk] = o.trunk**2
        # slides and hinges of a free palm move as far as they must; a metre of a slide is no radian
        self.rest[robot.is_floating] = 0.0
        self.ties[robot.is_floating] = 0.0
        names = {name: i for i, name in enumerate(robot.joints)}
        self.equal = np.zeros((self.size, self.size))
        for first, second in robot.equal:
            row = np.zeros(self.size)
            row[names[first]], row[names[second]] = o.equal, -o.equal
            self.equal += np.outer(row, row)

    def clipped(self, joints: Array) -> Array:
        return np.asarray(np.clip(joints, self.robot.lower, self.robot.upper))

    def free(self, joints: Array, gradient: Array) -> Bools:
        """(T, N) joints that do not lean against a limit."""
        slack = 1e-9
        low = (joints <= self.robot.lower + slack) & (gradient > 0)
        high = (joints >= self.robot.upper - slack) & (gradient < 0)
        return np.asarray(~(low | high))

    def cost(self, joints: Array) -> float:
        """Half the sum of squares."""
        places = np.array([self.robot.points(q) for q in joints])
        reach = (self.robot.weights[:, None] * (places - self.targets)) ** 2
        return 0.5 * float(reach.sum() + self._quiet(joints) + self._crowded(joints))

    def _quiet(self, joints: Array) -> float:
        """Sum of squares of what does not depend on the targets."""
        step, change = np.diff(joints, axis=0), np.diff(joints, 2, axis=0)
        return float(
            (self.rest * (joints - self.ease) ** 2).sum()
            + np.einsum("ti,ij,tj->", joints, self.equal, joints)
            + (self.o.speed**2 * self.ties * step**2).sum()
            + (self.o.jerk**2 * change**2).sum()
        )

    def _crowded(self, joints: Array) -> float:
        """Sum of squares of what overlaps."""
        if self.o.clear <= 0.0:
            return 0.0
        found = [
            x.lacking
            for t, q in enumerate(joints)
            for x in self.robot.overlaps(q, self.o.clear, t, self.o.wide)
        ]
        return float(((self.o.apart * np.array(found)) ** 2).sum())

    def equations(self, joints: Array) -> tuple[BandedSystem, Array]:
        """Normal equations and gradient (T, N)."""
        count = len(joints)
        system = BandedSystem(count, self.size)
        blocks, gradient = np.zeros((count, self.size, self.size)), np.zeros_like(joints)
        rows = np.repeat(self.robot.weights, 3)
        for t, q in enumerate(joints):
            places, jacobian = self.robot.points_and_jacobian(q)
            weighted = rows[:, None] * jacobian
            blocks[t] = weighted.T @ weighted
            gradient[t] = weighted.T @ (rows * (places - self.targets[t]).reshape(-1))
            self._add_crowded(t, q, blocks[t], gradient[t])
        blocks += np.diag(self.rest) + self.equal
        system.add_blocks(blocks)
        gradient += self.rest * (joints - self.ease) + joints @ self.equal
        for order, weights in ((1, self.o.speed**2 * self.ties), (2, np.full(self.size, self.o.jerk**2))):
            if count <= order:
                continue
            system.add_differences(weights, order)
            step = np.diff(joints, order, axis=0) * weights
            gradient += _transposed_difference(step, order, count)
        return system, gradient

    def _add_crowded(self, frame: int, joints: Array, block: Array, gradient: Array) -> None:
        """Add what overlaps in one frame, in place."""
        if self.o.clear <= 0.0:
            return
        for x in self.robot.overlaps(joints, self.o.clear, frame, self.o.wide):
            row = -self.o.apart * x.weight * x.change
            block += np.outer(row, row)
            gradient += row * (self.o.apart * x.lacking)


def _transposed_difference(values: Array, order: int, count: int) -> Array:
    stencil = (-1.0, 1.0) if order == 1 else (1.0, -2.0, 1.0)
    out = np.zeros((count, values.shape[1]))
    for i, factor in enumerate(stencil):
        out[i : count - order + i] += factor * values
    return out
