"""``dexman-pose doctor``: what works on this machine, and the exact command that mends what does not."""

from __future__ import annotations

import argparse
import importlib
import json
import os
import platform
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

from dexman_pose.errors import InputError

if TYPE_CHECKING:
    from dexman_pose.backends import Stage


class Package(NamedTuple):
    """A distribution, the module it brings, and what here needs it."""

    distribution: str
    module: str
    purpose: str


CORE = (
    Package("numpy", "numpy", "arrays"),
    Package("trimesh", "trimesh", "mesh files"),
    Package("pillow", "PIL", "images"),
    Package("tqdm", "tqdm", "progress bars"),
    Package("pyyaml", "yaml", "model cards, camera files"),
)
ENGINE = (
    Package("scipy", "scipy", "spatial search, optimisation"),
    Package("torch", "torch", "rendering with gradients, networks"),
    Package("warp-lang", "warp", "the rasteriser"),
    Package("opencv-python-headless", "cv2", "segmentation, pose engine, drawing"),
)
VIDEO = (
    Package("av", "av", "reading and writing videos"),
    Package("ai-edge-litert", "ai_edge_litert", "the mediapipe hand detector"),
    Package("matplotlib", "matplotlib", "plots of the report"),
)
NETWORKS = (
    Package("segment-anything", "segment_anything", "the segmentation backend sam"),
    Package("transformers", "transformers", "the backends sam2, edgetam, depth_anything, depth_pro"),
)


def add(subparsers: Any) -> None:
    """Add the command to the parser."""
    p: argparse.ArgumentParser = subparsers.add_parser(
        "doctor",
        help="what works on this machine, and how to mend the rest",
        description="Print packages, models, devices and backends that work here, and the command that gets "
        "each missing one. The exit status is 0 whatever is missing.",
    )
    p.add_argument("--json", action="store_true", help="print it as JSON")
    p.set_defaults(handler=handle)


def handle(args: argparse.Namespace) -> int:
    """Print the state of this machine."""
    from dexman_pose._version import __version__

    if args.json:
        print(json.dumps(machine(), indent=1))
        return 0
    print(f"dexman-pose {__version__}, Python {platform.python_version()}, {platform.platform()}")
    missing = [
        *_packages("core", CORE, "pip install dexman-pose"),
        *_packages("engine (extra engine)", ENGINE, _extra("engine")),
        *_packages("video (extra video)", VIDEO, _extra("video")),
    ]
    _optional("networks (optional: extras sam, networks)", NETWORKS)
    print("devices")
    for line in _devices():
        print(f"  {line}")
    missing += _models()
    missing += _backends()
    if missing:
        print("to mend")
        for command in dict.fromkeys(missing):
            print(f"  {command}")
    else:
        print("everything works here")
    return 0


def machine() -> dict[str, Any]:
    """The state of this machine as plain values.

    Returns:
        ``version``, ``python``, ``platform``; ``packages``: versions by distribution, None where one cannot be imported
        (of networks: is not installed); ``devices``, as lines; ``models``: whether each lies here; ``backends`` by
        stage: None for one that works, else why it does not.
    """
    from dexman_pose._version import __version__
    from dexman_pose.data import model_store
    from dexman_pose.pipeline.versions import installed

    tried = {p.distribution: _import_problem(p.module) is None for p in (*CORE, *ENGINE, *VIDEO)}
    versions = {name: installed(name) or "unknown" if works else None for name, works in tried.items()}
    return {
        "version": __version__,
        "python": platform.python_version(),
        "platform": platform.platform(),
        "packages": versions | {p.distribution: installed(p.distribution) for p in NETWORKS},
        "devices": list(_devices()),
        "models": {name: model_store.path_of(name).exists() for name in model_store.names()},
        "backends": {stage: dict(found) for stage, found in _judged()},
    }


def _judged() -> Iterator[tuple[str, list[tuple[str, str | None]]]]:
    """Each stage's backends, with None, or why one does not work here."""
    from dexman_pose.backends import DEPTH, HANDS, MESH, SEGMENTATION
    from dexman_pose.pipeline.backends import check_needs

    for stage in (HANDS, SEGMENTATION, MESH, DEPTH):
        found: list[tuple[str, str | None]] = []
        for name in stage.names():
            try:
                check_needs(stage, name)
            except InputError as error:
                found.append((name, str(error)))
            else:
                found.append((name, None))
        yield stage.name, found


def _extra(name: str) -> str:
    return f"pip install 'dexman-pose[{name}]'"


def _packages(title: str, packages: tuple[Package, ...], command: str) -> list[str]:
    """Print one group of packages; gives the command that installs it when one of them cannot be used."""
    from dexman_pose.pipeline.versions import installed

    print(f"packages: {title}")
    bad = False
    for package in packages:
        problem = _import_problem(package.module)
        bad |= problem is not None
        state = (
            installed(package.distribution) or "unknown version"
            if problem is None
            else f"MISSING ({problem})"
        )
        print(f"  {package.distribution:<24} {state:<14} {package.purpose}")
    return [command] if bad else []


def _optional(title: str, packages: tuple[Package, ...]) -> None:
    """Print packages that nobody needs by default, without importing them."""
    from dexman_pose.pipeline.versions import installed

    print(f"packages: {title}")
    for package in packages:
        print(
            f"  {package.distribution:<24} {installed(package.distribution) or 'not here':<14} {package.purpose}"
        )


def _import_problem(module: str) -> str | None:
    """Why a module cannot be imported, or None. A broken binary shows only when it is imported."""
    try:
        importlib.import_module(module)
    except Exception as error:
        return " ".join(str(error).split())[:100] or type(error).__name__
    return None


def _devices() -> Iterator[str]:
    """The processors that the engine can run on."""
    yield f"cpu        {_cores()} cores"
    if _import_problem("torch") is not None or _import_problem("warp") is not None:
        yield "cuda       unknown: torch or warp cannot be imported"
        return
    import torch

    from dexman_pose._warp import wp

    names = [torch.cuda.get_device_name(i) for i in range(torch.cuda.device_count())]
    yield f"cuda       torch {torch.__version__}: {', '.join(names) or 'no device'}"
    found = [device.name for device in wp.get_cuda_devices()]
    yield f"cuda       warp {wp.__version__}: {', '.join(found) or 'no device'}"


def _cores() -> int:
    """Cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _models() -> list[str]:
    """Print the networks and their licences; no command, for nobody needs all of them."""
    from dexman_pose.data import model_store

    print(f"models in {model_store.folder()}")
    for name in model_store.names():
        there = model_store.path_of(name).exists()
        wrong = model_store.problem(name) if there else None
        state = "not here" if not there else "here" if wrong is None else f"DAMAGED: {wrong}"
        print(f"  {name:<36} {state:<10} {model_store.terms(name)}")
    return []


def _backends() -> list[str]:
    """Print what each backend needs and whether it works here; gives the commands for the default ones."""
    from dexman_pose.backends import DEPTH, HANDS, MESH, SEGMENTATION
    from dexman_pose.pipeline.backends import Backends

    print("backends")
    stages = {stage.name: stage for stage in (HANDS, SEGMENTATION, MESH, DEPTH)}
    default = {Backends().hands, Backends().segmentation, Backends().mesh}
    commands = []
    for stage, found in _judged():
        for name, why in found:
            if why is None:
                print(f"  {stage:<14} {name:<16} works here{_resources(stages[stage], name)}")
                continue
            commands += [why.rpartition(": ")[2]] if name in default else []
            print(f"  {stage:<14} {name:<16} does not work here: {why}")
    return commands


def _resources(stage: Stage, name: str) -> str:
    """Weights, licence and device of a backend that works."""
    from dexman_pose.data import model_store

    model = stage.needs(name).model
    if model is None:
        return ""
    device = "cpu" if stage.name == "hands" else _device()
    return f" (weights {model}, {model_store.terms(model)}, on {device})"


def _device() -> str:
    import torch

    return "cuda" if torch.cuda.is_available() else "cpu"
