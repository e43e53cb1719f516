"""The pages of docs/: the reader without this package reads, every page is in the site, every link leads somewhere."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from dexman_pose.data import Camera, Contacts, HandTrack, Mesh, PoseTrack, RigidObject, Trajectory
from dexman_pose.data.doubt import Doubt
from dexman_pose.data.evidence import Evidence
from dexman_pose.data.tracks import JOINT_PARENTS
from dexman_pose.data.world.table import TablePlane

ROOT = Path(__file__).resolve().parents[1]
DOCS = ROOT / "docs"
PAGES = sorted(DOCS.glob("*.md"))
FRAMES = 5


class _Any(yaml.SafeLoader):
    """Reads tags that mkdocs knows as nothing."""


_Any.add_multi_constructor("", lambda loader, suffix, node: None)


@pytest.fixture(scope="module")
def trajectory() -> Trajectory:
    rng = np.random.default_rng(0)
    poses = np.tile(np.eye(4), (FRAMES, 1, 1))
    poses[:, :3, 3] = rng.normal(0, 0.1, (FRAMES, 3)) + (0, 0, 0.6)
    mesh = Mesh(rng.normal(0, 0.05, (4, 3)), np.array([[0, 2, 1], [0, 1, 3], [1, 2, 3], [2, 0, 3]]))
    valid = np.array([True, True, False, True, True])
    cup = RigidObject("cup", mesh, PoseTrack(poses, valid, valid.astype(float)), 1.0, "given")
    parents = np.maximum(JOINT_PARENTS, 0)
    pose = rng.normal(0, 0.03, (21, 3))
    lengths = np.linalg.norm(pose - pose[parents], axis=1)
    lengths[0] = 0.0
    joints = np.tile(pose, (FRAMES, 1, 1)) + (0, 0, 0.6)
    flags = np.ones(FRAMES, bool)
    hand = HandTrack(
        "left",
        joints,
        joints[..., :2] * 100 + 50,
        flags,
        ~flags,
        np.ones(FRAMES),
        lengths,
    )
    shape = (1, FRAMES, 21)
    near = rng.normal(0, 0.05, (*shape, 3))
    contacts = Contacts(
        (("left", "cup"),), np.full(shape, 0.02), np.zeros(shape, bool), near, valid[None], 0.005, 0.008
    )
    up = np.diag([1.0, -1.0, -1.0, 1.0])
    up[2, 3] = 0.7
    table = TablePlane((0.0, 0.0, -1.0), 0.7, np.zeros((4, 4)), ("written",))
    return Trajectory(
        Camera.from_focal(120.0, 160, 120),
        np.arange(FRAMES) / 30.0,
        {"cup": cup},
        {"left": hand},
        contacts,
        up,
        table=table,
    )


@pytest.fixture(scope="module")
def reader() -> dict[str, Any]:
    """The functions of the page."""
    page = (DOCS / "trajectory.md").read_text(encoding="utf-8")
    code = page.partition("```python\n")[2].partition("```")[0]
    assert (
        "dexman_pose." not in code.replace('"dexman_pose.trajectory"', "")
        and "import dexman_pose" not in code
    )
    made: dict[str, Any] = {}
    exec(compile(code, "trajectory.md", "exec"), made)
    return made


def test_the_reader_of_the_page_reads_what_this_package_writes(
    trajectory: Trajectory, reader: dict[str, Any], tmp_path: Path
) -> None:
    path = trajectory.save(tmp_path / "trajectory.npz")
    read = reader["read_trajectory"](path)
    cup, found = trajectory.objects["cup"], read["objects"]["cup"]
    np.testing.assert_array_equal(found["camera_from_object"], cup.camera_from_object)
    np.testing.assert_array_equal(found["vertices"], cup.mesh.vertices)
    assert found["scale_source"] == "given"
    np.testing.assert_array_equal(read["hands"]["left"]["joints"], trajectory.hands["left"].joints)
    assert read["contacts"]["pairs"] == [["left", "cup"]]
    placed, valid = reader["world_from_object"](read, "cup")
    np.testing.assert_allclose(placed, trajectory.world_from_camera @ cup.camera_from_object)
    assert valid.tolist() == [True, True, False, True, True]


def test_the_reader_refuses_other_files(reader: dict[str, Any], tmp_path: Path) -> None:
    np.savez(tmp_path / "x.npz", header=np.frombuffer(b'{"schema": {"name": "x", "version": 1}}', np.uint8))
    with pytest.raises(ValueError, match="no trajectory"):
        reader["read_trajectory"](tmp_path / "x.npz")


def test_every_entry_of_a_file_stands_in_the_page(trajectory: Trajectory, tmp_path: Path) -> None:
    page = (DOCS / "trajectory.md").read_text(encoding="utf-8")
    with np.load(trajectory.save(tmp_path / "t.npz")) as file:
        names = {name.rpartition("/")[2] for name in file.files}
    assert {name for name in names if not re.search(rf"`[^`]*\b{name}\b[^`]*`", page)} == set()


@pytest.mark.parametrize("kind", [Doubt, Evidence])
def test_codes_stand_in_the_page_with_their_numbers(kind: type[Doubt] | type[Evidence]) -> None:
    page = (DOCS / "trajectory.md").read_text(encoding="utf-8").lower()
    short = {"no_pose": "not in sight", "mask_lost": "mask lost"}
    missing = [
        c.name for c in kind if c and f"{c.value} {short.get(c.name.lower(), c.name.lower())}" not in page
    ]
    assert not missing


def test_every_page_is_in_the_site_once() -> None:
    site = yaml.load((ROOT / "mkdocs.yml").read_text(encoding="utf-8"), _Any)
    named = re.findall(r"[\w-]+\.md", str(site["nav"]))
    assert sorted(named) == [page.name for page in PAGES]


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.name)
def test_links_within_the_site_lead_somewhere(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    links = [link for link in re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", text) if "://" not in link]
    assert [link for link in links if not (page.parent / link).exists()] == []


@pytest.mark.slow
def test_the_site_is_built_without_a_warning(tmp_path: Path) -> None:
    pytest.importorskip("mkdocs", reason="needs: pip install 'dexman-pose[docs]'")
    done = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "-q", "-d", str(tmp_path / "site")],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "site" / "api" / "index.html").stat().st_size > 50_000
