"""The steps of the default pipeline, each a plain call into one room, with what its result depends on."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dexman_pose.backends import HANDS, MESH, SEGMENTATION
from dexman_pose.data.camera import Camera
from dexman_pose.data.masks import MaskSequence
from dexman_pose.data.prompts import ObjectPrompt
from dexman_pose.data.tracks import Contacts, HandObservations, HandTrack, RigidObject
from dexman_pose.data.trajectory import Trajectory
from dexman_pose.data.world.table import TablePlane
from dexman_pose.pipeline import artefacts, fixed_camera
from dexman_pose.pipeline.backends import Backends, weights_used
from dexman_pose.pipeline.foreseen import Foreseen
from dexman_pose.pipeline.growing_masks import GrowingMasks
from dexman_pose.pipeline.inputs import Fingerprints, Inputs, assumed_camera
from dexman_pose.pipeline.prepared import import_engine, prepared_beside
from dexman_pose.pipeline.seed import SEED
from dexman_pose.pipeline.stage import Stage
from dexman_pose.threads import cores

if TYPE_CHECKING:
    from dexman_pose.imaging.camera_motion import CameraMotion
    from dexman_pose.pipeline.before_masks.followed import FollowedObjects
    from dexman_pose.pipeline.results.outlines_ahead import OutlinesAhead
    from dexman_pose.pipeline.with_contact.pictures_ahead import PicturesAhead
    from dexman_pose.pipeline.with_contact.stage import GrippingHands

_ENGINE = ("pose", "render", "meshing", "imaging", "optimize", "symmetry")
"""Rooms whose code makes poses."""


@dataclass(frozen=True)
class Stages:
    """Makes the stages of one run; every method names what its stage depends on.

    Attributes:
        inputs: what the run is made from.
        marks: its fingerprints.
        backends: of the exchangeable stages.
        kept: whether results are written to a run folder.
    """

    inputs: Inputs
    marks: Fingerprints
    backends: Backends
    kept: bool = False

    def hands(self, backend: str) -> Stage[HandObservations]:
        """Find both hands in every frame, or take those that were given."""
        given = self.inputs.given.hands
        if given is not None:
            return Stage(
                "hands",
                "stages/hands.npz",
                compute=lambda: given,
                save=artefacts.save_observations,
                load=artefacts.load_observations,
                settings={"clip": self.marks.clip, "given": self.inputs.given.hash_hands()},
            )
        from dexman_pose.hands import detect_hands

        def compute() -> HandObservations:
            HANDS.load(backend)  # imported before the other thread begins to import
            with prepared_beside(self.inputs, kept=self.kept):
                return detect_hands(self.inputs.clip, backend=backend)

        return Stage(
            "hands",
            "stages/hands.npz",
            compute=compute,
            save=artefacts.save_observations,
            load=artefacts.load_observations,
            settings={
                "clip": self.marks.clip,
                "backend": backend,
                **(weights_used(HANDS, backend) if ":" in backend else {}),
            },
            rooms=("hands",),
        )

    def prompts(self, observations: HandObservations | None) -> Stage[dict[str, ObjectPrompt]]:
        """Replace a prompt by the outline of the object's own coloured mesh where that clearly fits."""
        from dexman_pose.pipeline.prompts_from_mesh import sharpen_prompts

        i, m, backend = self.inputs, self.marks, self.backends.segmentation
        camera = i.camera or assumed_camera(i.clip)
        return Stage(
            "prompts",
            "stages/prompts.npz",
            compute=lambda: sharpen_prompts(
                i.clip, i.prompts, i.meshes, camera, observations, segmentation=backend
            ),
            save=artefacts.save_prompts,
            load=artefacts.load_prompts,
            settings={
                "clip": m.clip,
                "prompts": m.prompts,
                "meshes": m.meshes,
                "camera": m.camera,
                "backend": backend,
            },
            after=self._with_hands("hands"),
            rooms=("segmentation", *_ENGINE),
        )

    def follow(
        self, prompts: dict[str, ObjectPrompt], observations: HandObservations | None
    ) -> Stage[FollowedObjects]:
        """Follow objects of known shape through the clip, before there are masks."""
        from dexman_pose.pipeline.before_masks.stage import follow_stage

        segmentation = self.backends.segmentation
        return follow_stage(self.inputs, self.marks, segmentation, prompts, observations, engine=_ENGINE)

    def follows(self) -> bool:
        """Whether there are objects that may be followed before there are masks."""
        from dexman_pose.pipeline.before_masks.followable import followable

        return bool(followable(self.inputs, self.backends.segmentation))

    def foreseen(
        self,
        observations: HandObservations | None,
        made: MaskSequence | None = None,
        followed: FollowedObjects | None = None,
        ahead: PicturesAhead | None = None,
    ) -> Foreseen | None:
        """Camera, hands and objects found ahead of their stages.

        Args:
            observations: hands as seen.
            made: masks where they are there; else they are found while masks are made, which come frame by frame then.
            followed: objects that were followed.
            ahead: hands that are being lifted already.
        """
        from dexman_pose.pipeline.given_objects import OWN_SHAPES
        from dexman_pose.segmentation import fills

        if self.backends.mesh != OWN_SHAPES:  # other makers of meshes want whole masks
            return None
        i, ready = self.inputs, made is not None or fills(self.backends.segmentation)
        if cores() < 2 or i.filmed_clip is not i.clip or not ready:
            return None
        import_engine()
        empty = GrowingMasks(tuple(i.prompts), i.clip.height, i.clip.width, i.clip.num_frames)
        masks = empty if made is None else GrowingMasks.of(made)
        return Foreseen(
            masks,
            lambda: self._find_camera(masks, observations),
            lambda camera: self._lift(observations, camera) if ahead is None else ahead.lifted(),
            lambda camera, hands: self._find_objects(masks, camera, observations, hands, followed),
            SEED,
        )

    def pictures(
        self,
        observations: HandObservations | None,
        camera: Camera | None,
        lift: Callable[[], dict[str, HandTrack]] | None = None,
    ) -> PicturesAhead | None:
        """Hands lifted, unless ``lift`` does it, and fitted to what is seen of them alone, ahead of their stages."""
        if observations is None or camera is None or cores() < 2:
            return None
        import_engine()
        from dexman_pose.pipeline.with_contact.pictures_ahead import PicturesAhead

        own = lift or (lambda: self._lift(observations, camera))
        return PicturesAhead(own, observations, camera, self.inputs.clip.frame_times)

    def masks(
        self,
        prompts: dict[str, ObjectPrompt],
        observations: HandObservations | None,
        foreseen: Foreseen | None = None,
        followed: FollowedObjects | None = None,
    ) -> Stage[MaskSequence]:
        """Follow the outlines of the objects through the clip; of those that were followed they are known."""
        from dexman_pose.imaging.undistorted_inputs import outside_marked
        from dexman_pose.pipeline.before_masks.beside import expected_of, followed_beside
        from dexman_pose.segmentation import segment_clip

        backend = self.backends.segmentation
        beside = list(followed_beside(self.inputs, backend))

        def compute() -> MaskSequence:
            if followed is not None and followed.makes_masks:
                from dexman_pose.pipeline.before_masks.followed import masks_beside

                known = masks_beside(self.inputs, prompts, observations, followed)
                return outside_marked(known, self.inputs.clip)
            grown = None if foreseen is None else foreseen.masks
            into = None if grown is None else grown.filled
            expected = expected_of(self.inputs, prompts, observations, backend)
            found = segment_clip(
                self.inputs.clip, prompts, observations, backend=backend, into=into, expected=expected
            )
            if grown is not None:
                grown.settle()
            return outside_marked(found, self.inputs.clip)

        return Stage(
            "masks",
            "stages/masks.npz",
            compute=compute,
            save=artefacts.save_masks,
            load=artefacts.load_masks,
            settings={
                "clip": self.marks.clip,
                "backend": backend,
                **weights_used(SEGMENTATION, backend),
                **(
                    {
                        "meshes": {name: self.marks.meshes[name] for name in beside},
                        "camera": self.marks.camera,
                        "depth": self.marks.depth,
                    }
                    if beside
                    else {}
                ),
            },
            after=("prompts", *(("follow",) if followed is not None else ()), *self._with_hands("hands")),
            rooms=("segmentation", *(("pipeline", *_ENGINE) if beside else ("imaging",))),
        )

    def given_masks(self, observations: HandObservations | None) -> Stage[MaskSequence]:
        """Take the masks that were given, as they are, with hands told from objects."""
        from dexman_pose.given.mask_labels import label_masks

        given, backend = self.inputs.given.masks, self.backends.segmentation
        assert given is not None
        return Stage(
            "masks",
            "stages/masks.npz",
            compute=lambda: label_masks(given, self.inputs.clip, observations, segmentation=backend),
            save=artefacts.save_masks,
            load=artefacts.load_masks,
            settings={"clip": self.marks.clip, "backend": backend, "given": self.inputs.given.hash_masks()},
            after=self._with_hands("hands"),
            rooms=("given", "segmentation", "imaging"),
        )

    def camera_motion(self, masks: MaskSequence) -> Stage[CameraMotion]:
        """Tell in which frames the camera is not where it was in the first."""
        from dexman_pose.imaging.camera_motion import detect_camera_motion

        return Stage(
            "camera_motion",
            "stages/camera_motion.npz",
            compute=lambda: detect_camera_motion(self.inputs.clip, masks=masks),
            save=fixed_camera.save_camera_motion,
            load=fixed_camera.load_camera_motion,
            settings={"clip": self.marks.clip},
            after=("masks",),
            rooms=("imaging",),
        )

    def camera(
        self,
        masks: MaskSequence,
        observations: HandObservations | None,
        foreseen: Foreseen | None = None,
    ) -> Stage[Camera]:
        """Take the user's intrinsics, or estimate them from what is seen."""
        given = self.inputs.camera
        if given is not None:
            return Stage(
                "camera",
                "stages/camera.npz",
                compute=lambda: given,
                save=artefacts.save_camera,
                load=artefacts.load_camera,
                settings={"camera": self.marks.camera},
            )
        return Stage(
            "camera",
            "stages/camera.npz",
            compute=lambda: foreseen.camera() if foreseen else self._find_camera(masks, observations),
            save=artefacts.save_camera,
            load=artefacts.load_camera,
            settings={"clip": self.marks.clip, "prompts": self.marks.prompts, "meshes": self.marks.meshes},
            after=("masks", *self._with_hands("hands")),
            rooms=_ENGINE,
        )

    def lift(
        self,
        observations: HandObservations,
        camera: Camera,
        motion: CameraMotion,
        foreseen: Foreseen | None = None,
    ) -> Stage[dict[str, HandTrack]]:
        """Place the hands in metric space."""
        return Stage(
            "lift",
            "stages/lift.npz",
            compute=lambda: fixed_camera.withhold_hands(
                self._lift(observations, camera) if foreseen is None else foreseen.hands(), motion
            ),
            save=lambda hands, path: self._partial(camera, hands=hands).save(path),
            load=lambda path: Trajectory.load(path).hands,
            settings={"depth": self.marks.depth},
            after=("hands", "camera", "camera_motion"),
            rooms=("hands", "optimize"),
        )

    def objects(
        self,
        masks: MaskSequence,
        camera: Camera,
        observations: HandObservations | None,
        hands: dict[str, HandTrack],
        motion: CameraMotion,
        foreseen: Foreseen | None = None,
        followed: FollowedObjects | None = None,
    ) -> Stage[dict[str, RigidObject]]:
        """Find the pose of every object in every frame, and its size where that is unknown."""
        from dexman_pose.pipeline.given_objects import OWN_SHAPES

        i, m = self.inputs, self.marks

        def compute() -> dict[str, RigidObject]:
            # Where the camera moves, hands are withheld that the foreseen objects were found with.
            if foreseen is None or motion.moves:
                found = self._find_objects(masks, camera, observations, hands, followed)
            else:
                found = foreseen.objects()
            # A mesh of depth, or of a network, does not rest on the outlines of a camera that stands still.
            own = self.backends.mesh == OWN_SHAPES
            meshes = i.meshes if own else {name: one.mesh for name, one in found.items()}
            return fixed_camera.withhold_objects(found, meshes, motion)

        return Stage(
            "objects",
            "stages/objects.npz",
            compute=compute,
            save=lambda objects, path: self._partial(camera, objects=objects).save(path),
            load=lambda path: Trajectory.load(path).objects,
            settings={
                "clip": m.clip,
                "prompts": m.prompts,
                "meshes": m.meshes,
                "depth": m.depth,
                "backend": self.backends.mesh,
                **weights_used(MESH, self.backends.mesh),
                **({"poses": i.given.hash_poses()} if i.given.poses else {}),
            },
            after=(
                "masks",
                "camera",
                "camera_motion",
                *(("follow",) if followed is not None else ()),
                *self._with_hands("lift"),
            ),
            rooms=_ENGINE,
        )

    def grips(
        self,
        objects: dict[str, RigidObject],
        hands: dict[str, HandTrack],
        observations: HandObservations,
        camera: Camera,
        pictures: PicturesAhead | None = None,
        table: TablePlane | None = None,
    ) -> Stage[GrippingHands]:
        """Move hands to where they touch what they hold."""
        from dexman_pose.pipeline.with_contact.stage import grips_stage

        return grips_stage(self.inputs, self.marks, objects, hands, observations, camera, pictures, table)

    def outlines(self, objects: dict[str, RigidObject], camera: Camera) -> OutlinesAhead:
        """Outlines of objects for the overlay, traced ahead of it."""
        from dexman_pose.pipeline.results.outlines_ahead import OutlinesAhead

        return OutlinesAhead(objects, camera, self.inputs.clip.num_frames)

    def contacts(self, objects: dict[str, RigidObject], grips: GrippingHands) -> Stage[Contacts]:
        """Decide who touches what."""
        from dexman_pose.pipeline.with_contact.contacts import contacts_stage

        return contacts_stage(objects, grips, self.inputs.clip.frame_times)

    def _find_camera(self, masks: MaskSequence, observations: HandObservations | None) -> Camera:
        """The user's camera, or one that is estimated."""
        from dexman_pose.pose import estimate_camera

        i = self.inputs
        if i.camera is not None:
            return i.camera
        return estimate_camera(i.clip, masks, i.prompts, i.meshes, observations)

    def _lift(self, observations: HandObservations | None, camera: Camera) -> dict[str, HandTrack]:
        """The hands in metres, whatever the camera does; none where they are left out."""
        from dexman_pose.hands import lift_hands

        return {} if observations is None else lift_hands(observations, camera, depth=self.inputs.depth)

    def _find_objects(
        self,
        masks: MaskSequence,
        camera: Camera,
        observations: HandObservations | None,
        hands: dict[str, HandTrack],
        followed: FollowedObjects | None = None,
    ) -> dict[str, RigidObject]:
        """The objects, whatever the camera does."""
        from dexman_pose.pipeline.given_objects import checked_depth, make_objects

        checked_depth(self.inputs, masks, camera, observations)
        return make_objects(self.inputs, masks, camera, hands, followed, self.backends.mesh)

    def _with_hands(self, *names: str) -> tuple[str, ...]:
        return names if self.backends.hands is not None else ()

    def _partial(
        self,
        camera: Camera,
        *,
        objects: Mapping[str, RigidObject] | None = None,
        hands: Mapping[str, HandTrack] | None = None,
        contacts: Contacts | None = None,
    ) -> Trajectory:
        return Trajectory(
            camera, self.inputs.clip.frame_times, dict(objects or {}), dict(hands or {}), contacts
        )
