"""Calls into other Python processes, and one into a real second environment."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dexman_pose import backends as registry
from dexman_pose.backends import SEGMENTATION
from dexman_pose.data import Clip, HandObservations, ObjectPrompt
from dexman_pose.errors import EstimationError, InputError, MissingExtraError
from dexman_pose.networks.outside import contract, worker
from dexman_pose.networks.outside.call import call_outside
from dexman_pose.networks.outside.environment import Environment
from dexman_pose.segmentation import segment_clip
from dexman_pose.segmentation.outside import prompt_arrays

SOURCE = Path(__file__).parent / "example_package" / "src"
HEIGHT, WIDTH, FRAMES = 30, 50, 4


def film() -> Clip:
    frames = np.zeros((FRAMES, HEIGHT, WIDTH, 3), np.uint8)
    for t in range(FRAMES):
        frames[t, 5:15, 5 + 3 * t : 20 + 3 * t] = 200
        frames[t, 20:28, 30:40] = 100
    return Clip.from_frames(frames)


PROMPTS = {"cup": ObjectPrompt(box=[6, 6, 18, 13]), "lid": ObjectPrompt(box=[31, 21, 38, 26], frame=2)}


def written(folder: Path, body: str, **more: Any) -> Environment:
    """A function of this interpreter, in a module of its own."""
    (folder / "method.py").write_text(
        "import os, sys, time\nimport numpy as np\ndef run(frames, inputs, options):\n" + body
    )
    more = {"timeout_s": 60.0, **more}
    return Environment(Path(sys.executable), "method:run", (folder,), **more)


def test_arrays_go_there_and_back_with_versions_and_log(tmp_path: Path) -> None:
    body = """    print("hello from", type(frames).__name__, os.environ.get("PYTHONPATH"))
    return {"mean": frames.mean((1, 2, 3)), "twice": 2 * inputs["a"], "option": np.array(options["k"])}
"""
    environment = written(tmp_path, body, options={"k": [1, 2]}, keep=tmp_path / "kept")
    outcome = call_outside(environment, film(), {"a": np.arange(3)})
    assert np.allclose(outcome.arrays["mean"], [f.mean() for _, f in film().frames()])
    assert outcome.arrays["twice"].tolist() == [0, 2, 4] and outcome.arrays["option"].tolist() == [1, 2]
    assert outcome.versions["numpy"] == np.__version__ and outcome.versions["python"].startswith("3.")
    assert "hello from memmap None" in outcome.log
    assert (
        json.loads((tmp_path / "kept" / contract.ANSWER).read_text())["versions"]["numpy"] == np.__version__
    )
    assert worker.CONTRACT == contract.CONTRACT


@pytest.mark.parametrize(
    ("body", "kind", "message"),
    [
        (
            "    raise ValueError('the picture\\nis grey')\n",
            EstimationError,
            "ValueError: the picture is grey",
        ),
        ("    import no_such_package\n", MissingExtraError, r"-m pip install no_such_package"),
        ("    print('giving up')\n    os._exit(7)\n", EstimationError, "status 7 and no answer.*giving up"),
        ("    return [1]\n", EstimationError, "must return a dict of arrays, but returned list"),
        ("    return {'a': {'b': 1}}\n", EstimationError, "returned objects, not numbers, as 'a'"),
    ],
)
def test_what_goes_wrong_there_is_told_here(
    tmp_path: Path, body: str, kind: type[Exception], message: str
) -> None:
    with pytest.raises(kind, match=message) as caught:
        call_outside(written(tmp_path, body), film(), {})
    assert "\n" not in str(caught.value)


@pytest.mark.skipif(not hasattr(os, "killpg"), reason="processes are ended as a group on POSIX alone")
def test_what_takes_too_long_is_ended_with_all_that_it_started(tmp_path: Path) -> None:
    body = """    import signal, subprocess
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    child = subprocess.Popen([sys.executable, "-S", "-c", "import time; time.sleep(60)"])
    open(options["pids"], "w").write(f"{os.getpid()} {child.pid}")
    print("working", flush=True)
    time.sleep(60)
"""
    from dexman_pose.networks.outside import call

    pids = tmp_path / "pids"
    environment = written(tmp_path, body, options={"pids": str(pids)}, timeout_s=4.0)
    before = call._GRACE
    call._GRACE = 0.3
    try:
        with pytest.raises(EstimationError, match=r"longer than 4 s.*last lines: working.*timeout_s"):
            call_outside(environment, film(), {})
    finally:
        call._GRACE = before
    deadline = time.monotonic() + 5
    while any(_runs(int(pid)) for pid in pids.read_text().split()) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not any(_runs(int(pid)) for pid in pids.read_text().split())


def _runs(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


def test_an_environment_is_told_by_a_file(tmp_path: Path) -> None:
    (tmp_path / "here.yaml").write_text(
        "python: env\nfunction: a.b:c\npaths: [src]\noptions: {k: 1}\nkeep: kept\n"
    )
    told = Environment.read(tmp_path / "here.yaml")
    assert told == Environment(
        tmp_path / "env", "a.b:c", (tmp_path / "src",), {"k": 1}, keep=tmp_path / "kept"
    )
    with pytest.raises(InputError, match=r"no Python at .*env; make an environment with: python3 -m venv"):
        call_outside(told, film(), {})
    for text, message in (
        ("python: env\n", "must hold python and function"),
        ("python: env\nfunction: a.b:c\nspeed: 3\n", "it holds python, function, speed"),
        ("python: env\nfunction: abc\n", "module:function"),
        ("python: env\nfunction: a:b\ntimeout_s: soon\n", "timeout_s"),
        ("{", "cannot be read as an environment"),
    ):
        (tmp_path / "bad.yaml").write_text(text)
        with pytest.raises(InputError, match=message):
            Environment.read(tmp_path / "bad.yaml")


def test_prompts_as_arrays() -> None:
    mask = np.zeros((HEIGHT, WIDTH), bool)
    mask[3, 4] = True
    prompts = {"a": ObjectPrompt(points=[[1, 2, 0], [3, 4, 1]]), "b": ObjectPrompt(mask=mask, frame=1)}
    hands = HandObservations(
        np.zeros((4, 2, 21, 2)),
        np.zeros((4, 2, 21, 3)),
        np.ones((4, 2), bool),
        np.zeros((4, 2)),
        np.ones((4, 2)),
    )
    arrays = prompt_arrays(film(), prompts, hands)
    assert arrays["names"].tolist() == ["a", "b"] and arrays["prompt_frames"].tolist() == [0, 1]
    assert arrays["points"].tolist() == [[0, 1, 2, 0], [0, 3, 4, 1]]
    assert arrays["has_box"].tolist() == [False, False] and arrays["has_mask"].tolist() == [False, True]
    assert (arrays["masks"][1] == mask).all() and arrays["joints_2d"].shape == (4, 2, 21, 2)
    assert "joints_2d" not in prompt_arrays(film(), prompts, None)


def test_a_file_is_enough_for_masks(tmp_path: Path) -> None:
    (tmp_path / "method.yaml").write_text(
        f"python: {sys.executable}\nfunction: dexman_brightest.inside:segment\npaths: [{SOURCE}]\n"
    )
    masks = segment_clip(film(), PROMPTS, backend=f"outside:{tmp_path / 'method.yaml'}")
    for t in range(FRAMES):
        assert (masks.mask(t, "cup") == (film().frame(t) == 200).all(2)).all()
        assert (masks.mask(t, "lid") == (film().frame(t) == 100).all(2)).all()
    with pytest.raises(InputError, match=r"outside:FILE\.yaml"):
        segment_clip(film(), PROMPTS, backend="outside")


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        ("{}", "must return 'labels' of shape .* missing"),
        ("{'labels': np.zeros((1, 2, 3), np.uint8)}", r"'labels' of shape \(4, 30, 50\)"),
        (
            "{'labels': np.full((4, 30, 50), 7), 'confidence': np.zeros((4, 2))}",
            r"labels 0 to 2 and 255.*\[7\]",
        ),
        ("{'labels': np.zeros((4, 30, 50), np.uint8), 'confidence': np.full((4, 2), 3.0)}", "within 0 and 1"),
    ],
)
def test_answers_that_are_no_masks(tmp_path: Path, answer: str, message: str) -> None:
    from dexman_pose.segmentation.outside import segment_outside

    with pytest.raises(EstimationError, match=message):
        segment_outside(film(), PROMPTS, None, written(tmp_path, f"    return {answer}\n"))


@pytest.fixture
def example(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The example package as if it were installed."""
    entry = EntryPoint("brightest", "dexman_brightest.backend:segment", SEGMENTATION.group)
    monkeypatch.syspath_prepend(str(SOURCE))
    monkeypatch.setattr(registry, "entry_points", lambda group: [entry] * (group == entry.group))
    registry._installed.cache_clear()
    yield
    registry._installed.cache_clear()
    for name in [n for n in sys.modules if n.partition(".")[0] == "dexman_brightest"]:
        del sys.modules[name]


def test_a_backend_of_another_package(example: None, monkeypatch: pytest.MonkeyPatch) -> None:
    from dexman_pose.pipeline.backends import Backends, check_backends

    monkeypatch.setenv("DEXMAN_BRIGHTEST_ENVIRONMENT", sys.executable)
    check_backends(Backends(None, "brightest"))
    assert SEGMENTATION.needs("brightest").packages[0][0] == "numpy"
    masks = segment_clip(film(), PROMPTS, backend="brightest")
    assert (masks.mask(3, "cup") == (film().frame(3) == 200).all(2)).all()


@pytest.mark.slow
def test_a_real_second_environment(example: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An environment with nothing but numpy and the example package: none of this one's packages."""
    home = tmp_path / "env"
    subprocess.run([sys.executable, "-m", "venv", str(home)], check=True)
    pip = [str(home / "bin" / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    got = subprocess.run([*pip, "numpy"], capture_output=True, text=True, check=False)
    if got.returncode != 0:
        pytest.skip(f"numpy cannot be installed here: {got.stderr.strip()[-200:]}")
    monkeypatch.setenv("DEXMAN_BRIGHTEST_ENVIRONMENT", str(home))
    masks = segment_clip(film(), PROMPTS, backend="brightest")
    assert (masks.mask(3, "cup") == (film().frame(3) == 200).all(2)).all()
    environment = Environment(home, "dexman_brightest.inside:segment", (SOURCE,), keep=tmp_path / "kept")
    outcome = call_outside(environment, film(), prompt_arrays(film(), PROMPTS, None))
    assert "torch" not in outcome.versions and "dexman-pose" not in outcome.versions
    assert f"labelled 4 frames with numpy {outcome.versions['numpy']}" in outcome.log
    missing = Environment(home, "torch.nn:Module")
    with pytest.raises(MissingExtraError, match=rf"install it with: {home}/bin/python -m pip install torch"):
        call_outside(missing, film(), {})
