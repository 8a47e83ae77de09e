"""Resumable steps of a long run: one folder each, whole or not there, redone only when what they came from changed.

A step fills a temporary folder and takes its name when it is finished. Beside its work it leaves `stage.json`: the key
of what it was made from and the facts that later steps and the report read. A step whose folder carries the same key is
not run again, so an interrupted run goes on where it stopped.
"""

import hashlib
import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from foundation import atomic_files
from foundation.atomic_files import names_in
from foundation.out_folder import MARK, kind_of, require_own

RECORD = "stage.json"
KIND = "oxturn run"


@dataclass(frozen=True, slots=True)
class Stage:
    """A finished step: where its work lies, what it told, what it was made from."""

    name: str
    folder: Path
    facts: Mapping[str, Any]
    key: str
    duration_s: float
    resumed: bool


class Stages:
    """The steps of one run under `out`; the folder must be ours or empty, else OutFolderError."""

    def __init__(self, out: Path, on_stage: Callable[[Stage], None] = lambda stage: None) -> None:
        self._out = out
        self._on_stage = on_stage
        self._run_by: list[Stage] = []
        require_own(out, "an Oxturn run", lambda folder: [] if kind_of(folder) == KIND else names_in(folder))
        out.mkdir(parents=True, exist_ok=True)
        atomic_files.write_json(out / MARK, {"kind": KIND, "version": 1})
        for leftover in [*out.glob(".*.tmp"), *out.glob(".*.old")]:
            _remove(leftover)

    @property
    def finished(self) -> tuple[Stage, ...]:
        """In the order they were asked for."""
        return tuple(self._run_by)

    def run(
        self,
        name: str,
        settings: Mapping[str, Any],
        work: Callable[[Path], Mapping[str, Any]],
        after: tuple[Stage, ...] = (),
    ) -> Stage:
        """The finished step `name`: `work` fills the folder it is given and returns facts that JSON can hold."""
        key = _key(settings, after)
        folder = self._out / name
        stage = _resumed(name, folder, key)
        if stage is None:
            started_s = time.monotonic()
            with atomic_files.staged_folder(folder) as staging:
                facts = json.loads(json.dumps(work(staging)))
                duration_s = time.monotonic() - started_s
                atomic_files.write_json(staging / RECORD, {"key": key, "facts": facts, "duration_s": duration_s})
            stage = Stage(name, folder, facts, key, duration_s, resumed=False)
        self._run_by.append(stage)
        self._on_stage(stage)
        return stage


def _key(settings: Mapping[str, Any], after: tuple[Stage, ...]) -> str:
    told = json.dumps({"settings": settings, "after": [stage.key for stage in after]}, sort_keys=True)
    return hashlib.sha256(told.encode()).hexdigest()


def _resumed(name: str, folder: Path, key: str) -> Stage | None:
    try:
        record = json.loads((folder / RECORD).read_text(encoding="utf-8"))
        matches = record["key"] == key
        facts, duration_s = record["facts"], record["duration_s"]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return Stage(name, folder, facts, key, duration_s, resumed=True) if matches else None


def _remove(leftover: Path) -> None:
    import shutil

    if leftover.is_dir():
        shutil.rmtree(leftover)
    else:
        leftover.unlink()
