"""A user's .npz read whole. Whatever its bytes are, what is wrong with it is one line that names the file."""

import struct
import tokenize
import zipfile
import zlib
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.lib.npyio import NpzFile
from numpy.typing import NDArray

from foundation.errors import ArrayFileError

_BROKEN: Final = (  # what numpy, zip and inflate raise at bytes that are not theirs
    EOFError, IndexError, KeyError, MemoryError, NotImplementedError, OverflowError, RuntimeError, SyntaxError,
    TypeError, ValueError, struct.error, tokenize.TokenError, zipfile.BadZipFile, zlib.error,
)  # fmt: skip


def read_arrays(path: Path) -> dict[str, NDArray[Any]]:
    """By name. Raises ArrayFileError: no such file, another one, a torn one."""
    try:
        with path.open("rb") as file:
            held = np.load(file)
            if not isinstance(held, NpzFile):
                raise ArrayFileError(f"{path}: one array, not an .npz of several")
            return {name: held[name] for name in held.files}
    except OSError as error:
        raise ArrayFileError(f"{path}: cannot be read: {error.strerror or error}") from error
    except _BROKEN as error:
        says = " ".join(str(error).split()) or type(error).__name__
        raise ArrayFileError(f"{path}: empty, torn or no .npz: {says}") from error
