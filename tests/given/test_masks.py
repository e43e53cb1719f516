"""Masks in every form, written here and read back right; and what is refused."""

from __future__ import annotations

import json
import pickle
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from dexman_pose.data import Clip, MaskSequence, ObjectPrompt
from dexman_pose.errors import InputError
from dexman_pose.given.masks import ObjectMasks, named_masks, read_masks
from tests.given.test_rle import packed, runs_of

Truth = dict[str, NDArray[np.bool_]]
BOTH = {"cup": None, "spoon": None}


def labels(truth: Truth, t: int, values: tuple[int, int] = (1, 2)) -> NDArray[np.uint8]:
    return (values[0] * truth["cup"][t] + values[1] * truth["spoon"][t]).astype(np.uint8)


def check(
    source: Any, clip: Clip, truth: Truth, objects: Any = BOTH, frames: Sequence[int] = range(4)
) -> ObjectMasks:
    """Read masks, name them, and compare with the truth in the frames that were given."""
    found = named_masks(read_masks(source, clip), objects)
    for name in objects:
        assert found.known(name) == set(frames), name
        for t in frames:
            np.testing.assert_array_equal(found.mask(t, name), truth[name][t], f"{name} {t}")
    return found


def save(folder: Path, name: str, pixels: Any, **options: Any) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    image = pixels if isinstance(pixels, Image.Image) else Image.fromarray(pixels)
    image.save(folder / name, **options)


def test_label_images_with_frames_missing(tmp_path: Path, clip: Clip, truth: Truth) -> None:
    for t in (0, 1, 3):
        save(tmp_path, f"{t:05d}.png", labels(truth, t))
    (tmp_path / "._00002.png").write_bytes(b"junk of a file system")
    (tmp_path / "notes.txt").write_text("hello")
    found = check(tmp_path, clip, truth, frames=[0, 1, 3])
    assert any("order of their numbers: 1 as cup, 2 as spoon" in note for note in found.notes)


def test_palette_pictures_are_read_by_index(tmp_path: Path, clip: Clip, truth: Truth) -> None:
    for t in range(4):
        picture = Image.fromarray(labels(truth, t))
        picture.putpalette([0, 0, 0, 128, 0, 0, 0, 128, 0] + [0] * 759)
        save(tmp_path, f"{t}.png", picture)
    check(tmp_path, clip, truth)


def test_a_black_and_white_palette_is_read_by_colour(tmp_path: Path, clip: Clip, truth: Truth) -> None:
    for t in range(4):
        picture = Image.fromarray((~truth["cup"][t]).astype(np.uint8))
        picture.putpalette([255, 255, 255, 0, 0, 0] + [0] * 762)  # index 0 is white
        save(tmp_path, f"{t}.png", picture)
    check(tmp_path, clip, truth, {"cup": None})


@pytest.mark.parametrize("white", [1, 255, 65535, True])
def test_one_folder_for_every_object(tmp_path: Path, clip: Clip, truth: Truth, white: int) -> None:
    for name, masks in truth.items():
        for t in range(4):
            if white is True:
                save(tmp_path / name, f"{t:04d}.png", Image.fromarray(masks[t]).convert("1"))
            else:
                dtype = np.uint16 if white > 255 else np.uint8
                save(tmp_path / name, f"{t:04d}.png", (white * masks[t]).astype(dtype))
    check(tmp_path, clip, truth)


def test_sam_folders_by_number(tmp_path: Path, clip: Clip, truth: Truth) -> None:
    for number, masks in zip(("001", "002"), truth.values()):
        for t in range(4):
            save(tmp_path / number, f"{t:05d}.png", (255 * masks[t]).astype(np.uint8))
    check(tmp_path, clip, truth)
    check(tmp_path, clip, {"obj_000002": truth["spoon"]}, {"obj_000002": None})


def test_masks_by_image_and_instance_as_bop_has_them(tmp_path: Path, clip: Clip, truth: Truth) -> None:
    for t in range(4):
        for number, masks in enumerate(truth.values()):
            save(tmp_path, f"{t:06d}_{number:06d}.png", (255 * masks[t]).astype(np.uint8))
    check(tmp_path, clip, truth)


def test_a_folder_in_a_folder(tmp_path: Path, clip: Clip, truth: Truth) -> None:
    for t in range(4):
        save(tmp_path / "Annotations" / "bear", f"{t:05d}.png", labels(truth, t))
    check(tmp_path / "Annotations", clip, truth)


def test_cutouts_with_alpha(tmp_path: Path, clip: Clip, truth: Truth) -> None:
    for t in range(4):
        color = np.full(
            (*truth["cup"][t].shape, 3), 90 + t, np.uint8
        )  # the picture itself, also beside the object
        save(tmp_path, f"{t}.png", np.dstack([color, 255 * truth["cup"][t].astype(np.uint8)]))
    check(tmp_path, clip, truth, {"cup": None})


def test_opaque_rgba_is_read_by_its_grey(tmp_path: Path, clip: Clip, truth: Truth) -> None:
    for t in range(4):
        grey = np.repeat(255 * truth["cup"][t][..., None].astype(np.uint8), 3, 2)
        save(tmp_path, f"{t}.png", np.dstack([grey, np.full(grey.shape[:2], 255, np.uint8)]))
    check(tmp_path, clip, truth, {"cup": None})


def test_labels_in_colours(tmp_path: Path, clip: Clip, truth: Truth) -> None:
    for t in range(4):
        color = np.zeros((24, 32, 3), np.uint8)
        color[truth["cup"][t]], color[truth["spoon"][t]] = (0, 0, 200), (200, 0, 0)
        save(tmp_path, f"{t}.png", color)
    check(tmp_path, clip, truth)


def test_jpeg_with_its_noise(tmp_path: Path, clip: Clip) -> None:
    truth = np.zeros((4, 24, 32), np.bool_)
    truth[:, 8:16, 8:24] = True  # on the 8 pixel raster the edge stays where it is
    for t in range(4):
        save(tmp_path, f"{t}.jpg", (255 * truth[t]).astype(np.uint8), quality=60)
    check(tmp_path, clip, {"cup": truth}, {"cup": None})


def test_label_255_beside_others_is_an_occluder(tmp_path: Path, clip: Clip, truth: Truth) -> None:
    for t in range(4):
        image = labels(truth, t)
        image[0, :5] = 255
        save(tmp_path, f"{t}.png", image)
    assert check(tmp_path, clip, truth).occluder == "255"


def test_numbers_of_pictures_with_gaps(pictures: Callable[..., Clip], tmp_path: Path, truth: Truth) -> None:
    clip = pictures(["0007", "0009", "0010", "0030"])
    for t, name in enumerate(("7", "9", "10", "30")):
        save(tmp_path / "m", f"{name}_mask.png", labels(truth, t))
    save(tmp_path / "m", "8_mask.png", labels(truth, 0))
    check(tmp_path / "m", clip, truth)


def test_sam2_segments_in_npz_and_in_memory(tmp_path: Path, clip: Clip, truth: Truth) -> None:
    segments = {t: {1: truth["cup"][t][None], 2: truth["spoon"][t][None]} for t in (0, 2, 3)}
    flat = {f"{t}/{i}": mask for t, masks in segments.items() for i, mask in masks.items()}
    np.savez_compressed(tmp_path / "a.npz", **flat)
    np.savez_compressed(tmp_path / "b.npz", **{k.replace("/", "_"): v for k, v in flat.items()})
    (tmp_path / "c.pkl").write_bytes(pickle.dumps(segments))
    for source in (tmp_path / "a.npz", tmp_path / "b.npz", tmp_path / "c.pkl", segments):
        check(source, clip, truth, frames=[0, 2, 3])


def test_stacks(tmp_path: Path, clip: Clip, truth: Truth) -> None:
    np.save(tmp_path / "labels.npy", np.stack([labels(truth, t) for t in range(4)]))
    np.savez(tmp_path / "named.npz", **truth)
    np.savez(tmp_path / "masks.npz", masks=np.stack([*truth.values()], 1))
    for source in ("labels.npy", "named.npz", "masks.npz"):
        check(tmp_path / source, clip, truth)
    np.savez(tmp_path / "some.npz", masks=np.stack([labels(truth, t) for t in (1, 3)]), frames=[1, 3])
    check(tmp_path / "some.npz", clip, truth, frames=[1, 3])
    check({"cup": truth["cup"], "spoon": truth["spoon"].astype(np.float32) * 0.9}, clip, truth)
    check(truth["cup"], clip, truth, {"cup": None})


def test_a_mask_sequence_and_the_file_of_a_run(tmp_path: Path, clip: Clip, truth: Truth) -> None:
    masks = MaskSequence(("cup", "spoon"), 24, 32, 4)
    for t in range(4):
        masks.set(t, labels(truth, t))
    np.savez(tmp_path / "masks.npz", **masks.to_arrays())
    check(masks, clip, truth)
    check(tmp_path / "masks.npz", clip, truth)


@pytest.mark.parametrize("form", ["text", "numbers", "results", "tracks", "frames"])
def test_coco(tmp_path: Path, pictures: Callable[..., Clip], truth: Truth, form: str) -> None:
    clip = pictures(["a_1", "a_2", "a_3", "a_4"])
    rle = {}
    for name, masks in truth.items():
        for t in range(4):
            runs = runs_of(masks[t])
            rle[name, t] = {"size": [24, 32], "counts": runs if form == "numbers" else packed(runs)}
    ids = {"cup": 3, "spoon": 8}
    annotations = [
        {"image_id": 70 + t, "category_id": ids[name], "segmentation": run}
        for (name, t), run in rle.items()
        if truth[name][t].any()
    ]
    images = [{"id": 70 + t, "file_name": f"x/a_{t + 1}.png"} for t in range(4)]
    categories = [{"id": number, "name": name} for name, number in ids.items()]
    content: Any = {"images": images, "annotations": annotations, "categories": categories}
    if form == "results":
        content = [{**a, "image_id": a["image_id"] - 69, "score": 0.9} for a in annotations]
    if form == "tracks":
        content["annotations"] = [
            {
                "category_id": ids[name],
                "segmentations": [rle[name, t] if truth[name][t].any() else None for t in range(4)],
            }
            for name in ids
        ]
    if form == "frames":
        content = {str(t): {name: rle[name, t] for name in ids} for t in range(4)}
    (tmp_path / "m.json").write_text(json.dumps(content))
    check(tmp_path / "m.json", clip, truth)


def test_polygons(tmp_path: Path, clip: Clip, truth: Truth) -> None:
    box = [3, 4, 11, 4, 11, 12, 3, 12]  # COCO's corners of the pixels 3..10, 4..11
    (tmp_path / "m.json").write_text(
        json.dumps({"annotations": [{"image_id": 0, "category_id": 1, "segmentation": [box]}]})
    )
    found = named_masks(read_masks(tmp_path / "m.json", clip), {"cup": None})
    wrong = found.mask(0, "cup") ^ truth["cup"][0]
    assert wrong.sum() <= 17  # the filling takes a row and a column of the border along


def test_a_video_of_black_and_white(tmp_path: Path, truth: Truth) -> None:
    av = pytest.importorskip("av")
    size = (96, 128)
    big = np.kron(truth["cup"], np.ones((1, 4, 4))).astype(bool)
    with av.open(tmp_path / "m.mp4", "w") as container:
        stream = container.add_stream("libx264", 30)
        stream.height, stream.width, stream.pix_fmt = *size, "yuv420p"
        for mask in big:
            frame = av.VideoFrame.from_ndarray(
                np.repeat(255 * mask[..., None].astype(np.uint8), 3, 2), "rgb24"
            )
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    clip = Clip.from_frames([np.zeros((*size, 3), np.uint8)] * 4)
    found = named_masks(read_masks(tmp_path / "m.mp4", clip), {"cup": None})
    for t in range(4):
        assert (found.mask(t, "cup") ^ big[t]).mean() < 0.005
    with pytest.raises(InputError, match="has 4 frames, but the clip has 3"):
        read_masks(tmp_path / "m.mp4", Clip.from_frames([np.zeros((*size, 3), np.uint8)] * 3))


def test_another_size_of_the_same_shape(tmp_path: Path, clip: Clip, truth: Truth) -> None:
    check(np.kron(truth["cup"], np.ones((1, 2, 2))) > 0, clip, truth, {"cup": None})
    with pytest.raises(InputError, match=r"is 30x24, but the frames are 32x24: another shape"):
        read_masks(truth["cup"][:, :, :30], clip)


def test_masks_are_named_by_the_prompts_they_overlap(clip: Clip, truth: Truth) -> None:
    stack = np.stack([labels(truth, t, (9, 4)) for t in range(4)])
    prompts = {
        "cup": ObjectPrompt(box=np.array([2.0, 3, 11, 12])),
        "spoon": ObjectPrompt(box=np.array([15.0, 13, 24, 20]), frame=1),
    }
    found = check(stack, clip, truth, prompts)
    assert found.keys == {"cup": "9", "spoon": "4"} and "9 as cup" in " ".join(found.notes)


@pytest.mark.parametrize("objects", [{"cup": None}, {"cup": None, "spoon": None, "fork": None}])
def test_names_that_do_not_match_are_listed(clip: Clip, truth: Truth, objects: Any) -> None:
    given = read_masks({"mug": truth["cup"], "ladle": truth["spoon"]}, clip)
    with pytest.raises(
        InputError, match=f"the masks are of mug, ladle, but the objects are {', '.join(objects)}"
    ):
        named_masks(given, objects)


_HALF = np.zeros((4, 24, 32))
_HALF[:, 3:9, 3:9] = 0.5
_SIGNED = np.where(_HALF > 0, 1.0, -1.0)
_NAN = np.where(_HALF > 0, np.nan, 0.0)
_PARTS = np.where(_HALF > 0, 2.5, 0.0)


@pytest.mark.parametrize(
    ("masks", "message"),
    [
        (_HALF, "holds 0 and 0.5 alone"),
        (_SIGNED, "give the mask values > 0"),
        (_NAN, "NaN"),
        (_PARTS, "labels are whole numbers"),
        (_HALF[:3], "3 masks, but the clip has 4"),
        (_HALF[0], r"shape \(frames, height, width\)"),
        (np.arange(4 * 24 * 32).reshape(4, 24, 32), "different values, which no label image has"),
        ({}, "empty dict"),
        ("none.npz", "there are no masks at none.npz"),
    ],
)
def test_what_is_no_mask_is_refused_by_name(clip: Clip, masks: Any, message: str) -> None:
    with pytest.raises(InputError, match=message):
        read_masks(masks, clip)


def test_pickled_dicts_are_refused_with_how_to_save_them(tmp_path: Path, clip: Clip, truth: Truth) -> None:
    segments: Any = np.array({0: {1: truth["cup"][0]}}, dtype=object)
    np.save(tmp_path / "m.npy", segments, allow_pickle=True)
    np.savez(tmp_path / "m.npz", segments=segments)
    for name in ("m.npy", "m.npz"):
        with pytest.raises(InputError, match=r"never run; save it as np\.savez_compressed"):
            read_masks(tmp_path / name, clip)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("m.json", b"{"),
        ("m.json", b'{"annotations": []}'),
        ("m.json", b'{"annotations": [{"image_id": [], "segmentation": 3}]}'),
        ("m.json", b'{"annotations": [{"image_id": 0, "segmentation": {"size": [1, 1], "counts": "~"}}]}'),
        ("m.npz", b"PK junk"),
        ("m.npz", b""),
        ("m.npy", b"junk"),
        ("m.pkl", b"junk"),
        ("m.mp4", b"junk"),
        ("m.xyz", b"junk"),
        ("d/0.png", b"junk"),
    ],
)
def test_damaged_files_are_refused_in_one_line(tmp_path: Path, clip: Clip, name: str, content: bytes) -> None:
    (tmp_path / "d").mkdir()
    (tmp_path / name).write_bytes(content)
    with pytest.raises(InputError) as error:
        read_masks(tmp_path / name.split("/", maxsplit=1)[0], clip)
    assert "\n" not in str(error.value)


def test_empty_masks_are_refused(tmp_path: Path, clip: Clip) -> None:
    for t in range(4):
        save(tmp_path, f"{t}.png", np.zeros((24, 32), np.uint8))
    with pytest.raises(InputError, match="black everywhere"):
        read_masks(tmp_path, clip)


def test_a_damaged_pickle_is_told_in_one_printable_line(tmp_path: Path, clip: Clip, truth: Truth) -> None:
    right = pickle.dumps({t: {1: truth["cup"][t]} for t in range(4)})
    assert b"_reconstruct" in right
    (tmp_path / "m.pkl").write_bytes(right.replace(b"_reconstruct", b"_reconstru\tt"))
    with pytest.raises(InputError, match=r"m\.pkl is not read: it holds numpy") as told:
        read_masks(tmp_path / "m.pkl", clip)
    assert str(told.value).isprintable()
