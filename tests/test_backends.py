from __future__ import annotations

from collections.abc import Iterator
from importlib.metadata import EntryPoint
from typing import Any

import pytest

from dexman_pose import backends as registry
from dexman_pose.backends import DEPTH, HANDS, MESH, SEGMENTATION, Stage
from dexman_pose.errors import InputError
from dexman_pose.segmentation import available_backends, load_backend


def other_backend(clip: Any, prompts: Any, hands: Any) -> str:
    return f"{clip} {prompts} {hands}"


def test_default_backend_loads() -> None:
    assert callable(load_backend("grabcut"))


@pytest.fixture
def entry(monkeypatch: pytest.MonkeyPatch) -> Iterator[EntryPoint]:
    """Another package's segmentation backend, installed."""
    entry = EntryPoint("other", f"{__name__}:other_backend", SEGMENTATION.group)
    monkeypatch.setattr(EntryPoint, "load", lambda self: other_backend)
    monkeypatch.setattr(registry, "entry_points", lambda group: [entry] * (group == entry.group))
    registry._installed.cache_clear()
    yield entry
    registry._installed.cache_clear()


def test_backend_of_another_package_is_found(entry: EntryPoint) -> None:
    assert available_backends() == ("edgetam", "grabcut", "other", "outside", "sam", "sam2")
    assert load_backend("other")("a", "b", None) == "a b None"  # type: ignore[arg-type, comparison-overlap]
    assert HANDS.names() == ("mediapipe", "outside")


@pytest.mark.parametrize("stage", [SEGMENTATION, HANDS, MESH, DEPTH])
def test_built_in_backends_are_where_the_table_says(stage: Stage) -> None:
    for name in stage.built_in:
        assert callable(stage.load(name))


def test_weights_behind_a_colon_go_to_backends_that_take_some() -> None:
    loaded = SEGMENTATION.load("sam:some.pth")
    assert loaded.keywords == {"weights": "some.pth"}
    assert SEGMENTATION.needs("sam:some.pth").model == "some.pth"
    assert SEGMENTATION.needs("sam").model == "sam-vit-b" and SEGMENTATION.needs("grabcut").model is None
    for stage, name in ((SEGMENTATION, "grabcut:x"), (HANDS, "mediapipe:x")):
        with pytest.raises(InputError, match="takes no weights"):
            stage.load(name)


def test_unknown_backend_lists_those_there_are() -> None:
    with pytest.raises(InputError, match=r"'sam9'.*grabcut"):
        load_backend("sam9")
