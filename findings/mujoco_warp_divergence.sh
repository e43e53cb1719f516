#!/bin/sh
# mujoco_warp 4.0.0 (warp 1.19.0, CPU), beside mujoco 4.0.0: a world of two bodies, one of which diverges (a spring too
# stiff for its time step).
# Expected, after MuJoCo: the world is put back to qpos0 and time zero at a limit of 1e10, and a warning is counted.
# Seen: nothing is put back, limited, counted or printed. The body swings out to 1e30 m while the other one is right; when
# single precision ends, all of that world is no number, the healthy body too, and stays so; time goes on as if nothing
# were, and Data.overflow, the bit mask of what went wrong, is 0. Other worlds are not touched. Whoever looks for time
# going back, or waits for the reset, never learns of it: look at the numbers themselves, and put the world somewhere.
# Exit 0: as described. Exit 1: changed. CPU only; kernels compile for a minute.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q mujoco-warp==4.0.0 mujoco==4.0.0 warp-lang==1.19.0 numpy >/dev/null 2>&1
cd "$work"
WARP_CACHE_PATH="$work/kernels" "$work/venv/bin/python" - 2>/dev/null <<'PYTHON'
import sys

import mujoco
import numpy as np
import warp

warp.config.log_level = warp.LOG_ERROR
import mujoco_warp

MODEL = """<mujoco><option timestep="0.01" integrator="Euler"/><worldbody>
<body><joint type="slide" axis="1 0 0" stiffness="100000"/><geom size="0.1" mass="1"/></body>
<body pos="0 3 0"><joint type="slide" axis="1 0 0"/><geom size="0.1" mass="1"/></body>
</worldbody></mujoco>"""
model = mujoco.MjModel.from_xml_string(MODEL)
start = mujoco.MjData(model)
start.qpos[0], start.qvel[1] = 0.01, 1.0
mujoco.mj_forward(model, start)
device_model = mujoco_warp.put_model(model)
data = mujoco_warp.put_data(model, start, nworld=2)
places = data.qpos.numpy()
places[1, 0] = 0.0  # the second world's spring is at rest
data.qpos.assign(places)
seen = []
for _ in range(60):
    mujoco_warp.step(device_model, data)
    mujoco.mj_step(model, start)
    seen.append(data.qpos.numpy().copy())
time, overflow = data.time.numpy(), data.overflow.numpy()
print("mujoco_warp", mujoco_warp.__version__, "mujoco", mujoco.__version__, "warp", warp.config.version)
for step in (5, 10, 35, 59):
    print(f"step {step + 1}: bad world {seen[step][0].tolist()}, good world {seen[step][1].tolist()}")
print("time:", time.round(3).tolist(), "overflow:", overflow.tolist())
print("mujoco: time", round(start.time, 3), "warnings", int(sum(w.number for w in start.warning)))
same = (
    abs(seen[35][0, 0]) > 1e20
    and abs(seen[35][0, 1] - 0.36) < 1e-3
    and np.isnan(seen[59][0]).all()
    and abs(seen[59][1, 1] - 0.60) < 1e-3
    and np.allclose(time, 0.6, atol=1e-3)
    and not overflow.any()
    and start.time < 0.59
    and sum(w.number for w in start.warning) >= 1
)
sys.exit(0 if same else 1)
PYTHON
