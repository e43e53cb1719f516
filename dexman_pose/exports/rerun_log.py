"""A trajectory as a recording for the Rerun viewer: pictures, masks, meshes, hands, contacts, table on one timeline."""

from __future__ import annotations

import io
import os
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dexman_pose._optional import require
from dexman_pose.arrays import Array
from dexman_pose.data import OCCLUDER, Clip, MaskSequence, Mesh, Trajectory
from dexman_pose.data.files import unwritable_is_bad_input
from dexman_pose.data.meshes.corners import split_corners
from dexman_pose.data.tracks import JOINT_PARENTS
from dexman_pose.errors import InputError
from dexman_pose.exports.scene import (
    continuous_quaternions,
    plain_names,
    stands_on_table,
    world_from_object,
    world_joints,
)
from dexman_pose.geometry import transform_points
from dexman_pose.hands.model.moving import hand_skin
from dexman_pose.viewer.palette import GREY, HAND_COLORS, RGB, object_colors

APPLICATION = "dexman_pose"
"""What recordings are filed under in the viewer."""

FRAME, CLIP = "frame", "clip"
"""Timelines: number of the frame, and seconds of the clip."""

_JPEG_QUALITY = 85
_TINT = 110  # alpha of masks, of 255
_HIDDEN = 1e-6  # a scale that nobody sees; a scale of 0 has no inverse
_CONTACT: RGB = (220, 30, 30)
_JOINT_RADIUS, _CONTACT_RADIUS, _BONE_RADIUS = 0.004, 0.005, 0.0015
_TABLE = 0.5  # metres from the origin to the edges of the table that is drawn
_HALF_PIXEL = 0.5  # the viewer counts from the corner of the first pixel, we from its centre


def write_rerun(
    trajectory: Trajectory, path: Path, *, clip: Clip | None = None, masks: MaskSequence | None = None
) -> Path:
    """Write an ``.rrd`` with a blueprint; returns the path.

    World frame, metres; timelines ``frame`` and ``clip`` (seconds). Every transform is logged whole, translation,
    rotation and scale, for a viewer keeps what a later one leaves out. In frames that are not valid things shrink to
    nothing.

    Args:
        trajectory: what to write.
        path: the ``.rrd``.
        clip: its pictures, undistorted as ``trajectory.camera`` has them; left out where None.
        masks: its masks.

    Raises:
        InputError: pictures or masks of another size or number.
        MissingExtraError: no ``rerun-sdk``.
    """
    rr = require("rerun", "view3d", "the 3D view")
    _check(trajectory, clip, masks)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.stem}.part.rrd")
    stream = rr.RecordingStream(APPLICATION, recording_id=path.stem)
    with unwritable_is_bad_input(path):
        temporary.touch()
    stream.save(str(temporary), default_blueprint=_blueprint(trajectory, clip is not None))
    log = _Log(rr, stream, trajectory)
    log.camera()
    log.objects()
    for side in trajectory.hands:
        log.hand(side)
    log.contacts()
    log.table()
    if clip is not None:
        log.pictures(clip)
    if masks is not None:
        log.masks(masks)
    stream.flush()
    stream.disconnect()
    with unwritable_is_bad_input(path):
        os.replace(temporary, path)
    return path


def _check(trajectory: Trajectory, clip: Clip | None, masks: MaskSequence | None) -> None:
    camera = trajectory.camera
    wanted = (camera.width, camera.height)
    if clip is not None and ((clip.width, clip.height) != wanted or clip.num_frames < trajectory.num_frames):
        raise InputError(
            f"the clip has {clip.num_frames} frames of {clip.width}x{clip.height}, but the trajectory "
            f"{trajectory.num_frames} of {camera.width}x{camera.height}"
        )
    if masks is not None and (
        (masks.width, masks.height) != wanted or masks.num_frames < trajectory.num_frames
    ):
        raise InputError(
            f"masks are of {masks.width}x{masks.height}, but the trajectory of {wanted[0]}x{wanted[1]}"
        )


class _Log:
    """Writes the parts of one trajectory into a recording."""

    def __init__(self, rr: Any, stream: Any, trajectory: Trajectory) -> None:
        self.rr, self.stream, self.trajectory = rr, stream, trajectory
        self.names = plain_names(trajectory.objects)
        self.colors = object_colors(trajectory.objects)
        up = rr.ViewCoordinates.RIGHT_HAND_Z_UP if stands_on_table(trajectory) else rr.ViewCoordinates.RDF
        stream.log("world", up, static=True)

    def objects(self) -> None:
        rr, t = self.rr, self.trajectory
        for name, obj in t.objects.items():
            place = f"world/{self.names[name]}"
            self._transforms(place, world_from_object(t, name), obj.valid)
            self.stream.log(f"{place}/mesh", self._mesh(obj.mesh, self.colors[name]), static=True)
            curve = f"confidence/{self.names[name]}"
            self.stream.log(curve, rr.SeriesLines(colors=[self.colors[name]], names=[name]), static=True)
            shown = np.where(obj.valid, obj.confidence, 0.0)
            self._columns(curve, rr.Scalars.columns(scalars=shown))

    def hand(self, side: str) -> None:
        rr, t, color = self.rr, self.trajectory, HAND_COLORS[side]
        hand, joints, skin = t.hands[side], world_joints(t, side), hand_skin(t, side)
        place, n = f"world/{side}_hand", t.num_frames
        self._transforms(place, np.tile(np.eye(4), (n, 1, 1)), hand.valid)
        self.stream.log(
            f"{place}/joints", rr.Points3D.from_fields(colors=[color], radii=[_JOINT_RADIUS]), static=True
        )
        columns = rr.Points3D.columns(positions=joints.reshape(-1, 3))
        self._columns(f"{place}/joints", columns.partition([joints.shape[1]] * n))
        self.stream.log(
            f"{place}/bones", rr.LineStrips3D.from_fields(colors=[color], radii=[_BONE_RADIUS]), static=True
        )
        bones = [(j, p) for j, p in enumerate(JOINT_PARENTS) if p >= 0]
        strips = joints[:, bones].reshape(-1, 2, 3)
        self._columns(f"{place}/bones", rr.LineStrips3D.columns(strips=strips).partition([len(bones)] * n))
        model = skin.model
        look = rr.Mesh3D.from_fields(triangle_indices=model.faces, vertex_colors=model.vertex_colors)
        self.stream.log(f"{place}/skin", look, static=True)
        points = np.stack([skin.vertices(frame) for frame in range(n)]).astype(np.float32)
        columns = rr.Mesh3D.columns(vertex_positions=points.reshape(-1, 3))
        self._columns(f"{place}/skin", columns.partition([points.shape[1]] * n))
        curve = f"confidence/{side}_hand"
        self.stream.log(curve, rr.SeriesLines(colors=[color], names=[f"{side} hand"]), static=True)
        self._columns(curve, rr.Scalars.columns(scalars=np.where(hand.valid, hand.confidence, 0.0)))

    def contacts(self) -> None:
        rr, t = self.rr, self.trajectory
        if t.contacts is None:
            return
        for row, (side, name) in enumerate(t.contacts.pairs):
            touching = t.contacts.touching[row] & t.contacts.valid[row][:, None]
            places = transform_points(world_from_object(t, name), t.contacts.nearest[row])
            place = f"world/contacts/{side}_hand_{self.names[name]}"
            look = rr.Points3D.from_fields(colors=[_CONTACT], radii=[_CONTACT_RADIUS])
            self.stream.log(place, look, static=True)
            columns = rr.Points3D.columns(positions=places[touching])
            self._columns(place, columns.partition(touching.sum(1).tolist()))

    def table(self) -> None:
        if not stands_on_table(self.trajectory):
            return
        corners = _TABLE * np.array([[-1.0, -1, 0], [1, -1, 0], [1, 1, 0], [-1, 1, 0]])
        plane = self.rr.Mesh3D(
            vertex_positions=corners, triangle_indices=[[0, 1, 2], [0, 2, 3]], albedo_factor=[*GREY, 255]
        )
        self.stream.log("world/table", plane, static=True)

    def camera(self) -> None:
        rr, t = self.rr, self.trajectory
        pose = t.world_from_camera
        self.stream.log("world/camera", self._transform(pose), static=True)
        K = t.camera.K.copy()
        K[:2, 2] += _HALF_PIXEL
        lens = rr.Pinhole(
            image_from_camera=K,
            resolution=[t.camera.width, t.camera.height],
            camera_xyz=rr.ViewCoordinates.RDF,
            image_plane_distance=0.15,
        )
        self.stream.log("world/camera/image", lens, static=True)

    def pictures(self, clip: Clip) -> None:
        blobs = [_coded(clip.frame(i), "JPEG") for i in range(self.trajectory.num_frames)]
        self._pictures("world/camera/image/film", blobs, "image/jpeg")

    def masks(self, masks: MaskSequence) -> None:
        palette = np.zeros((256, 4), np.uint8)
        colors = object_colors([*self.trajectory.objects, *(n for n in masks.names if n not in self.names)])
        for label, name in enumerate(masks.names, start=1):
            palette[label] = [*colors[name], _TINT]
        palette[OCCLUDER] = [*GREY, _TINT]
        blobs = [_coded(palette[masks.labels(i)], "PNG") for i in range(self.trajectory.num_frames)]
        self._pictures("world/camera/image/masks", blobs, "image/png")

    def _pictures(self, place: str, blobs: list[bytes], kind: str) -> None:
        rr = self.rr
        columns = rr.EncodedImage.columns(blob=blobs, media_type=[kind] * len(blobs))
        self._columns(place, columns)

    def _transforms(self, place: str, poses: Array, valid: NDArray[np.bool_]) -> None:
        turns = np.roll(continuous_quaternions(poses[:, :3, :3]), -1, axis=1)
        size = np.where(valid, 1.0, _HIDDEN)[:, None] * np.ones(3)
        columns = self.rr.Transform3D.columns(translation=poses[:, :3, 3], quaternion=turns, scale=size)
        self._columns(place, columns)

    def _transform(self, pose: Array) -> Any:
        turn = np.roll(continuous_quaternions(pose[None, :3, :3])[0], -1)
        return self.rr.Transform3D(translation=pose[:3, 3], quaternion=turn, scale=[1.0, 1.0, 1.0])

    def _mesh(self, mesh: Mesh, color: RGB) -> Any:
        index, faces, uv = split_corners(mesh)
        more: dict[str, Any] = {"albedo_factor": [*color, 255]}
        if uv is not None:
            more = {"vertex_texcoords": uv * [1.0, -1.0] + [0.0, 1.0], "albedo_texture": mesh.texture}
        elif mesh.vertex_colors is not None:
            more = {"vertex_colors": mesh.vertex_colors[index]}
        return self.rr.Mesh3D(vertex_positions=mesh.vertices[index], triangle_indices=faces, **more)

    def _columns(self, place: str, columns: Any) -> None:
        t = self.trajectory
        times = [
            self.rr.TimeColumn(FRAME, sequence=np.arange(t.num_frames)),
            self.rr.TimeColumn(CLIP, duration=t.frame_times),
        ]
        self.stream.send_columns(place, times, columns)


def _blueprint(trajectory: Trajectory, filmed: bool) -> Any:
    import rerun.blueprint as rrb

    scene = rrb.Spatial3DView(
        origin="/world", contents=["/world/**", "- /world/camera/image/masks"], name="world"
    )
    curves = rrb.TimeSeriesView(origin="/confidence", name="confidence")
    if not filmed:
        return rrb.Blueprint(rrb.Vertical(scene, curves, row_shares=[3, 1]))
    film = rrb.Spatial2DView(
        origin="/world/camera/image", contents=["/world/**", "- /world/table"], name="film"
    )
    return rrb.Blueprint(
        rrb.Horizontal(scene, rrb.Vertical(film, curves, row_shares=[2, 1]), column_shares=[3, 2])
    )


def _coded(picture: NDArray[np.uint8], kind: str) -> bytes:
    from PIL import Image

    buffer = io.BytesIO()
    more = {"quality": _JPEG_QUALITY} if kind == "JPEG" else {"compress_level": 3}
    Image.fromarray(picture).save(buffer, kind, **more)
    return buffer.getvalue()
