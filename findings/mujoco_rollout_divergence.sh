#!/bin/sh
# mujoco 4.0.0: mujoco.rollout on a model of two bodies, one of which diverges (a spring too stiff for its time step).
# Expected: numbers that are none, an error, or another sign of it in what is returned.
# Seen: everything returned is finite. The whole world, the healthy body too, is put back to qpos0 with time near zero,
# and that one state is repeated for all steps that are left: an object that flew away is back where it began, and scores
# as well there. Only the time, which goes back and then stands still, tells; the warning counter is in the MjData of
# whichever thread it was, and a line goes to MUJOCO_LOG.TXT in the working directory.
# Exit 0: as described. Exit 1: changed. CPU only.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q mujoco==4.0.0 numpy >/dev/null 2>&1
cd "$work"
"$work/venv/bin/python" - 2>/dev/null <<'PYTHON'
import sys
from pathlib import Path

import mujoco
import numpy as np
from mujoco import rollout

MODEL = """<mujoco><option timestep="0.01" integrator="Euler"/><worldbody>
<body><joint type="slide" axis="1 0 0" stiffness="100000"/><geom size="0.1" mass="1"/></body>
<body pos="0 3 0"><joint type="slide" axis="1 0 0"/><geom size="0.1" mass="1"/></body>
</worldbody></mujoco>"""
model = mujoco.MjModel.from_xml_string(MODEL)
data = mujoco.MjData(model)
start = np.zeros(mujoco.mj_stateSize(model, mujoco.mjtState.mjSTATE_FULLPHYSICS))
start[1] = 0.01  # the spring's
start[1 + model.nq + 1] = 1.0  # the other body's speed
states, _ = rollout.rollout(model, data, start[None], nstep=40)
time, healthy = states[0, :, 0], states[0, :, 2]
back = np.flatnonzero(np.diff(time) < 0)
print("mujoco", mujoco.__version__)
print("all finite:", bool(np.isfinite(states).all()), "time:", time[:12].round(3).tolist())
print("healthy body:", healthy[:12].round(3).tolist())
print("warnings:", sum(w.number for w in data.warning), "log:", Path("MUJOCO_LOG.TXT").exists())
same = (
    np.isfinite(states).all()
    and len(back) == 1
    and np.ptp(time[back[0] + 1 :]) == 0
    and abs(healthy[-1]) < 1e-6
    and Path("MUJOCO_LOG.TXT").exists()
)
sys.exit(0 if same else 1)
PYTHON
