"""The Pi's RobotIO: sensors read in threads of their own, ticks by absolute deadlines, commands to the motor board.

A sensor that is silent or unplugged gives None; the loop degrades on that. The board stops by itself when this process
is killed.
"""

import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from types import TracebackType
from typing import Final, Generic, Protocol, TypeVar

import numpy as np

from deploy.drivers import ld19, rplidar
from deploy.drivers.camera import open_camera
from deploy.drivers.gpio_base import GpioBase
from deploy.drivers.motor_board import BoardState, WheelSpeeds
from deploy.drivers.serial_line import SerialLine
from deploy.drivers.turn_assembler import TurnAssembler
from deploy.drivers.wheel_base import SerialBase, WheelBase
from deploy.pacing import Pacer
from foundation.robot_config import Hardware, RobotConfig
from navigation.robot_io import STOP, DriveCommand
from perception.observation import Frame, Observation, Scan, WheelAngles

logger = logging.getLogger(__name__)

FULL_BATTERY_V: Final = 12.6  # three lithium cells
EMPTY_BATTERY_V: Final = 9.6
T = TypeVar("T")


class Newest(Generic[T]):
    """The last value put, taken once; never a queue."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._value: T | None = None

    def put(self, value: T) -> None:
        with self._lock:
            self._value = value

    def take(self) -> T | None:
        with self._lock:
            value, self._value = self._value, None
            return value


class LidarReader(Protocol):
    """Bytes in, whole scans out."""

    def feed(self, data: bytes, stamp_s: float) -> list[Scan]: ...


class HardwareRobot:
    """`with HardwareRobot(config) as robot`: opens the devices (DriverError names one that is missing)."""

    def __init__(self, config: RobotConfig) -> None:
        self._config = config
        self._scans: Newest[Scan] = Newest()
        self._frames: Newest[Frame] = Newest()
        self._states: Newest[BoardState] = Newest()
        self._stack = ExitStack()
        self._closing = threading.Event()
        self._base: WheelBase | None = None
        self._first: BoardState | None = None

    def __enter__(self) -> "HardwareRobot":
        hardware = self._config.hardware
        with ExitStack() as stack:
            base: WheelBase = (
                SerialBase(hardware.motor_port)
                if hardware.motors == "board"
                else GpioBase(hardware.gpio, self._config.body)
            )
            self._base = stack.enter_context(base)
            stack.callback(self.drive, STOP)
            lidar = stack.enter_context(_lidar_line(hardware))
            camera = open_camera(hardware.camera, hardware.camera_device, self._config.camera)
            if camera is not None:
                stack.enter_context(camera)
                self._start("camera", lambda: self._put_frame(camera.read()))
            self._start("wheels", lambda: self._put_state(base.read()))
            self._start("lidar", self._lidar_step(lidar))
            self._stack = stack.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._closing.set()
        self._stack.close()

    def observations(self) -> Iterator[Observation]:
        for stamp_s in Pacer(1 / self._config.hardware.tick_hz).deadlines():
            if self._closing.is_set():
                return
            yield self._observation(stamp_s)

    def drive(self, command: DriveCommand) -> None:
        half_track_m = self._config.body.wheel_track_m / 2
        left_mps = command.speed_mps - command.turn_radps * half_track_m
        right_mps = command.speed_mps + command.turn_radps * half_track_m
        if self._base is not None:
            self._base.drive(WheelSpeeds(left_mps, right_mps, command.tool_on))

    def _observation(self, stamp_s: float) -> Observation:
        state = self._states.take()
        if state is None:
            return Observation(stamp_s, self._scans.take(), self._frames.take(), None)
        self._first = self._first or state
        radian = 2 * np.pi / self._config.body.encoder_ticks_per_turn
        wheels = WheelAngles(
            (state.left_ticks - self._first.left_ticks) * radian, (state.right_ticks - self._first.right_ticks) * radian
        )
        return Observation(
            stamp_s,
            self._scans.take(),
            self._frames.take(),
            wheels,
            state.turn_rate_radps,
            state.bumper_pressed,
            state.cliffs,
            None if state.battery_v is None else _battery_ratio(state.battery_v),
        )

    def _start(self, name: str, step: Callable[[], None]) -> None:
        def work() -> None:
            while not self._closing.is_set():
                step()

        threading.Thread(target=work, name=name, daemon=True).start()

    def _put_frame(self, frame: Frame | None) -> None:
        if frame is not None:
            self._frames.put(frame)

    def _put_state(self, state: BoardState | None) -> None:
        if state is not None:
            self._states.put(state)

    def _lidar_step(self, line: SerialLine) -> Callable[[], None]:
        lidar = self._config.lidar
        assembler = TurnAssembler(lidar.beams, lidar.range_min_m, lidar.range_max_m)
        reader: LidarReader = Ld19Reader(assembler) if self._config.hardware.lidar == "ld19" else A1Reader(assembler)

        def step() -> None:
            for scan in reader.feed(line.read(), time.monotonic()):
                self._scans.put(scan)

        return step


def _lidar_line(hardware: Hardware) -> SerialLine:
    if hardware.lidar == "ld19":
        return SerialLine(hardware.lidar_port, ld19.BAUD)
    return SerialLine(hardware.lidar_port, rplidar.BAUD, greeting=rplidar.SCAN, dtr=rplidar.MOTOR_TURNS_AT_DTR)


def _battery_ratio(battery_v: float) -> float:
    return min(max((battery_v - EMPTY_BATTERY_V) / (FULL_BATTERY_V - EMPTY_BATTERY_V), 0.0), 1.0)


class Ld19Reader:
    """LD19 bytes to scans; the points of a packet are spread over the time it took."""

    def __init__(self, assembler: TurnAssembler) -> None:
        self._parser = ld19.Parser()
        self._assembler = assembler

    def feed(self, data: bytes, stamp_s: float) -> list[Scan]:
        scans: list[Scan] = []
        packets = self._parser.feed(data)
        for behind, packet in zip(range(len(packets) - 1, -1, -1), packets, strict=True):
            span_rad = (packet.end_clockwise_rad - packet.start_clockwise_rad) % (2 * np.pi)
            took_s = span_rad / packet.turn_rate_radps if packet.turn_rate_radps > 1.0 else 0.0
            end_s = stamp_s - behind * took_s * ld19.POINTS / (ld19.POINTS - 1)
            stamps_s = end_s + took_s * (np.arange(ld19.POINTS) / (ld19.POINTS - 1) - 1)
            scans += self._assembler.add(packet.clockwise_rad(), packet.ranges_m, stamps_s)
        return scans


class A1Reader:
    """RPLIDAR A1 bytes to scans; 8000 points a second."""

    POINT_S: Final = 1 / 8000

    def __init__(self, assembler: TurnAssembler) -> None:
        self._parser = rplidar.Parser()
        self._assembler = assembler

    def feed(self, data: bytes, stamp_s: float) -> list[Scan]:
        nodes = [packet for packet in self._parser.feed(data) if isinstance(packet, rplidar.Node)]
        angles_rad = np.array([node.clockwise_rad for node in nodes], dtype=np.float64)
        ranges_m = np.array([node.range_m for node in nodes], dtype=np.float64)
        stamps_s = stamp_s - self.POINT_S * np.arange(len(nodes) - 1, -1, -1, dtype=np.float64)
        return self._assembler.add(angles_rad, ranges_m, stamps_s)
