"""How the simulator steps: settings under which a hand can hold something."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from dexman_pose.robot.engine import mujoco


@dataclass(frozen=True)
class PhysicsOptions:
    """MuJoCo's settings.

    A pyramidal cone lets held things creep out of a hand: the cone is elliptic. A step divides the time of a control
    exactly; one that does not stretches time. Jacobians are sparse: with a hand and an object MuJoCo would take dense
    ones, which take up to a fifth longer for the same numbers.

    Attributes:
        rate: controls a second.
        steps: of the simulation per control.
        impratio: stiffness of friction beside that of normals.
        iterations: of the solver, at most.
        tolerance: at which it stops.
    """

    rate: float = 30.0
    steps: int = 6
    impratio: float = 10.0
    iterations: int = 20
    tolerance: float = 1e-6

    @property
    def timestep(self) -> float:
        """Seconds of a step."""
        return 1.0 / (self.rate * self.steps)


def new_spec(options: PhysicsOptions) -> Any:
    """An empty ``MjSpec`` with these settings, angles in radians."""
    mj = mujoco()
    spec = mj.MjSpec()
    spec.compiler.degree = False
    spec.option.cone = mj.mjtCone.mjCONE_ELLIPTIC
    spec.option.integrator = mj.mjtIntegrator.mjINT_IMPLICITFAST
    spec.option.impratio, spec.option.timestep = options.impratio, options.timestep
    spec.option.jacobian = mj.mjtJacobian.mjJAC_SPARSE
    spec.option.iterations, spec.option.tolerance = options.iterations, options.tolerance
    return spec
