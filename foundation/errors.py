"""The root of every error that Oxturn raises on purpose.

Each folder derives one base class from it (`UpdateError`, `ObservationError`, ...). The command line prints such an
error as one line and exits with 1; anything else is a defect and shows a traceback.
"""


class OxturnError(Exception):
    """What, which value, which limit, what to do: one line that a user can act on."""


class ConfigError(OxturnError):
    """A configuration file that cannot be read or holds a value that is not allowed."""


class OutFolderError(OxturnError):
    """A place to write that is a file, or a folder that holds somebody's files."""


class ArrayFileError(OxturnError):
    """An .npz that cannot be read or is none."""
