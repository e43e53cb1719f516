"""A trajectory as an animated USD stage: z up where there is a table, metres, time codes that are frames."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dexman_pose._optional import require
from dexman_pose.arrays import Array
from dexman_pose.data import JOINT_NAMES, Mesh, Trajectory
from dexman_pose.data.files import unwritable_is_bad_input
from dexman_pose.data.meshes.light import linear_light
from dexman_pose.data.meshes.obj import texture_file
from dexman_pose.data.numbers import word
from dexman_pose.exports.gltf import HANDS
from dexman_pose.exports.scene import (
    continuous_quaternions,
    frame_rate,
    plain_names,
    stands_on_table,
    world_from_object,
    world_joints,
)
from dexman_pose.hands.model.moving import hand_skin
from dexman_pose.viewer.palette import HAND_COLORS, object_colors

_USD_FROM_OPENCV = np.diag([1.0, -1.0, -1.0, 1.0])
_JOINT_WIDTH = 0.008
_APERTURE = 36.0  # width of the sensor in tenths of scene units, as USD has it; only ratios count
_Y_UP_FROM_CAMERA = np.diag([1.0, -1.0, -1.0, 1.0])


def write_usd(trajectory: Trajectory, path: Path, *, hands: str = "both") -> Path:
    """Write a stage (``.usd``, ``.usda``, ``.usdc``) with textures in a folder beside it; returns the path.

    Poses are ``translate`` and ``orient`` ops in double precision: a matrix op would be blended entry by entry between
    frames. Time codes are frames, at the clip's rate: ``frame_times * rate``. Prims are invisible in frames that are
    not valid.

    Args:
        trajectory: what to write.
        path: of the stage.
        hands: ``skin``, ``joints`` or ``both``.

    Raises:
        MissingExtraError: no ``usd-core``.
    """
    word(hands, "hands", HANDS)
    require("pxr", "usd", "writing USD")
    from pxr import Usd, UsdGeom

    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.stem}.part{path.suffix}")
    stage = Usd.Stage.CreateInMemory()
    writer = _Stage(stage, trajectory, path)
    on_table = stands_on_table(trajectory)
    UsdGeom.SetStageUpAxis(stage, UsdGeom.Tokens.z if on_table else UsdGeom.Tokens.y)
    UsdGeom.SetStageMetersPerUnit(stage, 1.0)
    writer.objects()
    for side in trajectory.hands:
        writer.hand(side, hands)
    writer.camera()
    with unwritable_is_bad_input(path):
        stage.GetRootLayer().Export(str(temporary))
        os.replace(temporary, path)
    return path


class _Stage:
    """Puts the parts of one trajectory on a stage."""

    def __init__(self, stage: Any, trajectory: Trajectory, path: Path) -> None:
        from pxr import UsdGeom

        self.stage, self.trajectory, self.path = stage, trajectory, path
        rate = frame_rate(trajectory)
        self.times = (trajectory.frame_times * rate).tolist()
        stage.SetTimeCodesPerSecond(rate)
        stage.SetFramesPerSecond(rate)
        stage.SetStartTimeCode(self.times[0])
        stage.SetEndTimeCode(self.times[-1])
        world = UsdGeom.Xform.Define(stage, "/World")
        stage.SetDefaultPrim(world.GetPrim())
        if not stands_on_table(trajectory):
            # Without gravity the world is the camera's frame, whose y points down: it is turned once, as a whole.
            self._still(world, _Y_UP_FROM_CAMERA)

    def objects(self) -> None:
        from pxr import Sdf

        t = self.trajectory
        names, colors = plain_names(t.objects), object_colors(t.objects)
        for name, obj in t.objects.items():
            place = f"/World/{names[name]}"
            prim = self._frame(place, world_from_object(t, name), obj.valid)
            prim.GetPrim().CreateAttribute("userProperties:name", Sdf.ValueTypeNames.String).Set(name)
            shape = self._mesh(f"{place}/mesh", obj.mesh, colors[name])
            if obj.mesh.texture is not None:
                self._texture(shape, names[name], obj.mesh)

    def hand(self, side: str, shown: str) -> None:
        from pxr import UsdGeom, Vt

        t = self.trajectory
        holder = UsdGeom.Xform.Define(self.stage, f"/World/{side}_hand")
        self._visibility(holder, t.hands[side].valid)
        if shown != "skin":
            points = UsdGeom.Points.Define(self.stage, f"/World/{side}_hand/joints")
            points.CreateWidthsAttr([_JOINT_WIDTH] * len(JOINT_NAMES))
            points.CreateDisplayColorAttr([_color(HAND_COLORS[side])])
            joints = world_joints(t, side)
            for time, row in zip(self.times, joints):
                points.GetPointsAttr().Set(Vt.Vec3fArray.FromNumpy(row.astype(np.float32)), time)
        if shown != "joints":
            skin = hand_skin(t, side)
            model = skin.model
            surface = Mesh(model.rest_vertices, model.faces, vertex_colors=model.vertex_colors)
            shape = self._mesh(f"/World/{side}_hand/skin", surface, HAND_COLORS[side])
            for frame, time in enumerate(self.times):
                vertices = skin.vertices(frame).astype(np.float32)
                shape.GetPointsAttr().Set(Vt.Vec3fArray.FromNumpy(vertices), time)
                shape.GetExtentAttr().Set(
                    UsdGeom.PointBased.ComputeExtent(shape.GetPointsAttr().Get(time)), time
                )

    def camera(self) -> None:
        from pxr import UsdGeom

        camera = self.trajectory.camera
        prim = UsdGeom.Camera.Define(self.stage, "/World/camera")
        self._still(prim, self.trajectory.world_from_camera @ _USD_FROM_OPENCV)
        fx, fy, cx, cy = (float(camera.K[i, j]) for i, j in ((0, 0), (1, 1), (0, 2), (1, 2)))
        focal = fx * _APERTURE / camera.width
        tall = camera.height * focal / fy
        prim.CreateFocalLengthAttr(focal)
        prim.CreateHorizontalApertureAttr(_APERTURE)
        prim.CreateVerticalApertureAttr(tall)
        prim.CreateHorizontalApertureOffsetAttr((0.5 * (camera.width - 1) - cx) * _APERTURE / camera.width)
        prim.CreateVerticalApertureOffsetAttr((cy - 0.5 * (camera.height - 1)) * tall / camera.height)

    def _frame(self, place: str, poses: Array, valid: NDArray[np.bool_]) -> Any:
        from pxr import Gf, UsdGeom

        prim = UsdGeom.Xform.Define(self.stage, place)
        translate = prim.AddTranslateOp(UsdGeom.XformOp.PrecisionDouble)
        orient = prim.AddOrientOp(UsdGeom.XformOp.PrecisionDouble)
        turns = continuous_quaternions(poses[:, :3, :3]).tolist()
        for time, place_at, (w, x, y, z) in zip(self.times, poses[:, :3, 3].tolist(), turns):
            translate.Set(Gf.Vec3d(*place_at), time)
            orient.Set(Gf.Quatd(w, x, y, z), time)
        self._visibility(prim, valid)
        return prim

    def _still(self, prim: Any, pose: Array) -> None:
        from pxr import Gf, UsdGeom

        w, x, y, z = continuous_quaternions(pose[None, :3, :3])[0].tolist()
        prim.AddTranslateOp(UsdGeom.XformOp.PrecisionDouble).Set(Gf.Vec3d(*pose[:3, 3].tolist()))
        prim.AddOrientOp(UsdGeom.XformOp.PrecisionDouble).Set(Gf.Quatd(w, x, y, z))

    def _visibility(self, prim: Any, valid: NDArray[np.bool_]) -> None:
        from pxr import UsdGeom

        if valid.all():
            return
        shown = prim.CreateVisibilityAttr()
        for time, seen in zip(self.times, valid):
            shown.Set(UsdGeom.Tokens.inherited if seen else UsdGeom.Tokens.invisible, time)

    def _mesh(self, place: str, mesh: Mesh, color: tuple[int, int, int]) -> Any:
        from pxr import UsdGeom, Vt

        prim = UsdGeom.Mesh.Define(self.stage, place)
        prim.CreateSubdivisionSchemeAttr(UsdGeom.Tokens.none)
        prim.CreatePointsAttr(Vt.Vec3fArray.FromNumpy(mesh.vertices.astype(np.float32)))
        prim.CreateFaceVertexCountsAttr(Vt.IntArray.FromNumpy(np.full(len(mesh.faces), 3, np.int32)))
        prim.CreateFaceVertexIndicesAttr(Vt.IntArray.FromNumpy(np.ascontiguousarray(mesh.faces.reshape(-1))))
        prim.CreateExtentAttr(UsdGeom.PointBased.ComputeExtent(prim.GetPointsAttr().Get()))
        shown = prim.CreateDisplayColorPrimvar(
            UsdGeom.Tokens.constant if mesh.vertex_colors is None else UsdGeom.Tokens.vertex
        )
        rows = np.array([color], np.uint8) if mesh.vertex_colors is None else mesh.vertex_colors
        shown.Set(Vt.Vec3fArray.FromNumpy(linear_light(rows).astype(np.float32)))
        return prim

    def _texture(self, prim: Any, name: str, mesh: Mesh) -> None:
        """A preview surface with the texture, and its coordinates per corner."""
        from pxr import Sdf, UsdGeom, UsdShade, Vt

        picture = texture_file(self.path.parent / f"{self.path.stem}_textures" / name, mesh)
        assert mesh.uv is not None
        st = UsdGeom.PrimvarsAPI(prim).CreatePrimvar(
            "st", Sdf.ValueTypeNames.TexCoord2fArray, UsdGeom.Tokens.faceVarying
        )
        st.Set(Vt.Vec2fArray.FromNumpy(np.ascontiguousarray(mesh.uv.reshape(-1, 2), np.float32)))
        root = f"/World/{name}/look"
        look = UsdShade.Material.Define(self.stage, root)
        surface = UsdShade.Shader.Define(self.stage, f"{root}/surface")
        surface.CreateIdAttr("UsdPreviewSurface")
        surface.CreateInput("roughness", Sdf.ValueTypeNames.Float).Set(1.0)
        reader = UsdShade.Shader.Define(self.stage, f"{root}/st")
        reader.CreateIdAttr("UsdPrimvarReader_float2")
        reader.CreateInput("varname", Sdf.ValueTypeNames.String).Set("st")
        texture = UsdShade.Shader.Define(self.stage, f"{root}/texture")
        texture.CreateIdAttr("UsdUVTexture")
        asset = Sdf.AssetPath(f"./{picture.parent.name}/{picture.name}")
        texture.CreateInput("file", Sdf.ValueTypeNames.Asset).Set(asset)
        texture.CreateInput("sourceColorSpace", Sdf.ValueTypeNames.Token).Set("sRGB")
        for wrap in ("wrapS", "wrapT"):
            texture.CreateInput(wrap, Sdf.ValueTypeNames.Token).Set("repeat")
        coordinates = reader.CreateOutput("result", Sdf.ValueTypeNames.Float2)
        texture.CreateInput("st", Sdf.ValueTypeNames.Float2).ConnectToSource(coordinates)
        rgb = texture.CreateOutput("rgb", Sdf.ValueTypeNames.Float3)
        surface.CreateInput("diffuseColor", Sdf.ValueTypeNames.Color3f).ConnectToSource(rgb)
        out = surface.CreateOutput("surface", Sdf.ValueTypeNames.Token)
        look.CreateSurfaceOutput().ConnectToSource(out)
        UsdShade.MaterialBindingAPI.Apply(prim.GetPrim()).Bind(look)


def _color(color: tuple[int, int, int]) -> tuple[float, float, float]:
    r, g, b = (float(c) for c in linear_light(np.array(color, np.uint8)))
    return r, g, b
