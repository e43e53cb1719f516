"""Shapes of objects and of hands as the page draws them: few faces, colours or a small texture."""

from __future__ import annotations

import base64
from dataclasses import replace
from typing import Any

import numpy as np
from scipy.spatial import cKDTree

from dexman_pose.data import Mesh, Trajectory
from dexman_pose.data.meshes.corners import split_corners
from dexman_pose.geometry import quaternion_from_matrix
from dexman_pose.geometry.clustering import clustered
from dexman_pose.hands.model.moving import hand_skin
from dexman_pose.imaging.resize import resize_picture
from dexman_pose.viewer.replay.pack import Pack
from dexman_pose.viewer.replay.pictures import jpeg
from dexman_pose.viewer.replay.shown import ReplayOptions

_COARSER = 0.7
_FEWEST_CELLS = 8
_INFLUENCES = 4
_SHORT = 1 << 16


def add_shape(pack: Pack, key: str, mesh: Mesh, options: ReplayOptions) -> dict[str, Any]:
    """Put an object's mesh into the page's arrays.

    Args:
        pack: the arrays.
        key: before the names of its arrays.
        mesh: metres.
        options: how fine it may be.

    Returns:
        What the script needs of it besides: middle, radius, the texture as an address.
    """
    small = coarse(mesh, options)
    index, faces, uv = split_corners(small)
    pack.rounded(f"{key}.vertices", small.vertices[index])
    pack.whole(f"{key}.faces", _indices(faces))
    about: dict[str, Any] = {
        "center": mesh.center.tolist(),
        "radius": mesh.radius,
        "faces": len(faces),
        "of": len(mesh.faces),
    }
    if small.texture is not None and uv is not None:
        pack.rounded(f"{key}.uv", uv)
        about["texture"] = _texture(small.texture, options)
    elif small.vertex_colors is not None:
        pack.whole(f"{key}.colors", small.vertex_colors[index])
    return about


def coarse(mesh: Mesh, options: ReplayOptions) -> Mesh:
    """A mesh of at most so many faces; one that is made coarser has colours of vertices in place of a texture."""
    cells, small = options.cells, mesh
    while len(small.faces) > options.faces and cells > _FEWEST_CELLS:
        found = clustered(mesh.vertices, mesh.faces, cells)
        if found is not None:
            small = Mesh(*found, source=mesh.source)
        cells = int(_COARSER * cells)
    if small is mesh:
        return mesh
    places, colors = _colored_places(mesh)
    if colors is None:
        return small
    return replace(small, vertex_colors=colors[cKDTree(places).query(small.vertices)[1]])


def _colored_places(mesh: Mesh) -> tuple[Any, Any]:
    """Places on a mesh and the colours there, None where it has none."""
    if mesh.texture is None or mesh.uv is None:
        return mesh.vertices, mesh.vertex_colors
    height, width = mesh.texture.shape[:2]
    u, v = np.moveaxis(mesh.uv.reshape(-1, 2) % 1.0, 1, 0)
    columns = np.minimum((u * width).astype(int), width - 1)
    rows = np.minimum(((1.0 - v) * height).astype(int), height - 1)
    return mesh.vertices[mesh.faces.reshape(-1)], mesh.texture[rows, columns]


def _texture(texture: Any, options: ReplayOptions) -> str:
    height, width = texture.shape[:2]
    share = min(1.0, options.texture / max(height, width))
    size = (max(1, round(share * width)), max(1, round(share * height)))
    small = texture if share == 1.0 else resize_picture(texture, size)
    return base64.b64encode(jpeg(np.ascontiguousarray(small), options.quality)).decode("ascii")


def add_skin(
    pack: Pack, key: str, trajectory: Trajectory, side: str, frames: Any, options: ReplayOptions
) -> None:
    """Put the skin of a hand into the page's arrays: at rest, and how palm and bones move.

    Nothing where the trajectory holds joints alone: to fit a hand to them takes longer than the whole page.
    """
    hand = trajectory.hands[side]
    if hand.angles is None:
        return
    skin = hand_skin(trajectory, side, resolution=options.skin)
    strong = np.argsort(-skin.weights, axis=1, kind="stable")[:, :_INFLUENCES]
    share = np.take_along_axis(skin.weights, strong, axis=1)
    pack.rounded(f"{key}.rest", skin.model.rest_vertices)
    pack.whole(f"{key}.faces", _indices(skin.model.faces))
    pack.whole(f"{key}.bone", strong.astype(np.uint8))
    pack.whole(f"{key}.weight", np.rint(255 * share / share.sum(1, keepdims=True)).astype(np.uint8))
    moving = replace(skin, pose=skin.pose[frames], world_from_hand=skin.world_from_hand[frames])
    camera_from_world = np.linalg.inv(trajectory.world_from_camera)
    placed = (camera_from_world @ moving.world_from_hand)[:, None] @ moving.bones()
    known = hand.valid[frames]
    pack.rounded(f"{key}.bone_at", placed[..., :3, 3], known)
    pack.rounded(f"{key}.bone_turn", quaternion_from_matrix(placed[..., :3, :3]), known)


def _indices(faces: Any) -> Any:
    return faces.astype(np.uint16 if faces.size == 0 or faces.max() < _SHORT else np.uint32)
