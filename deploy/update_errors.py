"""Errors of `deploy`, one leaf for every case that a caller treats differently.

DeployError
├── KeysError              keys or repository on the publisher's machine
├── TransportError         the line to the robot: not reachable, cut, refused
│   └── HostKeyError       the robot's host key is unknown or has changed
├── ArchiveError           a bundle archive that no publisher of ours writes
├── WheelsError            wheels that are no software for this robot
├── UpdateError
│   ├── UpdateRefused      the offer is not to be installed; nothing was changed
│   ├── UpdateFailed       the offer was tried and did not come up; the old model runs
│   └── RollbackFailed     going back did not work: a person must look
├── NoTrustedBundle        no slot holds a bundle that equals its signed target
└── DriverError            a sensor or motor board that cannot be opened or does not answer
"""

from foundation.errors import OxturnError


class DeployError(OxturnError):
    """Base of everything that `deploy` raises on purpose."""


class KeysError(DeployError):
    """Keys or repository of the publisher: missing, wrong passphrase, unwritable."""


class TransportError(DeployError):
    """The line to the robot failed; what was sent so far is kept and resumed."""


class HostKeyError(TransportError):
    """The robot's host key is unknown or has changed; it is never accepted by itself."""


class ArchiveError(DeployError):
    """An archive with links, foreign paths, odd members or too much data."""


class WheelsError(DeployError):
    """A set of wheels that is incomplete, for another machine, or not the listed one."""


class UpdateError(DeployError):
    """Base of what `update` and `rollback` report."""


class UpdateRefused(UpdateError):
    """The offer is not to be installed: `code` is stable, the message says what and why."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class UpdateFailed(UpdateError):
    """The offered model was tried and did not pass; the one before it runs."""


class RollbackFailed(UpdateError):
    """Nothing to go back to, or the older slot does not verify."""


class NoTrustedBundle(DeployError):
    """No slot holds a bundle that equals its signed target: the robot runs on its LIDAR alone."""


class DriverError(DeployError):
    """A device that cannot be opened or does not answer."""
