"""What simulation refuses or fails at.

SimulationError
├── RoomError      a room that is not one: a bad field, a bad file, no solvable draw
├── EngineError    the engine cannot render, step or talk to its controllers
├── CaptureError   samples that cannot be written or do not fit what is there
└── RunError       a coverage run that did not come to its end
"""

from foundation.errors import OxturnError


class SimulationError(OxturnError):
    """Base of this folder's errors."""


class RoomError(SimulationError):
    """A bad field, a bad file, or a seed that gives no solvable room."""


class EngineError(SimulationError):
    """The engine cannot render, step or talk to its controllers."""


class CaptureError(SimulationError):
    """Samples that cannot be written, or a folder that holds something else."""


class RunError(SimulationError):
    """A coverage run that did not come to its end."""
