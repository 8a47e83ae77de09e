"""Errors of monitoring: one base, so that a caller can let a view or a log fail without stopping a robot."""

from foundation.errors import OxturnError


class MonitoringError(OxturnError):
    """A log, a server or a setting of monitoring that cannot be used."""
