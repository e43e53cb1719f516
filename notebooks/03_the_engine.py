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
# # 3. The engine from inside
#
# A pose is found by comparing renderings with the picture. This notebook takes that apart on pictures rendered here,
# whose truth is known: what is compared, which directions a picture fixes and which it leaves open, what a symmetric
# object means for a pose, and how a mesh of unknown size is fitted, as those made from a picture by a network are.
#
# It needs neither weights nor data, and runs on two cores in about a minute.

# %%
import matplotlib.pyplot as plt
import numpy as np
import trimesh
from scipy.ndimage import distance_transform_edt

import dexman_pose as dp
from dexman_pose.geometry import rotation_angle, se3, so3_exp
from dexman_pose.imaging.masks import inner_edge
from dexman_pose.metrics import add, add_s
from dexman_pose.pose import estimate_pose, refine_pose
from dexman_pose.render import Rasterizer
from dexman_pose.symmetry import detect_symmetry

camera = dp.Camera.from_focal(620.0, 640, 480)
rng = np.random.default_rng(3)


def as_mesh(*shapes):
    whole = trimesh.util.concatenate(shapes)
    return dp.Mesh(np.asarray(whole.vertices), np.asarray(whole.faces))


def photograph(mesh, pose):
    """A shaded picture of a mesh before a grey wall, with noise; its mask and its depth."""
    seen = Rasterizer(mesh).render(
        pose, camera.K, camera.width, camera.height, attributes=("depth", "normal", "color")
    )
    light = np.abs(seen.normal[0] @ np.array([0.3, -0.6, -0.74]))[..., None]
    colour = seen.color[0] if mesh.vertex_colors is not None else np.array([0.75, 0.45, 0.25])
    picture = np.where(seen.mask[0][..., None], 255 * colour * (0.25 + 0.75 * light), 120.0)
    return (
        (picture + rng.normal(0, 3, picture.shape)).clip(0, 255).astype(np.uint8),
        seen.mask[0],
        seen.depth[0],
    )


can = as_mesh(trimesh.creation.cylinder(0.034, 0.12, sections=64))
handle = trimesh.creation.annulus(0.018, 0.026, 0.012, sections=40)
handle.apply_transform(trimesh.transformations.rotation_matrix(np.pi / 2, [1, 0, 0]))
handle.apply_translation([0.052, 0, 0.012])
mug = as_mesh(trimesh.creation.cylinder(0.038, 0.09, sections=64), handle)
pose = se3(so3_exp([1.9, 0.3, 0.2]), [0.03, 0.02, 0.55])
image, mask, depth = photograph(mug, pose)

# %% [markdown]
# ## Residuals
#
# The strongest evidence is the outline: each point of the rendered contour has a distance to the contour of the mask,
# in pixels, and the other way round. Damped least squares makes these distances small, all six directions at once.
# The start is off by 8 mm and 7 degrees.


# %%
def outline_distances(mesh, at):
    """Pixels from each point of the rendered contour to the nearest of the mask's."""
    drawn = Rasterizer(mesh).render(at, camera.K, camera.width, camera.height).mask[0]
    u, v = inner_edge(drawn).T
    wanted = np.ones_like(mask)
    wanted[tuple(inner_edge(mask).T[::-1])] = False
    return distance_transform_edt(wanted)[v, u], (u, v)


start = se3(np.eye(3), [0.006, -0.004, 0.004]) @ pose @ se3(so3_exp([0.05, 0.08, 0.08]), np.zeros(3))
found = refine_pose(mug, start, mask, camera, image=image)
figure, axes = plt.subplots(1, 3, figsize=(13, 3.6))
for ax, at, title in ((axes[0], start, "start"), (axes[1], found.camera_from_object, "refined")):
    distances, contour = outline_distances(mug, at)
    ax.imshow(image)
    ax.scatter(*contour, c=distances, s=3, cmap="plasma", vmin=0, vmax=10)
    ax.set(
        xlim=(240, 460),
        ylim=(360, 180),
        title=f"{title}: {np.sqrt(np.mean(distances**2)):.2f} px",
        xticks=[],
        yticks=[],
    )
    axes[2].hist(distances, np.linspace(0, 14, 40), alpha=0.6, label=title)
axes[2].set(xlabel="distance of the contours (px)", ylabel="points")
axes[2].legend()
plt.show()
off = found.camera_from_object[:3, 3] - pose[:3, 3]
print(f"refined: {1e3 * np.linalg.norm(off):.2f} mm off, of which {1e3 * abs(off[2]):.2f} in distance")

# %% [markdown]
# ## What a picture fixes
#
# Move the pose a little in one direction and look how much the outline minds. Sideways it minds at once. In distance
# several times less: the outline only grows a little. And a can minds no turn about its own axis at all, while a mug's
# handle tells it.

# %%
steps = np.linspace(-1, 1, 41)
moves = {
    "sideways, 10 mm": lambda s: se3(np.eye(3), [0.010 * s, 0, 0]) @ pose,
    "in distance, 10 mm": lambda s: se3(np.eye(3), [0, 0, 0.010 * s]) @ pose,
    "about its axis, 20 degrees": lambda s: pose @ se3(so3_exp([0, 0, np.radians(20) * s]), np.zeros(3)),
}
figure, axes = plt.subplots(1, 2, figsize=(11, 3.4), sharey=True)
for ax, mesh, title in ((axes[0], mug, "mug"), (axes[1], can, "can")):
    drawn = Rasterizer(mesh)
    seen = drawn.render(pose, camera.K, camera.width, camera.height).mask[0]
    for label, moved in moves.items():
        tried = drawn.render(np.stack([moved(s) for s in steps]), camera.K, camera.width, camera.height).mask
        overlap = (tried & seen).sum((1, 2)) / (tried | seen).sum((1, 2))
        ax.plot(steps, overlap, label=label)
    ax.set(title=title, xlabel="share of the move")
axes[0].set_ylabel("overlap of the outlines")
axes[0].legend(fontsize=8)
plt.show()

# %% [markdown]
# The engine knows this from its normal equations: `covariance` of the twist, and `observable` for each of
# `directions`. The steps of the pixels' edges alone seem to fix the can's turn to some degrees, so a direction counts
# as observable only when it is fixed better than that.

# %%
rows = []
for title, mesh in (("mug", mug), ("can", can)):
    picture, outline, measured = photograph(mesh, pose)
    for evidence, more in (("outline", {}), ("outline and depth", {"depth": measured})):
        estimate = refine_pose(mesh, pose, outline, camera, **more)
        sigma = np.sqrt(np.diag(estimate.covariance))
        axis = estimate.camera_from_object[:3, 2]
        spin = np.sqrt(axis @ estimate.covariance[3:, 3:] @ axis)
        rows.append(
            (
                f"{title}, {evidence}",
                1e3 * sigma[0],
                1e3 * sigma[2],
                np.degrees(spin),
                estimate.observable.sum(),
            )
        )
print(f"{'':24s}{'sideways mm':>12s}{'distance mm':>12s}{'spin degrees':>14s}{'observable':>12s}")
for label, sideways, away, spin, count in rows:
    print(f"{label:24s}{sideways:12.3f}{away:12.3f}{spin:14.2f}{count:9d} of 6")

# %% [markdown]
# ## Symmetry
#
# A turn that leaves an object as it is changes no picture: poses that differ by it are the same pose. Symmetries are
# detected from the mesh, colours included. A can with a label has fewer of them.

# %%
labelled = dp.Mesh(
    can.vertices,
    can.faces,
    vertex_colors=np.where(can.vertices[:, :1] > 0.02, [220, 40, 40], [230, 230, 220]).astype(np.uint8),
)
for title, mesh in (("can", can), ("can with a label", labelled), ("mug", mug)):
    group = detect_symmetry(mesh)
    print(f"{title}: any turn about {len(group.axes)} axes, {len(group.discrete) - 1} other turns")

# %% [markdown]
# Found without a start, the can's turn about its axis is anything. ADD calls that an error, ADD-S does not; nor is a
# symmetric twin listed among the `alternatives`, so that the margin over the runner-up means something.

# %%
picture, outline, measured = photograph(can, pose)
found = estimate_pose(can, picture, outline, camera, depth=measured)
turn = np.degrees(rotation_angle(found.camera_from_object[:3, :3].T @ pose[:3, :3]))
print(found)
print(f"turned {turn:.0f} degrees from the pose it was rendered at")
print(f"ADD {1e3 * add(found.camera_from_object, pose, can.vertices):.1f} mm, ", end="")
print(f"ADD-S {1e3 * add_s(found.camera_from_object, pose, can.vertices):.2f} mm")

# %% [markdown]
# ## A mesh of unknown size
#
# A mesh made by a network has a shape, but any size and axes. From one picture without depth only the ratio of size
# to distance can be found: the engine finds that and says so. Depth, or a hand that holds the thing, fixes the rest.

# %%
own_axes = se3(so3_exp([0.4, 1.1, -0.7]), [0.2, -0.1, 0.3])
generated = mug.moved(own_axes).scaled(7.3)
true_middle = own_axes[:3, 3]  # where the mug's own origin went
figure, axes = plt.subplots(1, 2, figsize=(11, 3.8))
for ax, title, more in ((axes[0], "picture alone", {}), (axes[1], "with depth", {"depth": depth})):
    found = estimate_pose(generated, image, mask, camera, scale="unknown", **more)
    placed = generated.scaled(found.scale)
    away = (found.camera_from_object @ np.append(found.scale * 7.3 * true_middle, 1.0))[2]
    print(
        f"{title}: size from {found.scale_source}, {7.3 * found.scale:.3f} of the true one; {away:.3f} m away, ",
        end="",
    )
    print(
        f"true {pose[2, 3]:.3f}; size over distance {7.3 * found.scale / away * pose[2, 3]:.3f} of the true one"
    )
    drawn = Rasterizer(placed).render(found.camera_from_object, camera.K, camera.width, camera.height).mask[0]
    ax.imshow(image)
    ax.contour(drawn, [0.5], colors="lime", linewidths=1)
    ax.set(
        xlim=(240, 460),
        ylim=(360, 180),
        title=f"{title}: size from {found.scale_source}",
        xticks=[],
        yticks=[],
    )
plt.show()

# %% [markdown]
# ## Your own clip
#
# The same on a video of your own: a generated mesh with a unit that means nothing goes in with its unit unknown, and
# the whole clip, hands included, tells its size.
#
# ```python
# cup = dp.ObjectPrompt(box=(387, 258, 483, 409), mesh="generated.glb", mesh_scale="unknown")
# result = dp.reconstruct("my_clip.mp4", {"cup": cup}, out="out/my_clip")
# print(result.objects["cup"].scale, result.objects["cup"].scale_source)
# ```
