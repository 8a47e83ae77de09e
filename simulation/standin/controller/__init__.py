"""Webots' Python `controller` API on the MuJoCo stand-in: the same controller files run here and in Webots R2025a.

Only what Webots has is here, with Webots' semantics; what Webots has and the stand-in lacks raises NotImplementedError
naming it. This folder joins the path only where no Webots runs (`simulation.standin.path`).
"""

from .devices import (
    GPS,
    Accelerometer,
    Camera,
    Device,
    DistanceSensor,
    Gyro,
    InertialUnit,
    Lidar,
    Motor,
    PositionSensor,
    Sensor,
    TouchSensor,
)
from .robot import Robot
from .supervisor import ContactPoint, Field, Node, Supervisor

__all__ = [
    "GPS",
    "Accelerometer",
    "Camera",
    "ContactPoint",
    "Device",
    "DistanceSensor",
    "Field",
    "Gyro",
    "InertialUnit",
    "Lidar",
    "Motor",
    "Node",
    "PositionSensor",
    "Robot",
    "Sensor",
    "Supervisor",
    "TouchSensor",
]
