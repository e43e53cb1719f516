#!/usr/bin/env bash
# warp-lang 1.19: the nearest point of a mesh whose faces are slivers (a closed sheet of 200 x 150 x 0.1 mm, in metres).
#
# Expected: a point on one of the narrow sides is its own nearest point, to the rounding of single precision (10 nanometres).
# Seen: mesh_query_point_no_sign answers with a point tens of micrometres away along the side; on the wide faces, and in a
# cube, it is exact.
# Exits 0 while this is so, 1 when it has changed. CPU only.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check warp-lang==1.19.0 numpy==2.4.6
cat > "$folder/seen.py" <<'PY'
import sys

import numpy as np
import warp as wp

wp.config.quiet = True
FACES = [[0, 1, 3], [0, 3, 2], [4, 7, 5], [4, 6, 7], [0, 5, 1], [0, 4, 5], [2, 3, 7], [2, 7, 6], [0, 2, 6], [0, 6, 4], [1, 5, 7], [1, 7, 3]]


@wp.kernel
def nearest(mesh: wp.uint64, points: wp.array(dtype=wp.vec3), out: wp.array(dtype=wp.vec3)):
    i = wp.tid()
    found = wp.mesh_query_point_no_sign(mesh, points[i], 1.0e6)
    out[i] = wp.mesh_eval_position(mesh, found.face, found.u, found.v)


def off(size, points):
    """Metres from points on a box's surface to what is said to be nearest."""
    corners = (np.array([[x, y, z] for x in (-1, 1) for y in (-1, 1) for z in (-1, 1)]) * np.array(size) / 2).astype(np.float32)
    mesh = wp.Mesh(wp.array(corners, dtype=wp.vec3, device="cpu"), wp.array(np.array(FACES).ravel(), dtype=int, device="cpu"))
    given = np.asarray(points, np.float32)
    out = wp.empty(len(given), dtype=wp.vec3, device="cpu")
    wp.launch(nearest, len(given), [mesh.id, wp.array(given, dtype=wp.vec3, device="cpu"), out], device="cpu")
    return float(np.linalg.norm(out.numpy() - given, axis=1).max())


rng = np.random.default_rng(0)
y = rng.uniform(-0.07, 0.07, 200)
side = np.stack([np.full(200, 0.1), y, rng.uniform(-4e-5, 4e-5, 200)], 1)
wide = np.stack([rng.uniform(-0.09, 0.09, 200), y, np.full(200, 5e-5)], 1)
cube = np.stack([np.full(200, 0.1), y, rng.uniform(-0.09, 0.09, 200)], 1)
thin = (0.2, 0.15, 0.0001)
narrow, broad, whole = off(thin, side), off(thin, wide), off((0.2, 0.2, 0.2), cube)
print("warp", wp.config.version)
print("expected: at most 1e-7 m everywhere")
print(f"seen: narrow side of the sheet {narrow:.1e} m, its wide face {broad:.1e} m, a cube {whole:.1e} m")
sys.exit(0 if narrow > 5e-6 and broad < 1e-6 and whole < 1e-6 else 1)
PY
"$folder/venv/bin/python" "$folder/seen.py"
