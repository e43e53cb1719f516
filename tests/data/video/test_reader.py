"""Single frames asked for by several threads."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

from dexman_pose.data.clip import Clip
from dexman_pose.data.video.writer import write_video


def test_threads_get_the_frames_they_ask_for(tmp_path: Path) -> None:
    grounds = [np.full((48, 64, 3), 9 * t, np.uint8) for t in range(24)]
    clip = Clip.open(write_video(tmp_path / "a.mp4", grounds, 30.0, crf=4))
    asked = [(7 * i) % 24 for i in range(96)]
    with ThreadPoolExecutor(4) as pool:
        levels = [float(frame.mean()) for frame in pool.map(clip.frame, asked)]
    np.testing.assert_allclose(levels, [9.0 * t for t in asked], atol=2.5)
