"""Find lost objects again by learnt keypoints, and by what the tracker does today, in the same frames.

    python eval/keypoints.py --data DIR --weights FILE [--taco RUN ...] [--shapes box,can] [--box] [--out FILE]

DIR is the test data folder (its cube clip is used), FILE the weights of ALIKED (aliked-n16.pth), RUN a finished
run of a clip without known poses: its own valid poses are taken for true. The rendered clips have exact poses and an
occluder that hides all of the object for a while. Needs kornia (`pip install --no-deps kornia==0.9.0 kornia_rs`);
the package itself does not.

An object is seen in a frame, then in none until a later one, in which it is looked for:

- near: by the tracker, around its last pose;
- all sides: by the tracker, as where a hand may have taken it: from 192 sides, where its colours are;
- box: by the search without a start, which is given a box around the object: more than the others know;
- KEYPOINTS: mutual nearest neighbours of descriptors between the picture and earlier good frames, whose keypoints lie
  on the mesh drawn at their pose; the pose by RANSAC;
- KEYPOINTS + tracker: the same pose refined and judged by the tracker as any pose of its own;
- near, else KEYPOINTS: near, and where that finds nothing, KEYPOINTS + tracker.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")
import cv2
import numpy as np
from keypoint_cases import Case, cube_cases, rendered_cases, run_cases
from keypoint_extractors import Extract, aliked, sift
from numpy.typing import NDArray

from dexman_pose.arrays import Array
from dexman_pose.errors import DexmanError, EstimationError, InputError
from dexman_pose.imaging.masks import mask_box
from dexman_pose.pose import estimate_pose
from dexman_pose.pose.refinement.refiner import refiner_for
from dexman_pose.pose.tracking.region_tracker import RegionFrame, RegionTracker
from dexman_pose.pose.tracking.tracked_object import TrackedObject
from dexman_pose.pose.without_masks import outline_box
from dexman_pose.render import Rasterizer


@dataclass(frozen=True)
class Options:
    """Settings of the comparison.

    Attributes:
        gap: frames before a query in which the object is taken not to be seen, but where the film hides it itself.
        apart: degrees between the views of two earlier frames that are both kept.
        views: of them at most, the latest first; ``stride`` frames apart.
        reach: radii of the object around its last place within which keypoints are looked for: as far as the
            tracker's search from all sides looks.
        margin: share of the outline's box by which the picture of an earlier frame is larger.
        rim: pixels inside the outline in which no keypoint is taken: it may be the ground's.
        keypoints: at most, of one picture.
        pixels: by which a keypoint may lie off the pose.
        rounds: of RANSAC.
        least: keypoints that must agree with the pose.
        looks: frames in which the tracker looks for the object, all the same picture: its search goes through its
            starts in turns, and from all sides in the third.
        boxed: whether the search in a box is asked too: it takes longer than all others together.
        loose: pixels by which the box is larger than the outline on each side.
        near_mm: a pose is right within so many millimetres ...
        near_deg: ... and degrees.
        beside: a query is "near" its last pose within so many radii of the object ...
        turned: ... and degrees; else "far".
    """

    gap: int = 30
    apart: float = 15.0
    views: int = 12
    stride: int = 3
    reach: float = 3.0
    margin: float = 0.15
    rim: int = 2
    keypoints: int = 1024
    pixels: float = 4.0
    rounds: int = 1000
    least: int = 10
    looks: int = 4
    boxed: bool = False
    loose: int = 5
    near_mm: float = 20.0
    near_deg: float = 10.0
    beside: float = 0.8
    turned: float = 17.0


@dataclass(frozen=True)
class View:
    """Keypoints of an earlier frame on the object: where (N, 3) in its own frame, and descriptors (N, D)."""

    points: Array
    descriptors: NDArray[np.float32]


@dataclass(frozen=True)
class Found:
    """One search: ``pose`` is None where it gave none that it believes; ``seconds`` of processor time."""

    pose: Array | None
    seconds: float
    inliers: int = 0


@dataclass
class Row:
    """What one method did in one frame."""

    case: str
    method: str
    query: int
    last: int
    near: bool
    found: bool
    mm: float
    deg: float
    seconds: float
    inliers: int


@dataclass
class Finder:
    """Finds an object by keypoints."""

    extract: Extract
    case: Case
    options: Options
    _views: dict[int, View] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._rasterizer = Rasterizer(self.case.mesh)

    def view(self, index: int) -> View:
        """Keypoints of a good frame that lie on the object."""
        if index not in self._views:
            self._views[index] = self._made(index)
        return self._views[index]

    def _made(self, index: int) -> View:
        case, o = self.case, self.options
        pose, camera = case.poses[index], case.camera
        drawn = self._rasterizer.render(pose[None], camera.K, camera.width, camera.height)
        assert drawn.depth is not None
        own = drawn.mask[0].astype(np.uint8)
        hidden = case.hidden(index)
        if hidden is not None:
            own[hidden] = 0
        own = cv2.erode(own, np.ones((2 * o.rim + 1, 2 * o.rim + 1), np.uint8), borderValue=0)
        v, u = np.nonzero(drawn.mask[0])
        if len(u) == 0:
            raise InputError(f"{case.name}: the object is out of sight in frame {index}")
        rim = o.margin * max(np.ptp(u), np.ptp(v))
        pixels, descriptors = self._within(
            index, (u.min() - rim, v.min() - rim, u.max() + rim, v.max() + rim)
        )
        x, y = np.round(pixels).astype(int).T
        on = own[y, x] > 0
        z = drawn.depth[0][y[on], x[on]].astype(np.float64)
        points = (camera.unproject(pixels[on], z) - pose[:3, 3]) @ pose[:3, :3]
        return View(points, descriptors[on])

    def _within(self, index: int, box: tuple[float, ...]) -> tuple[Array, NDArray[np.float32]]:
        """Keypoints of a box of the picture, in pixels of the whole."""
        camera = self.case.camera
        x0, y0 = (max(0, int(a)) for a in box[:2])
        x1, y1 = min(camera.width, int(box[2]) + 1), min(camera.height, int(box[3]) + 1)
        picture = self.case.frame(index)[y0:y1, x0:x1]
        pixels, descriptors = self.extract(np.ascontiguousarray(picture))
        return pixels + [x0, y0], descriptors

    def find(self, query: int, last: int) -> Found:
        """The pose that most keypoints agree with."""
        case, o = self.case, self.options
        views = [self.view(i) for i in earlier(case, last, o)]
        middle = case.poses[last][:3, :3] @ case.mesh.center + case.poses[last][:3, 3]
        u, v = case.camera.project(middle[None])[0]
        reach = o.reach * case.camera.fx * case.mesh.radius / middle[2]
        case.frame(query)  # kept, so that the clock does not count its decoding
        begin = time.process_time()
        pixels, descriptors = self._within(query, (u - reach, v - reach, u + reach, v + reach))
        best, most = None, 0
        for view in views:
            pose, count = self._by_view(view, pixels, descriptors)
            if count > most:
                best, most = pose, count
        return Found(best, time.process_time() - begin, most)

    def _by_view(
        self, view: View, pixels: Array, descriptors: NDArray[np.float32]
    ) -> tuple[Array | None, int]:
        o = self.options
        if min(len(view.points), len(pixels)) < o.least:
            return None, 0
        alike = view.descriptors @ descriptors.T
        there = alike.argmax(1)
        mutual = alike.argmax(0)[there] == np.arange(len(there))
        if int(mutual.sum()) < o.least:
            return None, 0
        cv2.setRNGSeed(0)
        done, turn, shift, inliers = cv2.solvePnPRansac(
            view.points[mutual],
            pixels[there[mutual]],
            self.case.camera.K,
            None,
            iterationsCount=o.rounds,
            reprojectionError=o.pixels,
            flags=cv2.SOLVEPNP_EPNP,
        )
        if not done or inliers is None or len(inliers) < o.least or shift[2, 0] <= 0:
            return None, 0
        pose = np.eye(4)
        pose[:3, :3], pose[:3, 3] = cv2.Rodrigues(turn)[0], shift[:, 0]
        return pose, len(inliers)


def earlier(case: Case, last: int, options: Options) -> list[int]:
    """Good frames up to ``last`` that show the object from sides that differ, the latest first."""
    kept: list[int] = []
    eyes: list[Array] = []
    for index in range(last, -1, -options.stride):
        if not case.good[index]:
            continue
        pose = case.poses[index]
        line = case.mesh.center + pose[:3, :3].T @ pose[:3, 3]
        eye = -line / np.linalg.norm(line)
        if all(eye @ other < np.cos(np.radians(options.apart)) for other in eyes):
            kept.append(index)
            eyes.append(eye)
        if len(kept) == options.views:
            break
    return kept


def by_tracker(
    case: Case, query: int, last: int, options: Options, *, start: Array | None, far: bool
) -> Found:
    """What the tracker finds that saw the object in frame ``last`` and then lost it.

    Args:
        case: the object.
        query: the frame.
        last: the frame in which it was seen.
        options: settings.
        start: (4, 4) a pose that is looked at instead of the last one, or None.
        far: whether it may look from all sides.
    """
    pose, camera = case.poses[last], case.camera
    refiner = refiner_for(case.mesh, outline_box(case.mesh, pose, camera))
    tracker = RegionTracker(TrackedObject(refiner, camera, 1, trusted=case.trusted, symmetry=case.symmetry))
    tracker.start(pose, RegionFrame(case.frame(last), case.hidden(last)))
    blank = np.full((camera.height, camera.width, 3), 128, np.uint8)
    tracker.step(RegionFrame(blank))
    if tracker.is_tracking:
        raise InputError(f"{case.name}: the tracker finds the object of frame {last} in an empty picture")
    guesses = (tracker.pose,) if far else ()
    if start is not None:
        tracker.pose = start
    frame = RegionFrame(case.frame(query), case.hidden(query), guesses=guesses)
    begin = time.process_time()
    for _ in range(1 if start is not None else options.looks):
        tracker.step(frame)
        if tracker.is_tracking:
            break
    seconds = time.process_time() - begin
    return Found(tracker.pose if tracker.is_tracking else None, seconds)


def by_search(case: Case, query: int, options: Options) -> Found:
    """What the search finds that knows nothing but a box around the object, here that of its true outline."""
    box = mask_box(outline_box(case.mesh, case.poses[query], case.camera))
    assert box is not None
    last = np.array([case.camera.width - 1, case.camera.height - 1] * 2)
    loose = np.clip(box + options.loose * np.array([-1, -1, 1, 1]), 0, last)
    image, hidden = case.frame(query), case.hidden(query)
    begin = time.process_time()
    try:
        found = estimate_pose(
            case.mesh, image, box=loose, camera=case.camera, occluders=hidden, symmetry=case.symmetry
        )
    except EstimationError:
        return Found(None, time.process_time() - begin)
    return Found(found.camera_from_object if found.valid else None, time.process_time() - begin)


def rows_of(case: Case, extractors: Mapping[str, Extract], options: Options) -> Iterator[Row]:
    """All methods in all queries of a case."""
    finders = {name: Finder(extract, case, options) for name, extract in extractors.items()}
    for query, last in case.queries:
        turned, moved = case.symmetry.pose_error(case.poses[last], case.poses[query], case.mesh.center)
        near = float(moved) < options.beside * case.mesh.radius and np.degrees(turned) < options.turned
        found = {
            "near": by_tracker(case, query, last, options, start=None, far=False),
            "all sides": by_tracker(case, query, last, options, start=None, far=True),
        }
        if options.boxed:
            found["box"] = by_search(case, query, options)
        for name, finder in finders.items():
            first = finder.find(query, last)
            found[name] = first
            then = Found(None, 0.0)
            if first.pose is not None:
                then = by_tracker(case, query, last, options, start=first.pose, far=False)
            found[f"{name} + tracker"] = Found(then.pose, first.seconds + then.seconds, first.inliers)
            found[f"near, else {name}"] = after(found["near"], found[f"{name} + tracker"])
        for method, one in found.items():
            mm = deg = float("nan")
            if one.pose is not None:
                turn, shift = case.symmetry.pose_error(one.pose, case.poses[query], case.mesh.center)
                mm, deg = 1e3 * float(shift), float(np.degrees(turn))
            yield Row(
                *(case.name, method, query, last, bool(near)),
                *(one.pose is not None, mm, deg, one.seconds, one.inliers),
            )


def after(first: Found, second: Found) -> Found:
    """One search, and another where it finds nothing."""
    if first.pose is not None:
        return first
    return Found(second.pose, first.seconds + second.seconds, second.inliers)


def table(rows: list[Row], options: Options) -> str:
    """Shares recovered, wrong poses that are believed, median errors of the believed, seconds; by case and method."""
    groups: dict[tuple[str, str, str], list[Row]] = {}
    for row in rows:
        kind = row.case.split()[0]
        for case in (row.case, f"all {'runs' if '_' in kind else kind.strip(',')}"):
            for where in ("all", "near" if row.near else "far"):
                groups.setdefault((case, where, row.method), []).append(row)
    lines = [f"{'case':<28}{'last pose':<10}{'method':<18}  n  right  wrong     mm   deg  CPU s"]
    for (case, where, method), members in sorted(groups.items(), key=lambda g: g[0][:2]):
        right = [r for r in members if r.found and r.mm <= options.near_mm and r.deg <= options.near_deg]
        found = [r for r in members if r.found]
        mm, deg = (
            float(np.median([getattr(r, k) for r in found])) if found else np.nan for k in ("mm", "deg")
        )
        seconds = float(np.mean([r.seconds for r in members]))
        lines.append(
            f"{case:<28}{where:<10}{method:<18}{len(members):>3}{100 * len(right) / len(members):>6.0f}%"
            f"{len(found) - len(right):>7}{mm:>7.1f}{deg:>6.1f}{seconds:>7.2f}"
        )
    return "\n".join(lines)


def main(arguments: list[str] | None = None) -> int:
    """Measure and print; 0 when it ran."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, help="test data folder, for the cube clip")
    parser.add_argument("--weights", type=Path, required=True, help="aliked-n16.pth")
    parser.add_argument("--taco", type=Path, nargs="*", default=[], metavar="RUN", help="finished runs")
    parser.add_argument("--shapes", default="", help="shapes of the rendered clips, A,B")
    parser.add_argument("--seeds", type=int, default=1, help="rendered clips of each shape")
    parser.add_argument("--every", type=int, default=25, help="frames between queries")
    parser.add_argument("--gaps", default="30,120", help="frames not seen before a query of the cube clip")
    parser.add_argument("--box", action="store_true", help="ask the search in a box, too")
    parser.add_argument("--out", type=Path, help="JSON lines of all queries")
    given = parser.parse_args(arguments)
    options = Options(boxed=given.box)
    cv2.setNumThreads(1)
    cases: list[Callable[[], Iterable[Case]]] = []
    for shape in filter(None, given.shapes.split(",")):
        cases += [partial(rendered_cases, shape, seed) for seed in range(given.seeds)]
    if given.data is not None:
        gaps = [int(g) for g in given.gaps.split(",")]
        cases += [partial(cube_cases, given.data, given.every, gap) for gap in gaps]
    cases += [partial(run_cases, run, given.every, options.gap) for run in given.taco]
    rows: list[Row] = []
    try:
        extractors = {"ALIKED": aliked(given.weights, options.keypoints), "SIFT": sift(options.keypoints)}
        for make in cases:
            for case in make():
                sys.stderr.write(f"{case.name}: {len(case.queries)} queries\n")
                for row in rows_of(case, extractors, options):
                    rows.append(row)
                    if given.out is not None:
                        with given.out.open("a") as lines:
                            lines.write(json.dumps(asdict(row)) + "\n")
    except DexmanError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    sys.stdout.write(table(rows, options) + "\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
