from __future__ import annotations

from importlib.metadata import EntryPoint
from typing import Any

import pytest

from dexman_pose import backends as registry
from dexman_pose.errors import InputError
from dexman_pose.segmentation import available_backends, load_backend


def other_backend(clip: Any, prompts: Any, hands: Any) -> str:
    return f"{clip} {prompts} {hands}"


def test_default_backend_loads() -> None:
    assert callable(load_backend("grabcut"))


def test_backend_of_another_package_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    entry = EntryPoint("other", f"{__name__}:other_backend", registry.GROUP)
    monkeypatch.setattr(EntryPoint, "load", lambda self: other_backend)
    monkeypatch.setattr(registry, "entry_points", lambda group: [entry] if group == registry.GROUP else [])
    assert available_backends() == ("grabcut", "other")
    assert load_backend("other")("a", "b", None) == "a b None"  # type: ignore[arg-type, comparison-overlap]


def test_unknown_backend_lists_those_there_are() -> None:
    with pytest.raises(InputError, match=r"'sam9'.*grabcut"):
        load_backend("sam9")
