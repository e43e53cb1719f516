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
# # 4. Hands and contact
#
# A picture tells where a hand is seen, not how far away it is: its distance follows from its size, which is that of an
# average adult until something says more. What it holds says more. This notebook renders a clip of a hand that grips a
# tin, with known truth, and shows the hand by the picture alone, then solved together with the tin: from the camera,
# from the side, and as a map of touch on the tin's surface.
#
# It runs on two cores in about two minutes. Weights of the hand detector: `dexman-pose models fetch mediapipe-hands`.

# %%
import os
import tempfile
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np

import dexman_pose as dp
from dexman_pose.contact import detect_contacts
from dexman_pose.data.camera_file import load_camera
from dexman_pose.data.tracks import JOINT_PARENTS
from dexman_pose.geometry import transform_points
from dexman_pose.hands import detect_hands, lift_hands
from dexman_pose.synthetic import render_demo
from dexman_pose.viewer import plot_contacts

FRAMES = int(os.environ.get("NOTEBOOK_FRAMES", "90"))
folder = Path(tempfile.mkdtemp())
render_demo(folder, num_frames=FRAMES)
with np.load(folder / "truth.npz") as file:
    truth = {key: file[key] for key in file.files}
clip = dp.Clip.open(folder / "video.mp4")
camera = load_camera(folder / "camera.json", clip.width, clip.height)

# %% [markdown]
# ## What the picture alone says
#
# The detector finds 21 joints in each frame; lifting places them in front of the camera with bones of one length.

# %%
seen = detect_hands(clip)
lifted = lift_hands(seen, camera)["right"]
plt.figure(figsize=(6, 4))
middle = clip.num_frames // 2
plt.imshow(clip.frame(middle))
plt.plot(*lifted.joints_2d[middle].T, "o", ms=3, color="tab:orange")
plt.axis("off")
plt.title(f"frame {middle}: the joints that were seen")
plt.show()

# %% [markdown]
# ## Solved together
#
# Mesh and camera are known here, so the tin is known to a fraction of a millimetre, also in distance. The pipeline asks
# who holds what and when: an object that moves is held by the hand that moves with it. Then one hand of one shape is
# fitted to the whole clip: landmarks as before, skin on the surface where it grips, never inside, no slip while the
# object is held, one way of holding it throughout. A hand that would have to leave the picture for it is given up, and
# the report says so.

# %%
prompts = dp.load_prompts(folder / "prompts.json")
name = next(iter(prompts))
mesh = dp.load_mesh(folder / "object.obj", unit="m")
run = dp.reconstruct(clip, {name: dp.ObjectPrompt(box=prompts[name].box, mesh=mesh)}, camera=camera)
tin, solved = run.objects[name], run.hands["right"]
grips = run.provenance["grips"]
for handling in grips["handled"]:
    spans = ", ".join(f"{first} to {last}" for first, last in handling["held"])
    print(f"{handling['side']} hand carries {handling['object']} in frames {spans}")
for key in ("before", "after"):
    print(key, {k: round(v, 3) for k, v in grips["hands"]["right"][key].items() if v is not None})

# %% [markdown]
# ## From the side
#
# Errors in distance cannot be seen from the camera. Here the camera looks from the left; the rendered truth is grey.

# %%
figure, axes = plt.subplots(1, 2, figsize=(10, 4), sharex=True, sharey=True)
surface = transform_points(tin.camera_from_object[middle], mesh.vertices)
for ax, hand, title in zip(axes, (lifted, solved), ("the picture alone", "solved with the tin")):
    ax.plot(surface[:, 2], -surface[:, 1], ".", ms=1, color="tab:green")
    for joints, color in ((truth["joints"][middle], "0.6"), (hand.joints[middle], "tab:orange")):
        for joint, parent in enumerate(JOINT_PARENTS):
            if parent >= 0:
                pair = joints[[joint, parent]]
                ax.plot(pair[:, 2], -pair[:, 1], "-", color=color, lw=1.5)
    ax.set_title(title)
    ax.set_xlabel("away from the camera (m)")
    ax.set_aspect("equal")
axes[0].set_ylabel("height (m)")
plt.show()

# %%
valid = lifted.valid & solved.valid
for text, hand in (("the picture alone", lifted), ("solved with the tin", solved)):
    off = np.linalg.norm(hand.joints - truth["joints"], axis=-1)[valid].mean(1)
    print(f"{text}: joints {1e3 * np.median(off):.0f} mm from the truth in the median frame")

# %% [markdown]
# ## Contacts
#
# Each joint's distance to the surface, and which touch, before and after.

# %%
before = detect_contacts({name: tin}, {"right": lifted})
assert run.contacts is not None
after = run.contacts
for text, contacts in (("the picture alone", before), ("solved with the tin", after)):
    print(f"{text}: some finger touches in {contacts.touching[0].any(1).mean():.0%} of the frames")
plot_contacts(run)
plt.show()

# %% [markdown]
# ## Where the tin is touched
#
# The nearest points of the touching joints, in the tin's own frame: what a robot's contact reward needs.

# %%
points = after.nearest[0][after.touching[0]]
spread = 0.008
heat = np.zeros(len(mesh.vertices))
for start in range(0, len(points), 500):
    part = points[start : start + 500]
    gap = np.linalg.norm(mesh.vertices[:, None] - part[None], axis=2)
    heat += np.exp(-0.5 * (gap / spread) ** 2).sum(1)
figure = plt.figure(figsize=(9, 4))
for k, angle in enumerate((20, 200)):
    ax = figure.add_subplot(1, 2, k + 1, projection="3d")
    colors = plt.get_cmap("inferno")((heat / max(heat.max(), 1e-9))[mesh.faces].mean(1))
    ax.plot_trisurf(*mesh.vertices.T, triangles=mesh.faces, shade=False).set_facecolors(colors)
    ax.view_init(20, angle)
    ax.set_aspect("equal")
    ax.set_axis_off()
    ax.set_title("from the thumb's side" if k == 0 else "from behind")
plt.show()

# %% [markdown]
# ## Your own clip
#
# The same on a video of your own; without a mesh the shape is made from the clip, and its size follows from the hand.
#
# ```python
# result = dp.reconstruct("my_clip.mp4", {"cup": dp.ObjectPrompt(box=(387, 258, 483, 409))}, out="out/my_clip")
# print(result.provenance["grips"])
# plot_contacts(result)
# ```
