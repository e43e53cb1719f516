#!/usr/bin/env bash
# libswscale, 8-bit 4:2:0 to 16-bit packed RGB (rgb48le) with the flags for exact colours: values wrap around.
#
# Expected: the same colours as gbrp16le (planar) from the same frame and flags, but for rounding.
# Seen: errors of most of the range in rgb48le; gbrp16le and rgb24 are right.
# Exits 0 while this is so, 1 when it has changed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check av==18.1.0 numpy==2.4.6
"$folder/venv/bin/python" - <<'PY'
import sys

import av
import numpy as np
from av.video.reformatter import VideoReformatter

FLAGS = 0x2 | 0x2000 | 0x40000  # bilinear, full chroma interpolation, exact rounding
y, x = np.mgrid[:48, :64]
planes = [64 + 2 * x + y, 100 + x[::2, ::2], 170 - 2 * y[::2, ::2]]
frame = av.VideoFrame(64, 48, "yuv420p")
for plane, values in zip(frame.planes, planes):
    rows = np.zeros((plane.height, plane.line_size), np.uint8)
    rows[:, : plane.width] = values
    plane.update(rows.tobytes())


def as_8_bits(name):
    out = VideoReformatter().reformat(frame, format=name, interpolation=FLAGS).to_ndarray().astype(float)
    return out if name == "rgb24" else out / 256


exact, planar, packed = (as_8_bits(name) for name in ("rgb24", "gbrp16le", "rgb48le"))
off_planar, off_packed = (np.abs(image - exact) for image in (planar, packed))
print("PyAV", av.__version__, "libswscale", ".".join(map(str, av.library_versions["libswscale"])))
print("expected: gbrp16le and rgb48le within 2 levels of 255 of rgb24")
print(f"seen: gbrp16le off by {off_planar.max():.1f} at most, rgb48le by {off_packed.max():.1f}, {off_packed.mean():.1f} on average")
sys.exit(0 if off_planar.max() < 2 and off_packed.max() > 50 else 1)
PY
