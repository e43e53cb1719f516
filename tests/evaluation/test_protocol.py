"""Protocols: every file that ships loads; what means nothing is refused by name."""

from __future__ import annotations

from pathlib import Path

import pytest

from dexman_pose.errors import InputError
from dexman_pose.evaluation.protocol import Protocol, load_protocol, protocol_names


def test_every_shipped_protocol_loads_and_states_its_choices() -> None:
    assert {"taco", "taco_head", "taco_paper", "bop"} <= set(protocol_names())
    for name in protocol_names():
        protocol = load_protocol(name)
        assert protocol.name == name
        assert protocol.notes


def test_the_paper_protocol_aligns_the_first_frame_and_ours_does_not() -> None:
    assert load_protocol("taco_paper").alignment == "first_frame"
    assert load_protocol("taco").alignment == "none"


def test_a_number_where_text_is_expected_is_text(tmp_path: Path) -> None:
    path = tmp_path / "p.yaml"
    path.write_text("name: p\ntitle: t\ndataset: taco\nview: 22070938\n")
    assert load_protocol(path).view == "22070938"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("name: p\ntitle: t\ndataset: taco\nstrid: 2\n", "unknown key 'strid'"),
        ("name: p\ntitle: t\n", "dataset is missing"),
        ("name: p\ntitle: t\ndataset: taco\nstride: two\n", "stride must be a whole number"),
        ("name: p\ntitle: t\ndataset: taco\nstride: 0\n", "stride must be at least 1"),
        ("name: p\ntitle: t\ndataset: taco\nalignment: last\n", "alignment must be one of none, first_frame"),
        ("name: p\ntitle: t\ndataset: taco\nfailure: 3\n", "failure must be true or false"),
        ("name: p\ntitle: t\ndataset: taco\nhands: root\n", "hands must be a list"),
        ("name: p\ntitle: t\ndataset: taco\nvsd_delta: -1\n", "vsd_delta must be positive"),
        ("- a\n- b\n", "expected keys and values"),
        ("name: [", "not a YAML file"),
    ],
)
def test_a_wrong_file_is_refused_in_one_line(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "p.yaml"
    path.write_text(text)
    with pytest.raises(InputError, match=r"p\.yaml") as error:
        load_protocol(path)
    assert said in str(error.value)
    assert "\n" not in str(error.value)


def test_an_unknown_name_lists_those_there_are() -> None:
    with pytest.raises(InputError, match="taco_paper"):
        load_protocol("tacoo")


def test_values_survive_as_a_dict() -> None:
    protocol = Protocol("a", "b", "taco", vsd_taus=(0.1, 0.2))
    assert Protocol(**protocol.as_dict()) == protocol
