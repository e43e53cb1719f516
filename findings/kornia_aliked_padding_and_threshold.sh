#!/usr/bin/env bash
# kornia 0.9.0, torch 2.13.0: keypoints of ALIKED, with random weights (what is shown does not depend on them).
#
# 1. forward_laf pads the keypoints of a batch to the longest picture of it.
#    Expected: rows beyond a picture's own keypoints match nothing.
#    Seen: their descriptors are zero, so those of two padded pictures are at distance 0 of each other: match_nn matches
#    every one of them, match_mnn one pair, as the best match there is. Pictures given one by one have no such rows.
# 2. detection_threshold that no keypoint reaches.
#    Expected: no keypoints.
#    Seen: all maxima above the picture's mean score: hundreds. The default threshold is 0.2, so max_num_keypoints alone
#    is a limit, not a number; the strongest N are those of detection_threshold=0.
# Exits 0 while this is so, 1 when it has changed. CPU only, no weights are fetched.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check torch==2.13.0 numpy==2.4.6 packaging
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check --no-deps kornia==0.9.0 kornia_rs==0.2.0
cat > "$folder/seen.py" <<'PY'
import sys

import kornia
import torch
from kornia.feature import ALIKED, match_mnn, match_nn

torch.manual_seed(0)
torch.set_num_threads(1)
pictures = torch.rand(3, 3, 96, 96)
pictures[1, :, :, 20:] = 0.5  # of the second and third picture a part alone has structure
pictures[2, :, 30:] = 0.5

strongest = ALIKED("aliked-n16", max_num_keypoints=10000, detection_threshold=0.0).eval()
high = ALIKED("aliked-n16", detection_threshold=0.999).eval()
high.load_state_dict(strongest.state_dict())
with torch.inference_mode():
    _, _, descriptors = strongest.forward_laf(pictures)
    own = [int((d.norm(dim=-1) > 0).sum()) for d in descriptors]
    one, other = descriptors[1], descriptors[2]

    def false(match):
        distances, pairs = match(one, other)
        padded = (pairs[:, 0] >= own[1]) & (pairs[:, 1] >= own[2])
        return int((padded & (distances[:, 0] == 0)).sum())

    nearest, mutual = false(match_nn), false(match_mnn)
    scores = strongest(pictures[:1])[0].keypoint_scores
    kept = high(pictures[:1])[0].n
print("kornia", kornia.__version__, "torch", torch.__version__)
print(f"keypoints of the three pictures {own}, rows of each {len(one)}")
print("expected: 0 matches between padded rows")
print(f"seen: match_nn {nearest}, match_mnn {mutual}, all at distance 0")
print(f"expected: 0 keypoints above 0.999 where the best has {float(scores.max()):.3f}")
print(f"seen: {kept} of {len(scores)}")
sys.exit(0 if nearest == len(one) - own[1] and mutual >= 1 and scores.max() < 0.999 and kept > 100 else 1)
PY
"$folder/venv/bin/python" "$folder/seen.py"
