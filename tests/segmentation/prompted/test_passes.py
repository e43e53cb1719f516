"""The passes over a clip, with one who tells things by their colour in the place of a network."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from dexman_pose.data import OCCLUDER, Clip, HandObservations, MaskSequence, ObjectPrompt
from dexman_pose.errors import InputError
from dexman_pose.segmentation.gate.checks import Fault
from dexman_pose.segmentation.prompted.hand_prompts import hand_prompts
from dexman_pose.segmentation.prompted.options import DEFAULTS, HandPromptOptions
from dexman_pose.segmentation.prompted.passes import follow_both_ways
from dexman_pose.segmentation.prompted.seen import Seen, labels_of

HEIGHT, WIDTH, FRAMES = 60, 100, 24
COLORS = {"red": (200, 20, 20), "blue": (20, 20, 200), "skin": (210, 160, 130)}


def places(t: int) -> dict[str, tuple[int, int, int, int]]:
    """x, y, width and height: two things that move, and a hand that lies over a part of the first."""
    return {
        "red": (10 + 2 * t, 10, 20, 16),
        "blue": (70 - 2 * t, 40, 14, 12),
        "skin": (26 + 2 * t, 14, 12, 30),
    }


def film() -> Clip:
    frames = np.full((FRAMES, HEIGHT, WIDTH, 3), 90, np.uint8)
    for t in range(FRAMES):
        for name, (x, y, w, h) in places(t).items():
            frames[t, y : y + h, x : x + w] = COLORS[name]
    return Clip.from_frames(frames)


class ByColor:
    """Sees all of the colour under the middle of a prompt; keeps it from picture to picture."""

    def __init__(self, reverse: bool) -> None:
        self.reverse, self.indices, self.colors = reverse, [], {}  # type: ignore[var-annotated]
        self.started: list[tuple[int, str]] = []
        self.rgb: NDArray[np.uint8] = np.zeros((0, 0, 3), np.uint8)

    def look(self, index: int, rgb: NDArray[np.uint8]) -> None:
        self.indices.append(index)
        self.rgb = rgb

    def start(self, name: str, prompt: ObjectPrompt) -> Seen:
        self.started.append((self.indices[-1], name))
        if prompt.mask is not None:
            y, x = (int(np.median(i)) for i in np.nonzero(prompt.mask))
        elif prompt.points is not None:
            x, y = prompt.points[0, :2].round().astype(int)
        else:
            assert prompt.box is not None
            x, y = prompt.box.reshape(2, 2).mean(0).astype(int)
        self.colors[name] = self.rgb[y, x].astype(int)
        return self.follow(name)

    def follow(self, name: str) -> Seen:
        off = np.abs(self.rgb.astype(int) - self.colors[name]).sum(2)
        return Seen(np.where(off < 30, 6.0, -6.0).astype(np.float32), 0.9)


def click(name: str, t: int) -> ObjectPrompt:
    x, y, _, _ = places(t)[name]
    return ObjectPrompt(points=[[x + 2, y + 2, 1]], frame=t)


def hands_at(frames: list[int]) -> HandObservations:
    """A left hand whose joints lie in the skin-coloured bar."""
    joints = np.zeros((FRAMES, 2, 21, 2))
    for t in range(FRAMES):
        x, y, w, _ = places(t)["skin"]
        joints[t, 0] = np.stack([np.full(21, x + w / 2), np.linspace(y + 26, y + 4, 21)], 1)
    detected = np.zeros((FRAMES, 2), bool)
    detected[frames, 0] = True
    return HandObservations(joints, np.zeros((FRAMES, 2, 21, 3)), detected, ~detected & False, detected * 1.0)


def run(prompts: dict[str, ObjectPrompt], hands: HandObservations | None = None) -> tuple[Any, list[ByColor]]:
    made: list[ByColor] = []

    def follower(reverse: bool) -> ByColor:
        made.append(ByColor(reverse))
        return made[-1]

    return follow_both_ways(film(), prompts, hands, follower, DEFAULTS), made


def test_prompts_of_frames_of_their_own_reach_both_ends() -> None:
    prompts = {"red": click("red", 5), "blue": click("blue", 15)}
    masks, made = run(prompts)
    truth = film()
    for t in range(FRAMES):
        for name in prompts:
            true = (truth.frame(t) == COLORS[name]).all(2)
            assert (masks.mask(t, name) == true).all(), (t, name)
    assert made[0].indices == list(range(5, FRAMES)) and not made[0].reverse
    assert made[1].indices == list(range(15, -1, -1)) and made[1].reverse
    assert masks.confidence.min() > 0.85


def test_one_prompt_on_the_first_frame_needs_one_pass() -> None:
    masks, made = run({"red": click("red", 0)})
    assert len(made) == 1 and masks.confidence.shape == (FRAMES, 1)


def test_a_mask_that_is_given_is_taken_pixel_by_pixel() -> None:
    given = np.zeros((HEIGHT, WIDTH), bool)
    given[10:20, 30:35] = True
    masks, _ = run({"red": ObjectPrompt(mask=given, frame=8)}, hands_at(list(range(FRAMES))))
    assert (masks.mask(8, "red") == given).all()
    assert masks.confidence[8, 0] == 1.0
    assert masks.mask(9, "red").sum() > given.sum()


def test_hands_are_taken_out_and_shown_again_now_and_then() -> None:
    seen = [t for t in range(FRAMES) if not 6 <= t < 9]
    prompts = {"red": click("red", 0)}
    masks, made = run(prompts, hands_at(seen))
    for t in seen:
        skin = (film().frame(t) == COLORS["skin"]).all(2)
        assert ((masks.labels(t) == OCCLUDER) == skin).all()
    assert not (masks.labels(7) == OCCLUDER).any()
    showings = [t for t, name in made[0].started if name != "red"]
    assert showings == [0, 9, 9 + HandPromptOptions().refresh]


def test_what_two_things_claim_belongs_to_the_likelier() -> None:
    first, second = np.full((4, 6), -3.0, np.float32), np.full((4, 6), -3.0, np.float32)
    first[:, :4], second[:, 2:] = 1.0, 2.0
    hand = np.full((4, 6), -3.0, np.float32)
    hand[0, 3:5] = 1.5
    labels = labels_of({1: Seen(first, 1), 2: Seen(second, 1)}, [Seen(hand, 1)], (4, 6))
    assert labels.tolist() == [[1, 1, 2, 2, 2, 2]] * 4
    hand[0, 3:5] = 2.5
    assert labels_of({1: Seen(first, 1), 2: Seen(second, 1)}, [Seen(hand, 1)], (4, 6))[0, 3] == OCCLUDER


def test_confidence_is_the_networks_word_and_its_certainty() -> None:
    logits = np.full((10, 10), 40.0, np.float32)
    whole = np.ones((10, 10), bool)
    assert Seen(logits, 0.8).confidence(whole, 12) == pytest.approx(0.8)
    assert Seen(logits * 0, 0.8).confidence(whole, 12) == 0.0
    assert Seen(np.full_like(logits, np.log(3)), 1.0).confidence(whole, 12) == pytest.approx(0.5)
    assert Seen(logits, 0.8).confidence(whole & False, 12) == 0.0


def test_hands_are_shown_by_box_and_clicks_within_the_picture() -> None:
    hands = hands_at([3])
    shown = hand_prompts(hands, 3, WIDTH, HEIGHT, HandPromptOptions())
    assert list(shown) == ["left"] and shown["left"].frame == 3
    found = shown["left"]
    assert found.box is not None and found.points is not None
    low, high = hands.joints_2d[3, 0].min(0), hands.joints_2d[3, 0].max(0)
    assert (found.box[:2] <= low).all() and (found.box[2:] >= high).all()
    assert (found.points[:, 2] == 1).all() and len(found.points) == len(HandPromptOptions().clicks)
    assert hand_prompts(hands, 4, WIDTH, HEIGHT, HandPromptOptions()) == {}
    far = replace(hands, joints_2d=hands.joints_2d + 5000)
    assert hand_prompts(far, 3, WIDTH, HEIGHT, HandPromptOptions()) == {}


def test_prompts_that_do_not_fit() -> None:
    with pytest.raises(InputError, match="at least one object prompt"):
        run({})
    with pytest.raises(InputError, match=r"'red'.*frame 99"):
        run({"red": ObjectPrompt(box=[1, 1, 9, 9], frame=99)})


class Straying(ByColor):
    """Takes the blue thing for the red one from some frame on, until it is shown the red one again."""

    def __init__(self, reverse: bool, at: int = 8) -> None:
        super().__init__(reverse)
        self.at = at

    def follow(self, name: str) -> Seen:
        if name == "red" and self.indices[-1] == self.at:
            self.colors["red"] = np.array(COLORS["blue"])
        return super().follow(name)


def outlines(wrong: Any = (), unknown: Any = ()) -> MaskSequence:
    """The red thing as a pose would draw it; elsewhere in some frames, unknown in others."""
    masks = MaskSequence(("red",), HEIGHT, WIDTH, FRAMES, np.ones((FRAMES, 1), np.float32))
    for t in range(FRAMES):
        x, y, w, h = places(t)["red"]
        labels = np.zeros((HEIGHT, WIDTH), np.uint8)
        top = 44 if t in wrong else y
        labels[top : top + h, x : x + w] = 1
        masks.set(t, labels)
        masks.confidence[t] = 0.0 if t in unknown else 0.8
    return masks


def strayed(
    prompts: dict[str, ObjectPrompt], expected: MaskSequence | None, at: int = 8, options: Any = DEFAULTS
) -> tuple[MaskSequence, list[tuple[int, str]]]:
    made: list[Straying] = []

    def follower(reverse: bool) -> Straying:
        made.append(Straying(reverse, at))
        return made[-1]

    masks = follow_both_ways(film(), prompts, None, follower, options, expected)
    return masks, [start for one in made for start in one.started]


def right_from(masks: MaskSequence) -> list[int]:
    truth = film()
    return [
        t for t in range(FRAMES) if (masks.mask(t, "red") == (truth.frame(t) == COLORS["red"]).all(2)).all()
    ]


def test_an_object_is_shown_again_where_masks_turn_away_from_its_pose() -> None:
    prompts = {"red": click("red", 0)}
    alone, started = strayed(prompts, None)
    assert right_from(alone) == list(range(8)) and started == [(0, "red")] and alone.faults is None
    masks, started = strayed(prompts, outlines())
    assert started == [(0, "red"), (9, "red")]  # the second frame of those that disagree
    assert right_from(masks) == [t for t in range(FRAMES) if t != 8]
    assert masks.faults is not None
    assert np.flatnonzero(masks.faults[:, 0]).tolist() == [9] and masks.faults[9, 0] == Fault.SHOWN_AGAIN
    assert masks.confidence[9, 0] == pytest.approx(0.8 * masks.confidence[7, 0])


def test_it_is_shown_again_on_the_way_back_too() -> None:
    masks, started = strayed({"red": click("red", 20)}, outlines())
    assert started == [(20, "red"), (20, "red"), (7, "red")]
    assert right_from(masks) == [t for t in range(FRAMES) if t != 8]


@pytest.mark.parametrize(
    ("expected", "why"),
    [
        (outlines(wrong=range(FRAMES)), "they disagree about what the object is"),
        (outlines(unknown=range(1, FRAMES)), "no pose is valid"),
        (outlines(unknown=range(9, FRAMES, 2)), "never twice in a row"),
    ],
)
def test_poses_that_say_nothing_change_nothing(expected: MaskSequence, why: str) -> None:
    masks, started = strayed({"red": click("red", 0)}, expected)
    assert started == [(0, "red")], why
    assert right_from(masks) == list(range(8)) and masks.faults is None


def test_what_a_hand_covers_is_not_compared() -> None:
    expected = outlines()
    for t in range(8, FRAMES):  # a hand over all of it
        labels = expected.labels(t).copy()
        labels[labels == 1] = OCCLUDER
        expected.set(t, labels)
    assert strayed({"red": click("red", 0)}, expected)[1] == [(0, "red")]


def test_showings_are_some_frames_apart() -> None:
    """A network that does not take the hint is not asked in every frame."""

    class Stubborn(Straying):
        def start(self, name: str, prompt: ObjectPrompt) -> Seen:
            seen = super().start(name, prompt)
            if len(self.started) > 1:
                self.colors["red"] = np.array(COLORS["blue"])
            return seen

    made: list[Stubborn] = []
    follow_both_ways(
        film(),
        {"red": click("red", 0)},
        None,
        lambda reverse: made.append(Stubborn(reverse)) or made[-1],  # type: ignore[func-returns-value]
        DEFAULTS,
        outlines(),
    )
    times = [t for t, _ in made[0].started[1:]]
    assert times == [9, 19]


def test_outlines_of_another_clip_are_refused() -> None:
    other = MaskSequence(("red",), HEIGHT, WIDTH, FRAMES + 1)
    with pytest.raises(InputError, match=r"expected masks are .* but the clip is"):
        strayed({"red": click("red", 0)}, other)


def still(blue: Any) -> tuple[Clip, MaskSequence]:
    """A red thing that stands still, with its outline, and a blue one before it: its left edge by frame."""
    frames = np.full((FRAMES, HEIGHT, WIDTH, 3), 90, np.uint8)
    expected = MaskSequence(("red",), HEIGHT, WIDTH, FRAMES, np.ones((FRAMES, 1), np.float32))
    labels = np.zeros((HEIGHT, WIDTH), np.uint8)
    labels[20:40, 30:50] = 1
    for t in range(FRAMES):
        frames[t, 20:40, 30:50] = COLORS["red"]
        frames[t, 15:45, blue(t) : blue(t) + 25] = COLORS["blue"]
        expected.set(t, labels)
    return Clip.from_frames(frames), expected


BOTH = {"red": ObjectPrompt(points=[[32, 30, 1]]), "blue": ObjectPrompt(points=[[80, 30, 1]])}


@pytest.mark.parametrize("least", [37, 30])
@pytest.mark.parametrize("back", [False, True])
def test_an_object_that_another_one_covers_is_not_shown_again(least: int, back: bool) -> None:
    """The other one has no outline of its own: nothing but its mask tells that it is in front."""

    def left(t: int) -> int:
        return max(least, 70 - 6 * min(t, FRAMES - 1 - t))

    clip, expected = still(left)
    prompts = {**BOTH, "red": replace(BOTH["red"], frame=FRAMES - 1)} if back else BOTH
    made: list[ByColor] = []
    masks = follow_both_ways(
        clip,
        prompts,
        None,
        lambda reverse: made.append(ByColor(reverse)) or made[-1],  # type: ignore[func-returns-value]
        DEFAULTS,
        expected,
    )
    assert {t for one in made for t, name in one.started if name == "red"} == {prompts["red"].frame}
    assert masks.faults is None and (masks.mask(12, "red").sum() < 160) == (left(12) < 50)


class Swapping(ByColor):
    """Takes each of two things for the other from a frame on; shown one again, it knows that one."""

    def follow(self, name: str) -> Seen:
        if self.indices[-1] == 8 and name == "red":
            self.colors["red"], self.colors["blue"] = self.colors["blue"], self.colors["red"]
        return super().follow(name)


def test_an_object_is_shown_again_where_another_one_has_its_place() -> None:
    clip, expected = still(lambda t: 70)
    masks = follow_both_ways(clip, BOTH, None, Swapping, DEFAULTS, expected)
    assert masks.faults is not None and np.flatnonzero(masks.faults[:, 0]).tolist() == [9]
    assert all((masks.mask(t, "red") == expected.mask(t, "red")).all() for t in range(9, FRAMES))


def test_what_hides_an_object_is_not_shown_as_part_of_it() -> None:
    """A hand that the network sees, and another object: both over a part of an outline that knows neither."""
    shown: list[NDArray[np.bool_]] = []

    class Kept(Straying):
        def start(self, name: str, prompt: ObjectPrompt) -> Seen:
            if name == "red" and prompt.mask is not None:
                shown.append(prompt.mask)
            return super().start(name, prompt)

    clip = film()
    hand = hands_at(list(range(FRAMES)))
    follow_both_ways(clip, {"red": click("red", 0)}, hand, Kept, DEFAULTS, outlines())
    (mask,) = shown
    assert mask.any() and (clip.frame(9)[mask] == COLORS["red"]).all()

    shown.clear()
    clip, expected = still(lambda t: 70 if t < 5 else 40)

    class Lost(Kept):
        def follow(self, name: str) -> Seen:
            if name == "red" and self.indices[-1] == self.at:
                self.colors["red"] = np.array([90, 90, 90])
            return ByColor.follow(self, name)

    follow_both_ways(clip, BOTH, None, Lost, DEFAULTS, expected)
    assert shown and (clip.frame(9)[shown[0]] == COLORS["red"]).all()


def test_a_pose_that_was_lost_and_found_elsewhere_does_not_overrule_a_mask() -> None:
    """It may have been found on another thing that looks like the object."""
    clip = film()
    made: list[ByColor] = []

    def seen(follower: Any, expected: MaskSequence) -> MaskSequence:
        made.clear()
        return follow_both_ways(
            clip,
            {"red": click("red", 0)},
            None,
            lambda reverse: made.append(follower(reverse)) or made[-1],  # type: ignore[func-returns-value]
            DEFAULTS,
            expected,
        )

    masks = seen(ByColor, outlines(wrong=range(9, FRAMES), unknown=[8]))
    assert [t for t, _ in made[0].started] == [0]
    assert right_from(masks) == list(range(FRAMES)) and masks.faults is None

    class Losing(Straying):
        def follow(self, name: str) -> Seen:
            found = super().follow(name)
            blue = (self.colors[name] == COLORS["blue"]).all()
            return Seen(np.full_like(found.logits, -6.0), 0.0) if blue else found

    masks = seen(Losing, outlines(unknown=[8]))  # both lost it; who finds it may tell the other
    assert right_from(masks) == [t for t in range(FRAMES) if t not in (8, 9)]
    masks = seen(Straying, outlines(unknown=[4]))  # they agreed again before
    assert right_from(masks) == [t for t in range(FRAMES) if t != 8]
