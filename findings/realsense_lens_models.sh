#!/bin/sh
# librealsense 2.59.1 (pyrealsense2): deprojecting a pixel and projecting it again, for three lens models.
# Expected: the pixel itself; and "inverse_brown_conrady", documented as "Equivalent to Brown-Conrady distortion, except
# undistorts image instead of distorting it", deprojects by the polynomial.
# Seen: inverse_brown_conrady deprojects by the *inverse* of the polynomial, as brown_conrady does;
# modified_brown_conrady deprojects as if there were no lens; ftheta comes back tens of pixels away.
# Exit 0: as described. Exit 1: changed. CPU only, no device.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q pyrealsense2==2.59.1.* libusb-package==1.0.26.* numpy >/dev/null 2>&1
# The wheel looks for the system's libusb; the one of libusb-package serves where there is none.
mkdir "$work/lib"
cp "$("$work/venv/bin/python" -c 'import libusb_package as l; print(l.get_library_path())')" "$work/lib/libusb-1.0.so.0"
LD_LIBRARY_PATH="$work/lib" "$work/venv/bin/python" - <<'PYTHON'
import sys

import numpy as np
import pyrealsense2 as rs

PIXEL = [520.0, 140.0]


def camera(model, coefficients):
    found = rs.intrinsics()
    found.width, found.height, found.fx, found.fy, found.ppx, found.ppy = 640, 480, 600, 601, 320, 240
    found.model, found.coeffs = model, coefficients
    return found


def again(one):
    ray = rs.rs2_deproject_pixel_to_point(one, PIXEL, 1.0)
    back = rs.rs2_project_point_to_pixel(one, ray)
    return np.array(ray[:2]), float(np.hypot(back[0] - PIXEL[0], back[1] - PIXEL[1]))


print("pyrealsense2", rs.__version__)
k1, k2, p1, p2, k3 = numbers = [0.12, -0.02, 0.003, -0.002, 0.01]
x, y = (PIXEL[0] - 320) / 600, (PIXEL[1] - 240) / 601
r2 = x * x + y * y
f = 1 + k1 * r2 + k2 * r2**2 + k3 * r2**3
documented = np.array([x * f + 2 * p1 * x * y + p2 * (r2 + 2 * x * x), y * f + 2 * p2 * x * y + p1 * (r2 + 2 * y * y)])

ray, _ = again(camera(rs.distortion.inverse_brown_conrady, numbers))
plain, _ = again(camera(rs.distortion.brown_conrady, numbers))
inverse_off = 600 * np.abs(ray - documented).max()
print(f"inverse_brown_conrady: ray {ray.round(5)}, by the documentation {documented.round(5)}: {inverse_off:.1f} px apart;")
print(f"    brown_conrady gives {plain.round(5)}")
ray, modified_off = again(camera(rs.distortion.modified_brown_conrady, numbers))
print(f"modified_brown_conrady: back {modified_off:.1f} px away; without a lens the ray is {round(x, 5), round(y, 5)}, got {ray.round(5)}")
_, ftheta_off = again(camera(rs.distortion.ftheta, [0.9, 0, 0, 0, 0]))
print(f"ftheta: back {ftheta_off:.1f} px away")
_, brown_off = again(camera(rs.distortion.brown_conrady, numbers))
print(f"brown_conrady, for comparison: back {brown_off:.4f} px away")

same = (
    inverse_off > 3
    and np.abs(600 * (np.array(plain) - again(camera(rs.distortion.inverse_brown_conrady, numbers))[0])).max() < 0.1
    and np.allclose(ray, [x, y], atol=1e-5)
    and modified_off > 1
    and ftheta_off > 20
    and brown_off < 0.01
)
print("as described" if same else "CHANGED")
sys.exit(not same)
PYTHON
