"""The figures of a row of scores: their names, units, digits and meaning, in one list for all tables."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from dexman_pose.evaluation.protocol import Protocol

AGREEMENT_RANGE = (0.1, 0.5)
"""Thresholds over which the share of frames with a good depth agreement is averaged, as the DexMan paper does."""
AGREEMENT_SUCCESS = 0.3
"""A frame whose depth agreement is above this is a success, as in the DexMan paper."""

_DEFAULTS = Protocol(name="default", title="", dataset="")


@dataclass(frozen=True)
class Column:
    """One figure.

    Attributes:
        key: its name in a row's values, which are metres, radians and shares.
        head: what stands above it, without the unit.
        unit: the unit in which it is printed, "" for shares and areas.
        scale: what the value is multiplied by for that unit.
        digits: after the point.
        better: ``"high"`` or ``"low"``.
        meaning: one sentence.
    """

    key: str
    head: str
    unit: str
    scale: float
    digits: int
    better: str
    meaning: str

    @property
    def title(self) -> str:
        """Head and unit."""
        return f"{self.head} ({self.unit})" if self.unit else self.head

    @property
    def csv_name(self) -> str:
        """Key and unit, as one word."""
        unit = self.unit.replace("/", "_per_").replace("²", "2")
        return f"{self.key}_{unit}" if unit else self.key

    def text(self, value: float | None) -> str:
        """The value in its unit; "-" where there is none."""
        if value is None or not math.isfinite(value):
            return "-"
        return f"{value * self.scale:.{self.digits}f}"


def protocol_number(protocol: Mapping[str, object], key: str) -> float:
    """A number of the protocol; the default of :class:`Protocol` where results do not carry it."""
    value = protocol.get(key)
    default = getattr(_DEFAULTS, key)
    return float(value) if isinstance(value, (int, float)) else float(default)


def columns(protocol: Mapping[str, object]) -> list[Column]:
    """All figures, with the protocol's thresholds in their heads.

    Args:
        protocol: the protocol's values, as results carry them.
    """
    top = f"{1000 * protocol_number(protocol, 'auc_threshold'):g} mm"
    near = f"{protocol_number(protocol, 'recall_diameter'):g}"
    low, high = AGREEMENT_RANGE
    missing = "frames without a prediction count as 0"
    return [
        _share("auc_add_s", f"ADD-S AUC to {top}", f"area under the accuracy-threshold curve, exact; {missing}"),
        _share(
            "auc_add_s_posecnn",
            f"ADD-S AUC to {top}, PoseCNN steps",
            "the same area as PoseCNN's toolbox sums it, which is too high by up to 1 / frames; for older tables",
        ),
        _share("auc_add", f"ADD AUC to {top}", f"the same, exact, of ADD; {missing}"),
        _length("add_s_mean", "ADD-S mean", "over frames with a prediction"),
        _length("add_s_median", "ADD-S median", "over frames with a prediction"),
        _length("add_mean", "ADD mean", "over frames with a prediction"),
        _length("add_median", "ADD median", "over frames with a prediction"),
        _share("recall_add_s", f"ADD-S recall at {near} d", f"frames whose ADD-S is below {near} diameters; {missing}"),
        _share("recall_add", f"ADD recall at {near} d", f"the same of ADD; {missing}"),
        _share("ar_vsd", "AR VSD", "recall over the protocol's tolerances and thresholds 0.05 to 0.5"),
        _share("ar_mssd", "AR MSSD", "recall over thresholds 0.05 to 0.5 diameters"),
        _share("ar_mspd", "AR MSPD", "recall over thresholds 5 to 50 pixels at a width of 640"),
        _share("ar", "AR", "mean of the three, where all three exist"),
        Column("rotation_median", "rotation median", "deg", 57.29577951308232, 2, "low", "modulo the symmetry"),
        _length("translation_median", "translation median", "over frames with a prediction"),
        _share(
            "agreement_auc",
            "depth agreement AUC",
            f"what the DexMan paper calls VSD (AUC): frames above a threshold, averaged over {low} to {high}; "
            f"{missing}",
        ),
        _share(
            "agreement_success",
            f"depth agreement above {AGREEMENT_SUCCESS}",
            f"share of frames; {missing}",
        ),
        Column("failure_rate", "failure rate", "", 1.0, 3, "low", "no prediction, or outlines overlap below 0.1"),
        _share("stability", "temporal stability", "mean over pairs of successive frames, 1 is best"),
        Column("jitter", "jitter", "m/s²", 1.0, 2, "low", "root mean square of the acceleration's error"),
    ]  # fmt: skip


def _share(key: str, head: str, meaning: str) -> Column:
    return Column(key, head, "", 1.0, 3, "high", meaning)


def _length(key: str, head: str, meaning: str) -> Column:
    return Column(key, head, "mm", 1000.0, 1, "low", meaning)
