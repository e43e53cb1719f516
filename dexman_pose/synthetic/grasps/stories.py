"""Stories made of measured grasps: lifting, putting back elsewhere, tool and target with two hands; things at rest."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from dexman_pose.arrays import Array
from dexman_pose.data import Mesh
from dexman_pose.geometry.se3 import se3, so3_exp, transform_points
from dexman_pose.hands.model.fit import HandFit
from dexman_pose.synthetic.grasps.placed import PlacedGrasp
from dexman_pose.synthetic.grasps.scene import Scene, SceneHand, SceneObject
from dexman_pose.synthetic.grasps.standing import standing_pose
from dexman_pose.synthetic.studio.hands import HandLook

KINDS = ("lift", "put_back", "two_hands", "hand_over")
"""The stories; the last one is told in :mod:`dexman_pose.synthetic.grasps.hand_over`."""


@dataclass(frozen=True)
class StoryOptions:
    """Numbers of the stories.

    Attributes:
        carry: frames over which an object is carried to another place.
        shift: metres by which it is put elsewhere, drawn between the two.
        turn: radians by which it is turned meanwhile, to either side.
        apart: metres between tool and target of a scene with two hands, drawn between the two.
        facing: radians by which a grasp is turned about the vertical, to either side.
        elbow: metres from wrist to elbow.
        lowest_elbow: metres above the table.
        free: metres between a thing at rest and all that moves.
        reach: metres from the middle at which a thing at rest stands, drawn between the two.
        tries: places that are tried for it.
        skins: factors on the light of the skin, of the tones that are drawn.
        cloth: brightness of the sleeve, grey levels, drawn between the two.
        dye: by how much each of its colours differs from that, at most.
        hem: metres behind the wrist at which the sleeve begins, drawn between the two.
    """

    carry: int = 36
    shift: tuple[float, float] = (0.1, 0.22)
    turn: float = 0.7
    apart: tuple[float, float] = (0.34, 0.44)
    facing: float = 0.35
    elbow: float = 0.45
    lowest_elbow: float = 0.12
    free: float = 0.02
    reach: tuple[float, float] = (0.12, 0.32)
    tries: int = 200
    skins: tuple[tuple[float, float, float], ...] = (
        (1.0, 1.0, 1.0),
        (0.85, 0.8, 0.76),
        (0.62, 0.52, 0.46),
        (0.36, 0.28, 0.24),
    )
    cloth: tuple[float, float] = (40.0, 190.0)
    dye: float = 45.0
    hem: tuple[float, float] = (0.06, 0.15)


def lift(grasp: PlacedGrasp, rng: np.random.Generator, options: StoryOptions | None = None) -> Scene:
    """The grasp as it was measured: an object is taken and lifted."""
    return _one_hand("lift", grasp, np.tile(np.eye(4), (grasp.num_frames, 1, 1)), rng, options)


def put_back(grasp: PlacedGrasp, rng: np.random.Generator, options: StoryOptions | None = None) -> Scene:
    """An object is lifted, carried, and put down elsewhere: the way down is the way up in reverse."""
    o = options or StoryOptions()
    count = grasp.num_frames
    order = np.concatenate([np.arange(count), np.arange(count - 1)[::-1]])
    share = ease((np.arange(len(order)) - count + 0.5 * o.carry) / o.carry)
    angle = rng.uniform(0, 2 * np.pi)
    shift = rng.uniform(*o.shift) * np.array([np.cos(angle), np.sin(angle), 0.0])
    turn = rng.uniform(-o.turn, o.turn)
    middle = grasp.world_from_object[-1, :3, 3] * [1.0, 1.0, 0.0]
    rotation = so3_exp(share[:, None] * np.array([0.0, 0.0, turn]))
    carried = se3(rotation, share[:, None] * shift + middle - rotation @ middle)
    hand = grasp.hand
    long = replace(
        grasp,
        world_from_object=grasp.world_from_object[order],
        held=grasp.held[order],
        hand=replace(hand, angles=hand.angles[order], frame_from_hand=hand.frame_from_hand[order]),
    )
    return _one_hand("put_back", long, carried, rng, o)


def two_hands(
    tool: PlacedGrasp, target: PlacedGrasp, rng: np.random.Generator, options: StoryOptions | None = None
) -> Scene:
    """Two grasps side by side, one by each hand of a person at -y.

    Args:
        tool: by one hand.
        target: by the other.
        rng: of places.
        options: numbers.

    Raises:
        ValueError: both are of one side.
    """
    o = options or StoryOptions()
    if tool.hand.side == target.hand.side:
        raise ValueError(f"two grasps of the {tool.hand.side} hand are no person's: mirror one of them")
    half = 0.5 * rng.uniform(*o.apart)
    count = min(tool.num_frames, target.num_frames)
    scenes = []
    for grasp in (tool, target):
        x = -half if grasp.hand.side == "left" else half
        place = se3(so3_exp(np.array([0.0, 0.0, rng.uniform(-o.facing, o.facing)])), np.array([x, 0.0, 0.0]))
        scenes.append(_one_hand("two_hands", grasp, np.tile(place, (grasp.num_frames, 1, 1)), rng, o))
    look = scenes[0].hands[0].look
    hands = tuple(replace(s.at_frames(np.arange(float(count))).hands[0], look=look) for s in scenes)
    objects = tuple(s.at_frames(np.arange(float(count))).objects[0] for s in scenes)
    held = np.zeros((2, 2, count), np.bool_)
    for k, scene in enumerate(scenes):
        held[k, k] = scene.held[0, 0, :count]
    return Scene("two_hands", objects, hands, held)


def with_bystander(
    scene: Scene, name: str, mesh: Mesh, rng: np.random.Generator, options: StoryOptions | None = None
) -> Scene:
    """The scene with another object that stands where nothing comes; the scene itself where there is no such place."""
    o = options or StoryOptions()
    upright = standing_pose(mesh)
    radius = float(np.linalg.norm(transform_points(upright, mesh.vertices)[:, :2], axis=1).max())
    moving = np.concatenate([_swept(scene), np.zeros((1, 2))])
    for _ in range(o.tries):
        angle = rng.uniform(0, 2 * np.pi)
        spot = rng.uniform(*o.reach) * np.array([np.cos(angle), np.sin(angle)]) + radius * np.array(
            [np.cos(angle), np.sin(angle)]
        )
        if np.linalg.norm(moving - spot, axis=1).min() > radius + o.free:
            break
    else:
        return scene
    turn = so3_exp(np.array([0.0, 0.0, rng.uniform(0, 2 * np.pi)]))
    place = se3(turn, np.array([*spot, 0.0])) @ upright
    still = SceneObject(name, mesh, np.tile(place, (scene.num_frames, 1, 1)))
    held = np.concatenate([scene.held, np.zeros_like(scene.held[:, :1])], axis=1)
    return replace(scene, objects=(*scene.objects, still), held=held)


def _one_hand(
    kind: str, grasp: PlacedGrasp, moved: Array, rng: np.random.Generator, options: StoryOptions | None
) -> Scene:
    """A grasp under world transforms (T, 4, 4)."""
    fit = replace(grasp.hand, frame_from_hand=moved @ grasp.hand.frame_from_hand)
    hand = scene_hand(fit, rng, options)
    thing = SceneObject(grasp.object_name, grasp.mesh, moved @ grasp.world_from_object)
    return Scene(kind, (thing,), (hand,), grasp.held[None, None])


def scene_hand(fit: HandFit, rng: np.random.Generator, options: StoryOptions | None = None) -> SceneHand:
    """A fitted hand in a scene: with an elbow behind it, in some skin and sleeve."""
    o = options or StoryOptions()
    hands = fit.frame_from_hand
    elbow = (hands[:, :3, 3] - o.elbow * hands[:, :3, 0]).mean(0)
    elbow[2] = max(elbow[2], o.lowest_elbow)
    skin = o.skins[int(rng.integers(len(o.skins)))]
    grey = rng.uniform(*o.cloth)
    red, green, blue = (float(c) for c in np.clip(grey + rng.uniform(-o.dye, o.dye, 3), 15, 240))
    rumple = float(rng.uniform(0, 2 * np.pi))
    look = HandLook((red, green, blue), -float(rng.uniform(*o.hem)), skin, rumple)
    return SceneHand(fit, fit.angles, hands, elbow, look)


def _swept(scene: Scene) -> Array:
    """(M, 2) where hands, forearms and objects are at some time, seen from above."""
    out = []
    for thing in scene.objects:
        step = max(1, len(thing.mesh.vertices) // 60)
        out.append(
            transform_points(thing.world_from_object[::4], thing.mesh.vertices[::step])[..., :2].reshape(
                -1, 2
            )
        )
    for hand in scene.hands:
        places = hand.world_from_hand[::4]
        grid = np.array([[x, y, 0.0] for x in (0.0, 0.06, 0.12, 0.18) for y in (-0.05, 0.0, 0.05)])
        out.append(transform_points(places, grid)[..., :2].reshape(-1, 2))
        share = np.linspace(0.0, 1.0, 8)[:, None, None]
        arm = places[None, :, :3, 3] + share * (hand.elbow - places[None, :, :3, 3])
        out.append(arm[..., :2].reshape(-1, 2))
    return np.concatenate(out)


def ease(x: Array) -> Array:
    """Minimum-jerk steps from 0 at 0 to 1 at 1 (Flash and Hogan 1985)."""
    t = np.clip(x, 0.0, 1.0)
    out: Array = t * t * t * (10 + t * (6 * t - 15))
    return out
