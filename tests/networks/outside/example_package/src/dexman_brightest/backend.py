"""What dexman_pose calls: it names the environment and the function, and hands the rest on."""

import os
from pathlib import Path
from typing import Any

from dexman_pose.backends import Needs
from dexman_pose.data import Clip, HandObservations, MaskSequence, ObjectPrompt
from dexman_pose.networks.outside.environment import Environment
from dexman_pose.segmentation.outside import segment_outside

VARIABLE = "DEXMAN_BRIGHTEST_ENVIRONMENT"


def segment(
    clip: Clip, prompts: dict[str, ObjectPrompt], hands: HandObservations | None, **options: Any
) -> MaskSequence:
    """Make masks of what is as bright as the prompt; ``$DEXMAN_BRIGHTEST_ENVIRONMENT`` names the environment."""
    environment = Environment(
        python=Path(os.environ[VARIABLE]),
        function="dexman_brightest.inside:segment",
        paths=(Path(__file__).resolve().parents[1],),
        options=options,
        timeout_s=120.0,
    )
    return segment_outside(clip, prompts, hands, environment)


segment.needs = Needs(packages=(("numpy", "pip install numpy"),))  # type: ignore[attr-defined]
