"""What the stages keep on disk between them, as plain npz arrays.

Hands in space and objects are kept as trajectory files that hold only them: the trajectory file is the one
place where their layout is written down.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dexman_pose.data.camera import Camera
from dexman_pose.data.files import read_arrays, write_npz
from dexman_pose.data.lenses.models import Lens
from dexman_pose.data.masks import MaskSequence
from dexman_pose.data.prompts import ObjectPrompt
from dexman_pose.data.tracks import Contacts, HandObservations

_OBSERVATIONS = ("joints_2d", "joints_local", "detected", "bridged", "score")
_PROMPT = ("box", "points", "mask")
_CONTACTS = ("distance", "touching", "nearest", "valid")


def save_observations(observations: HandObservations, path: Path) -> None:
    """Write what a hand detector saw."""
    write_npz(path, {name: getattr(observations, name) for name in _OBSERVATIONS})


def load_observations(path: Path) -> HandObservations:
    """Read what :func:`save_observations` wrote."""
    stored = read_arrays(path)
    return HandObservations(**{name: stored[name] for name in _OBSERVATIONS})


def save_prompts(prompts: dict[str, ObjectPrompt], path: Path) -> None:
    """Write where each object is; meshes are inputs of a run and not kept."""
    arrays: dict[str, NDArray[Any]] = {
        "names": np.array(list(prompts)),
        "frames": np.zeros(len(prompts), int),
    }
    for i, prompt in enumerate(prompts.values()):
        arrays["frames"][i] = prompt.frame
        for part in _PROMPT:
            value = getattr(prompt, part)
            if value is not None:
                arrays[f"{i}/{part}"] = value
    write_npz(path, arrays)


def load_prompts(path: Path) -> dict[str, ObjectPrompt]:
    """Read what :func:`save_prompts` wrote."""
    stored = read_arrays(path)
    out = {}
    for i, (name, frame) in enumerate(zip(stored["names"], stored["frames"])):
        box, points, mask = (stored.get(f"{i}/{part}") for part in _PROMPT)
        out[str(name)] = ObjectPrompt(box, points, mask, int(frame))
    return out


def save_masks(masks: MaskSequence, path: Path) -> None:
    """Write the label images of a clip."""
    write_npz(path, masks.to_arrays())


def load_masks(path: Path) -> MaskSequence:
    """Read what :func:`save_masks` wrote."""
    return MaskSequence.from_arrays(read_arrays(path))


def save_camera(camera: Camera, path: Path) -> None:
    """Write intrinsics and where they come from."""
    distortion = np.zeros(0) if camera.distortion is None else camera.distortion
    size = np.array([camera.width, camera.height])
    write_npz(
        path,
        {
            "K": camera.K,
            "size": size,
            "distortion": distortion,
            "lens_model": np.array("" if camera.lens is None else camera.lens.model),
            "lens": np.zeros(0) if camera.lens is None else camera.lens.coefficients,
            "source": np.array(camera.source),
        },
    )


def load_camera(path: Path) -> Camera:
    """Read what :func:`save_camera` wrote."""
    stored = read_arrays(path)
    width, height = (int(n) for n in stored["size"])
    distortion = stored["distortion"] if stored["distortion"].size else None
    source, model = str(stored["source"]), str(stored["lens_model"])
    lens = Lens(model, stored["lens"]) if model else None  # type: ignore[arg-type]
    return Camera(stored["K"], width, height, distortion, source, lens)  # type: ignore[arg-type]


def save_contacts(contacts: Contacts, path: Path) -> None:
    """Write who touches what."""
    arrays = {name: getattr(contacts, name) for name in _CONTACTS}
    arrays["pairs"] = np.array(contacts.pairs, dtype=str).reshape(-1, 2)
    arrays["thresholds"] = np.array([contacts.threshold_on, contacts.threshold_off])
    write_npz(path, arrays)


def load_contacts(path: Path) -> Contacts:
    """Read what :func:`save_contacts` wrote."""
    stored = read_arrays(path)
    pairs = tuple((str(side), str(name)) for side, name in stored["pairs"])
    on, off = (float(x) for x in stored["thresholds"])
    return Contacts(pairs, threshold_on=on, threshold_off=off, **{name: stored[name] for name in _CONTACTS})
