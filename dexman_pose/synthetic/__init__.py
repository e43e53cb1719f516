"""Rendered clips with exact truth: the demonstration, scenes, tiny data sets in the formats of others."""

from typing import TYPE_CHECKING

from dexman_pose._lazy import lazy_names
from dexman_pose._optional import require_engine

if TYPE_CHECKING:
    from dexman_pose.synthetic.demo.clip import SyntheticClip, render_demo
    from dexman_pose.synthetic.demo.files import DemoTruth, write_obj
    from dexman_pose.synthetic.demo.score import compare_with_truth
    from dexman_pose.synthetic.tiny_datasets.taco import write_taco

__all__ = ["DemoTruth", "SyntheticClip", "compare_with_truth", "render_demo", "write_obj", "write_taco"]

__getattr__, __dir__ = lazy_names(
    __name__,
    {
        "DemoTruth": "dexman_pose.synthetic.demo.files",
        "SyntheticClip": "dexman_pose.synthetic.demo.clip",
        "compare_with_truth": "dexman_pose.synthetic.demo.score",
        "render_demo": "dexman_pose.synthetic.demo.clip",
        "write_obj": "dexman_pose.synthetic.demo.files",
        "write_taco": "dexman_pose.synthetic.tiny_datasets.taco",
    },
)

require_engine("rendering clips")
