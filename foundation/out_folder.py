"""Where a verb may write: a folder that is new, empty, or that the same verb made before. Nobody's files are deleted.

In: the folder a user gave as --out, before any work. A file, a folder of anything else, and a folder that holds what is
to be read are refused with `OutFolderError`. A finished folder carries a mark: which verb made it, and of what names.
"""

import json
import os
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any, Final

from foundation import atomic_files
from foundation.atomic_files import names_in
from foundation.errors import OutFolderError, OxturnError

MARK: Final = "oxturn.json"


def require_folder(out: Path, error: type[OxturnError] = OutFolderError) -> None:
    """`out` is a folder or nothing yet. Raises `error`."""
    if os.path.lexists(out) and not out.is_dir():
        raise error(f"{out} is a file; give a folder")


def require_own(
    out: Path, what: str, strangers: Callable[[Path], list[str]], error: type[OxturnError] = OutFolderError
) -> None:
    """`out` is new, empty, or all of `what`: `strangers` names what is not. Raises `error`."""
    require_folder(out, error)
    if out.is_dir() and (found := strangers(out)):
        raise error(
            f"{out} is not empty: it holds {found[0]}, which is not of {what}; give --out a new or an empty folder"
        )


def besides(names: Collection[str]) -> Callable[[Path], list[str]]:
    """For `require_own`: whatever is called otherwise is a stranger."""
    return lambda folder: [name for name in names_in(folder) if name not in names]


def require_marked(out: Path, kind: str, *, source: Path) -> None:
    """`out` may be replaced by what `kind` makes of the folder `source`. Raises OutFolderError."""
    read, written = source.resolve(), out.resolve()
    if written == read or written in read.parents:
        raise OutFolderError(f"{out} holds {source}, which is to be read; give --out another folder")
    require_own(out, f"an earlier {kind}", lambda folder: _not_marked(folder, kind))


def mark(folder: Path, kind: str) -> None:
    """Last of all: says what made `folder`, and of which names."""
    told = {"kind": kind, "version": 1, "holds": names_in(folder)}
    atomic_files.write_json(folder / MARK, told)


def kind_of(folder: Path) -> str | None:
    """What made it, by its mark."""
    return _mark_of(folder).get("kind")


def _not_marked(folder: Path, kind: str) -> list[str]:
    told = _mark_of(folder)
    holds = told.get("holds")
    known = [MARK, *holds] if told.get("kind") == kind and isinstance(holds, list) else []
    return besides(known)(folder)


def _mark_of(folder: Path) -> dict[str, Any]:
    try:
        told = json.loads((folder / MARK).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return told if isinstance(told, dict) else {}
