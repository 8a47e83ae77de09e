"""Webots' devices: values stay the same between steps; before the first sample scalars are NaN and images black."""

import math
from typing import Any, ClassVar

from simulation.standin.messages import DeviceSpec

from .session import Session, warn
from .surface import complete


class Device:
    """A named part of the robot; `Robot.getDevice` makes it once."""

    def __init__(self, spec: DeviceSpec, session: Session) -> None:
        self._spec = spec
        self._session = session

    def getName(self) -> str:
        return self._spec.name

    @property
    def name(self) -> str:
        return self._spec.name


class Sensor(Device):
    """Refreshed at the end of the first step that ends `p` milliseconds or more after it was enabled or refreshed."""

    def __init__(self, spec: DeviceSpec, session: Session) -> None:
        super().__init__(spec, session)
        self._period_ms = 0

    def enable(self, p: int) -> None:
        self._period_ms = int(p)
        self._session.enable(self._spec.name, self._period_ms)

    def disable(self) -> None:
        self.enable(0)

    def getSamplingPeriod(self) -> int:
        return self._period_ms

    @property
    def sampling_period(self) -> int:
        return self._period_ms

    def _sample(self, unmeasured: Any) -> Any:
        return self._session.samples.get(self._spec.name, unmeasured)


@complete("Motor")
class Motor(Device):
    """A wheel's motor. Velocity control: setPosition(float('inf')), then setVelocity."""

    ROTATIONAL: ClassVar[int] = 0
    LINEAR: ClassVar[int] = 1

    def setPosition(self, position: float) -> None:
        self._session.position(self._spec.name, float(position))

    def setVelocity(self, velocity: float) -> None:
        limit = self.getMaxVelocity()
        if abs(velocity) > limit:
            warn(f"Warning: {self.name}: the requested velocity {velocity} exceeds 'maxVelocity' = {limit}.")
            velocity = math.copysign(limit, velocity)
        self._session.velocity(self._spec.name, float(velocity))

    def getMaxVelocity(self) -> float:
        return float(self._spec.fixed["max_velocity"])

    def getMaxTorque(self) -> float:
        return float(self._spec.fixed["max_torque"])

    def getType(self) -> int:
        return self.ROTATIONAL


@complete("PositionSensor")
class PositionSensor(Sensor):
    """Radians turned so far, unbounded."""

    ROTATIONAL: ClassVar[int] = 0
    LINEAR: ClassVar[int] = 1

    def getValue(self) -> float:
        return float(self._sample(math.nan))

    def getType(self) -> int:
        return self.ROTATIONAL


class _Vector(Sensor):
    def getValues(self) -> list[float]:
        return [float(value) for value in self._sample((math.nan, math.nan, math.nan))]


@complete("Gyro")
class Gyro(_Vector):
    """Angular velocity about the robot's axes, rad/s."""


@complete("Accelerometer")
class Accelerometer(_Vector):
    """Specific force along the robot's axes, m/s2; +9.81 upwards at rest."""


@complete("GPS")
class GPS(_Vector):
    """Position in the world, metres."""

    LOCAL: ClassVar[int] = 0
    WGS84: ClassVar[int] = 1

    def getCoordinateSystem(self) -> int:
        return self.LOCAL


@complete("InertialUnit")
class InertialUnit(Sensor):
    """Orientation in the world."""

    def getRollPitchYaw(self) -> list[float]:
        return [float(value) for value in self._sample((math.nan, math.nan, math.nan))]


@complete("TouchSensor")
class TouchSensor(Sensor):
    """A bumper: 1 while something touches the front of the shell."""

    BUMPER: ClassVar[int] = 0
    FORCE: ClassVar[int] = 1
    FORCE3D: ClassVar[int] = 2

    def getValue(self) -> float:
        return float(self._sample(math.nan))

    def getType(self) -> int:
        return self.BUMPER


@complete("DistanceSensor")
class DistanceSensor(Sensor):
    """Metres down to the floor (its lookup table is the identity)."""

    GENERIC: ClassVar[int] = 0
    INFRA_RED: ClassVar[int] = 1
    SONAR: ClassVar[int] = 2
    LASER: ClassVar[int] = 3

    def getValue(self) -> float:
        return float(self._sample(math.nan))

    def getType(self) -> int:
        return self.INFRA_RED


@complete("Lidar")
class Lidar(Sensor):
    """One layer; ranges run from left to right, bearing +fov/2 - (j + .5) * fov / H, inf outside the limits."""

    def getRangeImage(self) -> list[float]:
        ranges = self._sample(None)
        if ranges is None:
            return [0.0] * self.getNumberOfPoints()
        listed: list[float] = ranges.tolist()
        return listed

    def getHorizontalResolution(self) -> int:
        return int(self._spec.fixed["horizontal_resolution"])

    def getNumberOfLayers(self) -> int:
        return int(self._spec.fixed["number_of_layers"])

    def getNumberOfPoints(self) -> int:
        return self.getHorizontalResolution() * self.getNumberOfLayers()

    def getFov(self) -> float:
        return float(self._spec.fixed["fov"])

    def getMinRange(self) -> float:
        return float(self._spec.fixed["min_range"])

    def getMaxRange(self) -> float:
        return float(self._spec.fixed["max_range"])


@complete("Camera")
class Camera(Sensor):
    """BGRA images, row by row from the top left; recognition only where the camera's node carries it."""

    def __init__(self, spec: DeviceSpec, session: Session) -> None:
        super().__init__(spec, session)
        self._recognition_ms = 0
        self._segmentation = False

    def getImage(self) -> bytes:
        return bytes(self._sample(b"") or bytes(4 * self.getWidth() * self.getHeight()))

    def getWidth(self) -> int:
        return int(self._spec.fixed["width"])

    def getHeight(self) -> int:
        return int(self._spec.fixed["height"])

    def getFov(self) -> float:
        return float(self._spec.fixed["fov"])

    @staticmethod
    def imageGetRed(image: bytes, width: int, x: int, y: int) -> int:
        return image[4 * (y * width + x) + 2]

    @staticmethod
    def imageGetGreen(image: bytes, width: int, x: int, y: int) -> int:
        return image[4 * (y * width + x) + 1]

    @staticmethod
    def imageGetBlue(image: bytes, width: int, x: int, y: int) -> int:
        return image[4 * (y * width + x)]

    @staticmethod
    def imageGetGray(image: bytes, width: int, x: int, y: int) -> int:
        start = 4 * (y * width + x)
        return sum(image[start : start + 3]) // 3

    def hasRecognition(self) -> bool:
        return bool(self._spec.fixed["recognition"])

    def recognitionEnable(self, sampling_period: int) -> None:
        if not self.hasRecognition():
            warn(f"Error: recognitionEnable(): the camera {self.name} has no Recognition node.")
            return
        self._recognition_ms = int(sampling_period)

    def recognitionDisable(self) -> None:
        self._recognition_ms = 0
        self.disableRecognitionSegmentation()

    def getRecognitionSamplingPeriod(self) -> int:
        return self._recognition_ms

    def hasRecognitionSegmentation(self) -> bool:
        return self.hasRecognition()

    def enableRecognitionSegmentation(self) -> None:
        if self.hasRecognition() and self._recognition_ms:
            self._segmentation = True
            self._session.enable(f"{self.name}/segmentation", self._recognition_ms)

    def disableRecognitionSegmentation(self) -> None:
        if self._segmentation:
            self._segmentation = False
            self._session.enable(f"{self.name}/segmentation", 0)

    def isRecognitionSegmentationEnabled(self) -> bool:
        return self._segmentation

    def getRecognitionSegmentationImage(self) -> bytes:
        held = self._session.samples.get(f"{self.name}/segmentation", b"")
        return bytes(held or bytes(4 * self.getWidth() * self.getHeight()))


KINDS = {
    kind.__name__: kind
    for kind in (
        Accelerometer,
        Camera,
        DistanceSensor,
        GPS,
        Gyro,
        InertialUnit,
        Lidar,
        Motor,
        PositionSensor,
        TouchSensor,
    )
}
