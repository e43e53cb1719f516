#!/usr/bin/env bash
# numpy.load promises ValueError for a file that cannot be read; a damaged byte in the header of an .npy file often raises
# tokenize.TokenError instead, which is no ValueError, so that guards written by the documentation let it through.
# Exits 0 while that is so, 1 when it has changed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install --quiet --disable-pip-version-check "numpy==2.4.6"
"$folder/venv/bin/python" - <<'PY'
import collections
import io
import sys

import numpy as np

stream = io.BytesIO()
np.save(stream, np.zeros((2, 3)))
good = stream.getvalue()
kinds: collections.Counter[str] = collections.Counter()
for place in range(10, 128):
    damaged = bytearray(good)
    damaged[place] = ord("(")
    try:
        np.load(io.BytesIO(bytes(damaged)), allow_pickle=False)
        kinds["read"] += 1
    except Exception as error:
        kinds[type(error).__name__] += 1
print("numpy", np.__version__)
print("expected: read, or ValueError as np.load documents for a file that cannot be read")
print("seen, with one byte of the header replaced by '(':", dict(kinds))
sys.exit(kinds["TokenError"] == 0)
PY
