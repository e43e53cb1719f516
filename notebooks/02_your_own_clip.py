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
# # 2. Your own clip
#
# A video, a box, nothing else: no mesh, no intrinsics. What comes out then, what was assumed for it, which frames to
# doubt, and what to give to make it better. The clip here is rendered, and what is known about it is forgotten until
# the end; with the path of your own video in `MY_CLIP`, and a box in `MY_BOX`, the notebook runs on that.
#
# It runs on two cores in about three minutes. Weights of the hand detector: `dexman-pose models fetch mediapipe-
# hands`.

# %%
import os
import tempfile
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np

import dexman_pose as dp
from dexman_pose.data.camera_file import load_camera
from dexman_pose.data.doubt import Doubt
from dexman_pose.synthetic import render_demo
from dexman_pose.viewer import describe, overlay_frame

FRAMES = int(os.environ.get("NOTEBOOK_FRAMES", "60"))
folder = Path(tempfile.mkdtemp())
video, box = os.environ.get("MY_CLIP"), os.environ.get("MY_BOX")
if video is None:
    render_demo(folder / "film", num_frames=FRAMES)
    video = str(folder / "film" / "video.mp4")
    prompt = dp.load_prompts(folder / "film" / "prompts.json")["tin"]
else:
    prompt = dp.ObjectPrompt(box=[float(x) for x in str(box).split(",")])
clip = dp.Clip.open(video)
print(clip)

# %% [markdown]
# ## A box
#
# Look at a frame in which the object is seen well, and read the corners off the axes: left, top, right, bottom, a few
# pixels loose. Another frame than the first is `frame=`.

# %%
plt.figure(figsize=(7, 5))
plt.imshow(clip.frame(prompt.frame))
plt.gca().set_xticks(range(0, clip.width, 80), minor=False)
plt.gca().set_yticks(range(0, clip.height, 80), minor=False)
plt.grid(alpha=0.4)
x0, y0, x1, y1 = prompt.box
plt.gca().add_patch(plt.Rectangle((x0, y0), x1 - x0, y1 - y0, fill=False, color="tab:green", lw=2))
plt.title(f"box=({x0:.0f}, {y0:.0f}, {x1:.0f}, {y1:.0f})")
plt.show()

# %% [markdown]
# ## The run
#
# With `out=` the results of all stages are kept: the same call again goes on where it was stopped, and a changed
# option redoes only what depends on it. The folder holds the report, the overlay and `trajectory.npz`.

# %%
result = dp.reconstruct(video, {"thing": prompt}, out=folder / "run")
print(describe(result))
print(sorted(p.name for p in (folder / "run").iterdir()))

# %% [markdown]
# ## What was assumed
#
# Everything that was not given stands in the result: a distance is worth as much as the focal length behind it, and a
# size as much as the hand that was taken for an average adult's.

# %%
thing = result.objects["thing"]
print(f"intrinsics: {result.camera.source} (given, estimated from the clip, or a typical field of view)")
print(f"shape: {thing.mesh.source}; size: {thing.scale_source}; {1e3 * thing.mesh.extents.round(3)} mm")
print(f"world: {result.provenance['world']}")
for notice in result.provenance.get("notices", []):
    print("-", notice)

# %% [markdown]
# ## Which frames to doubt
#
# `valid` says whether a pose may be used, `doubt` why not. Look at the frame of which the result is least sure.

# %%
confidence = np.where(thing.valid, thing.confidence, 0.0)
least = int(np.argmin(confidence))
figure, axes = plt.subplots(1, 2, figsize=(11, 3.8))
axes[0].plot(confidence)
axes[0].plot(least, confidence[least], "o", color="tab:red")
axes[0].set(xlabel="frame", ylabel="confidence (0: not valid)", ylim=(-0.05, 1.05))
axes[1].imshow(overlay_frame(result, clip.frame(least), least))
axes[1].set_title(f"frame {least}, the least sure")
axes[1].axis("off")
plt.show()
reasons = thing.track.doubt
if reasons is not None:
    print(
        {d.name: int((reasons & d.value > 0).sum()) for d in Doubt if (reasons & d.value).any()}
        or "no doubts"
    )

# %% [markdown]
# ## Giving more
#
# In this order it helps most: a mesh in known units (size, sides nobody sees, texture), the camera's intrinsics
# (distances), masks or poses of other programs where the own ones fail. Here the film's mesh and intrinsics are
# remembered.

# %%
film = folder / "film"
if film.is_dir():
    camera = load_camera(film / "camera.json", clip.width, clip.height)
    known = dp.ObjectPrompt(
        box=prompt.box, frame=prompt.frame, mesh=dp.load_mesh(film / "object.obj", unit="m")
    )
    better = dp.reconstruct(video, {"thing": known}, camera=camera)
    for text, run in (("box alone", result), ("with mesh and intrinsics", better)):
        obj = run.objects["thing"]
        away = np.median(obj.camera_from_object[obj.valid, 2, 3])
        print(f"{text}: {obj.valid.sum()} of {run.num_frames} frames valid, longest side ", end="")
        print(f"{1e3 * obj.mesh.extents.max():.0f} mm, {1e3 * away:.0f} mm away, size {obj.scale_source}")

# %% [markdown]
# ## Your own clip
#
# The same on a video of your own, from the command line or from Python; `docs/inputs.md` says what else may be given.
#
# ```python
# result = dp.reconstruct("my_clip.mp4", {"cup": dp.ObjectPrompt(box=(387, 258, 483, 409))}, out="out/my_clip")
# print(describe(result))
# dp.export(result, "gltf", "my_clip.glb")
# ```
