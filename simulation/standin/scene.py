"""The scene tree a supervisor sees: nodes by DEF name, their poses and velocities, and the fields it may write.

A node is a body of the model (its DEF is the body's name, `ROBOT` is the robot) or the camera (`CAMERA`).
"""

from collections.abc import Callable
from typing import Any, Final

import numpy as np

from simulation import robot_model, webots_rotation
from simulation.headless_mujoco import mujoco
from simulation.standin.engine import Engine
from simulation.standin.messages import NodeWrite, Query

ROBOT_DEF: Final = "ROBOT"
CAMERA_DEF: Final = "CAMERA"
CAMERA_NODE: Final = 1_000_000  # above every body's number
GEOM_NODES: Final = 2_000_000  # contact points name the touched geom


class Scene:
    """Answers queries and carries out writes on an engine."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._answers: dict[str, Callable[..., Any]] = {
            "find": self._find,
            "position": self._position,
            "orientation": self._orientation,
            "velocity": self._velocity,
            "contacts": self._contacts,
            "field": self._field,
            "name": self._name,
        }

    def answer(self, query: Query) -> Any:
        return self._answers[query.what](*query.arguments)

    def write(self, item: NodeWrite) -> None:
        """Raises KeyError for a field that cannot be written."""
        engine = self._engine
        if item.field == "resetPhysics":
            engine.reset_physics()
        elif item.node == CAMERA_NODE:
            camera = engine.config.camera
            size = (camera.width_px, camera.height_px)
            if item.field == "rotation":
                engine.set_camera(item.value, None, size)
            elif item.field == "fieldOfView":
                engine.set_camera(None, item.value[0], size)
            else:
                raise KeyError(item.field)
        elif item.field == "translation":
            engine.place(item.node, np.array(item.value), None)
        elif item.field == "rotation":
            engine.place(item.node, None, item.value)
        else:
            raise KeyError(item.field)

    def _find(self, name: str) -> int | None:
        if name == CAMERA_DEF:
            return CAMERA_NODE
        wanted = robot_model.ROBOT if name == ROBOT_DEF else name
        body = int(mujoco.mj_name2id(self._engine.model, mujoco.mjtObj.mjOBJ_BODY, wanted))
        return body if body >= 0 else None

    def _name(self, node: int) -> str:
        if node >= GEOM_NODES:
            return self._engine.model.geom(node - GEOM_NODES).name or ""
        if node == CAMERA_NODE:
            return CAMERA_DEF
        name = self._engine.model.body(node).name
        return ROBOT_DEF if name == robot_model.ROBOT else name

    def _position(self, node: int) -> list[float]:
        if node == CAMERA_NODE:
            return [float(value) for value in self._engine.data.cam_xpos[0]]
        return [float(value) for value in self._engine.data.xpos[node]]

    def _orientation(self, node: int) -> list[float]:
        return [float(value) for value in self._engine.data.xmat[node]]

    def _velocity(self, node: int) -> list[float]:
        result = np.zeros(6)
        model, data = self._engine.model, self._engine.data
        mujoco.mj_objectVelocity(model, data, mujoco.mjtObj.mjOBJ_BODY, node, result, 0)
        return [float(value) for value in (*result[3:], *result[:3])]

    def _contacts(self) -> list[tuple[tuple[float, float, float], int]]:
        return [(contact.point_m, GEOM_NODES + contact.geom) for contact in self._engine.contacts()]

    def _field(self, node: int, name: str) -> list[float]:
        if name == "translation":
            return self._position(node)
        if name == "rotation":
            matrix = np.array(self._orientation(node)).reshape(3, 3)
            return list(webots_rotation.axis_angle(matrix))
        raise KeyError(name)
