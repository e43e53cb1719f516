"""High dynamic range (HLG, PQ) as display colours: a fixed mapping, the same for every frame of every clip.

Codes become light of a 1000 cd/m2 display (ITU-R BT.2100), in units of diffuse white, 203 cd/m2 (ITU-R BT.2408);
BT.2020 primaries become BT.709's; what is brighter than a knee is compressed up to the peak, with hue kept; the result
is coded as sRGB. Colours up to the knee therefore come out as a display shows them, exactly.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from dexman_pose.arrays import Array

PQ, HLG = 16, 18
TRANSFERS: Final = {PQ: "HDR (PQ)", HLG: "HDR (HLG)"}
"""Transfer functions that need mapping, by their numbers in ITU-T H.273, and what messages call them."""


@dataclass(frozen=True)
class ToneOptions:
    """The mapping of high dynamic range.

    Attributes:
        diffuse_white: cd/m2 that become white paper: ITU-R BT.2408.
        peak: cd/m2 that become the brightest display colour; what is brighter is clipped. Phones master HLG at 1000.
        knee: linear display light, 1 for the brightest, up to which light is kept as it is.
    """

    diffuse_white: float = 203.0
    peak: float = 1000.0
    knee: float = 0.8


TONE: Final = ToneOptions()

_BT709_FROM_BT2020: Final = np.array(  # ITU-R BT.2087
    [[1.6605, -0.5876, -0.0728], [-0.1246, 1.1329, -0.0083], [-0.0182, -0.1006, 1.1187]], np.float32
)
_BT2020_LUMA: Final = np.array([0.2627, 0.6780, 0.0593], np.float32)
_HLG_PEAK: Final = 1000.0  # cd/m2 of the display for which the system gamma is 1.2
_CODES: Final = 65536


class HighRange:
    """Maps 16-bit RGB codes of one transfer function to display colours.

    Args:
        transfer: :data:`PQ` or :data:`HLG`.
        white: 16-bit code of the brightest value.
        options: of the mapping.
    """

    def __init__(self, transfer: int, white: int, options: ToneOptions = TONE) -> None:
        self.transfer, self.white = transfer, white
        self._options = options
        codes = np.minimum(np.arange(_CODES) / white, 1.0)
        light = pq_light(codes) if transfer == PQ else hlg_scene(codes)
        self._linear = light.astype(np.float32)
        self._srgb = np.rint(255.0 * srgb_code(np.arange(_CODES) / (_CODES - 1))).astype(np.uint8)

    def display_colors(self, codes: NDArray[np.uint16]) -> NDArray[np.uint8]:
        """(H, W, 3) uint8 sRGB of (H, W, 3) uint16 codes of BT.2020 RGB."""
        import cv2  # here, so that the help of the command line loads without it

        light = self._linear[codes]
        if self.transfer == HLG:
            # BT.2100's system gamma of 1.2: a display shows scene luminance Y as Y ** 1.2, hue kept.
            luma = np.maximum(light @ _BT2020_LUMA, np.float32(1e-6))
            gain = np.float32(_HLG_PEAK / self._options.diffuse_white)
            light *= (gain * luma ** np.float32(0.2))[..., None]
        else:
            light /= np.float32(self._options.diffuse_white)
        display = np.maximum(cv2.transform(light, _BT709_FROM_BT2020), 0.0)
        display *= self._shoulder(display.max(-1))[..., None]
        index = np.minimum(display * np.float32(_CODES - 1) + np.float32(0.5), np.float32(_CODES - 1))
        out: NDArray[np.uint8] = self._srgb[index.astype(np.uint16)]
        return out

    def _shoulder(self, brightest: NDArray[np.float32]) -> NDArray[np.float32]:
        """Factor on a pixel whose brightest channel has this light: Reinhard's extended curve above the knee."""
        o = self._options
        room = 1.0 - o.knee
        over = np.maximum(brightest - o.knee, 0.0) / room
        top = (o.peak / o.diffuse_white - o.knee) / room
        curve = o.knee + room * over * (1.0 + over / top**2) / (1.0 + over)
        wanted = np.where(over > 0, np.minimum(curve, 1.0), brightest)
        return np.asarray(wanted / np.maximum(brightest, 1e-6), np.float32)


def pq_light(codes: Array) -> Array:
    """Cd/m2 shown for PQ codes in [0, 1]: the EOTF of SMPTE ST 2084."""
    m1, m2 = 2610 / 16384, 2523 / 4096 * 128
    c1, c2, c3 = 3424 / 4096, 2413 / 4096 * 32, 2392 / 4096 * 32
    root = np.asarray(codes) ** (1 / m2)
    out: Array = 10000.0 * (np.maximum(root - c1, 0.0) / (c2 - c3 * root)) ** (1 / m1)
    return out


def hlg_scene(codes: Array) -> Array:
    """Scene light in [0, 1] of HLG codes in [0, 1]: the inverse OETF of ITU-R BT.2100."""
    a, b, c = 0.17883277, 0.28466892, 0.55991073
    codes = np.asarray(codes)
    out: Array = np.where(codes <= 0.5, codes**2 / 3.0, (np.exp((codes - c) / a) + b) / 12.0)
    return out


def srgb_code(light: Array) -> Array:
    """SRGB codes in [0, 1] of linear light in [0, 1] (IEC 61966-2-1)."""
    light = np.asarray(light)
    out: Array = np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)
    return out
