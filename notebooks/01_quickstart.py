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
# # 1. Quickstart
#
# A video goes in, a metric motion comes out: where every object and both hands are in every frame, in a world that
# stands on the table. This notebook renders a clip whose truth is known, reconstructs it from the video, the object's
# mesh and one box, looks at the result, and compares it with the truth.
#
# It runs on two cores in about two minutes. Weights of the hand detector: `dexman-pose models fetch mediapipe-hands`.

# %%
import os
import tempfile
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np

import dexman_pose as dp
from dexman_pose.data.camera_file import load_camera
from dexman_pose.geometry import rotation_angle, transform_points
from dexman_pose.synthetic import render_demo
from dexman_pose.viewer import describe, overlay_frame

FRAMES = int(os.environ.get("NOTEBOOK_FRAMES", "90"))
folder = Path(tempfile.mkdtemp())
truth = render_demo(folder, num_frames=FRAMES)
clip = dp.Clip.open(folder / "video.mp4")
camera = load_camera(folder / "camera.json", clip.width, clip.height)

# %% [markdown]
# ## What is given
#
# One box around the object in one frame says which object is meant. Its mesh and the camera's intrinsics are known
# here; without a mesh the shape is made from the clip, without intrinsics a field of view is assumed, and the result
# says so.

# %%
prompts = dp.load_prompts(folder / "prompts.json")
name = next(iter(prompts))
x0, y0, x1, y1 = prompts[name].box
plt.figure(figsize=(6, 4.5))
plt.imshow(clip.frame(0))
plt.gca().add_patch(plt.Rectangle((x0, y0), x1 - x0, y1 - y0, fill=False, color="tab:green", lw=2))
plt.title(f"frame 0 of {clip.num_frames}: the box says which object is meant")
plt.axis("off")
plt.show()

# %%
mesh = dp.load_mesh(folder / "object.obj", unit="m")
run = dp.reconstruct(clip, {name: dp.ObjectPrompt(box=prompts[name].box, mesh=mesh)}, camera=camera)
print(describe(run))

# %% [markdown]
# ## What was found
#
# Drawn over the pictures: outline and axes of the object, joints of the hand, with dots in the object's colour where
# they touch it.

# %%
shown = np.linspace(0, clip.num_frames - 1, 5).astype(int)[1:4]
figure, axes = plt.subplots(1, 3, figsize=(13, 3.6))
for ax, frame in zip(axes, shown):
    ax.imshow(overlay_frame(run, clip.frame(int(frame)), int(frame)))
    ax.set_title(f"frame {frame}")
    ax.axis("off")
plt.tight_layout()
plt.show()

# %% [markdown]
# Poses are `camera_from_object`, 4x4, metres; rows that are not `valid` hold no result. `world_from_camera` brings
# them to the world: z up, the table at z = 0.

# %%
thing = run.objects[name]
world_from_object = run.world_from_camera @ thing.camera_from_object
print(
    f"{thing.valid.sum()} of {run.num_frames} poses are valid; size: {thing.scale_source}; camera: {run.camera.source}"
)
figure, axes = plt.subplots(1, 2, figsize=(11, 3.4))
axes[0].plot(run.frame_times, 1e3 * world_from_object[:, 2, 3], label=name)
for side, hand in run.hands.items():
    wrist = transform_points(run.world_from_camera, hand.joints)[:, 0, 2]
    axes[0].plot(run.frame_times, 1e3 * np.where(hand.valid, wrist, np.nan), label=f"{side} wrist")
axes[0].set_xlabel("seconds")
axes[0].set_ylabel("height above the table (mm)")
axes[0].legend()
axes[1].plot(run.frame_times, thing.confidence)
axes[1].set_ylim(0, 1.05)
axes[1].set_xlabel("seconds")
axes[1].set_ylabel(f"confidence of {name}")
plt.tight_layout()
plt.show()

# %% [markdown]
# ## How well
#
# The clip was rendered, so the truth is known.

# %%
true = truth.camera_from_object
off = 1e3 * np.linalg.norm(thing.camera_from_object[:, :3, 3] - true[:, :3, 3], axis=1)
turned = np.degrees(rotation_angle(thing.camera_from_object[:, :3, :3].swapaxes(-1, -2) @ true[:, :3, :3]))
print(
    f"object: {np.median(off[thing.valid]):.2f} mm and {np.median(turned[thing.valid]):.2f} degrees off (median)"
)
assert run.table is not None
print(f"table: {np.degrees(run.table.normal_std):.1f} degrees is how sure it says it is of its normal")

# %% [markdown]
# ## What to do with it
#
# A run is one file of plain arrays, and goes to Blender, USD, MuJoCo or BOP by name.

# %%
path = run.save(folder / "trajectory.npz")
same = dp.Trajectory.load(path)
print(f"{path.name}: {path.stat().st_size / 1e3:.0f} kB, {same}")
print(f"{dp.export(same, 'gltf', folder / 'clip.glb').stat().st_size / 1e3:.0f} kB of glTF")
print(
    f"{dp.export(same, 'mjcf', folder / 'mujoco').name}/: {sorted(p.name for p in (folder / 'mujoco').iterdir())}"
)

# %% [markdown]
# ## Your own clip
#
# The same on a video of your own; without a mesh the shape is made from the clip, and its size follows from the hand.
#
# ```python
# result = dp.reconstruct("my_clip.mp4", {"cup": dp.ObjectPrompt(box=(387, 258, 483, 409))}, out="out/my_clip")
# print(describe(result))
# dp.export(result, "gltf", "my_clip.glb")
# ```
