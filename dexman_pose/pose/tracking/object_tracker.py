"""One object followed from frame to frame: predict, follow surface points, refine, judge, recover."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from dexman_pose.arrays import Array, Gray
from dexman_pose.data import BACKGROUND, Camera
from dexman_pose.geometry.symmetry import SymmetryGroup
from dexman_pose.imaging.masks import crop_box, mask_box
from dexman_pose.pose.matching.keyframes import PLENTY, EvenedCrop, Keyframes, evened_crop
from dexman_pose.pose.matching.point_tracks import SurfaceTracks
from dexman_pose.pose.matching.texture import texture_matches
from dexman_pose.pose.observation.crop import CropObservation, gather, visible_iou
from dexman_pose.pose.observation.view import ObjectView
from dexman_pose.pose.refinement.refiner import PoseRefiner, Refined, has_color, is_converged
from dexman_pose.pose.refinement.texture import align_to_texture
from dexman_pose.pose.search.hypotheses import Hypothesis
from dexman_pose.pose.search.viewpoints import extreme_points, poses_on_box
from dexman_pose.pose.solver.options import RefineOptions, trusting_points
from dexman_pose.pose.solver.residuals import PointMatches, join_matches
from dexman_pose.pose.tracking.motion_model import predict, same_face
from dexman_pose.pose.tracking.options import FramePose, TrackOptions
from dexman_pose.pose.tracking.relocalisation import Recovery

_MASK_AGREES = 0.92
_EDGES = 0.8  # weight of the picture's edges along the outline of a textured mesh
_GRAY_OVERLAP, _GRAY_SHARE = 0.7, 0.8  # what a pose by grey values alone must reach
_FOLLOWED = 0.25  # weight of a followed point beside those of earlier views, which carry no drift
_LEAST = 0.02  # confidence of a pose that is barely valid


@dataclass
class ObjectTracker:
    """Follows one object through consecutive frames, forwards or backwards.

    Attributes:
        refiner: holds mesh and rasteriser.
        camera: of the images.
        label: the object's value in the label images.
        options: settings.
        trusted: (F,) faces whose colour can be believed; None for all.
        symmetry: of the mesh.
    """

    refiner: PoseRefiner
    camera: Camera
    label: int
    options: TrackOptions = field(default_factory=TrackOptions)
    trusted: NDArray[np.bool_] | None = None
    symmetry: SymmetryGroup = field(default_factory=SymmetryGroup.trivial)
    pose: Array = field(default_factory=lambda: np.eye(4))
    previous: Array | None = None
    tracks: SurfaceTracks = field(default_factory=SurfaceTracks)
    lost_for: int = 0
    good_ncc: float = 0.0
    first_ncc: float = 0.0
    _extremes: Array = field(default_factory=lambda: np.zeros((0, 3)))
    _frame: Gray | None = None
    _first: Array = field(default_factory=lambda: np.eye(4))
    _tick: int = 0
    _last_labels: NDArray[np.uint8] | None = None
    _now: EvenedCrop | None = None
    _recognised: bool = False

    def __post_init__(self) -> None:
        self._extremes = extreme_points(self.refiner.rasterizer.mesh.vertices)
        self.colored = has_color(self.refiner)
        self.keyframes = Keyframes(self.options.keyframes, self.refiner.rasterizer)

    def start(
        self,
        pose: Array,
        image: NDArray[np.uint8],
        frame: Gray,
        labels: NDArray[np.uint8],
        depth: NDArray[np.float32] | None,
    ) -> FramePose:
        """Begin at a known pose in this frame (it is refined once more)."""
        self.pose, self.previous, self.lost_for, self._first = pose, None, 0, pose
        self._now = evened_crop(frame, labels, self.label, self.camera) if self.options.keyframes else None
        self.tracks = SurfaceTracks()
        evidence = self._evidence(labels, pose, depth)
        refined = self.refiner.refine(pose, evidence, RefineOptions(iterations=6))
        refined, ncc = self._with_texture(refined, evidence, image, labels, None, pose)
        self.good_ncc = self.first_ncc = max(ncc, 0.0)
        if self.texture_guided:
            by_texture = self._by_texture(refined.camera_from_object, evidence, image, labels, None, None)
            if by_texture is not None:
                return self._finish(*by_texture, evidence, frame, labels, confirmed=True)
        return self._finish(refined, ncc, evidence, frame, labels)

    def step(
        self,
        image: NDArray[np.uint8],
        frame: Gray,
        labels: NDArray[np.uint8],
        depth: NDArray[np.float32] | None,
    ) -> FramePose:
        """The pose in the next frame."""
        self._tick += 1
        predicted = self._predict()
        evidence = self._evidence(labels, predicted, depth)
        matches = None
        if self.texture_guided:
            # Where the prediction is good, texture alone finds the pose: points are followed when it does not.
            for follow in (False, True):
                matches = self._follow(frame, labels, predicted) if follow else None
                if follow and matches is None:
                    break
                texture_guided = self._by_texture(predicted, evidence, image, labels, matches, predicted)
                if texture_guided is not None:
                    return self._finish(*texture_guided, evidence, frame, labels, confirmed=True)
        else:
            matches = self._matches(frame, labels, predicted)
        if not evidence.has_mask:
            return self._missing(frame)
        refined = self._refine(predicted, evidence, matches)
        refined, ncc = self._with_texture(refined, evidence, image, labels, matches, predicted)
        if self._is_lost(refined, ncc):
            found = self._recover(image, labels, depth, evidence)
            if found is not None and found.iou + found.ncc > refined.iou + ncc + 0.05:
                refined, ncc = found.refined, found.ncc
                refined.camera_from_object = self.symmetry.closest(refined.camera_from_object, self.pose)
                self.tracks, self.previous = SurfaceTracks(), None
        return self._finish(refined, ncc, evidence, frame, labels)

    @property
    def texture_guided(self) -> bool:
        """Whether the mesh's own colours lead: a user's mesh that was seen to look like the object.

        A mask is propagated from one frame and knows nothing of faces that turn up later; the mesh does.
        """
        return self.colored and self.trusted is None and self.good_ncc > 0.5

    def _by_texture(
        self,
        start: Array,
        evidence: CropObservation,
        image: NDArray[np.uint8],
        labels: NDArray[np.uint8],
        matches: PointMatches | None,
        predicted: Array | None,
    ) -> tuple[Refined, float] | None:
        """Pose from followed points, texture and outline edges alone; None when they do not carry it."""
        pose = start
        options = replace(self._options(10), use_silhouette=False, edge_weight=_EDGES)
        if matches is not None and len(matches) >= 12:
            pose = self.refiner.refine(
                pose, evidence, options, matches=matches, predicted=predicted
            ).camera_from_object
        look = ObjectView(image, labels, self.label, self.camera, None, np.zeros(4))
        found = align_to_texture(self.refiner, pose, evidence, look, options, predicted)
        if found is None or not self._looks_right(found.ncc, found.agreeing) or found.inliers < 0.4:
            return None
        result, pose = found.refined, found.refined.camera_from_object
        drawn = self.refiner.rasterizer.render(pose[None], evidence.camera.K, *evidence.size[::-1]).mask[0]
        result.iou, result.area = visible_iou(drawn, evidence), int(drawn.sum())
        if found.matches is None and (
            result.iou < _GRAY_OVERLAP or found.ncc < _GRAY_SHARE * self.good_ncc or self.lost_for
        ):
            return None  # grey values slide along smooth colours: alone they prove little
        if result.iou > _MASK_AGREES and found.matches is not None:  # then its outline is worth having too
            options = trusting_points(found.matches, self._options(8))
            result = self.refiner.refine(
                pose, evidence, options, matches=found.matches, edges=found.edges, predicted=predicted
            )
        return result, found.ncc

    def _predict(self) -> Array:
        if self.previous is None or self.lost_for > 0:
            return self.pose
        return predict(self.pose, self.previous, self.refiner.center)

    def _follow(self, frame: Gray, labels: NDArray[np.uint8], predicted: Array) -> PointMatches | None:
        if self._frame is None:
            return None
        if (self.texture_guided or len(self.tracks) == 0) and self._last_labels is not None:
            self.tracks = SurfaceTracks()
            self._refresh_points(self._frame, self._last_labels)
        if len(self.tracks) == 0:
            return None
        moved = self.tracks.points @ predicted[:3, :3].T + predicted[:3, 3]
        at_now = self.tracks.points @ self.pose[:3, :3].T + self.pose[:3, 3]
        guess = self.tracks.pixels
        if (moved[:, 2] > 0.02).all() and (at_now[:, 2] > 0.02).all():
            guess = guess + self.camera.project(moved) - self.camera.project(at_now)
        return self.tracks.advance(self._frame, frame, guess, self._own(labels))

    def _evidence(
        self, labels: NDArray[np.uint8], pose: Array, depth: NDArray[np.float32] | None
    ) -> CropObservation:
        boxes = []
        seen = mask_box(labels == self.label)
        if seen is not None:
            boxes.append(seen)
        points = self._extremes @ pose[:3, :3].T + pose[:3, 3]
        if (points[:, 2] > 0.02).all():
            pixels = self.camera.project(points)
            box = np.concatenate([pixels.min(0), pixels.max(0)])
            limit = 0.5 * np.array([self.camera.width, self.camera.height] * 2)
            box = np.clip(box, -limit, 3 * limit)
            if seen is None or (box[2:] - box[:2]).max() < 4 * (seen[2:] - seen[:2]).max():
                boxes.append(box)
        if not boxes:
            boxes.append(np.array([0.0, 0.0, 16.0, 16.0]))
        return gather(labels, self.label, self.camera, crop_box(boxes, 0.06), depth=depth)

    def _options(self, iterations: int, **changes: float) -> RefineOptions:
        share = (
            0.2 if self.texture_guided else 0.5
        )  # texture leaves little room for leaps, an outline needs it
        size = share * self.refiner.rasterizer.mesh.radius
        return RefineOptions(
            iterations=iterations,
            prior_translation=size,
            prior_rotation=(0.4 if self.texture_guided else 1.0) * self.options.rotation_sigma,
            **changes,  # type: ignore[arg-type]
        )

    def _refine(self, predicted: Array, evidence: CropObservation, matches: PointMatches | None) -> Refined:
        """Refine from the prediction and, when that looks poor, from other poses on the mask too."""
        best = self.refiner.refine(
            predicted, evidence, self._options(12), matches=matches, predicted=predicted
        )
        starts: list[Array] = []
        if best.iou < 0.7:
            starts += [self.pose, self._onto_mask(evidence, self.pose[:3, :3])]
        if best.iou < 0.85 and self.trusted is not None and not self._tick % 3:
            starts += [
                self._onto_mask(evidence, turn) for turn in same_face(best.camera_from_object, self._first)
            ]
        for start in starts:
            other = self.refiner.refine(
                start, evidence, self._options(12), matches=matches, predicted=predicted
            )
            if other.iou > best.iou + 0.03:
                best = other
        return best

    def _onto_mask(self, evidence: CropObservation, rotation: Array) -> Array:
        """A rotation, placed so that its outline covers the mask's box."""
        x0, y0, x1, y1 = mask_box(evidence.mask)  # type: ignore[misc]
        low = (np.array([x0, y0]) + 0.5) / evidence.factors - 0.5 + np.array(evidence.origin)
        high = (np.array([x1, y1]) + 0.5) / evidence.factors - 0.5 + np.array(evidence.origin)
        box = np.concatenate([low, high])
        moved: Array = poses_on_box(rotation[None], self._extremes, box, self.camera)[0]
        return moved

    def _matches(self, frame: Gray, labels: NDArray[np.uint8], predicted: Array) -> PointMatches | None:
        """Points of earlier views found again; where they are few followed points too, which carry errors on."""
        self._now = evened_crop(frame, labels, self.label, self.camera) if self.options.keyframes else None
        found = self.keyframes.match(predicted, self._now) if self._now and len(self.keyframes) else None
        self._recognised = found is not None and len(found) >= PLENTY
        if found is not None and self._recognised:
            return found
        followed = self._follow(frame, labels, predicted)
        if found is None or followed is None:
            return found or followed
        return join_matches(
            [found, PointMatches(followed.points, followed.pixels, _FOLLOWED * followed.weight)]
        )

    def _with_texture(
        self,
        refined: Refined,
        evidence: CropObservation,
        image: NDArray[np.uint8],
        labels: NDArray[np.uint8],
        matches: PointMatches | None,
        predicted: Array,
    ) -> tuple[Refined, float]:
        """Pull the pose onto the mesh's own colours, which do not drift."""
        if not self.colored:
            return refined, 0.0
        ncc = 0.0
        for last in (False, True) if self.trusted is None else (True,):
            found, ncc = texture_matches(
                self.refiner.rasterizer,
                refined.camera_from_object,
                image,
                self.camera,
                labels,
                self.label,
                trusted=self.trusted,
            )
            if found is None or len(found) < 6:
                break
            parts = [found]
            if matches is not None and len(found) < 40:  # followed points may carry an old error along
                parts.append(PointMatches(matches.points, matches.pixels, 0.25 * matches.weight))
            before = refined.camera_from_object
            options = trusting_points(found, self._options(8))
            refined = self.refiner.refine(
                before, evidence, options, matches=join_matches(parts), predicted=predicted
            )
            if last or is_converged(before, refined.camera_from_object):
                break
        return refined, ncc

    def _looks_right(self, ncc: float, agreeing: float) -> bool:
        """Whether colours (and surface points that agree) confirm a pose; a hidden part costs correlation."""
        enough = 0.4 if agreeing >= 30.0 else 0.55
        return ncc > max(self.options.lost_ncc, enough * self.good_ncc)

    def _is_lost(self, refined: Refined, ncc: float) -> bool:
        if self.texture_guided:  # a mask may have wandered off to something else: the colours decide
            return not self._looks_right(ncc, 0.0)
        if refined.iou < self.options.lost_iou:
            return True
        if self.trusted is not None:  # a mesh coloured from one view: another side of it may look different
            return False
        return self.colored and self.good_ncc > 0.5 and ncc < self.options.lost_ncc

    def _recover(
        self,
        image: NDArray[np.uint8],
        labels: NDArray[np.uint8],
        depth: NDArray[np.float32] | None,
        evidence: CropObservation,
    ) -> Hypothesis | None:
        """Look for the object again; a symmetric twin of the last pose counts as that pose."""
        self.lost_for += 1
        box = mask_box(labels == self.label)
        if box is None:
            return None
        look = ObjectView(image, labels, self.label, self.camera, depth, box)
        around = None if self.trusted is None else self._first[:3, :3]
        recovery = Recovery(self.refiner, self.options.search_every, around, self.colored)
        return recovery.look(look, evidence, self._extremes, self.pose, self.lost_for)

    def _missing(self, frame: Gray) -> FramePose:
        """No mask in this frame: hold the last pose, not valid."""
        self.lost_for += 1
        self.tracks, self.previous, self._frame = SurfaceTracks(), None, frame
        self._last_labels = None
        return FramePose(self.pose, False, 0.0, 0.0, 0.0, np.eye(6))

    def _finish(
        self,
        refined: Refined,
        ncc: float,
        evidence: CropObservation,
        frame: Gray,
        labels: NDArray[np.uint8],
        *,
        confirmed: bool = False,
    ) -> FramePose:
        seen = int(evidence.mask.sum()) / max(refined.area, 1)
        lost = not confirmed and (self._is_lost(refined, ncc) or seen < self.options.least_seen)
        self.previous = None if lost or self.lost_for else self.pose
        self.lost_for = self.lost_for + 1 if lost and self.lost_for == 0 else (self.lost_for if lost else 0)
        if not lost:
            self.pose = refined.camera_from_object
            self.good_ncc = max(0.99 * self.good_ncc, ncc, 0.8 * self.first_ncc)
            self._last_labels = labels
            if not self.texture_guided:
                if self._recognised:
                    self.tracks = SurfaceTracks()  # made when they are needed
                else:
                    self._refresh_points(frame, labels)
                if self._now is not None:
                    seen_share = int(np.count_nonzero(evidence.mask)) / max(refined.area, 1)
                    confidence = self._confidence(refined, ncc, evidence)
                    self.keyframes.offer(self.pose, self._now, confidence, seen_share)
        else:
            self._last_labels = None
            self.tracks = SurfaceTracks()
        self._frame = frame
        return FramePose(
            refined.camera_from_object if not lost else self.pose,
            not lost,
            0.0 if lost else self._confidence(refined, ncc, evidence),
            refined.iou,
            ncc,
            refined.hessian,
        )

    def _confidence(self, refined: Refined, ncc: float, evidence: CropObservation) -> float:
        """In (0, 1]: how well outline and colours agree and how much of the object was seen."""
        outline = float(
            np.clip((refined.iou - self.options.lost_iou) / (0.92 - self.options.lost_iou), 0.0, 1.0)
        )
        seen = float(np.clip(2.0 * int(evidence.mask.sum()) / max(refined.area, 1), 0.0, 1.0))
        if self.texture_guided:  # the mask is not asked; the share of surface points that agree is
            outline, seen = max(outline, refined.point_inliers), 1.0
        color = 1.0
        if self.colored and self.good_ncc > 0.3:
            color = float(np.clip(ncc / self.good_ncc, 0.0, 1.0))
            color = color if self.trusted is None else 0.5 + 0.5 * color
        return max(float(outline * np.sqrt(seen) * color), _LEAST)

    def _own(self, labels: NDArray[np.uint8]) -> NDArray[np.bool_]:
        """(H, W) pixels that may show the object."""
        own = labels == self.label
        return own | (labels == BACKGROUND) if self.texture_guided else own

    def image_box(self, pose: Array) -> Array | None:
        """(4,) box of the projected mesh inside the image, or None when it is out of sight."""
        points = self._extremes @ pose[:3, :3].T + pose[:3, 3]
        if (points[:, 2] <= 0.02).any():
            return None
        pixels = self.camera.project(points)
        limit = np.array([self.camera.width - 1.0, self.camera.height - 1.0])
        low, high = pixels.min(0).clip(0, limit), pixels.max(0).clip(0, limit)
        return np.concatenate([low, high]) if (high - low > 8).all() else None

    def distance(self) -> float:
        """Metres from the camera to the object's centre, where it was last."""
        return float(np.linalg.norm(self.refiner.camera_center(self.pose)))

    def _refresh_points(self, frame: Gray, labels: NDArray[np.uint8]) -> None:
        """Drop surface points that disagree with the pose, add new ones."""
        if len(self.tracks):
            moved = self.tracks.points @ self.pose[:3, :3].T + self.pose[:3, 3]
            front = moved[:, 2] > 0.02
            error = np.full(len(moved), 1e3)
            error[front] = np.linalg.norm(
                self.camera.project(moved[front]) - self.tracks.pixels[front], axis=1
            )
            self.tracks.keep((error < 3.0) & (self.tracks.age < 60))
        seen = self.image_box(self.pose) if self.texture_guided else mask_box(labels == self.label)
        if seen is None:
            return
        x0, y0, w, h = crop_box([seen], 0.0)
        x0, y0 = max(x0, 0), max(y0, 0)
        w, h = min(w, labels.shape[1] - x0), min(h, labels.shape[0] - y0)
        camera = self.camera.cropped(x0, y0, w, h)
        picture = self.refiner.rasterizer.render(self.pose[None], camera.K, w, h)
        assert picture.depth is not None
        self.tracks.refill(
            frame[y0 : y0 + h, x0 : x0 + w],
            picture.depth[0],
            (x0, y0),
            self._own(labels)[y0 : y0 + h, x0 : x0 + w],
            self.camera,
            self.pose,
            self.options.points,
        )
