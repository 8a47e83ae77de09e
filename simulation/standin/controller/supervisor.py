"""Webots' Supervisor: the truth, for robots of the world whose slot allows it. Field writes wait for the next step."""

from dataclasses import dataclass
from typing import Any

from simulation.standin.messages import Query

from .robot import Robot
from .session import Session, warn
from .surface import complete


@dataclass(frozen=True, slots=True)
class ContactPoint:
    """Where something touches a solid; `node_id` is the other's."""

    point: list[float]
    node_id: int


@complete("Field")
class Field:
    """A field of a node: reads give the value of the last step, writes act at the start of the next."""

    def __init__(self, node: int, name: str, session: Session) -> None:
        self._node, self._name, self._session = node, name, session

    def getName(self) -> str:
        return self._name

    def getSFVec3f(self) -> list[float]:
        return list(self._session.link.ask(Query("field", (self._node, self._name))))

    def getSFRotation(self) -> list[float]:
        return list(self._session.link.ask(Query("field", (self._node, self._name))))

    def setSFVec3f(self, value: list[float]) -> None:
        self._set(value, 3)

    def setSFRotation(self, value: list[float]) -> None:
        self._set(value, 4)

    def setSFFloat(self, value: float) -> None:
        self._set([value], 1)

    def _set(self, value: list[float], count: int) -> None:
        if len(value) != count:
            raise ValueError(f"{self._name} takes {count} numbers, not {len(value)}")
        self._session.write(self._node, self._name, tuple(float(number) for number in value))


@complete("Node")
class Node:
    """A node of the scene tree."""

    def __init__(self, number: int, session: Session) -> None:
        self._number, self._session = number, session

    def getId(self) -> int:
        return self._number

    def getDef(self) -> str:
        return str(self._ask("name"))

    def getField(self, name: str) -> Field:
        return Field(self._number, name, self._session)

    def getPosition(self) -> list[float]:
        return list(self._ask("position"))

    def getOrientation(self) -> list[float]:
        """3 x 3, row by row: world_from_node."""
        return list(self._ask("orientation"))

    def getVelocity(self) -> list[float]:
        """Linear, then angular, in the world."""
        return list(self._ask("velocity"))

    def getContactPoints(self, includeDescendants: bool = False) -> list[ContactPoint]:
        return [ContactPoint(list(point), node) for point, node in self._session.link.ask(Query("contacts"))]

    def resetPhysics(self) -> None:
        self._session.write(self._number, "resetPhysics", ())

    def _ask(self, what: str) -> Any:
        return self._session.link.ask(Query(what, (self._number,)))


@complete("Supervisor")
class Supervisor(Robot):
    """A robot that may see and move everything."""

    def __init__(self) -> None:
        super().__init__()
        if not self.getSupervisor():
            warn(f"Error: {self.getName()} is no supervisor: its functions are not available.")

    def getFromDef(self, d: str) -> Node | None:
        number = self._session.link.ask(Query("find", (d,)))
        return None if number is None else Node(number, self._session)

    def getFromId(self, id: int) -> Node:
        return Node(id, self._session)

    def getSelf(self) -> Node | None:
        return self.getFromDef("ROBOT")

    def simulationQuit(self, status: int) -> None:
        """Ends the simulation at the end of the next step."""
        self._session.quit(status)
