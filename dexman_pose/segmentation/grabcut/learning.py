"""What is learned from a labelled window: colours, layers of the object, background seen for the first time."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import cv2
import numpy as np
from numpy.typing import NDArray

from dexman_pose.arrays import Mask
from dexman_pose.segmentation.grabcut.color import Bins, Float, Lab
from dexman_pose.segmentation.grabcut.confidence import BackgroundConflict
from dexman_pose.segmentation.grabcut.scene import Scene
from dexman_pose.segmentation.grabcut.state import ObjectPrediction


@dataclass
class Seen:
    """One object as it was found in a frame; images (h, w) show the window of ``p``.

    Attributes:
        p: what was predicted.
        mask: what was found.
        others: pixels of other objects and hands.
        lab: (h, w, 3) the picture.
        bins: its histogram bins.
        at_rest: density under the known background.
    """

    p: ObjectPrediction
    mask: Mask
    others: Mask
    lab: Lab
    bins: Bins
    at_rest: Float

    @cached_property
    def within(self) -> Float:
        """Pixels from each pixel of the mask to the nearest outside of it; the picture's border is none."""
        return _distance(self.mask)

    @cached_property
    def outside(self) -> Float:
        """Pixels from each pixel outside the mask to the nearest of it."""
        return _distance(~self.mask)


def _distance(mask: NDArray[np.bool_]) -> Float:
    out: Float = cv2.distanceTransform(mask.view(np.uint8), cv2.DIST_L2, 3)
    return out


def conflict(seen: Seen, scene: Scene) -> BackgroundConflict:
    """What contradicts a mask where the background is known."""
    o, density = scene.options.confidence, scene.options.evidence.background_density
    edge, state = scene.options.learning.edge, seen.p.state
    known = scene.background.trust[seen.p.window] > o.known_trust
    ring = (seen.outside > edge) & (seen.outside <= o.ring)
    inner = seen.within > edge
    changed = ring & known & ~seen.others & (seen.at_rest < o.unlike_ratio * density)
    bins = seen.bins[inner & known & (seen.at_rest > density)]
    unlike_object = float(np.count_nonzero(state.color.density(bins) < state.surround_color.density(bins)))
    return BackgroundConflict(
        float(np.count_nonzero(changed)) / max(float(np.count_nonzero(ring)), 1.0),
        unlike_object / max(float(np.count_nonzero(inner)), 1.0),
    )


def learn_object(seen: Seen, scene: Scene) -> None:
    """Colours of the object, where it is surely neither background nor hand."""
    o, state = scene.options.learning, seen.p.state
    trust = scene.background.trust[seen.p.window]
    unlike = (seen.at_rest < scene.options.evidence.background_density) | (trust < o.known_trust)
    bins = seen.bins[(seen.within > o.edge) & unlike]
    if scene.hands is not None:
        skin = scene.hands.skin.density(bins)
        bins = bins[state.initial_color.density(bins) > o.skin_ratio * skin]
    state.adapted_color.add(bins, o.object_rate)


def learn_surroundings(seen: Seen, scene: Scene) -> None:
    """Colours of the background at rest and of what moves before it; background seen for the first time.

    Only what is certain is learned: a new side of the object that is not recognised yet must not become
    background.
    """
    o, evidence = scene.options.learning, scene.options.evidence
    p, state, density = seen.p, seen.p.state, evidence.background_density
    trust = scene.background.trust[p.window]
    ring = (seen.outside > o.edge) & ~seen.others
    known = ring & (trust > o.known_trust)
    at_rest = seen.bins[known & (seen.at_rest > density)]
    if len(at_rest) > o.least_surround:
        state.surround_color.add(at_rest, o.surround_rate)
    from_object = _distance(p.support <= o.absent)
    changed = known & (seen.at_rest < evidence.unlike_ratio * density) & (from_object > o.distractor_margin)
    bins = seen.bins[changed]
    state.distractor_color.add(
        bins[state.color.density(bins) < scene.clip_colors.density(bins)], o.distractor_rate
    )
    clear = ring & (from_object > o.background_margin) & (trust <= scene.background.options.guessed_trust)
    if not clear.any():
        return
    bins = seen.bins[clear]
    around = state.surround_color.density(bins)
    familiar = around > o.background_familiar * scene.options.color.uniform_density
    clear[clear] = familiar & (around > o.background_ratio * state.color.density(bins))
    scene.background.learn(seen.lab, clear, p.window)


def update_layers(seen: Seen, scene: Scene) -> None:
    """Where the object is believed to be, and how it looks there, for the next frame."""
    p, o, mask = seen.p, scene.options.learning, seen.mask
    density, state = scene.options.evidence.background_density, seen.p.state
    bare = (seen.at_rest > density) & (scene.background.trust[p.window] > o.known_trust)
    keep = np.where(bare, np.float32(o.bare_keep), np.float32(o.unseen_keep))
    keep[seen.others] = o.hidden_keep
    support = p.support * keep
    support[mask] = 1.0
    rate = np.where(p.support < o.presence, np.float32(1.0), np.float32(o.appearance_rate))
    rate *= mask
    mixed = cv2.blendLinear(seen.lab, p.template, rate, 1 - rate)
    state.window, state.visible, state.support, state.template = p.window, mask, support, mixed
