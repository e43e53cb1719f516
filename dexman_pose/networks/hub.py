"""Networks of the library transformers, loaded from a folder of this machine and never from the network."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from dexman_pose.errors import InputError, MissingExtraError, MissingModelError

INSTALL = "pip install 'dexman-pose[networks]'"


def transformers_class(name: str, purpose: str) -> Any:
    """A class of transformers.

    Args:
        name: of the class.
        purpose: what needs it, for messages.

    Raises:
        MissingExtraError: transformers is missing, too old, or broken by a broken torchvision.
    """
    if find_spec("transformers") is None:
        raise MissingExtraError(
            f"{purpose} needs the package 'transformers', which is not installed. Install it with: {INSTALL}"
        )
    try:
        import transformers

        return getattr(transformers, name)
    except (ImportError, AttributeError, RuntimeError) as error:
        raise _unusable(name, purpose, error) from error


def _unusable(name: str, purpose: str, error: Exception) -> MissingExtraError:
    why = " ".join(str(error).split())[:200]
    if find_spec("torchvision") is not None and "torchvision" in str(error) + str(error.__cause__):
        return MissingExtraError(
            f"{purpose}: transformers cannot be used, for torchvision is installed and does not fit this torch "
            f"({why}). Nothing here needs torchvision. Remove it with: pip uninstall -y torchvision"
        )
    missing = getattr(error.__cause__, "name", None) or getattr(error, "name", None)
    if missing and missing.partition(".")[0] != "transformers":
        return MissingExtraError(
            f"{purpose}: transformers' {name} needs {missing!r}. Install it with: pip install {missing}"
        )
    return MissingExtraError(
        f"{purpose}: transformers has no usable {name} ({why}). Install a newer one with: {INSTALL}"
    )


def load_model(
    name: str, folder: Path, purpose: str, device: str = "cpu", twins: Mapping[str, str] | None = None
) -> Any:
    """Load a network from a folder with ``config.json`` and ``model.safetensors``, in float32, ready to predict.

    Args:
        name: of its class in transformers.
        folder: that holds it.
        purpose: what needs it, for messages.
        device: where it is going to run.
        twins: names of weights that are the same as others, by the names of these: files may leave out either.

    Raises:
        MissingExtraError: transformers cannot be used.
        MissingModelError: the folder holds no weights.
        InputError: the weights are damaged, or of another network.
    """
    if not (folder / "config.json").is_file():
        raise MissingModelError(
            f"{purpose}: {folder} is no folder of weights, for it holds no config.json; see: dexman-pose models list"
        )
    kind = transformers_class(name, purpose)
    import torch

    with _quiet():
        try:
            model, report = kind.from_pretrained(
                folder, local_files_only=True, dtype=torch.float32, output_loading_info=True
            )
        except (OSError, ValueError, RuntimeError, KeyError, TypeError, ImportError) as error:
            if isinstance(error, ImportError):
                raise _unusable(name, purpose, error) from error
            why = " ".join(str(error).split())[:300]
            raise InputError(f"{purpose}: {folder} cannot be loaded as {name}: {why}") from error
        except Exception as error:  # safetensors and huggingface_hub bring errors of their own
            why = " ".join(str(error).split())[:300]
            raise InputError(f"{purpose}: {folder} cannot be loaded as {name}: {why}") from error
    missing = sorted(set(report["missing_keys"]) - _copied(model, report["missing_keys"], twins or {}))
    if missing:
        raise InputError(
            f"{purpose}: {folder} does not hold all weights of {name}: {len(missing)} are missing, {missing[0]!r} "
            "first; they may be of another network"
        )
    return model.eval().to(device)


def _copied(model: Any, missing: Collection[str], twins: Mapping[str, str]) -> set[str]:
    """Fill weights that a file left out from their twins; gives the names of those that were."""
    import torch

    done = set()
    for one, other in [*twins.items(), *((b, a) for a, b in twins.items())]:
        if one in missing and other not in missing:
            state = model.state_dict()
            with torch.no_grad():
                state[one].copy_(state[other])
            done.add(one)
    return done


@contextmanager
def _quiet() -> Iterator[None]:
    """Notes and bars of the loader are dropped: what matters is raised."""
    from transformers.utils import logging as bars

    logger = logging.getLogger("transformers")
    level, shown = logger.level, bars.is_progress_bar_enabled()
    logger.setLevel(logging.CRITICAL)
    bars.disable_progress_bar()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(level)
        if shown:
            bars.enable_progress_bar()
