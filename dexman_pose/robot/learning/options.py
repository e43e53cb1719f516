"""Settings of rewards, of what a policy may do, and of how it learns.

Values marked with a star are those that the DexMan paper (arXiv 2510.08475, table 7 and appendix B.5) prints; how they
enter is our reading of it, for its formulas are pictures. All others were set by hand.
"""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class ContactReward:
    """For points of the hand that are where the person's touched the object.

    Attributes:
        sharpness: 1/m2 (*), of a Gaussian over the distance: half at 4 cm.
        tip: of a fingertip (*).
        palm: of a point of the palm (*).
        always: factor (*) ...
        lifted: ... and what is added to it while the object is off the table (*).
        near: metres over which the side of a point stops to matter: what touches has no direction to what it touches.
    """

    sharpness: float = 400.0
    tip: float = 0.5
    palm: float = 2.0
    always: float = 1.0
    lifted: float = 1.0
    near: float = 0.005


@dataclass(frozen=True)
class FollowReward:
    """For objects that are where they should be.

    Attributes:
        position: weight (*).
        rotation: weight (*).
        position_sharpness: 1/m (*).
        rotation_sharpness: 1/rad (*).
        always: factor (*) ...
        lifted: ... and what is added to it while the object and its reference are off the table (*).
    """

    position: float = 5.0
    rotation: float = 1.0
    position_sharpness: float = 80.0
    rotation_sharpness: float = 3.0
    always: float = 0.1
    lifted: float = 4.0


@dataclass(frozen=True)
class ImitationReward:
    """For a hand that moves as the retargeted one.

    Attributes:
        weight: of each of its three terms (*).
        position_sharpness: 1/m, of a free hand's slides (*).
        rotation_sharpness: 1/rad, of its hinges (*).
        finger_sharpness: 1/rad, of the mean over its fingers' joints (*).
    """

    weight: float = 0.5
    position_sharpness: float = 2.0
    rotation_sharpness: float = 20.0
    finger_sharpness: float = 20.0


@dataclass(frozen=True)
class RewardOptions:
    """All terms.

    Attributes:
        contact: of contacts; None to learn without.
        follow: of objects.
        imitation: of hands.
        scale: factor on their sum, so that values stay near one.
        effort: paid for the mean square of an action.
        lifted: metres above its start from which on an object is off the table.
    """

    contact: ContactReward | None = field(default_factory=ContactReward)
    follow: FollowReward = field(default_factory=FollowReward)
    imitation: ImitationReward = field(default_factory=ImitationReward)
    scale: float = 0.1
    effort: float = 0.001
    lifted: float = 0.02


@dataclass(frozen=True)
class ResidualOptions:
    """What an action of 1 adds to the controls it is laid upon.

    Attributes:
        slide: metres.
        hinge: radians, of a free hand's hinges.
        finger: radians; a motor of two joints gets twice as much.
        most: actions beyond are cut off.
    """

    slide: float = 0.02
    hinge: float = 0.15
    finger: float = 0.3
    most: float = 3.0


@dataclass(frozen=True)
class EpisodeOptions:
    """How episodes begin.

    Attributes:
        along: share of them that begin somewhere along the reference, objects in the hand.
        rest: frames before the end after which none begins.
        closing: seconds that fingers are given to come out of objects they were retargeted into, before such a start.
        offset: metres along x and y that an object starts beside its place in training, at most.
        friction: share by which friction differs between training's worlds, at most.
        mass: the same of objects' masses.
        models: number of different worlds.
    """

    along: float = 0.5
    rest: int = 12
    closing: float = 0.15
    offset: float = 0.003
    friction: float = 0.2
    mass: float = 0.2
    models: int = 8


@dataclass(frozen=True)
class StrictnessOptions:
    """When an episode ends early: loosely at first, strictly once the objects are carried to the end.

    Attributes:
        loose: factor on the limits of success at first.
        strict: factor at last.
        tracked: share of the frames, in a judgement, from which on limits are tightened ...
        reached: ... or share of the motion at which episodes end in training, mean: under loose limits a policy learns
            to follow loosely, and no strict judgement would ever tell that it carries the object to the end.
        steps: judgements over which they are.
    """

    loose: float = 2.0
    strict: float = 1.25
    tracked: float = 0.7
    reached: float = 0.72
    steps: int = 4


@dataclass(frozen=True)
class LearningOptions:
    """How a policy is learnt by PPO (Schulman et al., 2017).

    Attributes:
        environments: simulated at once.
        frames: of each between two updates.
        rate: first learning rate; it adapts to ``kl``.
        kl: wanted change of the policy in an update.
        epochs: over what was collected.
        batches: per epoch.
        discount: of later rewards.
        trace: lambda of the advantages (Schulman et al., 2016).
        deviation: of the first actions, at most ...
        shaken: ... it is halved until this share of the frames that are tracked without is tracked with it ...
        halved: ... but no more often than this.
        layers: of the networks.
        judged_every: updates between two judgements.
        judged: perturbed starts of a judgement.
        fallen: share of successes below the best at which the best policy is taken up again ...
        slower: ... with ``kl`` divided by so much.
        enough: share of successes at which learning ends.
        seed: of all that is drawn.
        rewards: what is learnt for.
        residual: what an action does.
        episodes: how episodes begin.
        strictness: when they end early.
    """

    environments: int = 64
    frames: int = 32
    rate: float = 5e-4
    kl: float = 0.016
    epochs: int = 5
    batches: int = 4
    discount: float = 0.99
    trace: float = 0.95
    deviation: float = 0.5
    shaken: float = 0.8
    halved: int = 3
    layers: tuple[int, ...] = (256, 128, 64)
    judged_every: int = 20
    judged: int = 64
    fallen: float = 0.1
    slower: float = 2.0
    enough: float = 0.97
    seed: int = 0
    rewards: RewardOptions = field(default_factory=RewardOptions)
    residual: ResidualOptions = field(default_factory=ResidualOptions)
    episodes: EpisodeOptions = field(default_factory=EpisodeOptions)
    strictness: StrictnessOptions = field(default_factory=StrictnessOptions)
