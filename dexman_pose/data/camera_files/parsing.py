"""From a file to the cameras in it: numbers, JSON, YAML, XML, numpy arrays, COLMAP's and RealSense's text."""

from __future__ import annotations

import io
import json
import re
import zipfile
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import yaml

from dexman_pose.data.camera_files.colmap import binary_cameras, text_cameras
from dexman_pose.data.camera_files.found import FoundCamera
from dexman_pose.data.camera_files.mapping import cameras_in
from dexman_pose.data.camera_files.plain_text import number_cameras, realsense_cameras
from dexman_pose.errors import InputError

LARGEST = 32 << 20
"""Bytes: a larger file is no camera file. The cameras of a long clip's frames take a few megabytes."""

LARGEST_YAML = 1 << 20
"""Characters of YAML, which takes seconds a megabyte, and of bare numbers."""

_DEEPEST = 40
_OPENCV_TAG = re.compile(r"!!(?:python/\S+|opencv-\w+|map|seq)")
_IN_FOLDERS = (
    "cameras.bin",
    "cameras.txt",
    "scene_camera.json",
    "camera.json",
    "camera_data.json",
    "cam_K.txt",
    "transforms.json",
)
"""What a folder is read by: COLMAP's, BOP's, MegaPose's, FoundationPose's, nerfstudio's."""


def cameras_of(path: Path) -> list[FoundCamera]:
    """All cameras of a file; which format it is follows from its content.

    Raises:
        InputError: it cannot be read, is too large, or of none of the formats.
    """
    if path.is_dir():
        path = next((path / name for name in _IN_FOLDERS if (path / name).is_file()), path)
    try:
        if path.stat().st_size > LARGEST:
            raise InputError(f"it has {path.stat().st_size >> 20} MB; a camera file is small")
        data = path.read_bytes()
    except OSError as error:
        raise InputError(f"cannot read the camera file: {error.strerror or error}") from error
    if data[:6] == b"\x93NUMPY" or data[:4] == b"PK\x03\x04":
        return list(cameras_in(_arrays(data)))
    if path.suffix.lower() == ".bin":
        return binary_cameras(data)
    return _text_cameras(_decoded(data))


def _arrays(data: bytes) -> Any:
    """What an npy or npz file holds, as mappings and lists."""
    if data[:4] == b"PK\x03\x04":
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            if sum(entry.file_size for entry in archive.infolist()) > LARGEST:
                raise InputError("it unpacks to more than a camera file holds")
    loaded = np.load(io.BytesIO(data), allow_pickle=False)
    if isinstance(loaded, np.ndarray):
        return {"K": loaded}
    with loaded:
        found = {name: loaded[name] for name in loaded.files}
    return {name: a.item() if a.size == 1 and a.ndim == 0 else a for name, a in found.items()}


def _decoded(data: bytes) -> str:
    """The text of a file; UTF-16, which Windows' shells write, is known by its first bytes."""
    utf16 = data[:2] in (b"\xff\xfe", b"\xfe\xff")
    try:
        text = data.decode("utf-16" if utf16 else "utf-8-sig")
    except UnicodeError as error:
        raise InputError("cannot read the camera file: it is not text") from error
    if "\x00" in text or (utf16 and not text.isascii()):
        raise InputError("cannot read the camera file: it is not text")
    return text


def _text_cameras(text: str) -> list[FoundCamera]:
    if text.lstrip()[:5] == "<?xml" or text.lstrip().startswith("<opencv_storage"):
        return list(cameras_in(_xml(text)))
    for reader in (number_cameras, text_cameras, realsense_cameras):
        found = reader(text) if len(text) <= LARGEST_YAML else []
        if found:
            return found
    return [camera for document in _documents(text) for camera in cameras_in(document)] or _nothing(text)


def _nothing(text: str) -> list[FoundCamera]:
    """Say what the file holds instead of a camera."""
    values = next(iter(_documents(text)), None)
    if isinstance(values, dict):
        names = ", ".join(sorted(str(key) for key in list(values)[:20])) or "nothing"
        raise InputError(f"no intrinsics found among {names[:200]}")
    return []


def _documents(text: str) -> list[Any]:
    """The values of JSON, or of all documents of YAML."""
    if text.lstrip()[:1] in ("{", "["):
        try:
            return [json.loads(text)]
        except ValueError:
            pass  # YAML has such lists too
    if len(text) > LARGEST_YAML:
        raise InputError(f"it has {len(text) >> 20} MB of YAML; a camera file is small")
    # OpenCV writes "%YAML:1.0", which YAML does not allow, and tags of its own.
    lines = [line for line in text.splitlines() if not line.startswith("%YAML")]
    cleaned = _OPENCV_TAG.sub("", "\n".join(lines))
    try:
        _check_events(cleaned)
        return [document for document in yaml.load_all(cleaned, Loader=_loader()) if document is not None]
    except (ValueError, yaml.YAMLError) as error:
        where = " ".join(str(error).split())[:200]
        raise InputError(f"it is neither JSON nor YAML that can be read: {where}") from error


def _loader() -> Any:
    return getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def _check_events(text: str) -> None:
    """Refuse aliases, which can make a small file huge, and deep nesting, before anything is built."""
    depth = 0
    for event in yaml.parse(text, Loader=_loader()):
        if isinstance(event, yaml.AliasEvent):
            raise InputError("YAML with aliases (*) is not read; write the values out")
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        if depth > _DEEPEST:
            raise InputError("it is nested too deeply for a camera file")


def _xml(text: str) -> Any:
    """Values of OpenCV's XML."""
    if "<!DOCTYPE" in text or "<!ENTITY" in text:
        raise InputError("XML with declarations of its own is not read")
    try:
        return _element(ElementTree.fromstring(text), 0)
    except ElementTree.ParseError as error:
        raise InputError(f"it is no XML that can be read: {error}") from error


def _element(element: ElementTree.Element, depth: int) -> Any:
    if depth > _DEEPEST:
        raise InputError("it is nested too deeply for a camera file")
    children = list(element)
    if children:
        values = {child.tag: _element(child, depth + 1) for child in children}
        if isinstance(values.get("data"), str):
            values["data"] = values["data"].split()
        return values
    return (element.text or "").strip().strip('"')
