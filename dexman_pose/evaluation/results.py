"""What scoring gives: errors per frame and object, kept whole, so that every table can be made from them again."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from dexman_pose.arrays import Array, Bools


@dataclass(frozen=True)
class ObjectScores:
    """Errors of one object in one recording, over the frames whose truth is known (F of them).

    Values of frames without a prediction are 0 and mean nothing: ``valid`` says so.

    Attributes:
        sequence: the recording's name.
        view: its camera.
        group: its group, e.g. a triplet.
        split: its split.
        name: the object's name or role there.
        object_id: the dataset's id of its mesh.
        diameter: metres.
        symmetry: what is known of its symmetry: name and where from.
        frames: (F,) frame numbers.
        valid: (F,) frames with a prediction.
        errors: (F,) each, by name: ``add``, ``add_s``, ``mssd``, ``translation`` (metres), ``rotation`` (radians,
            modulo the symmetry), ``rotation_plain`` (radians), ``mspd`` (pixels, for a width of 640).
        vsd: (G, taus) of the frames ``vsd_frames`` (G,), indices into ``frames``; empty where there is no depth.
        vsd_frames: (G,).
        agreement: (G,) share of visible points whose depth agrees with the observed, of the same frames.
        failed: (F,) the paper's failure, for frames that ``failure_known`` marks.
        failure_known: (F,).
        stability: (S,) in [0, 1], of the pairs of successive frames that both have a prediction.
        jitter: root mean square of the acceleration's error, metres per second squared; None where runs are too short.
        notes: anything a reader must know.
    """

    sequence: str
    view: str
    group: str
    split: str
    name: str
    object_id: str
    diameter: float
    symmetry: str
    frames: NDArray[np.int64]
    valid: Bools
    errors: dict[str, Array]
    vsd: Array = field(default_factory=lambda: np.zeros((0, 0)))
    vsd_frames: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, np.int64))
    agreement: Array = field(default_factory=lambda: np.zeros(0))
    failed: Bools = field(default_factory=lambda: np.zeros(0, np.bool_))
    failure_known: Bools = field(default_factory=lambda: np.zeros(0, np.bool_))
    stability: Array = field(default_factory=lambda: np.zeros(0))
    jitter: float | None = None
    notes: tuple[str, ...] = ()

    @property
    def key(self) -> str:
        """``sequence/view/name``."""
        return f"{self.sequence}/{self.view}/{self.name}"

    @property
    def failures(self) -> int:
        """Frames without a prediction."""
        return int((~self.valid).sum())


@dataclass(frozen=True)
class HandScores:
    """Joint errors of one hand in one recording, over the frames whose truth is known (F of them).

    Attributes:
        sequence: the recording's name.
        view: its camera.
        side: ``"left"`` or ``"right"``.
        frames: (F,) frame numbers.
        valid: (F,) frames with a prediction.
        joints: (F, 21) metres by alignment; 0 where there is no prediction.
    """

    sequence: str
    view: str
    side: str
    frames: NDArray[np.int64]
    valid: Bools
    joints: dict[str, Array]


@dataclass(frozen=True)
class ContactScores:
    """Contacts of one recording against those of the truth.

    Attributes:
        sequence: the recording's name.
        view: its camera.
        precision: of touching fingertips, in [0, 1].
        recall: the same.
        f_score: the same.
        penetration_m: mean depth of the fingertips that are inside the object, metres.
        frames: how many frames were compared.
    """

    sequence: str
    view: str
    precision: float
    recall: float
    f_score: float
    penetration_m: float
    frames: int


@dataclass(frozen=True)
class Finding:
    """Something that looks like a mistake rather than an error: units, swapped names, a lag, a flip, gaps.

    Attributes:
        kind: ``"missing"``, ``"unit"``, ``"swapped"``, ``"misread"``, ``"lag"``, ``"flipped"``, ``"unread"``,
            ``"problem"``, of predictions; ``"suspicious"``, of the data set itself.
        where: ``sequence/view/name`` or a sequence.
        text: one sentence with the figures that say so.
    """

    kind: str
    where: str
    text: str


@dataclass(frozen=True)
class Results:
    """All scores of a run.

    Attributes:
        protocol: the protocol's values.
        objects: per object and recording.
        hands: per hand and recording.
        contacts: per recording.
        findings: what looks like a mistake.
        provenance: versions, seeds, hashes of inputs; what is needed to make these figures again.
    """

    protocol: dict[str, object]
    objects: list[ObjectScores]
    hands: list[HandScores] = field(default_factory=list)
    contacts: list[ContactScores] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    provenance: dict[str, object] = field(default_factory=dict)
