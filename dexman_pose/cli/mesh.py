"""``dexman-pose mesh``: meshes of objects, made of a clip, or by a program of your own from a picture of one."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dexman_pose.cli.parts.device import add_device
from dexman_pose.errors import InputError

if TYPE_CHECKING:
    from dexman_pose.data import Clip, MaskSequence, Mesh
    from dexman_pose.meshing.generated.request import MeshRequest

_MESH_SUFFIXES = (".glb", ".obj", ".ply")


def add(subparsers: Any) -> None:
    """Add the command to the parser."""
    p: argparse.ArgumentParser = subparsers.add_parser(
        "mesh",
        help="make the mesh of an object: of a clip with depth, or by a network from a picture",
        description="Meshes of objects that have none.",
    )
    ways = p.add_subparsers(dest="way", required=True, metavar="WAY")
    clip = ways.add_parser(
        "clip",
        help="make a mesh of an object of a clip",
        description="Make a closed, coloured mesh of an object: of depth images, or by a network in another "
        "environment (docs/backends.md).",
    )
    _add_clip(clip)
    clip.add_argument("--out", required=True, type=Path, metavar="FILE.glb", help="also .obj or .ply")
    clip.add_argument(
        "--backend",
        default="depth",
        metavar="NAME",
        help="depth (default), depth_open3d, shap_e:FOLDER, outside:FILE.yaml, or another package's",
    )
    add_device(clip)
    clip.set_defaults(handler=_make)
    picture = ways.add_parser(
        "picture",
        help="write the picture of an object that an image-to-3D program wants",
        description="Write the object, cut out of the frame that shows it least hidden, sharpest and largest, on a "
        "transparent square.",
    )
    _add_clip(picture)
    picture.add_argument("--out", required=True, type=Path, metavar="FILE.png")
    picture.set_defaults(handler=_picture)
    clean = ways.add_parser(
        "clean",
        help="make a mesh of another program fit for use",
        description="Drop crumbs, close gaps, make it coarser where it is too fine, centre it, and say what a "
        "simulator would make of it. Use it with run --mesh NAME=FILE.glb --mesh-scale NAME=unknown.",
    )
    clean.add_argument("mesh", metavar="FILE")
    clean.add_argument("--out", required=True, type=Path, metavar="FILE.glb", help="also .obj or .ply")
    clean.add_argument("--metric", action="store_true", help="its size is true; else it gets one in the clip")
    clean.set_defaults(handler=_clean)


def _add_clip(p: argparse.ArgumentParser) -> None:
    p.add_argument("video", metavar="VIDEO", help="video file, or folder of images")
    p.add_argument(
        "--masks", required=True, metavar="PATH", help="masks of the object, or masks.npz of a run"
    )
    p.add_argument("--name", metavar="NAME", help="of the object, where the masks show several")
    p.add_argument("--depth", metavar="PATH", help="depth images of the same frames, registered to them")
    p.add_argument("--depth-unit", default="auto", metavar="UNIT", help="m, cm, mm, or metres of one step")
    camera = p.add_mutually_exclusive_group()
    camera.add_argument("--camera", metavar="FILE", help="camera file (docs/cameras.md)")
    camera.add_argument("--K", dest="k", metavar="FX,FY,CX,CY", help="intrinsics in pixels of the video")


def _make(args: argparse.Namespace) -> int:
    from dexman_pose.backends import MESH
    from dexman_pose.cli.parts.console import shown
    from dexman_pose.meshing.generated.request import MadeMesh
    from dexman_pose.networks.device import networks_on
    from dexman_pose.pipeline.backends import check_needs
    from dexman_pose.pipeline.given_objects import OWN_SHAPES

    _check_suffix(args.out)
    if args.backend == OWN_SHAPES:
        raise InputError("--backend silhouette works inside a run alone: dexman-pose run without --mesh")
    check_needs(MESH, args.backend)
    with shown(), networks_on(args.device):
        made: MadeMesh = MESH.load(args.backend)(_request(args))
    for note in made.notes:
        print(note)
    return _kept(made.mesh, args.out, metric=made.metric)


def _picture(args: argparse.Namespace) -> int:
    from PIL import Image

    from dexman_pose.data.files import unwritable_is_bad_input
    from dexman_pose.meshing.generated.picture import best_picture

    if args.out.suffix.lower() != ".png":
        raise InputError(f"--out must be a .png file, but got {args.out}")
    clip = _clip(args)
    masks, name = _masks(args, clip)
    found = best_picture(clip, masks, name)
    with unwritable_is_bad_input(args.out):
        args.out.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(found.rgba).save(args.out)
    print(f"{args.out}: frame {found.frame}, {found.free:.0%} of the object's edge are free")
    return 0


def _clean(args: argparse.Namespace) -> int:
    from dexman_pose.meshing import load_mesh
    from dexman_pose.meshing.generated.clean import cleaned

    _check_suffix(args.out)
    mesh = cleaned(load_mesh(args.mesh), "file", metric=args.metric)
    return _kept(mesh, args.out, metric=args.metric)


def _kept(mesh: Mesh, out: Path, *, metric: bool) -> int:
    """Write a mesh and say what a simulator would make of it."""
    from dexman_pose.errors import MissingExtraError
    from dexman_pose.meshing.generated.clean import is_closed
    from dexman_pose.robot.objects.mass import mass_properties
    from dexman_pose.robot.objects.pieces import convex_pieces

    out.parent.mkdir(parents=True, exist_ok=True)
    mesh.save(out)
    sides = " x ".join(f"{1e3 * side:.1f}" for side in mesh.extents)
    size = f"{sides} mm" if metric else "no size of its own: run it with --mesh-scale unknown"
    state = "closed" if is_closed(mesh) else "not closed"
    print(f"{out}: {len(mesh.vertices)} vertices, {len(mesh.faces)} faces, {state}, {size}")
    try:
        pieces = convex_pieces(mesh)
    except MissingExtraError as error:
        print(error)
        return 0
    mass = mass_properties(mesh, pieces)
    weight = f"{1e3 * mass.mass:.0f} g at the usual density" if metric else "mass follows its size"
    print(f"{len(pieces)} convex pieces; {weight}")
    return 0


def _request(args: argparse.Namespace) -> MeshRequest:
    from dexman_pose.cli.parts.camera import camera_given
    from dexman_pose.data.accept import as_camera
    from dexman_pose.given.depth import read_depth
    from dexman_pose.imaging.undistorted_inputs import undistorted_views
    from dexman_pose.meshing.generated.request import MeshRequest
    from dexman_pose.pipeline.inputs import assumed_camera

    clip = _clip(args)
    given = camera_given(args, clip)
    camera = None if given is None else as_camera(given, (clip.height, clip.width))
    if camera is None and args.depth is not None:
        raise InputError("--depth needs the camera of the pictures: --camera FILE or --K FX,FY,CX,CY")
    camera = assumed_camera(clip) if camera is None else camera
    depth = None if args.depth is None else read_depth(args.depth, clip, unit=args.depth_unit).depth
    masks, name = _masks(args, clip)
    clip, masks, camera, depth = undistorted_views(clip, masks, camera, depth)
    return MeshRequest(clip, masks, name, camera, depth)


def _clip(args: argparse.Namespace) -> Clip:
    from dexman_pose.pipeline.inputs import open_clip

    return open_clip(args.video, None)


def _masks(args: argparse.Namespace, clip: Clip) -> tuple[MaskSequence, str]:
    """The masks, and the name of the object that is meant."""
    from dexman_pose.data.masks import OCCLUDER
    from dexman_pose.given.mask_labels import label_masks
    from dexman_pose.given.masks import merged_if_single, named_masks, read_masks

    found = read_masks(args.masks, clip)
    keys = [key for key in found.known if key and key != str(OCCLUDER)]
    if args.name is None and len(keys) > 1:
        raise InputError(
            f"{args.masks} holds masks of {', '.join(keys)}; say which object is meant by --name"
        )
    name = args.name or (keys[0] if keys else "object")
    # The others hide it: their masks are needed too.
    wanted: dict[str, None] = dict.fromkeys(keys if name in keys and len(keys) > 1 else [name])
    return label_masks(named_masks(merged_if_single(found, wanted), wanted), clip, None), name


def _check_suffix(path: Path) -> None:
    if path.suffix.lower() not in _MESH_SUFFIXES:
        raise InputError(f"--out must end in {', '.join(_MESH_SUFFIXES)}, but got {path}")
