"""The slow suite is as large as the documentation says."""

from __future__ import annotations

from inputs import LONG, SHORT


def forms() -> dict[str, int]:
    """How many forms of each kind are fuzzed, each with the number of inputs of its kind."""
    import test_cameras
    import test_datasets
    import test_given
    import test_meshes
    import test_pictures

    return {
        **dict.fromkeys(LONG, 1),
        "pose file": len(test_datasets.KINDS),
        "mesh": len(test_meshes.WRITERS),
        "picture": len(test_pictures.PICTURES | test_pictures.MASKS),
        "camera": len(test_cameras.FILES),
        **{kind: len(some) for kind, some in test_given.FORMS.items()},
    }


def test_the_slow_suite_tries_twenty_thousand_inputs() -> None:
    assert LONG.keys() == SHORT.keys()
    count = {kind: LONG[kind] * number for kind, number in forms().items()}
    print(f"{sum(count.values())} inputs with -m slow: {count}")
    assert sum(count.values()) >= 20_000
