"""A running world: one engine, any number of controllers, stepped together as Webots steps them.

Time advances by basic time steps, and only when every connected controller has asked for it: a world with a robot and
a judge waits for both. Commands written before a step act inside it; a sensor enabled with period P is refreshed at the
end of the first step P or more milliseconds later. The controller in the host's own process (a judge, a capture) turns
the crank: its `step` waits for the others' requests, advances the engine and answers them.
"""

import math
from collections.abc import Sequence
from multiprocessing.connection import Connection, Listener, wait
from pathlib import Path
from typing import Any

from simulation.errors import EngineError
from simulation.recognition_palette import encode
from simulation.standin import slots
from simulation.standin.engine import BASIC_STEP_MS, Engine
from simulation.standin.messages import NodeWrite, Query, StepReply, StepRequest, Welcome
from simulation.standin.scene import Scene
from simulation.standin.slots import Slot


class Client:
    """One controller's state in the world: what it enabled, and when its current step ends."""

    def __init__(self, slot: Slot) -> None:
        self.slot = slot
        self.due_ms = 0
        self._periods_ms: dict[str, int] = {}
        self._updated_ms: dict[str, int] = {}
        self._devices = {device.name: device for device in slot.devices}
        self._velocity: dict[str, float] = {}
        self._free: set[str] = set()  # motors told setPosition(inf): velocity control
        self.samples: dict[str, Any] = {}

    def accept(self, request: StepRequest, now_ms: int, engine: Engine) -> None:
        """Takes what was written before the step; it acts from now on."""
        for name, period_ms in request.periods_ms.items():
            device = name.split("/")[0]
            if device not in self._devices:
                raise EngineError(f"{self.slot.name} has no device {device!r}")
            if period_ms:
                self._periods_ms[name], self._updated_ms[name] = period_ms, now_ms
            else:
                self._periods_ms.pop(name, None)
        for name, command in request.motors.items():
            if command.position_rad is not None and math.isinf(command.position_rad):
                self._free.add(name)
            if command.velocity_radps is not None:
                self._velocity[name] = command.velocity_radps
        if request.motors:
            left, right = (self._wanted(name) for name in (slots.LEFT_MOTOR, slots.RIGHT_MOTOR))
            engine.set_wheel_velocities(left, right)
        self.due_ms = now_ms + request.duration_ms

    def refresh(self, now_ms: int, engine: Engine) -> None:
        """Measures every sensor whose period has passed."""
        for name, period_ms in self._periods_ms.items():
            if now_ms - self._updated_ms[name] >= period_ms:
                self._updated_ms[name] = now_ms
                self.samples[name] = self._measure(name, engine)

    def reply(self, status: int, now_ms: int) -> StepReply:
        samples, self.samples = self.samples, {}
        return StepReply(status, now_ms, samples)

    def _wanted(self, motor: str) -> float:
        return self._velocity.get(motor, 0.0) if motor in self._free else 0.0

    def _measure(self, name: str, engine: Engine) -> Any:
        device, _, part = name.partition("/")
        kind, camera = self._devices[device].kind, engine.config.camera
        if part == "segmentation":
            return encode(*engine.segmentation(camera.width_px, camera.height_px)).tobytes()
        if kind == "Camera":
            return engine.image(camera.width_px, camera.height_px, noise=self._devices[device].fixed["noise"]).tobytes()
        if kind == "Lidar":
            return engine.ranges()
        if kind == "PositionSensor":
            return engine.wheel_angles()[0 if device == slots.LEFT_ENCODER else 1]
        if kind == "DistanceSensor":
            return engine.floor_below(*_cliff_place(device))
        if kind == "Gyro":
            return engine.gyro()
        if kind == "Accelerometer":
            return engine.accelerometer()
        if kind == "TouchSensor":
            return float(engine.bumped())
        position, rotation = engine.robot_pose()
        if kind == "GPS":
            return tuple(float(value) for value in position)
        if kind == "InertialUnit":
            return roll_pitch_yaw(rotation)
        raise NotImplementedError(f"the stand-in has no {kind}")


class World:
    """The engine, the slots and who has taken them. `local` is the slot of the controller in this process, if any."""

    def __init__(self, engine: Engine, offered: Sequence[Slot], *, address: Path | None = None) -> None:
        self.engine = engine
        self.scene = Scene(engine)
        self._offered = {slot.name: slot for slot in offered}
        self._local: Client | None = None
        self._remote: dict[Connection, Client] = {}
        self._waiting: set[Connection] = set()  # remotes whose request has come and whose answer is owed
        self._quit_status: int | None = None
        self._listener = Listener(str(address), family="AF_UNIX") if address else None

    def __enter__(self) -> "World":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Ends every controller's connection and frees the renderer; may be called twice."""
        for connection in list(self._remote):
            self._drop(connection)
        if self._listener is not None:
            self._listener.close()
            self._listener = None
        self.engine.close()

    @property
    def quit_status(self) -> int | None:
        """What a supervisor gave to simulationQuit."""
        return self._quit_status

    @property
    def connected(self) -> bool:
        """Whether a controller of another process is there."""
        return bool(self._remote)

    def take(self, name: str) -> Welcome:
        """The slot for the controller of this process."""
        self._local = Client(self._slot(name))
        return self._welcome(self._local)

    def wait_for_controller(self, timeout_s: float) -> bool:
        """Lets one controller of another process in; False when none came in time."""
        if self._listener is None:
            raise EngineError("this world has no address for other processes")
        if not wait([self._listener._listener._socket], timeout_s):  # type: ignore[attr-defined]
            return False
        connection = self._listener.accept()
        try:
            client = Client(self._slot(connection.recv()))
        except EngineError as error:
            connection.send(error)
            connection.close()
            raise
        client.due_ms = self.engine.time_ms
        self._remote[connection] = client
        connection.send(self._welcome(client))
        return True

    def step(self, request: StepRequest) -> StepReply:
        """The local controller's step: advances the world until it is over."""
        local = self._require_local()
        self._accept(local, request)
        if request.duration_ms == 0:
            self.engine.settle()
        while self.engine.time_ms < local.due_ms:
            self._advance()
        return local.reply(-1 if self._quit_status is not None else 0, self.engine.time_ms)

    def run(self) -> None:
        """Advances for the controllers of other processes until the last one has gone."""
        while self._remote and self._quit_status is None:
            self._advance()

    def answer(self, query: Query) -> Any:
        """A supervisor's question."""
        return self.scene.answer(query)

    def _advance(self) -> None:
        self._gather()
        self.engine.basic_step()
        now_ms = self.engine.time_ms
        clients = [*self._remote.values(), *([self._local] if self._local else [])]
        for client in clients:
            client.refresh(now_ms, self.engine)
        for connection in [one for one in self._waiting if self._remote[one].due_ms <= now_ms]:
            self._waiting.discard(connection)
            self._send(connection, self._remote[connection].reply(-1 if self._quit_status is not None else 0, now_ms))

    def _gather(self) -> None:
        """Waits until every remote controller has a step under way."""
        for connection in [one for one in self._remote if one not in self._waiting]:
            self._hear(connection)

    def _hear(self, connection: Connection) -> None:
        client = self._remote[connection]
        while connection in self._remote and connection not in self._waiting:
            try:
                said = connection.recv()
            except (EOFError, OSError):
                self._drop(connection)
                return
            if isinstance(said, Query):
                allowed = client.slot.supervisor
                self._send(
                    connection, self.answer(said) if allowed else EngineError(f"{client.slot.name} is no supervisor")
                )
            else:
                self._accept(client, said)
                self._waiting.add(connection)

    def _accept(self, client: Client, request: StepRequest) -> None:
        if request.duration_ms % BASIC_STEP_MS:
            raise EngineError(f"step of {request.duration_ms} ms is no multiple of the world's {BASIC_STEP_MS} ms")
        if (request.writes or request.quit_status is not None) and not client.slot.supervisor:
            raise EngineError(f"{client.slot.name} is no supervisor")
        client.accept(request, self.engine.time_ms, self.engine)
        self._write(request.writes)
        if request.quit_status is not None:
            self._quit_status = request.quit_status

    def _write(self, writes: Sequence[NodeWrite]) -> None:
        for item in writes:
            self.scene.write(item)
        if writes:
            self.engine.settle()

    def _send(self, connection: Connection, value: Any) -> None:
        try:
            connection.send(value)
        except OSError:
            self._drop(connection)

    def _drop(self, connection: Connection) -> None:
        self._waiting.discard(connection)
        client = self._remote.pop(connection, None)
        connection.close()
        if client is not None and any(device.kind == "Motor" for device in client.slot.devices):
            self.engine.set_wheel_velocities(0.0, 0.0)  # the motor board's watchdog

    def _slot(self, name: str) -> Slot:
        if name not in self._offered:
            raise EngineError(f"the world has no robot {name!r}, it has {', '.join(self._offered)}")
        return self._offered[name]

    def _welcome(self, client: Client) -> Welcome:
        return Welcome(client.slot.name, client.slot.supervisor, BASIC_STEP_MS, client.slot.devices)

    def _require_local(self) -> Client:
        if self._local is None:
            raise EngineError("no controller of this process has taken a robot")
        return self._local


def roll_pitch_yaw(rotation: Any) -> tuple[float, float, float]:
    """Webots' angles of a rotation (3, 3): about x, then y, then z of the world."""
    roll = math.atan2(rotation[2, 1], rotation[2, 2])
    pitch = -math.asin(min(max(float(rotation[2, 0]), -1.0), 1.0))
    return roll, pitch, math.atan2(rotation[1, 0], rotation[0, 0])


def _cliff_place(device: str) -> tuple[float, float]:
    from simulation.robot_model import CLIFF_SENSORS_BASE_M

    return CLIFF_SENSORS_BASE_M[slots.CLIFF_SENSORS.index(device)]
