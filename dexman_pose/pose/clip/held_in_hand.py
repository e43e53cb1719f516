"""A held object where its mask fails: it moves with the hand, as it did where it could be seen.

A crude cue: fingers shift their grip, so poses told by the hand alone are some 10 to 20 degrees off, and are marked
with a low confidence. Still better than the outline of a mask that has taken in something else.
"""

from __future__ import annotations

import logging
from dataclasses import replace

import numpy as np
from scipy.spatial import cKDTree

from dexman_pose.arrays import Array
from dexman_pose.data import Camera, HandTrack, Mesh, PoseTrack
from dexman_pose.data.doubt import pose_doubted
from dexman_pose.geometry.align import kabsch
from dexman_pose.geometry.symmetry import SymmetryGroup
from dexman_pose.pose.clip.options import TIPS, HeldOptions
from dexman_pose.pose.observation.view import ObjectClip, in_front

_log = logging.getLogger(__name__)
_DEFAULTS = HeldOptions()
CONFIDENCE = 0.1
"""Confidence of a pose that the hand alone tells."""


def holding_hand(
    hands: dict[str, HandTrack],
    mesh: Mesh,
    camera_from_object: Array,
    camera: Camera,
    frame: int,
    options: HeldOptions = _DEFAULTS,
) -> HandTrack | None:
    """The hand with most finger tips on the object (mesh at a pose) in the picture of a frame, None without any."""
    points = mesh.vertices[:: max(1, len(mesh.vertices) // options.vertices)] @ camera_from_object[:3, :3].T
    points = points + camera_from_object[:3, 3]
    if not in_front(points):
        return None
    drawn = camera.project(points)
    tree, reach = cKDTree(drawn), options.tip_reach * float(np.ptp(drawn, axis=0).max())
    best, most = None, options.tips - 1
    for hand in hands.values():
        off = tree.query(hand.joints_2d[frame][list(TIPS)])[0]
        count = int((off < reach).sum()) if hand.valid[frame] else 0
        if count > most:
            best, most = hand, count
    return best


def carried(hand: HandTrack, camera_from_object: Array, frame: int) -> Array:
    """(T, 4, 4) poses of an object that moves rigidly with a hand, from its pose in one frame.

    The hand's motion is the rigid fit of all its joints; frames without the hand hold the pose given.
    """
    motion = np.tile(np.eye(4), (len(hand), 1, 1))
    seen = hand.valid
    motion[seen] = kabsch(np.broadcast_to(hand.joints[frame], hand.joints[seen].shape), hand.joints[seen])
    moved: Array = motion @ camera_from_object
    return moved


def follow_hand(
    track: PoseTrack,
    hand: HandTrack,
    frame: int,
    *,
    symmetry: SymmetryGroup | None = None,
    options: HeldOptions = _DEFAULTS,
) -> PoseTrack:
    """Replace poses that neither explain their mask nor agree with the hand by those the hand tells.

    Args:
        track: metric poses; the one in ``frame`` is taken to be right.
        hand: the hand that holds the object all the while, metric.
        frame: where the grip is read off.
        symmetry: of the object; rotations are compared modulo it.
        options: which tracked poses are kept.

    Returns:
        The track; replaced poses are valid with :data:`CONFIDENCE`, those without a hand are left alone.
    """
    if not (track.valid[frame] and hand.valid[frame]):
        return track
    group = symmetry or SymmetryGroup.trivial()
    told = carried(hand, track.camera_from_object[frame], frame)
    off = group.rotation_error(track.camera_from_object, told)
    overlap = np.ones(len(track)) if track.mask_iou is None else track.mask_iou
    doubted = np.zeros(len(track), np.bool_) if track.doubt is None else pose_doubted(track.doubt)
    reach = np.where(off < options.trusted_angle, options.trusted_overlap, options.sure_overlap)
    keep = track.valid & ~doubted & (overlap > reach)
    keep[frame] = True
    swap = ~keep & hand.valid
    _log.info("%d of %d frames follow the %s hand", int(swap.sum()), len(track), hand.side)
    poses = np.where(swap[:, None, None], told, track.camera_from_object)
    poses = group.continuous_track(poses, track.valid | swap)
    covariance = track.covariance
    if covariance is not None:
        vague = np.diag(np.repeat([options.shift**2, options.turn**2], 3))
        covariance = np.where(swap[:, None, None], vague, covariance)
    return replace(
        track,
        camera_from_object=poses,
        valid=track.valid | swap,
        confidence=np.where(swap, CONFIDENCE, track.confidence),
        covariance=covariance,
        doubt=None if track.doubt is None else np.where(swap, np.uint16(0), track.doubt),
    )


def held_track(
    sized: Mesh,
    track: PoseTrack,
    object_clip: ObjectClip,
    hands: dict[str, HandTrack],
    frame: int,
    group: SymmetryGroup,
    options: HeldOptions = _DEFAULTS,
) -> PoseTrack:
    """The track with the help of the hand that holds the object in the start frame, if one does."""
    hand = holding_hand(hands, sized, track.camera_from_object[frame], object_clip.camera, frame, options)
    return track if hand is None else follow_hand(track, hand, frame, symmetry=group, options=options)
