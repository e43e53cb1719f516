"""Known objects followed picture by picture, as a camera gives them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from dexman_pose.arrays import Array, Bools
from dexman_pose.data import Camera, Mesh, ObjectPrompt
from dexman_pose.data.accept import CameraLike, ImageLike, MeshLike, PoseLike, as_camera, as_picture, as_pose
from dexman_pose.data.accept.poses import check_in_sight
from dexman_pose.data.named import NamedHands, NamedObjects
from dexman_pose.data.numbers import count, described, flag, instance, text
from dexman_pose.errors import InputError
from dexman_pose.hands.live import LiveHand, LiveHands
from dexman_pose.imaging.undistort import Undistortion, pinhole_of, undistortion_of, without_harmless_skew
from dexman_pose.pose.observation.checked import checked_mesh
from dexman_pose.pose.refinement.refiner import refiner_for
from dexman_pose.pose.tracking.hand_cover import hands_over
from dexman_pose.pose.tracking.live_verdict import LiveOptions, LiveVerdict
from dexman_pose.pose.tracking.options import FramePose
from dexman_pose.pose.tracking.region_scene import RegionScene
from dexman_pose.pose.tracking.region_tracker import RegionFrame
from dexman_pose.pose.tracking.track_record import TrackStart
from dexman_pose.pose.without_masks import outline_box
from dexman_pose.symmetry.cache import symmetry_of
from dexman_pose.threads import native_threads

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

_NAME = "object"
_HOW = "give start=(4, 4), a pose, or box=(x0, y0, x1, y1), pixels around it in the first picture"


@dataclass(frozen=True, eq=False)
class LivePose:
    """The pose of one object in one picture.

    Attributes:
        camera_from_object: (4, 4) metres; the last pose that was believed where the object is lost.
        valid: whether it may be used.
        confidence: in [0, 1], 0 where it is not valid.
        lost_for: pictures since the object was lost, 0 while it is followed.
        doubts: words on what speaks against the pose, empty for nothing.
    """

    camera_from_object: Array
    valid: bool
    confidence: float
    lost_for: int
    doubts: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class _Begin:
    """Where an object is in the next picture: at a pose (4, 4), or in a box (4,) of the picture as given."""

    pose: Array | None = None
    box: Array | None = None


@dataclass(frozen=True, eq=False)
class _Found:
    """Where an object was found, and whether the search doubts it."""

    pose: Array
    given: bool
    doubted: bool = False


class LiveTracker:
    """Follows known objects through pictures that come one by one; runs on the CPU, for one thread.

    ::

        tracker = LiveTracker("cup.obj", camera, box=(387, 258, 483, 409))
        for index, seconds, image in LiveSource("0"):
            pose = tracker.update(image)["object"]
            if pose.valid:
                use(pose.camera_from_object)

    The same code follows objects in :func:`~dexman_pose.pose.track` without masks, where it looks back too; here it
    knows the past alone. Poses are in the frame of the camera, which may move. With a lens each picture is undistorted
    once: poses, and pixels of hands, are of the undistorted camera, :attr:`camera`, whose axes are the same.

    With hands, these are detected in a thread beside, and what the last detected ones cover is not looked at. They
    are those of an earlier picture, told by the ``frame`` of each :class:`~dexman_pose.hands.live.LiveHand`; an update
    waits for them only where they fall behind by more than ``options.hands_behind`` pictures. Close the tracker
    then, or use it as a context manager.

    Args:
        mesh: metres; or a dict of meshes by name. One mesh alone has the name ``"object"``.
        camera: intrinsics of the pictures.
        start: (4, 4) camera_from_object in the first picture, or a dict of them by name.
        box: (4,) x0, y0, x1, y1 in pixels of the first picture as given, or a dict of them by name: the objects are
            searched for there, which takes a second or two.
        hands: whether hands are detected, by the default detector; or a :class:`~dexman_pose.hands.live.LiveHands`
            with another one, which is closed with the tracker.
        options: settings.

    Raises:
        InputError: a mesh, pose, box or camera cannot be used, or names something that is not there.
        MissingModelError: the weights of the hand detector are not on this machine.
    """

    def __init__(
        self,
        mesh: MeshLike | Mapping[str, MeshLike],
        camera: CameraLike,
        *,
        start: PoseLike | Mapping[str, PoseLike] | None = None,
        box: ArrayLike | Mapping[str, ArrayLike] | None = None,
        hands: bool | LiveHands = False,
        options: LiveOptions | None = None,
    ) -> None:
        if options is not None:
            instance(options, LiveOptions, "options", "make them with LiveOptions(...), or leave them out")
        self._options = options or LiveOptions()
        self._meshes = _meshes(mesh)
        self._given = camera
        self._camera: Camera | None = None
        self._undistortion: Undistortion | None = None
        self._scene: RegionScene | None = None
        self._verdicts: dict[str, LiveVerdict] = {}
        poses, boxes = self._by_name(start, "start"), self._by_name(box, "box")
        self._next = {n: _begin(n, poses.get(n), boxes.get(n)) for n in self._meshes if n in poses | boxes}
        self._index = -1
        self._cover: tuple[NamedHands[LiveHand] | None, Bools | None] = (None, None)
        if isinstance(camera, Camera):
            self._open(camera)
        self._hands = _hands(hands)

    def __enter__(self) -> LiveTracker:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the objects."""
        return tuple(self._meshes)

    @property
    def camera(self) -> Camera:
        """The ideal pinhole that poses and pixels are of.

        Raises:
            InputError: intrinsics came without the size of the pictures, and none has come yet.
        """
        if self._camera is None:
            raise InputError(
                "the size of the pictures is not known before the first update; give camera=Camera(...)"
            )
        return self._camera

    @property
    def hands(self) -> NamedHands[LiveHand]:
        """The hands detected last, by side; of the picture that ``LiveHand.frame`` counts from 0; none without."""
        return NamedHands() if self._hands is None else self._hands.hands

    @property
    def hands_behind(self) -> int | None:
        """Pictures by which :attr:`hands` are behind the last update; None before the first ones, and without."""
        last = None if self._hands is None else self._hands.last
        return None if last is None else self._index - last

    def close(self) -> None:
        """Stop the thread that detects hands; may be called twice."""
        if self._hands is not None:
            self._hands.close()

    def restart(self, name: str, pose: PoseLike | None = None, *, box: ArrayLike | None = None) -> None:
        """Say where an object is in the next picture.

        Args:
            name: of the object.
            pose: (4, 4) camera_from_object, or ...
            box: ... (4,) x0, y0, x1, y1 in pixels of the picture as given.

        Raises:
            InputError: no such object, neither pose nor box, both, or one that cannot be used.
        """
        if name not in self._meshes:
            raise InputError(f"no object is named {described(name)}; there are: {', '.join(self._meshes)}")
        begin = _begin(name, pose, box)
        if self._camera is not None:
            self._check(name, begin)
        self._next[name] = begin

    def update(self, image: ImageLike, *, passed: int = 1) -> NamedObjects[LivePose]:
        """The poses of all objects in the next picture.

        Args:
            image: (H, W, 3) RGB; do not write into it before the next update.
            passed: frames of the camera since the last picture, more than 1 where some were dropped: how far an
                object can have moved depends on it.

        Returns:
            By name.

        Raises:
            InputError: the picture does not fit the camera, or an object has neither a start nor a box.
            EstimationError: nothing in the box of an object could be told from its surroundings.
        """
        with native_threads():
            return self._updated(self._picture(image), count(passed, "passed", least=1))

    def _updated(self, picture: NDArray[np.uint8], passed: int) -> NamedObjects[LivePose]:
        missing = [n for n in self._meshes if n not in self._next and n not in self._verdicts]
        if missing:
            raise InputError(f"where is {', '.join(missing)}? {_HOW}, or call restart")
        self._index += 1
        if self._hands is not None:
            self._hands.put(self._index, picture.copy())  # callers may use their memory again
            if self._options.hands_behind is not None:
                self._hands.catch_up(self._index, self._options.hands_behind)
        frame = RegionFrame(picture, self._covered())
        begun = self._begun(frame)
        scene = self._scene_of({n: f.pose for n, f in begun.items()})
        for name, one in begun.items():
            scene.place(name, one.pose)  # who begins behind another in the same picture knows what hides it
        out: dict[str, LivePose] = {}
        for name in scene.nearest_first(self._meshes):
            if name in begun:
                result = scene.start(name, begun[name].pose, frame)
                words = self._judged_first(name, result, begun[name])
            else:
                result = scene.step(name, frame)
                words = self._verdicts[name].step(result, passed)
            out[name] = _live_pose(result, scene.trackers[name].lost_for, words)
        return NamedObjects({name: out[name] for name in self._meshes})

    def _open(self, camera: Camera) -> None:
        camera = without_harmless_skew(camera)
        self._undistortion, self._camera = undistortion_of(camera), pinhole_of(camera)
        for name, begin in self._next.items():
            self._check(name, begin)

    def _check(self, name: str, begin: _Begin) -> None:
        camera = self.camera
        if begin.pose is not None:
            check_in_sight(begin.pose, self._meshes[name], camera, f"the start of {name}")
        if begin.box is not None:
            ObjectPrompt(box=begin.box).check_inside(name, camera.width, camera.height, 1)

    def _picture(self, image: ImageLike) -> NDArray[np.uint8]:
        """A picture (H, W, 3) of the undistorted camera."""
        size = None if self._camera is None else (self._camera.height, self._camera.width)
        picture = as_picture(image, size)
        if self._camera is None:
            self._open(as_camera(self._given, picture.shape[:2]))
        return picture if self._undistortion is None else self._undistortion.picture(picture)

    def _covered(self) -> Bools | None:
        """(H, W) pixels that the last detected hands cover; drawn once for each picture of hands."""
        if self._hands is None:
            return None
        hands = self._hands.hands
        if self._cover[0] is not hands:
            self._cover = (hands, hands_over((h.joints_2d for h in hands.values()), self.camera))
        return self._cover[1]

    def _begun(self, frame: RegionFrame) -> dict[str, _Found]:
        """Where the objects are that begin in this picture; nothing is forgotten where a search fails."""
        found = {name: self._located(name, begin, frame) for name, begin in self._next.items()}
        self._next.clear()
        return found

    def _located(self, name: str, begin: _Begin, frame: RegionFrame) -> _Found:
        if begin.pose is not None:
            return _Found(begin.pose, given=True)
        from dexman_pose.pose.api import estimate_pose  # not where poses are given

        assert begin.box is not None
        box = begin.box if self._undistortion is None else self._undistortion.box(begin.box)
        best = estimate_pose(
            self._meshes[name], frame.image, camera=self.camera, box=box, occluders=frame.hidden
        )
        return _Found(best.camera_from_object, given=False, doubted=not best.valid)

    def _scene_of(self, poses: Mapping[str, Array]) -> RegionScene:
        """The scene; made in the first picture, when it is known how large the objects are seen."""
        if self._scene is None:
            starts = {n: self._start_of(n, poses[n]) for n in self._meshes}
            self._scene = RegionScene(starts, self.camera, self._options.track)
        return self._scene

    def _start_of(self, name: str, pose: Array) -> TrackStart:
        mesh = self._meshes[name]
        refiner = refiner_for(mesh, outline_box(mesh, pose, self.camera))
        return TrackStart(refiner, 0, pose, symmetry=symmetry_of(mesh))

    def _judged_first(self, name: str, result: FramePose, found: _Found) -> tuple[str, ...]:
        if name not in self._verdicts:
            mesh = self._meshes[name]
            self._verdicts[name] = LiveVerdict(symmetry_of(mesh), mesh.center, self._options)
        given = found.pose if found.given else None
        return self._verdicts[name].start(result, given, doubted=found.doubted)

    def _by_name(self, value: Any, what: str) -> dict[str, Any]:
        """What was given for the objects, by name; of a single object it may come without."""
        if value is None:
            return {}
        if not isinstance(value, Mapping):
            if tuple(self._meshes) != (_NAME,):
                raise InputError(f"{what} must be a dict by object name, but got {described(value)}")
            return {_NAME: value}
        for name in value:
            if name not in self._meshes:
                there = ", ".join(self._meshes)
                raise InputError(f"{what} names {described(name)}, but the meshes are: {there}")
        return {name: entry for name, entry in value.items() if entry is not None}


def _meshes(mesh: Any) -> dict[str, Mesh]:
    if not isinstance(mesh, Mapping):
        return {_NAME: checked_mesh(mesh)}
    if not mesh:
        raise InputError("mesh must be a mesh or a dict of at least one mesh by name, but got an empty dict")
    return {text(name, "an object's name"): checked_mesh(one) for name, one in mesh.items()}


def _begin(name: str, pose: Any, box: Any) -> _Begin:
    if (pose is None) == (box is None):
        which = "neither" if pose is None else "both"
        raise InputError(f"{name} begins at a pose or in a box, but got {which}; give one of them")
    if pose is not None:
        return _Begin(pose=as_pose(pose, f"the start of {name}"))
    return _Begin(box=ObjectPrompt(box=box).box)


def _hands(hands: Any) -> LiveHands | None:
    if isinstance(hands, LiveHands):
        return hands
    if not flag(hands, "hands"):
        return None
    from dexman_pose.hands.mediapipe.online import OnlineHands  # not without hands

    return LiveHands(OnlineHands.open())


def _live_pose(found: FramePose, lost_for: int, words: tuple[str, ...]) -> LivePose:
    valid = found.valid and not words
    return LivePose(found.camera_from_object, valid, found.confidence if valid else 0.0, lost_for, words)
