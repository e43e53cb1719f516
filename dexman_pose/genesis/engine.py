"""Genesis, imported and begun when it is first needed."""

from __future__ import annotations

import sys
from typing import Any

from dexman_pose._optional import require
from dexman_pose.errors import InputError
from dexman_pose.genesis.options import GenesisOptions

EXTRA = "genesis"
"""The extra of this package that brings it."""

_BACKENDS = ("cpu", "gpu")


def genesis(options: GenesisOptions) -> Any:
    """Genesis, begun. It can be begun once in a process: a second backend is refused.

    Raises:
        MissingExtraError: it is not installed; the message holds the command that installs it.
        InputError: no such backend, or it was begun with another one.
    """
    if options.backend not in _BACKENDS:
        raise InputError(f"Genesis runs on {' or '.join(_BACKENDS)}, but got {options.backend!r}")
    gs = require("genesis", EXTRA, "simulating in Genesis")
    begun = getattr(sys.modules[__name__], "_begun", None)
    if begun is None:
        gs.init(
            backend=getattr(gs, options.backend),
            precision="32",
            logging_level="error" if options.quiet else "info",
        )
        globals()["_begun"] = options.backend
    elif begun != options.backend:
        raise InputError(
            f"Genesis was begun on the {begun} in this process; it cannot change to {options.backend}"
        )
    return gs
