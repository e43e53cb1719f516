"""The robot's worlds in Genesis: plans played across simulators, and the same environment for learning.

Genesis is imported when a world is made; it is begun once in a process, on the CPU unless told otherwise.
"""

from typing import TYPE_CHECKING

from dexman_pose._lazy import lazy_names

if TYPE_CHECKING:
    from dexman_pose.genesis.options import GenesisOptions
    from dexman_pose.genesis.replay import replay_in_genesis
    from dexman_pose.genesis.worlds import GenesisWorlds, InGenesis

__all__ = ["GenesisOptions", "GenesisWorlds", "InGenesis", "replay_in_genesis"]

__getattr__, __dir__ = lazy_names(
    __name__,
    {
        "GenesisOptions": "dexman_pose.genesis.options",
        "GenesisWorlds": "dexman_pose.genesis.worlds",
        "InGenesis": "dexman_pose.genesis.worlds",
        "replay_in_genesis": "dexman_pose.genesis.replay",
    },
)
