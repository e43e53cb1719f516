"""A plan judged: played blindly as it is, and in worlds that differ a little."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from dexman_pose.robot.headers import plain
from dexman_pose.robot.planning.members import drawn_differences
from dexman_pose.robot.planning.options import Limits, Spread
from dexman_pose.robot.planning.score import Score, score
from dexman_pose.robot.skill.plan import Plan

_STREAM = 77_001  # keeps these worlds apart from those of a planner with the same seed


@dataclass(frozen=True)
class Evaluation:
    """What became of a plan.

    Attributes:
        replay: in the world it was made for.
        measured: the same episode against the motion as it was measured.
        perturbed: in worlds that differ.
        friction: of hands and objects in the plan's world.
    """

    replay: Score
    measured: Score
    perturbed: tuple[Score, ...]
    friction: float

    @property
    def succeeded(self) -> int:
        """How many of the perturbed replays did."""
        return sum(s.success for s in self.perturbed)

    @property
    def tracked(self) -> float:
        """Mean share of frames tracked in the perturbed replays."""
        return float(np.mean([s.share for s in self.perturbed])) if self.perturbed else 0.0

    def values(self) -> dict[str, Any]:
        """Plain values for JSON. E_t and E_r are means over the successful replays, as the field reports them."""
        good = [s for s in (self.replay, *self.perturbed) if s.success]
        values = {
            "friction": self.friction,
            "strict_success": self.replay.success,
            "strict_success_against_measured": self.measured.success,
            "tracked": self.replay.tracked,
            "frames": self.replay.frames,
            "lifted": self.replay.lifted,
            "max_position_m": self.replay.most_position,
            "max_rotation_rad": self.replay.most_rotation,
            "E_t_m": float(np.mean([s.position for s in good])) if good else None,
            "E_r_rad": float(np.mean([s.rotation for s in good])) if good else None,
            "perturbed": len(self.perturbed),
            "perturbed_success": self.succeeded,
            "perturbed_tracked": self.tracked,
            "replays": [plain(asdict(s)) for s in self.perturbed],
        }
        return plain(values)

    def told(self) -> str:
        """The figures in one line."""
        s = self.replay
        outcome = "success" if s.success else f"lost at frame {s.tracked} of {s.frames}"
        return (
            f"replay: {outcome}, at most {1e2 * s.most_position:.1f} cm and {s.most_rotation:.2f} rad; perturbed: "
            f"{self.succeeded} of {len(self.perturbed)}, {100 * self.tracked:.0f} % of the frames; "
            f"friction {self.friction:g}"
        )


def evaluate(
    plan: Plan,
    *,
    replays: int = 10,
    seed: int = 0,
    spread: Spread | None = None,
    limits: Limits | None = None,
) -> Evaluation:
    """Play a plan as it is, and in worlds drawn at random.

    Args:
        plan: what is judged.
        replays: perturbed ones.
        seed: of their worlds; they are others than the planner's of the same seed.
        spread: how far they differ: by default 5 mm, 20 % of friction and of mass.
        limits: what counts as success.
    """
    world = plan.world()
    episode = plan.replayed(world=world)
    rng = np.random.default_rng([_STREAM, seed])
    different = drawn_differences(replays, len(world.objects), spread or Spread(), rng)
    played = [plan.replayed(d, world).places for d in different]
    return Evaluation(
        replay=score(episode.places, plan.reference, limits),
        measured=score(episode.places, plan.measured, limits),
        perturbed=tuple(score(p, plan.reference, limits) for p in played),
        friction=float(world.model.geom_friction[:, 0].max()),
    )
