"""How the `controller` module of a process reaches the world: in the same process, or over a Unix socket.

`OXTURN_STANDIN` holds `<socket path>|<robot name>` for a controller that is a process of its own. A world of this
process is reached by `local(world, robot_name)` around the code that makes the Robot.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from multiprocessing.connection import Client, Connection
from typing import Any, Protocol

from simulation.errors import EngineError
from simulation.standin.messages import Query, StepReply, StepRequest, Welcome
from simulation.standin.world import World

ADDRESS_VARIABLE = "OXTURN_STANDIN"


class Link(Protocol):
    """One controller's line to its world."""

    welcome: Welcome

    def step(self, request: StepRequest) -> StepReply: ...

    def ask(self, query: Query) -> Any: ...


class LocalLink:
    """The world is in this process: a step advances it."""

    def __init__(self, world: World, robot_name: str) -> None:
        self._world = world
        self.welcome = world.take(robot_name)

    def step(self, request: StepRequest) -> StepReply:
        return self._world.step(request)

    def ask(self, query: Query) -> Any:
        return self._world.answer(query)


class SocketLink:
    """The world is another process; when it goes away, the controller is told to end, as Webots tells it."""

    def __init__(self, address: str, robot_name: str) -> None:
        try:
            self._connection: Connection = Client(address, family="AF_UNIX")
            self._connection.send(robot_name)
            welcome = self._connection.recv()
        except (OSError, EOFError) as error:
            raise EngineError(f"no world answers at {address}: {error}") from error
        if isinstance(welcome, EngineError):
            raise welcome
        self.welcome: Welcome = welcome

    def step(self, request: StepRequest) -> StepReply:
        try:
            self._connection.send(request)
            reply: StepReply = self._connection.recv()
        except (OSError, EOFError):
            return StepReply(-1, 0, {})
        return reply

    def close(self) -> None:
        self._connection.close()

    def ask(self, query: Query) -> Any:
        self._connection.send(query)
        answer = self._connection.recv()
        if isinstance(answer, EngineError):
            raise answer
        return answer


_local: ContextVar[tuple[World, str] | None] = ContextVar("local world", default=None)  # a thread has its own


@contextmanager
def local(world: World, robot_name: str) -> Iterator[None]:
    """Inside, a new Robot or Supervisor of this process takes `robot_name` of `world`."""
    token = _local.set((world, robot_name))
    try:
        yield
    finally:
        _local.reset(token)


def open_link() -> Link:
    """The line this process is meant to use."""
    here = _local.get()
    if here is not None:
        return LocalLink(*here)
    address, _, robot_name = os.environ.get(ADDRESS_VARIABLE, "").partition("|")
    if not address:
        raise EngineError(
            f"no world to connect to: {ADDRESS_VARIABLE} is not set and Webots does not run this controller"
        )
    return SocketLink(address, robot_name or "robot")
