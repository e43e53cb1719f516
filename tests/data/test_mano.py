"""MANO parameters fit together or are refused by name."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from dexman_pose.data.mano import ManoParameters
from dexman_pose.errors import InputError


def _made(**change: Any) -> ManoParameters:
    given: dict[str, Any] = {
        "side": "left",
        "pose": np.zeros((4, 48)),
        "translation": np.zeros((4, 3)),
        "shape": np.zeros(10),
        "valid": np.ones(4, np.bool_),
    }
    return ManoParameters(**{**given, **change})


def test_what_fits() -> None:
    assert _made().frame == "camera"
    _made(shape=np.zeros((4, 10)), center_joint=20, frame="world")
    _made(pose=np.zeros((4, 9)), pca=True)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"side": "both"}, "'left' or 'right'"),
        ({"frame": "table"}, "'camera' or 'world'"),
        ({"pose": np.zeros((4, 45))}, "48 numbers, fewer with pca"),
        ({"pose": np.zeros((4, 3)), "pca": True}, "48 numbers"),
        ({"pose": np.zeros((4, 51)), "pca": True}, "48 numbers"),
        ({"pose": np.zeros(48)}, "MANO pose"),
        ({"translation": np.zeros((3, 3))}, "MANO translation"),
        ({"shape": np.zeros(11)}, "MANO shape"),
        ({"shape": np.zeros((3, 10))}, "MANO shape"),
        ({"valid": np.ones(5, np.bool_)}, "MANO valid"),
        ({"center_joint": 21}, "center_joint"),
    ],
)
def test_what_does_not(change: dict[str, Any], words: str) -> None:
    with pytest.raises(InputError, match=words) as error:
        _made(**change)
    assert "\n" not in str(error.value)
