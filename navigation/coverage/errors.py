"""What the coverage planner refuses."""

from foundation.errors import OxturnError


class CoverageError(OxturnError):
    """Base: no plan can be made."""


class StartBlocked(CoverageError):
    """The robot cannot stand where it is said to start."""


class NoFloor(CoverageError):
    """No place of the map has room for the robot."""
