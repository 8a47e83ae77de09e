"""What a controller and the world say to each other: plain values, the same in one process and over a socket."""

from dataclasses import dataclass, field
from typing import Any, Literal

DeviceKind = Literal["Lidar", "Camera", "Motor", "PositionSensor", "Gyro", "Accelerometer", "GPS", "InertialUnit",
                     "TouchSensor", "DistanceSensor"]  # fmt: skip


@dataclass(frozen=True, slots=True)
class DeviceSpec:
    """A device of a robot slot and what never changes about it."""

    name: str
    kind: DeviceKind
    fixed: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Welcome:
    """The world's answer to a controller that connects."""

    robot_name: str
    supervisor: bool
    basic_step_ms: int
    devices: tuple[DeviceSpec, ...]


@dataclass(frozen=True, slots=True)
class MotorCommand:
    """The last write of each kind since the last step; None was not written."""

    position_rad: float | None = None
    velocity_radps: float | None = None


@dataclass(frozen=True, slots=True)
class NodeWrite:
    """A supervisor's queued write: a field of a node, or `resetPhysics`."""

    node: int
    field: str
    value: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class StepRequest:
    """One `step(ms)` with everything the controller wrote since the last one."""

    duration_ms: int
    periods_ms: dict[str, int] = field(default_factory=dict)  # (re-)enabled sensors; 0 disables
    motors: dict[str, MotorCommand] = field(default_factory=dict)
    writes: tuple[NodeWrite, ...] = ()
    quit_status: int | None = None


@dataclass(frozen=True, slots=True)
class StepReply:
    """The end of that step: -1 when the controller is to end; only sensors that were refreshed."""

    status: int
    time_ms: int
    samples: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Query:
    """A supervisor's question that Webots answers at once, between steps."""

    what: str
    arguments: tuple[Any, ...] = ()
