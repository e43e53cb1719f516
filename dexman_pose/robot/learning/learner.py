"""PPO of rsl-rl on the environment, watched over: strict judgements, the best policy kept, falls taken back."""

from __future__ import annotations

import contextlib
import io
import logging
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from time import monotonic
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dexman_pose._optional import require
from dexman_pose.arrays import Array
from dexman_pose.robot.learning.environment import EXTRA, GraspEnvironment
from dexman_pose.robot.learning.exploring import first_deviation
from dexman_pose.robot.learning.judge import Judgement, Policy, judge, nothing
from dexman_pose.robot.learning.options import LearningOptions

_log = logging.getLogger(__name__)


@dataclass
class Course:
    """How learning has gone so far.

    Attributes:
        judged: every judgement: update, seconds, steps of the simulation, tightness of the limits, the figures.
        updates: of the policy.
        strictness: how many times limits were tightened.
        falls: how many times the best policy was taken up again.
        best: the best judgement so far.
        broken: episodes that came to no number.
        seconds: of learning, all sessions together.
    """

    judged: list[dict[str, float]] = field(default_factory=list)
    updates: int = 0
    strictness: int = 0
    falls: int = 0
    best: Judgement | None = None
    broken: int = 0
    seconds: float = 0.0


class Learner:
    """Learns a policy in an environment.

    Args:
        environment: to act in.
        options: settings.
        log: folder for TensorBoard; None for none.

    Attributes:
        course: how it has gone.
        best: weights of the best policy and its critic, by name.
    """

    def __init__(
        self, environment: GraspEnvironment, options: LearningOptions, log: Path | None = None
    ) -> None:
        torch = require("torch", EXTRA, "learning a skill")
        runners = require("rsl_rl.runners", EXTRA, "learning a skill")
        require("tensordict", EXTRA, "learning a skill")
        self._torch, self.environment, self.options = torch, environment, options
        torch.manual_seed(options.seed)
        with _silent():
            self._runner = runners.OnPolicyRunner(environment, _settings(options), None, "cpu")
        last = [m for m in self._runner.alg.actor.mlp.modules() if isinstance(m, torch.nn.Linear)][-1]
        torch.nn.init.zeros_(last.weight)
        torch.nn.init.zeros_(last.bias)
        self._look_around()
        self.course = Course()
        self.best: dict[str, Any] = _copied(self._runner.alg.save())
        self._writer = _writer(log)

    def _look_around(self) -> None:
        """Let the normalisers see what there is: one that changes while it learns looks like a policy that does."""
        rng = np.random.default_rng(self.options.seed)
        shape = (self.environment.num_envs, self.environment.num_actions)
        algorithm = self._runner.alg
        for _ in range(self.options.frames):
            seen = self.environment.get_observations()
            algorithm.actor.update_normalization(seen)
            algorithm.critic.update_normalization(seen)
            drawn = self.options.deviation * rng.standard_normal(shape)
            self.environment.step(self._torch.as_tensor(drawn.astype(np.float32)))
        self.environment.reset()
        self.environment.counts.ended = []

    def _scatter(self, deviation: float) -> None:
        """Let actions scatter so much from now on; the policy is as good as it was."""
        with self._torch.no_grad():
            self._runner.alg.actor.distribution.std_param.fill_(deviation)
        self.best = _copied(self._runner.alg.save())
        _log.info("first actions scatter by %.2f", deviation)

    @property
    def policy(self) -> Policy:
        """The policy as it is now, without noise."""
        torch, acts = self._torch, self._runner.get_inference_policy()
        made = require("tensordict", EXTRA, "learning a skill").TensorDict

        def act(observed: NDArray[np.float32]) -> Array:
            seen = made({"policy": torch.as_tensor(observed)}, batch_size=[len(observed)])
            with torch.inference_mode():
                return np.asarray(acts(seen).numpy(), np.float64)

        return act

    def learn(
        self,
        until: Callable[[Course], bool],
        after: Callable[[Course], None] = lambda course: None,
    ) -> Course:
        """Learn until told to stop, or until success is sure; the best policy is taken up at the end.

        Args:
            until: asked after every judgement whether it is enough.
            after: called after every judgement.
        """
        if not self.course.judged:  # what is to be beaten: the controls as they are
            still = self._judged(nothing(self.environment.num_actions), 0.0)
            if not until(self.course) and not self._is_sure():
                self._scatter(first_deviation(self.environment, still, self.options))
            after(self.course)
        while not until(self.course) and not self._is_sure():
            began = monotonic()
            with _silent():
                self._runner.learn(self.options.judged_every)
            self.course.updates += self.options.judged_every
            self.course.broken += self.environment.counts.broken
            found = self._judged(self.policy, monotonic() - began)
            self._runner.alg.train_mode()
            self._watch(found)
            after(self.course)
        self._runner.alg.load(self.best, None, True)
        return self.course

    def state(self) -> dict[str, Any]:
        """All that is needed to go on: weights now and best, the optimiser, the random numbers."""
        return {
            "now": _copied(self._runner.alg.save()),
            "best": self.best,
            "rng": self._torch.get_rng_state(),
        }

    def resume(self, state: dict[str, Any], course: Course) -> None:
        """Go on from a state and the course up to it."""
        self._runner.alg.load(state["now"], None, True)
        self._torch.set_rng_state(state["rng"])
        self.best, self.course = state["best"], course
        self._tighten()
        self._slow_down()

    def _is_sure(self) -> bool:
        best = self.course.best
        return best is not None and best.success >= self.options.enough

    def _judged(self, policy: Policy, seconds: float) -> Judgement:
        limits, environment = self.environment.limits, self.environment
        found = judge(environment, policy)
        ended = environment.counts.ended
        self.course.seconds += seconds
        entry = {
            "update": float(self.course.updates),
            "seconds": self.course.seconds,
            "steps": float(environment.worlds.steps),
            "limits": limits,
            "training_end": float(np.mean(ended)) if ended else float("nan"),
            **{k: float(v) for k, v in asdict(found).items()},
        }
        environment.counts.ended = []
        self.course.judged.append(entry)
        if self._writer is not None:
            for name, value in entry.items():
                self._writer.add_scalar(f"judged/{name}", value, int(entry["update"]))
            self._writer.flush()
        if self.course.best is None or found.rank > self.course.best.rank:
            self.course.best = found
            self.best = _copied(self._runner.alg.save())
        return found

    def _watch(self, found: Judgement) -> None:
        """Tighten the limits where objects are carried to the end; take the best policy up where success has fallen."""
        o, best = self.options, self.course.best
        if best is not None and found.success < best.success - o.fallen:
            self._runner.alg.load(self.best, None, True)
            self.course.falls += 1
            self._slow_down()
            _log.info("fell to %.0f %%, back to %.0f %%", 100 * found.success, 100 * best.success)
        ended = self.course.judged[-1]["training_end"] if self.course.judged else 0.0
        reached = ended / max(self.environment.task.num_frames - 1, 1)
        carried = found.tracked >= o.strictness.tracked or reached >= o.strictness.reached
        if carried and self.course.strictness < o.strictness.steps:
            self.course.strictness += 1
            self._tighten()

    def _tighten(self) -> None:
        o = self.options.strictness
        share = self.course.strictness / max(o.steps, 1)
        self.environment.limits = o.loose + share * (o.strict - o.loose)

    def _slow_down(self) -> None:
        """Let the policy change less from update to update, the more often it fell; the learning rate follows."""
        self._runner.alg.desired_kl = self.options.kl / self.options.slower**self.course.falls


def _settings(o: LearningOptions) -> dict[str, Any]:
    """What rsl-rl 5 is told."""
    network = {"class_name": "MLPModel", "hidden_dims": list(o.layers), "activation": "elu"}
    acting = {"class_name": "GaussianDistribution", "init_std": o.deviation}
    return {
        "num_steps_per_env": o.frames,
        "save_interval": 10**9,
        "check_for_nan": True,
        "multi_gpu": None,
        "obs_groups": {"actor": ["policy"], "critic": ["policy"]},
        "algorithm": {
            "class_name": "PPO",
            "learning_rate": o.rate,
            "num_learning_epochs": o.epochs,
            "num_mini_batches": o.batches,
            "clip_param": 0.2,
            "gamma": o.discount,
            "lam": o.trace,
            "value_loss_coef": 1.0,
            "entropy_coef": 0.0,
            "max_grad_norm": 1.0,
            "schedule": "adaptive",
            "desired_kl": o.kl,
        },
        "actor": {**network, "obs_normalization": True, "distribution_cfg": acting},
        "critic": {**network, "obs_normalization": True},
    }


def _copied(state: dict[str, Any]) -> dict[str, Any]:
    """Weights that do not change with those they were taken from."""
    import copy

    return copy.deepcopy(state)


def _writer(log: Path | None) -> Any:
    """TensorBoard's writer; None where none is asked for, or it is not installed."""
    if log is None:
        return None
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError:
        _log.info("no curves for TensorBoard: it is not installed")
        return None
    return SummaryWriter(log_dir=str(log))


@contextlib.contextmanager
def _silent() -> Iterator[None]:
    """Without what rsl-rl prints of every update."""
    with contextlib.redirect_stdout(io.StringIO()):
        yield
