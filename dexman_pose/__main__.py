"""``python -m dexman_pose``: the same as ``dexman-pose``."""

from __future__ import annotations

import sys

from dexman_pose.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
