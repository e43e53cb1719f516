"""The simulators that a plan can be searched in, by name."""

from __future__ import annotations

from dexman_pose.errors import InputError
from dexman_pose.robot.planning.simulation import MujocoSimulations, Simulations
from dexman_pose.robot.world.build import World

MUJOCO, WARP, WARP_GPU = SIMULATORS = ("mujoco", "warp", "warp-gpu")
"""MuJoCo on all cores; MuJoCo Warp on a core of the CPU; MuJoCo Warp on the first CUDA device."""


def check_simulator(simulator: str) -> None:
    """See that there is such a simulator here.

    Raises:
        InputError: no such simulator, or no device for it.
        MissingExtraError: it is not installed; the message holds the command.
    """
    if simulator not in SIMULATORS:
        raise InputError(f"simulator must be one of {', '.join(SIMULATORS)}, but is {simulator!r}")
    if simulator != MUJOCO:
        from dexman_pose.robot.planning.on_warp import device_of

        device_of(gpu=simulator == WARP_GPU)


def simulations(world: World, simulator: str = MUJOCO, threads: int | None = None) -> Simulations:
    """Simulations of a world in the simulator of that name.

    Args:
        world: that is simulated.
        simulator: its name.
        threads: of MuJoCo; None for the cores.

    Raises:
        InputError: no such simulator, or no device for it.
        MissingExtraError: it is not installed; the message holds the command.
    """
    check_simulator(simulator)
    if simulator == MUJOCO:
        return MujocoSimulations(world, threads)
    from dexman_pose.robot.planning.on_warp import WarpSimulations

    return WarpSimulations(world, simulator == WARP_GPU, threads=threads)
