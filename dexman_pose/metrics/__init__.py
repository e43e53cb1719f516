"""Errors of poses, hands, contacts and shapes, each by its definition; usable alone. Metres, radians, pixels."""

from typing import TYPE_CHECKING

from dexman_pose._lazy import lazy_names

if TYPE_CHECKING:
    from dexman_pose.metrics.contact import contact_distance_error, contact_f_score, penetration
    from dexman_pose.metrics.depth_agreement import (
        depth_agreement,
        depth_agreement_auc,
        depth_agreement_success,
    )
    from dexman_pose.metrics.hands import f_score, hand_error, joint_errors, pck, pck_auc
    from dexman_pose.metrics.points import add, add_s, mspd, mssd
    from dexman_pose.metrics.poses import diameter, rotation_error, translation_error
    from dexman_pose.metrics.scene_depth import scene_depth
    from dexman_pose.metrics.scores import (
        ar_bop,
        auc,
        auc_posecnn,
        auc_trapezoid,
        average_recall,
        recall,
        summary,
    )
    from dexman_pose.metrics.shape import align_generated_mesh, chamfer
    from dexman_pose.metrics.silhouette import failure_rate, mask_iou
    from dexman_pose.metrics.stability import first_frame_aligned, jitter, stability
    from dexman_pose.metrics.vsd import vsd

__all__ = [
    "add",
    "add_s",
    "align_generated_mesh",
    "ar_bop",
    "auc",
    "auc_posecnn",
    "auc_trapezoid",
    "average_recall",
    "chamfer",
    "contact_distance_error",
    "contact_f_score",
    "depth_agreement",
    "depth_agreement_auc",
    "depth_agreement_success",
    "diameter",
    "f_score",
    "failure_rate",
    "first_frame_aligned",
    "hand_error",
    "jitter",
    "joint_errors",
    "mask_iou",
    "mspd",
    "mssd",
    "pck",
    "pck_auc",
    "penetration",
    "recall",
    "rotation_error",
    "scene_depth",
    "stability",
    "summary",
    "translation_error",
    "vsd",
]

__getattr__, __dir__ = lazy_names(
    __name__,
    {
        "add": "dexman_pose.metrics.points",
        "add_s": "dexman_pose.metrics.points",
        "align_generated_mesh": "dexman_pose.metrics.shape",
        "ar_bop": "dexman_pose.metrics.scores",
        "auc": "dexman_pose.metrics.scores",
        "auc_posecnn": "dexman_pose.metrics.scores",
        "auc_trapezoid": "dexman_pose.metrics.scores",
        "average_recall": "dexman_pose.metrics.scores",
        "chamfer": "dexman_pose.metrics.shape",
        "contact_distance_error": "dexman_pose.metrics.contact",
        "contact_f_score": "dexman_pose.metrics.contact",
        "depth_agreement": "dexman_pose.metrics.depth_agreement",
        "depth_agreement_auc": "dexman_pose.metrics.depth_agreement",
        "depth_agreement_success": "dexman_pose.metrics.depth_agreement",
        "diameter": "dexman_pose.metrics.poses",
        "f_score": "dexman_pose.metrics.hands",
        "failure_rate": "dexman_pose.metrics.silhouette",
        "first_frame_aligned": "dexman_pose.metrics.stability",
        "hand_error": "dexman_pose.metrics.hands",
        "jitter": "dexman_pose.metrics.stability",
        "joint_errors": "dexman_pose.metrics.hands",
        "mask_iou": "dexman_pose.metrics.silhouette",
        "mspd": "dexman_pose.metrics.points",
        "mssd": "dexman_pose.metrics.points",
        "pck": "dexman_pose.metrics.hands",
        "pck_auc": "dexman_pose.metrics.hands",
        "penetration": "dexman_pose.metrics.contact",
        "recall": "dexman_pose.metrics.scores",
        "rotation_error": "dexman_pose.metrics.poses",
        "scene_depth": "dexman_pose.metrics.scene_depth",
        "stability": "dexman_pose.metrics.stability",
        "summary": "dexman_pose.metrics.scores",
        "translation_error": "dexman_pose.metrics.poses",
        "vsd": "dexman_pose.metrics.vsd",
    },
)
