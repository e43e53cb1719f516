# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # 5. Scoring: ADD-S and VSD on TACO
#
# How far is a pose off, and what is a number in a table worth? This notebook writes a small data set in TACO's own
# layout (centimetre meshes, masks of every fifth frame, 1-based keys and all), reads it as the real one is read,
# follows its objects, and scores them: by hand, then by the protocol. With TACO on your disk only the folder changes.
#
# It needs neither weights nor data, and runs on two cores in about a minute.

# %%
import tempfile
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np

import dexman_pose as dp
from dexman_pose import metrics
from dexman_pose.datasets.taco.reader import read_taco
from dexman_pose.evaluation.protocol import load_protocol
from dexman_pose.evaluation.runner import score
from dexman_pose.evaluation.sources import Source
from dexman_pose.evaluation.tables import console_text
from dexman_pose.geometry import se3
from dexman_pose.pose import track
from dexman_pose.synthetic import write_taco

folder = Path(tempfile.mkdtemp())
root = folder / "TACO"
names = write_taco(root, sequences=1, frames=20, size=(320, 240), seed=4)
recordings = {r.view: r for r in read_taco(root)}
print(names, list(recordings))
view = min(recordings)
recording = recordings[view]
for role, obj in recording.objects.items():
    print(role, obj.mesh)

# %% [markdown]
# ## Poses to score
#
# The tool and the target are followed from their first pose by what their outlines separate in the picture, without
# masks.

# %%
clip = dp.Clip.open(recording.video)
camera = dp.Camera(recording.camera.K, recording.camera.width, recording.camera.height)
tracks = {}
for role, obj in recording.objects.items():
    tracks[role] = track(obj.mesh, clip, None, camera, start=obj.camera_from_object[0])
    print(role, tracks[role])
figure, axes = plt.subplots(1, 3, figsize=(13, 3.6))
for ax, frame in zip(axes, (0, 9, 19)):
    ax.imshow(clip.frame(frame))
    for role, color in (("tool", "tab:orange"), ("target", "tab:cyan")):
        mesh, pose = recording.objects[role].mesh, tracks[role].camera_from_object[frame]
        seen = metrics.scene_depth([(mesh, pose)], camera) > 0
        if seen.any():
            ax.contour(seen, [0.5], colors=color, linewidths=1)
    ax.set_title(f"frame {frame}")
    ax.axis("off")
plt.tight_layout()
plt.show()

# %% [markdown]
# ## ADD-S
#
# The mean distance from each point of the object where it is to the nearest point of the object where it is said to
# be. The share of frames below a threshold, as the threshold grows to 10 cm, is a curve; its area has a closed form,
# the mean of max(0, 1 - error / 10 cm). A frame without an estimate counts as a failure.

# %%
figure, axes = plt.subplots(1, 2, figsize=(11, 3.6))
thresholds = np.linspace(0, 0.1, 400)
for role, found in tracks.items():
    obj = recording.objects[role]
    errors = metrics.add_s(found.camera_from_object, obj.camera_from_object, obj.mesh.vertices)
    usable = found.valid & obj.valid
    area, steps = metrics.auc(errors, usable), metrics.auc_posecnn(errors, usable)
    print(
        f"{role}: ADD-S {1e3 * np.median(errors[usable]):.2f} mm (median of {usable.sum()} frames), ", end=""
    )
    print(f"area {area:.3f} exact, {steps:.3f} as PoseCNN counts it")
    axes[0].plot(1e3 * np.where(usable, errors, np.nan), label=role)
    axes[1].plot(1e3 * thresholds, [(usable & (errors <= t)).mean() for t in thresholds], label=role)
axes[0].set(xlabel="frame", ylabel="ADD-S (mm)")
axes[1].set(xlabel="threshold (mm)", ylabel="share of frames", ylim=(0, 1.05))
axes[0].legend()
plt.show()

# %% [markdown]
# ## VSD
#
# ADD-S asks the whole object, what nobody can see included. VSD asks only what is visible: depth is rendered under
# both poses, and where both are visible the distances are compared. It needs a depth image that says what hides what:
# here that of the true scene. A shift along the line of sight costs VSD as much as its millimetres; a turn that shows
# nothing costs nothing.

# %%
frame, role = 10, "target"
obj = recording.objects[role]
true = obj.camera_from_object[frame]
scene = metrics.scene_depth(
    [(o.mesh, o.camera_from_object[frame]) for o in recording.objects.values()], camera
)
taus = np.arange(0.05, 0.51, 0.05)
figure, axes = plt.subplots(1, 2, figsize=(11, 3.6))
shown = axes[0].imshow(np.where(scene > 0, scene, np.nan), cmap="viridis")
figure.colorbar(shown, ax=axes[0], label="depth of the true scene (m)")
axes[0].axis("off")
for away in (0.002, 0.01, 0.02, 0.04):
    errors = metrics.vsd(se3(np.eye(3), [0, 0, away]) @ true, true, obj.mesh, camera, scene, taus=taus)
    axes[1].plot(taus, errors, "o-", ms=3, label=f"{1e3 * away:.0f} mm farther")
axes[1].set(xlabel="tolerance (share of the diameter)", ylabel="VSD")
axes[1].legend()
plt.show()
found = tracks[role].camera_from_object[frame]
print(
    f"{role}, frame {frame}: VSD of the track {np.mean(metrics.vsd(found, true, obj.mesh, camera, scene)):.3f}"
)

# %% [markdown]
# ## The whole protocol
#
# Saved as trajectories, under the name of sequence and view, the tracks are what `dexman-pose eval score` takes.

# %%
predictions = folder / "predictions"
for rec in recordings.values():
    if rec.view != view:
        continue
    objects = {r: dp.RigidObject(r, rec.objects[r].mesh, t, scale_source="given") for r, t in tracks.items()}
    dp.Trajectory(camera, rec.frame_times, objects).save(predictions / rec.key)
protocol = load_protocol("taco")
source = Source("taco", root, view)
print(console_text(score(source, protocol, predictions, folder / "scores")))

# %% [markdown]
# The truth itself must score perfectly; and a table should say so when what it scores is not an error but a mistake,
# such as a unit.

# %%
print(console_text(score(source, protocol, "truth", folder / "truth")))
results = score(source, protocol, "truth:centimetres", folder / "mistake")
for finding in results.findings[:2]:
    print(finding)

# %% [markdown]
# ## Your own clip
#
# The same on a video of your own needs a truth to compare with; where there is one, as a pose file per frame, it goes
# into the metrics as it is.
#
# ```python
# result = dp.reconstruct("my_clip.mp4", {"cup": dp.ObjectPrompt(box=(387, 258, 483, 409), mesh="cup.obj")})
# true = np.stack([np.loadtxt(path) for path in sorted(Path("poses").glob("*.txt"))])
# cup = result.objects["cup"]
# print(metrics.auc(metrics.add_s(cup.camera_from_object, true, cup.mesh.vertices), cup.valid))
# ```
