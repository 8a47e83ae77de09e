"""Results of jobs as folders at URIs (local disk, S3, whatever fsspec opens), each made once from its named inputs.

A result is finished when its marker `_made.json` is there: it names the key of the inputs and the digest of the files.
The marker is written last, on local disk by renaming the whole folder, so a killed worker leaves nothing that looks
finished, and doing the job again gives the same result at the same place.
"""

import hashlib
import json
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import fsspec

from foundation.atomic_files import staged_folder, write_json
from foundation.errors import OxturnError

MARKER: Final = "_made.json"


class LakeError(OxturnError):
    """A URI that cannot be read or written, or a result that is not there or not whole."""


@dataclass(frozen=True, slots=True)
class Made:
    """A finished result: what it was made from, and what it holds."""

    key: str
    digest: str


def produce(uri: str, inputs: Sequence[str], work: Callable[[Path], None]) -> str:
    """The result at `uri`, made by `work(empty folder)` unless it already was from the same `inputs`.

    `inputs` are URIs of finished results (their digests count, not their places) and words such as settings.
    """
    key = _key(inputs)
    made = find(uri)
    if made is not None and made.key == key:
        return uri
    with _refusals(uri):
        filesystem, path = _opened(uri)
    if _is_local(filesystem):
        with staged_folder(Path(path)) as folder:
            work(folder)
            _mark(folder, key)
    else:
        _produce_remote(uri, filesystem, path, key, work)
    return uri


@contextmanager
def local_copy(uri: str) -> Iterator[Path]:
    """The finished result at `uri` as a local folder to read; whole, or LakeError."""
    made = find(uri)
    if made is None:
        raise LakeError(f"{uri}: no finished result there")
    filesystem, path = _opened(uri)
    if _is_local(filesystem):
        yield Path(path)
        return
    with tempfile.TemporaryDirectory(prefix="oxturn-") as name:
        folder = Path(name)
        with _refusals(uri):
            _download(filesystem, path, folder)
        if (found := digest(folder)) != made.digest:
            raise LakeError(f"{uri}: files have digest {found[:12]}, marker says {made.digest[:12]}: copy it again")
        yield folder


def find(uri: str) -> Made | None:
    """The marker at `uri`; None when nothing finished is there."""
    with _refusals(uri):
        filesystem, path = _opened(uri)
        marker = f"{path}/{MARKER}"
        if not filesystem.exists(marker):
            return None
        try:
            held = json.loads(filesystem.cat_file(marker))
            return Made(str(held["key"]), str(held["digest"]))
        except (ValueError, KeyError, TypeError):
            return None  # torn or foreign: not finished


def listed(uri: str, ending: str) -> list[str]:
    """URIs of the files directly under `uri` with that ending, sorted by name."""
    with _refusals(uri):
        filesystem, path = _opened(uri)
        if not filesystem.isdir(path):
            raise LakeError(f"{uri}: no such folder")
        names = sorted(name for name in filesystem.ls(path, detail=False) if name.endswith(ending))
        return [str(filesystem.unstrip_protocol(name)) for name in names]


def fetch(uri: str, path: Path) -> None:
    """Copies the one file at `uri` to `path`."""
    with _refusals(uri):
        filesystem, source = _opened(uri)
        filesystem.get_file(source, str(path))


def fingerprint(uri: str) -> str:
    """Of the one file at `uri`: changes when its content does."""
    with _refusals(uri), fsspec.open(uri, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def digest(folder: Path) -> str:
    """Of every file under `folder` but the marker: names and bytes."""
    whole = hashlib.sha256()
    for path in sorted(path for path in folder.rglob("*") if path.is_file() and path.name != MARKER):
        with path.open("rb") as file:
            content = hashlib.file_digest(file, "sha256").hexdigest()
        whole.update(f"{path.relative_to(folder).as_posix()}\0{content}\n".encode())
    return whole.hexdigest()


def _key(inputs: Sequence[str]) -> str:
    """Finished results count by what they hold, everything else by its text."""
    held = [made.digest if "://" in text and (made := find(text)) else text for text in inputs]
    return hashlib.sha256(json.dumps(held).encode()).hexdigest()


def _mark(folder: Path, key: str) -> None:
    write_json(folder / MARKER, {"key": key, "digest": digest(folder)})


def _produce_remote(uri: str, filesystem: Any, path: str, key: str, work: Callable[[Path], None]) -> None:
    with tempfile.TemporaryDirectory(prefix="oxturn-") as name:
        folder = Path(name)
        work(folder)
        _mark(folder, key)
        files = sorted(path for path in folder.rglob("*") if path.is_file() and path.name != MARKER)
        with _refusals(uri):
            if filesystem.exists(path):
                filesystem.rm(path, recursive=True)
            for file in [*files, folder / MARKER]:  # the marker last
                # Folders are the file system's own business: asked to make them, S3 makes a bucket of a misspelt name.
                filesystem.put_file(str(file), f"{path}/{file.relative_to(folder).as_posix()}")


def _download(filesystem: Any, path: str, folder: Path) -> None:
    root = path.rstrip("/")
    for name in filesystem.find(root):
        target = folder / name[len(root) :].lstrip("/")
        target.parent.mkdir(parents=True, exist_ok=True)
        filesystem.get_file(name, str(target))


def _is_local(filesystem: Any) -> bool:
    protocols = filesystem.protocol if isinstance(filesystem.protocol, tuple | list) else (filesystem.protocol,)
    return "file" in protocols


def _opened(uri: str) -> tuple[Any, str]:
    """File system and path. Listings are never remembered: another worker's results appear at any time."""
    filesystem, path = fsspec.core.url_to_fs(uri, use_listings_cache=False)
    return filesystem, str(path)


@contextmanager
def _refusals(uri: str) -> Iterator[None]:
    """What fsspec and S3's client raise for a bad or unreachable URI, as one line."""
    try:
        yield
    except FileNotFoundError as error:
        raise LakeError(f"{uri}: not found") from error
    except (ValueError, ImportError) as error:
        if isinstance(error, ImportError) or "Protocol not known" in str(error):
            raise LakeError(f"{uri}: {error}") from error
        raise
    except Exception as error:
        if "://" in uri and not uri.startswith("file:") and _is_s3s(error):
            raise LakeError(f"{uri}: {(str(error).splitlines() or [type(error).__name__])[0]}") from error
        raise


def _is_s3s(error: Exception) -> bool:
    """Is it S3's client, or the answer that s3fs translated (no right, no space, no line)?"""
    names = {cls.__module__.partition(".")[0] for cls in type(error).__mro__}
    return isinstance(error, OSError) or bool(names & {"botocore", "aiobotocore", "aiohttp"})
