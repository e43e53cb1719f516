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
# # 6. To a robot's hand
#
# A video of a hand that lifts a tin becomes a trajectory; the trajectory becomes controls with which a robot's hand
# lifts it, in a simulation; and one such plan becomes many demonstrations. The clip is rendered here, so that what is
# true is known.
#
# It runs on two quiet cores in about five minutes. Weights of the hand detector: `dexman-pose models fetch
# mediapipe-hands`. The robot: the Shadow hand of MuJoCo Menagerie, found through `DEXMAN_ROBOTS` or the cache of
# `robot_descriptions`.

# %%
import os
import tempfile
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np

import dexman_pose as dp
from dexman_pose.data.camera_file import load_camera
from dexman_pose.errors import MissingExtraError
from dexman_pose.robot.assets.shadow import shadow_hand
from dexman_pose.robot.motion.from_trajectory import motion_from_trajectory
from dexman_pose.robot.planning.options import PlanOptions
from dexman_pose.robot.skill.evaluate import evaluate
from dexman_pose.robot.skill.make import plan_motion
from dexman_pose.synthetic import render_demo
from dexman_pose.synthetic.grasps.filming import FilmOptions
from dexman_pose.synthetic.skills.attempt import AttemptOptions, attempt
from dexman_pose.synthetic.skills.film import SkillFilm
from dexman_pose.synthetic.skills.variation import drawn

FRAMES = int(os.environ.get("NOTEBOOK_FRAMES", "90"))
folder = Path(tempfile.mkdtemp())
render_demo(folder, num_frames=FRAMES)

# %% [markdown]
# ## From the video to a trajectory
#
# The mesh and the camera are given, a box is drawn around the tin. Objects, hands, contacts, and the table they stand
# on come out.

# %%
prompts = dp.load_prompts(folder / "prompts.json")
name = next(iter(prompts))
mesh = dp.load_mesh(folder / "object.obj", unit="m")
clip = dp.Clip.open(folder / "video.mp4")
camera = load_camera(folder / "camera.json", clip.width, clip.height)
seen = dp.reconstruct(clip, {name: dp.ObjectPrompt(box=prompts[name].box, mesh=mesh)}, camera=camera)
print(seen)
assert seen.table is not None

# %% [markdown]
# ## From the trajectory to a task
#
# What is planned begins shortly before the tin leaves its place. The hand that acts is the one that touches what
# moves.

# %%
motion = motion_from_trajectory(seen, "auto")
for note in motion.notes:
    print(note)
path = motion.objects[name].world_from_object[:, :3, 3]
plt.figure(figsize=(6, 2.5))
plt.plot(np.arange(len(path)) / 30.0, 100.0 * (path - path[0]))
plt.legend(["x", "y", "z"])
plt.xlabel("s")
plt.ylabel("cm from its place")
plt.title("the tin, in the world that stands on the table")
plt.show()

# %% [markdown]
# ## The plan
#
# The fingers are retargeted, then controls are searched for in several simulated worlds at once, so that they work
# blindly. A small search is enough here; `dexman-pose plan` takes a larger one.

# %%
small = PlanOptions(samples=16, kept=6, members=2, rounds=2, passes=1, trials=4)
plan = plan_motion(motion, shadow_hand, options=small, said=print)
found = evaluate(plan, replays=4)
print(found.told())

# %% [markdown]
# What happened in the simulation, against what was asked for.

# %%
world = plan.world()
places = world.object_places(plan.qpos)[:, 0, :3]
figure, axes = plt.subplots(1, 2, figsize=(10, 3))
axes[0].plot(100.0 * plan.reference[:, 0, 2], color="0.6", lw=4, label="asked for")
axes[0].plot(100.0 * places[:, 2], color="tab:orange", label="happened")
axes[0].set_ylabel("height of the tin (cm)")
axes[0].legend()
for k, point in enumerate(world.points):
    if point.endswith("_tip"):
        axes[1].plot(plan.force[:, k], label=point.split("_")[1])
axes[1].set_ylabel("force at the fingertip (N)")
axes[1].legend(fontsize=8)
for ax in axes:
    ax.set_xlabel("frame")
plt.show()

# %%
size = FilmOptions(size=(320, 240))
hand = plan.about["hands"][0]
film = SkillFilm(plan, [name], [mesh], 0, {hand: shadow_hand(hand).file}, size)
figure, axes = plt.subplots(1, 4, figsize=(12, 2.6))
for ax, frame in zip(axes, np.linspace(5, plan.num_frames - 1, 4).astype(int)):
    ax.imshow(film.frame(int(frame)))
    ax.set_title(f"frame {frame}")
    ax.axis("off")
plt.show()

# %% [markdown]
# ## Demonstrations
#
# The same plan elsewhere on the table, with a smaller or larger, lighter or heavier tin and another friction: the
# controls are played, and only what succeeds is kept. `dexman-pose synth --skill` films each, with labels.

# %%
tries = [attempt(plan, [mesh], drawn(0, k, ((),)), options=AttemptOptions(search=None)) for k in range(6)]
for k, one in enumerate(tries):
    v = one.variation
    outcome = "success" if one.success else f"lost at frame {one.score.tracked} of {one.score.frames}"
    print(f"{k}: size {v.sizes[0]:.2f}, mass {v.masses[0]:.2f}, friction {v.friction:.2f}: {outcome}")
kept = [one for one in tries if one.success][:3]
figure, axes = plt.subplots(1, max(len(kept), 1), figsize=(4 * max(len(kept), 1), 3), squeeze=False)
for k, (ax, one) in enumerate(zip(axes[0], kept)):
    shown = SkillFilm(one.plan, [name], one.meshes, k + 1, {hand: shadow_hand(hand).file}, size)
    ax.imshow(shown.frame(2 * one.plan.num_frames // 3))
    ax.axis("off")
plt.show()

# %% [markdown]
# ## Another simulator
#
# The same controls, played blindly in Genesis, where that is installed.

# %%
try:
    from dexman_pose.genesis.replay import replay_in_genesis

    score, _ = replay_in_genesis(plan)
    print(f"Genesis: at most {100 * score.most_position:.1f} cm and {score.most_rotation:.2f} rad")
except MissingExtraError as error:
    print(error)
