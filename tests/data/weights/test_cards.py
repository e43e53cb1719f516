"""The cards that are shipped say what they must, and invent nothing."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from dexman_pose.data import model_store
from dexman_pose.data.weights.card import Terms, kind, parts
from dexman_pose.errors import InputError

WANTED = {
    "name",
    "title",
    "used_by",
    "licence",
    "source",
    "input",
    "output",
    "needs",
    "verified",
    "not_verified",
}


@pytest.mark.parametrize("name", sorted(set(model_store.names()) - {"mediapipe-hands"}))
def test_a_shipped_card_is_whole(name: str) -> None:
    card = model_store.card(name)
    assert set(card) >= WANTED and card["name"] == name
    assert card["source"]["home"].startswith("https://")
    assert card["not_verified"], "no network but mediapipe's was run with its weights"
    if kind(card) == "hand":
        assert "command" not in card
    else:
        assert parts(name, card)
        assert card["command"] == model_store.fetch_command(name)


def test_licences_that_forbid_or_ask_are_flagged() -> None:
    for name in model_store.names():
        terms = model_store.terms(name)
        if "NC" in terms.licence or "Research" in terms.licence:
            assert terms.non_commercial, name
    assert model_store.terms("sam-3d-objects").gated
    assert not model_store.terms("sam2.1-tiny").asks


def test_cards_of_two_files_never_share_a_place() -> None:
    places = [str(model_store.path_of(name)) for name in model_store.names()]
    assert len(set(places)) == len(places)


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ({"kind": "url", "url": "u", "sha256": "abc"}, "64 hexadecimal digits"),
        ({"kind": "url"}, "url"),
        ({"kind": "hub", "repository": "a/b", "files": [{"path": "../x"}]}, "leaves the folder"),
    ],
)
def test_a_bad_card_is_refused(source: dict[str, object], message: str) -> None:
    with pytest.raises(InputError, match=f"card of the model 'bad'.*{message}"):
        parts("bad", {"file": "f", "source": source})


def test_terms_are_said_in_one_line() -> None:
    assert (
        str(Terms.of({"licence": "X", "gated": True, "non_commercial": True})) == "X, gated, non-commercial"
    )
    assert str(Terms.of({"licence": "MIT"})) == "MIT"


def test_cards_are_plain_data() -> None:
    folder = Path(__file__).resolve().parents[3] / "models"
    for path in folder.glob("*.yaml"):
        assert isinstance(yaml.safe_load(path.read_text(encoding="utf-8")), dict)
