"""Depth by small networks of chance: pictures go in as they should, depth comes back in metres at its pixels."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

from dexman_pose.data import Clip
from dexman_pose.depth import predict_depth
from dexman_pose.depth.depth_anything import network_size
from dexman_pose.depth.depth_pro import focal_length, metric_depth
from dexman_pose.errors import EstimationError, InputError, MissingModelError

HEIGHT, WIDTH = 48, 80


def noise(frames: int = 2) -> Clip:
    return Clip.from_frames(
        np.random.default_rng(0).integers(0, 255, (frames, HEIGHT, WIDTH, 3), dtype=np.uint8)
    )


@pytest.mark.parametrize(
    ("size", "expected"), [((640, 480), (686, 518)), ((480, 640), (518, 686)), ((1920, 1080), (924, 518))]
)
def test_the_size_that_a_picture_is_looked_at(size: tuple[int, int], expected: tuple[int, int]) -> None:
    assert network_size(*size, patch=14) == expected


def test_pictures_go_in_as_the_library_itself_prepares_them() -> None:
    transformers = pytest.importorskip("transformers")
    from dexman_pose.networks.pictures import picture_tensor

    smooth = np.zeros((120, 160, 3), np.uint8)
    v, u = np.mgrid[0:120, 0:160]
    smooth[..., 0], smooth[..., 1], smooth[..., 2] = u, v, 255 * ((u // 20 + v // 20) % 2)
    theirs = transformers.DPTImageProcessorPil(
        size={"height": 518, "width": 518}, keep_aspect_ratio=True, ensure_multiple_of=14, resample=3,
        image_mean=[0.485, 0.456, 0.406], image_std=[0.229, 0.224, 0.225],
    )(smooth, return_tensors="np")["pixel_values"][0]  # fmt: skip
    mine = picture_tensor(smooth, network_size(160, 120, 14), way="bicubic")[0].numpy()
    assert mine.shape == theirs.shape
    # They round to whole levels and cut what bicubic overshoots; most pixels are the same within a level.
    assert np.quantile(np.abs(mine - theirs), 0.9) < 1.0 / 255 / 0.22


def test_depth_anything(depth_anything: tuple[Path, str], tmp_path: Path) -> None:
    folder, kind = depth_anything
    found = predict_depth(noise(), backend=f"depth_anything:{folder}", out=tmp_path / "depth.npy")
    assert found.kind == kind and found.focal_length is None and len(found.frames) == 2
    image = found.frames.frame(1)
    assert image.shape == (HEIGHT, WIDTH)
    if kind == "metric":
        assert (image > 0).all() and (image < 20).all()
    stored = np.load(tmp_path / "depth.npy")
    assert stored.shape == (2, HEIGHT, WIDTH) and (stored[1] == image).all()
    again = predict_depth(noise(), backend=f"depth_anything:{folder}")
    assert (again.frames.frame(1) == image).all()


def guessed(folder: Path, rgb: np.ndarray) -> float:
    """Focal length in pixels by the field of view that the network itself tells of a picture."""
    import torch
    import transformers

    network = transformers.DepthProForDepthEstimation.from_pretrained(folder).eval()
    pixels = torch.from_numpy(rgb).permute(2, 0, 1)[None] / 127.5 - 1
    pixels = torch.nn.functional.interpolate(pixels, size=(128, 128), mode="bilinear", align_corners=False)
    with torch.no_grad():
        degrees = float(network(pixel_values=pixels).field_of_view[0])
    return WIDTH / 2 / math.tan(math.radians(degrees) / 2)


def test_depth_pro_measures_the_focal_length_in_pixels_of_the_clip(depth_pro: Path) -> None:
    found = predict_depth(noise(), backend=f"depth_pro:{depth_pro}")
    assert found.kind == "metric" and found.focal_length is not None
    for index, rgb in noise().frames():
        assert found.focal_length[index] == pytest.approx(guessed(depth_pro, rgb), rel=1e-4)
    camera = (200.0, 200.0, 39.5, 23.5)
    known = predict_depth(noise(), backend=f"depth_pro:{depth_pro}", camera=camera)
    assert known.focal_length is not None and (known.focal_length == 200.0).all()
    one, other = found.frames.frame(0), known.frames.frame(0)
    free = (one > 1e-3) & (other > 1e-3) & (one < 1e3) & (other < 1e3)  # of the limits
    if free.any():
        assert np.allclose(other[free] / one[free], 200.0 / found.focal_length[0], rtol=1e-4)


def test_the_factor_of_the_focal_length() -> None:
    assert focal_length(90.0, 640) == pytest.approx(320.0)
    assert focal_length(2 * math.degrees(math.atan(0.5)), 640) == pytest.approx(640.0)
    # Canonical inverse depth of 1/4 is 4 m where the focal length is the width, and 2 m at 90 degrees.
    canonical = np.full((2, 3), 0.25, np.float32)
    assert np.allclose(metric_depth(canonical, 640.0, 640), 4.0)
    assert np.allclose(metric_depth(canonical, focal_length(90.0, 640), 640), 2.0)
    assert np.isfinite(metric_depth(np.zeros((2, 3), np.float32), 640.0, 640)).all()
    with pytest.raises(EstimationError, match=r"field of view of -5\.0 degrees; give the camera"):
        focal_length(-5.0, 640)


def test_weights_that_are_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DEXMAN_POSE_MODELS", str(tmp_path))
    with pytest.raises(MissingModelError, match="models fetch depth-anything-v2-metric-indoor-small"):
        predict_depth(noise())
    with pytest.raises(MissingModelError, match="models fetch depth-pro --accept-licence"):
        predict_depth(noise(), backend="depth_pro")
    with pytest.raises(InputError, match=r"no depth backend is named 'midas'.*depth_anything, depth_pro"):
        predict_depth(noise(), backend="midas")
