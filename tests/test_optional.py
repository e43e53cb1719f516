"""Optional packages: what is there, and what is said of what is not."""

from __future__ import annotations

import sys
from types import SimpleNamespace

import pytest

from dexman_pose._lazy import lazy_names
from dexman_pose._optional import ENGINE, has_engine, installed, require_engine, told_missing
from dexman_pose.errors import MissingExtraError


def test_what_is_installed_is_not_imported() -> None:
    assert installed("numpy") and not installed("no_such_package_at_all")
    assert has_engine()
    require_engine("everything")


@pytest.mark.parametrize("gone", ENGINE)
def test_each_package_of_the_engine_is_missed_by_name(gone: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, gone, None)
    assert not has_engine()
    with pytest.raises(MissingExtraError, match=rf"tracking needs.* {gone} is not .*'dexman-pose\[engine\]'"):
        require_engine("tracking")


@pytest.mark.parametrize(
    ("module", "extra"), [("scipy.spatial", "engine"), ("torch", "engine"), ("av", "video")]
)
def test_a_missing_package_is_told_with_the_extra_that_brings_it(module: str, extra: str) -> None:
    with (
        pytest.raises(MissingExtraError, match=rf"the thing needs.*dexman-pose\[{extra}\]"),
        told_missing("the thing"),
    ):
        raise ModuleNotFoundError(f"No module named {module!r}", name=module)


def test_mistakes_of_ours_stay_what_they_are() -> None:
    with pytest.raises(ModuleNotFoundError, match=r"dexman_pose\.nothing"), told_missing("the thing"):
        raise ModuleNotFoundError("No module named 'dexman_pose.nothing'", name="dexman_pose.nothing")


def test_a_function_called_as_its_file_stays_the_function() -> None:
    import dexman_pose.metrics.vsd  # noqa: F401
    from dexman_pose import metrics

    assert callable(metrics.vsd) and callable(metrics.stability)


def test_other_names_of_a_lazy_package_can_be_set(monkeypatch: pytest.MonkeyPatch) -> None:
    from dexman_pose import metrics

    stand_in = SimpleNamespace()
    monkeypatch.setattr(metrics, "add", stand_in)
    assert metrics.add is stand_in
    get, _ = lazy_names("dexman_pose.metrics", {"add": "dexman_pose.metrics.points"})
    assert callable(get("add"))
