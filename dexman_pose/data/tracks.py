"""What the pipeline produces per frame: object poses, hands, contacts. Absence is a boolean, never NaN."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

from dexman_pose.arrays import Array
from dexman_pose.data import _check
from dexman_pose.data.doubt import Doubt, Doubts
from dexman_pose.data.evidence import Evidences, evidence_summary
from dexman_pose.data.mesh import Mesh
from dexman_pose.data.numbers import described, instance, number, word
from dexman_pose.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike

ScaleSource = Literal["given", "depth", "hand", "contact", "table", "unknown", "guessed"]
SCALE_SOURCES: tuple[str, ...] = ("given", "depth", "hand", "contact", "table", "unknown", "guessed")
SIDES: tuple[str, ...] = ("left", "right")

JOINT_NAMES: tuple[str, ...] = (
    "wrist",
    *(f"thumb_{n}" for n in ("cmc", "mcp", "ip", "tip")),
    *(f"index_{n}" for n in ("mcp", "pip", "dip", "tip")),
    *(f"middle_{n}" for n in ("mcp", "pip", "dip", "tip")),
    *(f"ring_{n}" for n in ("mcp", "pip", "dip", "tip")),
    *(f"pinky_{n}" for n in ("mcp", "pip", "dip", "tip")),
)
"""The 21 hand joints, in MediaPipe's order."""

JOINT_PARENTS: tuple[int, ...] = (-1, 0, 1, 2, 3, 0, 5, 6, 7, 0, 9, 10, 11, 0, 13, 14, 15, 0, 17, 18, 19)
"""Index of the parent of each joint of :data:`JOINT_NAMES`; the wrist has none."""


@dataclass(frozen=True)
class PoseTrack:
    """The pose of one object in every frame.

    Attributes:
        camera_from_object: (T, 4, 4), metres. Rows that are not valid hold the last good or predicted pose.
        valid: (T,) bool, the pose can be used.
        confidence: (T,) in [0, 1].
        mask_iou: (T,) in [0, 1], overlap of the rendered visible outline with the mask; 0 where there is no mask.
        covariance: (T, 6, 6) of the twist (v, w) in the camera frame, or None.
        mesh_scale: factor on the mesh that the poses belong to; 1 unless it was tracked with its scale unknown.
        doubt: (T,) uint16 sums of :class:`~dexman_pose.data.doubt.Doubt`, why a pose is not valid or its mask is
            lost; None where nobody has judged the track.
        evidence: (T,) uint16 sums of :class:`~dexman_pose.data.evidence.Evidence`, what carried the pose of each
            frame; None where that is not known.
    """

    camera_from_object: Array
    valid: NDArray[np.bool_]
    confidence: Array
    mask_iou: Array | None = None
    covariance: Array | None = None
    mesh_scale: float = 1.0
    doubt: Doubts | None = None
    evidence: Evidences | None = None

    if TYPE_CHECKING:  # lists, tuples and tensors become arrays

        def __init__(
            self,
            camera_from_object: ArrayLike,
            valid: ArrayLike,
            confidence: ArrayLike,
            mask_iou: ArrayLike | None = None,
            covariance: ArrayLike | None = None,
            mesh_scale: float = 1.0,
            doubt: ArrayLike | None = None,
            evidence: ArrayLike | None = None,
        ) -> None: ...

    def __post_init__(self) -> None:
        _check.settle(self, mesh_scale=number(self.mesh_scale, "mesh_scale", above=0.0))
        _check.settle(self, camera_from_object=_check.rigid(self.camera_from_object, "camera_from_object"))
        n = len(self.camera_from_object)
        _check.settle(self, valid=_check.array(self.valid, "valid", (n,), np.bool_))
        _check.settle(self, confidence=_check.array(self.confidence, "confidence", (n,)))
        if self.mask_iou is not None:
            _check.settle(self, mask_iou=_check.array(self.mask_iou, "mask_iou", (n,)))
        if self.covariance is not None:
            _check.settle(self, covariance=_check.array(self.covariance, "covariance", (n, 6, 6)))
        if self.doubt is not None:
            _check.settle(self, doubt=_check.array(self.doubt, "doubt", (n,), np.uint16))
        if self.evidence is not None:
            _check.settle(self, evidence=_check.array(self.evidence, "evidence", (n,), np.uint16))

    def __len__(self) -> int:
        return len(self.camera_from_object)

    def __repr__(self) -> str:
        scaled = "" if self.mesh_scale == 1.0 else f", mesh_scale {self.mesh_scale:.4g}"
        carried = "" if self.evidence is None else f", carried by {evidence_summary(self.evidence)}"
        return f"PoseTrack({len(self)} frames, {self.valid.sum()} valid{scaled}{carried})"


def doubted(track: PoseTrack, frames: NDArray[np.bool_], reason: Doubt) -> PoseTrack:
    """Take ``valid`` from frames of a track, and keep the reason.

    Args:
        track: of T frames; one that nobody has judged stays without reasons.
        frames: (T,) those whose pose is not to be used. Frames that were not valid before get the reason too.
        reason: what speaks against their poses.

    Returns:
        The track; frames that are not valid have no confidence.
    """
    valid = track.valid & ~frames
    doubt = None if track.doubt is None else np.where(frames, track.doubt | np.uint16(reason), track.doubt)
    return replace(track, valid=valid, confidence=np.where(valid, track.confidence, 0.0), doubt=doubt)


@dataclass(frozen=True)
class RigidObject:
    """One rigid object of a clip: its mesh and its track.

    Attributes:
        name: the user's name for it.
        mesh: in metres, already multiplied by ``scale``.
        track: poses per frame.
        scale: factor from the mesh as loaded or made to ``mesh``.
        scale_source: what fixed the metric size: given, guessed (a unit that nobody stated), depth, hand, contact,
            table (it stands on one of known height) or unknown.
        symmetry: (S, 4, 4) transforms object_from_object that leave the object as it is, identity first.
    """

    name: str
    mesh: Mesh
    track: PoseTrack
    scale: float = 1.0
    scale_source: ScaleSource = "unknown"
    symmetry: Array = field(default_factory=lambda: np.eye(4)[None])

    if TYPE_CHECKING:  # lists, tuples and tensors become arrays

        def __init__(
            self,
            name: str,
            mesh: Mesh,
            track: PoseTrack,
            scale: float = 1.0,
            scale_source: ScaleSource = "unknown",
            symmetry: ArrayLike = ...,
        ) -> None: ...

    def __post_init__(self) -> None:
        if not isinstance(self.name, str) or not self.name:
            raise InputError("an object needs a name")
        instance(self.mesh, Mesh, "mesh", "load one with load_mesh(path)")
        instance(
            self.track, PoseTrack, "track", "make one with PoseTrack(camera_from_object, valid, confidence)"
        )
        word(self.scale_source, "scale_source", SCALE_SOURCES)
        _check.settle(self, scale=number(self.scale, "scale", above=0.0))
        _check.settle(self, symmetry=_check.rigid(self.symmetry, "symmetry"))
        if len(self.symmetry) == 0:
            raise InputError("symmetry must hold at least the identity, but is empty; leave it out")

    def __repr__(self) -> str:
        size = f"scale {self.scale:.4g} ({self.scale_source}), {len(self.symmetry)} symmetries"
        return f"RigidObject({self.name!r}, {self.mesh!r}, {self.track!r}, {size})"

    @property
    def camera_from_object(self) -> Array:
        """(T, 4, 4) pose per frame, metres."""
        return self.track.camera_from_object

    @property
    def valid(self) -> NDArray[np.bool_]:
        """(T,) frames whose pose can be used."""
        return self.track.valid

    @property
    def confidence(self) -> Array:
        """(T,) in [0, 1]."""
        return self.track.confidence


@dataclass(frozen=True)
class HandTrack:
    """One hand through the clip.

    Attributes:
        side: ``"left"`` or ``"right"``: the person's.
        joints: (T, 21, 3) camera frame, metres, in the order of :data:`JOINT_NAMES`.
        joints_2d: (T, 21, 2) pixels.
        valid: (T,) bool, joints can be used: seen, or bridged over a short gap.
        bridged: (T,) bool, not seen in this frame but interpolated between two frames in which it was.
        confidence: (T,) in [0, 1].
        bone_lengths: (21,) metres from each joint to its parent, constant over the clip; 0 for the wrist.
        scale_source: what fixed the metric size: ``hand`` (adult average), ``depth``, ``contact`` (what the hand holds)
            or ``given``.
        camera_from_wrist: (T, 4, 4) frame of the hand model of this side: origin at the wrist, +x distal, +z out of the
            back of the hand; None where no model was fitted, as for the two below.
        angles: (T, 21) radians, in the order of ``ANGLE_NAMES`` of :mod:`dexman_pose.hands.model.skeleton`.
        shape: (S,) in the order of ``SHAPE_NAMES`` of :mod:`dexman_pose.hands.model.kinematics`.
    """

    side: str
    joints: Array
    joints_2d: Array
    valid: NDArray[np.bool_]
    bridged: NDArray[np.bool_]
    confidence: Array
    bone_lengths: Array
    scale_source: ScaleSource = "hand"
    camera_from_wrist: Array | None = None
    angles: Array | None = None
    shape: Array | None = None

    if TYPE_CHECKING:  # lists, tuples and tensors become arrays

        def __init__(
            self,
            side: str,
            joints: ArrayLike,
            joints_2d: ArrayLike,
            valid: ArrayLike,
            bridged: ArrayLike,
            confidence: ArrayLike,
            bone_lengths: ArrayLike,
            scale_source: ScaleSource = "hand",
            camera_from_wrist: ArrayLike | None = None,
            angles: ArrayLike | None = None,
            shape: ArrayLike | None = None,
        ) -> None: ...

    def __post_init__(self) -> None:
        if not isinstance(self.side, str) or self.side not in SIDES:
            raise InputError(f"hand side must be 'left' or 'right', but got {described(self.side)}")
        word(self.scale_source, "hand scale_source", SCALE_SOURCES)
        _check.settle(self, joints=_check.array(self.joints, "hand joints", (None, 21, 3)))
        n = len(self.joints)
        _check.settle(self, joints_2d=_check.array(self.joints_2d, "hand joints_2d", (n, 21, 2)))
        _check.settle(self, valid=_check.array(self.valid, "hand valid", (n,), np.bool_))
        _check.settle(self, bridged=_check.array(self.bridged, "hand bridged", (n,), np.bool_))
        _check.settle(self, confidence=_check.array(self.confidence, "hand confidence", (n,)))
        _check.settle(self, bone_lengths=_check.array(self.bone_lengths, "hand bone_lengths", (21,)))
        model = (self.camera_from_wrist, self.angles, self.shape)
        if any(part is None for part in model):
            if any(part is not None for part in model):
                raise InputError(
                    "camera_from_wrist, angles and shape of a hand belong together: give all or none"
                )
            return
        _check.settle(self, camera_from_wrist=_check.rigid(self.camera_from_wrist, "camera_from_wrist"))
        if len(self.camera_from_wrist) != n:  # type: ignore[arg-type]
            raise InputError(f"camera_from_wrist must hold {n} transforms, one per frame of the joints")
        _check.settle(self, angles=_check.array(self.angles, "hand angles", (n, 21)))
        _check.settle(self, shape=_check.array(self.shape, "hand shape", (None,)))

    def __len__(self) -> int:
        return len(self.joints)

    def __repr__(self) -> str:
        flags = f"{self.valid.sum()} valid, {self.bridged.sum()} of them bridged"
        return f"HandTrack({self.side}, {len(self)} frames, {flags}, size from {self.scale_source})"


@dataclass(frozen=True)
class Contacts:
    """Who touches what: one entry per (hand side, object name).

    Attributes:
        pairs: the (side, object) pairs, in the order of the first axis below.
        distance: (P, T, 21) signed distance in metres from each hand joint to the object's surface, negative inside;
            meaningful where ``valid``.
        touching: (P, T, 21) bool: near enough, with hysteresis in time; or told by a hold: a hand touches what it
            carries, in frames that are not ``valid`` too, with the joints that touch in the hold's valid ones.
        nearest: (P, T, 21, 3) nearest surface point in the object frame, metres.
        valid: (P, T) bool, hand and object were both valid.
        threshold_on: metres, a joint nearer than this starts a contact.
        threshold_off: metres, a contact ends when the joint is farther than this.
    """

    pairs: tuple[tuple[str, str], ...]
    distance: Array
    touching: NDArray[np.bool_]
    nearest: Array
    valid: NDArray[np.bool_]
    threshold_on: float
    threshold_off: float

    if TYPE_CHECKING:  # lists, tuples and tensors become arrays

        def __init__(
            self,
            pairs: Sequence[tuple[str, str]],
            distance: ArrayLike,
            touching: ArrayLike,
            nearest: ArrayLike,
            valid: ArrayLike,
            threshold_on: float,
            threshold_off: float,
        ) -> None: ...

    def __post_init__(self) -> None:
        if not isinstance(self.pairs, (list, tuple)) or not all(_is_pair(pair) for pair in self.pairs):
            raise InputError("contact pairs must be (side, object) texts, as in (('right', 'cup'),)")
        _check.settle(self, pairs=tuple((str(s), str(o)) for s, o in self.pairs))
        _check.settle(self, threshold_on=number(self.threshold_on, "threshold_on"))
        _check.settle(self, threshold_off=number(self.threshold_off, "threshold_off"))
        p = len(self.pairs)
        _check.settle(self, distance=_check.array(self.distance, "contact distance", (p, None, 21)))
        n = self.distance.shape[1]
        _check.settle(self, touching=_check.array(self.touching, "contact touching", (p, n, 21), np.bool_))
        _check.settle(self, nearest=_check.array(self.nearest, "contact nearest", (p, n, 21, 3)))
        _check.settle(self, valid=_check.array(self.valid, "contact valid", (p, n), np.bool_))

    def __repr__(self) -> str:
        touched = self.touching.any(2).sum(1).tolist() if self.pairs else []
        pairs = ", ".join(f"{side} on {name} in {n}" for (side, name), n in zip(self.pairs, touched))
        return f"Contacts({self.distance.shape[1]} frames{': ' + pairs if pairs else ', no pairs'})"


@dataclass(frozen=True)
class HandObservations:
    """What a hand detector saw, identities kept over time; the input of masks (hands hide objects) and of lifting.

    Attributes:
        joints_2d: (T, 2, 21, 2) pixels; axis 1 is the person's left hand, then the right (:data:`SIDES`).
        joints_local: (T, 2, 21, 3) metres, the detector's own metric guess: relative to the hand's centre, axes
            parallel to the camera's (+x right, +y down, +z away).
        detected: (T, 2) bool, seen by the detector in this frame.
        bridged: (T, 2) bool, not seen but interpolated over a short gap.
        score: (T, 2) in [0, 1].
    """

    joints_2d: Array
    joints_local: Array
    detected: NDArray[np.bool_]
    bridged: NDArray[np.bool_]
    score: Array

    if TYPE_CHECKING:  # lists, tuples and tensors become arrays

        def __init__(
            self,
            joints_2d: ArrayLike,
            joints_local: ArrayLike,
            detected: ArrayLike,
            bridged: ArrayLike,
            score: ArrayLike,
        ) -> None: ...

    def __post_init__(self) -> None:
        _check.settle(self, joints_2d=_check.array(self.joints_2d, "joints_2d", (None, 2, 21, 2)))
        n = len(self.joints_2d)
        _check.settle(self, joints_local=_check.array(self.joints_local, "joints_local", (n, 2, 21, 3)))
        _check.settle(self, detected=_check.array(self.detected, "detected", (n, 2), np.bool_))
        _check.settle(self, bridged=_check.array(self.bridged, "bridged", (n, 2), np.bool_))
        _check.settle(self, score=_check.array(self.score, "score", (n, 2)))

    def __repr__(self) -> str:
        left, right = self.detected.sum(0).tolist()
        return f"HandObservations({len(self.detected)} frames, left seen in {left}, right in {right})"

    @property
    def valid(self) -> NDArray[np.bool_]:
        """(T, 2) seen or bridged."""
        return self.detected | self.bridged


def _is_pair(pair: object) -> bool:
    return isinstance(pair, (list, tuple)) and len(pair) == 2 and all(isinstance(part, str) for part in pair)
