"""What the robot believes about signatures: python-tuf's client over files that were pushed, and nothing else.

Everything trusted lies in one value and one file (`trust/trusted.json`), replaced whole: a power cut cannot tear it.
The first root comes with `pi setup`. Time never goes below the last signed time seen: a Pi has no battery clock.
Expiry blocks installing; what is installed is checked by signature alone.
"""

import json
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, Literal

from tuf.api import exceptions as tuf_errors
from tuf.api.metadata import Metadata, Root, TargetFile, Targets, Timestamp
from tuf.ngclient.config import UpdaterConfig
from tuf.ngclient.fetcher import FetcherInterface
from tuf.ngclient.updater import Updater

from deploy.update_errors import UpdateRefused

Kind = Literal["model", "software"]
Fetch = Callable[[str], bytes]  # by file name; FileNotFoundError where it was not pushed

SIGNED_AT: Final = "x-oxturn-signed-at"
MAX_METADATA_BYTES: Final = 64 * 1024
MAX_TARGETS_BYTES: Final = 1024 * 1024
CHUNK_BYTES: Final = 16 * 1024
_CONFIG: Final = UpdaterConfig(
    max_root_rotations=64,
    root_max_length=MAX_METADATA_BYTES,
    timestamp_max_length=MAX_METADATA_BYTES,
    snapshot_max_length=MAX_METADATA_BYTES,
    targets_max_length=MAX_TARGETS_BYTES,
)


@dataclass(frozen=True, slots=True)
class Trust:
    """The chain of roots (first to newest), the last verified metadata, the last signed time."""

    roots: tuple[bytes, ...]
    timestamp: bytes | None = None
    snapshot: bytes | None = None
    targets: bytes | None = None
    signed_time_s: float = 0.0

    def to_bytes(self) -> bytes:
        texts = {
            "roots": [root.decode() for root in self.roots],
            **{role: _text(getattr(self, role)) for role in ("timestamp", "snapshot", "targets")},
            "signed_time_s": self.signed_time_s,
        }
        return json.dumps(texts, indent=1).encode()

    @staticmethod
    def from_bytes(data: bytes) -> "Trust":
        """Raises UpdateRefused when the bytes are not what `to_bytes` writes: whatever is read here can be used."""
        try:
            texts = json.loads(data)
            timestamp, snapshot, targets = (_bytes(texts[role]) for role in ("timestamp", "snapshot", "targets"))
            roots = tuple(str(root).encode() for root in texts["roots"])
            trust = Trust(roots, timestamp, snapshot, targets, float(texts["signed_time_s"]))
            datetime.fromtimestamp(trust.signed_time_s, UTC)
        except (ValueError, KeyError, TypeError, AttributeError, OverflowError, OSError, RecursionError) as error:
            raise UpdateRefused("no_trust", f"not what was written: {error!r}"[:200]) from error
        _check_parses(trust)
        return trust

    @staticmethod
    def from_first_root(data: bytes) -> "Trust":
        """What a robot trusts after setup. Raises UpdateRefused for bytes that are no root."""
        trust = Trust((data,))
        _check_parses(trust)
        return trust


@dataclass(frozen=True, slots=True)
class SignedTarget:
    """One target as signed: what the archive must be."""

    kind: str
    version: int
    name: str
    length: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Offer:
    """A target to install and the proof to store beside it."""

    target: SignedTarget
    targets_metadata: bytes
    root_version: int


@dataclass(frozen=True, slots=True)
class Verification:
    """`trust` advances as far as the offer was verified, also when it is refused (a root rotation must stick)."""

    trust: Trust
    offer: Offer | None
    refusal: UpdateRefused | None


def verify_offer(trust: Trust, fetch: Fetch, now_s: float, kind: Kind = "model") -> Verification:
    """TUF's client workflow over the pushed files. Never raises for bad files: the refusal is a value.

    When the keys that vouched for the time were rotated away, that time goes with them and the offer is judged anew.
    """
    verification = _verified(trust, fetch, now_s, kind)
    if verification.offer is None and verification.trust.signed_time_s < trust.signed_time_s:
        return _verified(verification.trust, fetch, now_s, kind)
    return verification


def _verified(trust: Trust, fetch: Fetch, now_s: float, kind: Kind) -> Verification:
    fetcher = _PushedFiles(fetch)
    now = datetime.fromtimestamp(max(now_s, trust.signed_time_s), UTC)
    with tempfile.TemporaryDirectory(prefix="oxturn-tuf-") as folder:
        cache = Path(folder)
        offer, refusal = None, None
        try:
            _write_cache(cache, trust)
            updater = Updater(folder, "pushed:///", fetcher=fetcher, config=_CONFIG, bootstrap=trust.roots[0])
            updater._trusted_set.reference_time = now  # python-tuf has no other way to pass a clock
            updater.refresh()
            target = updater.get_targetinfo(f"{kind}.tar")
            if target is None:
                raise UpdateRefused("no_target", f"the repository offers no {kind}.tar")
            root_version = _root(_read_cache(cache, trust).roots[-1]).version
            offer = Offer(_signed_target(target), (cache / "targets.json").read_bytes(), root_version)
        except UpdateRefused as error:
            refusal = error
        except (tuf_errors.RepositoryError, tuf_errors.DownloadError) as error:
            refusal = _explained(error, fetcher.last_name)
        return Verification(_read_cache(cache, trust), offer, refusal)


def check_target(data: bytes, target: SignedTarget) -> None:
    """Raises UpdateRefused unless `data` is exactly the signed target."""
    try:
        TargetFile(target.length, {"sha256": target.sha256}, "target").verify_length_and_hashes(data)
    except tuf_errors.LengthOrHashMismatchError as error:
        raise UpdateRefused("tampered_target", f"the archive is not the signed one: {error}") from error


def installed_target(trust: Trust, targets_metadata: bytes, root_version: int, kind: Kind) -> SignedTarget:
    """The signed target that an installed slot claims to be. Expiry does not count here.

    Verified with the root in force when it was installed: a later rotation does not stop a robot that runs.
    """
    first = _root(trust.roots[0]).version
    last = first + len(trust.roots) - 1
    if not first <= root_version <= last:
        raise UpdateRefused("wrong_key", f"slot claims root version {root_version}, known are {first}..{last}")
    try:
        root = _root(trust.roots[root_version - first])
        metadata = Metadata[Targets].from_bytes(targets_metadata)
        root.verify_delegate(Targets.type, metadata.signed_bytes, metadata.signatures)
        return _signed_target(metadata.signed.targets[f"{kind}.tar"])
    except (tuf_errors.RepositoryError, KeyError, ValueError) as error:
        raise UpdateRefused("wrong_key", f"slot's targets.json does not verify: {error}") from error


class _PushedFiles(FetcherInterface):
    """Serves python-tuf from files that already lie on the robot."""

    def __init__(self, fetch: Fetch) -> None:
        self._read = fetch
        self.last_name = ""

    def _fetch(self, url: str) -> Iterator[bytes]:
        self.last_name = url.rsplit("/", 1)[-1]
        try:
            data = self._read(self.last_name)
        except FileNotFoundError as error:
            raise tuf_errors.DownloadHTTPError(f"{self.last_name} was not pushed", 404) from error
        return (data[start : start + CHUNK_BYTES] for start in range(0, len(data), CHUNK_BYTES))


def _explained(error: Exception, name: str) -> UpdateRefused:
    """One code and one sentence for each attack of TUF's list."""
    text = str(error)
    role = name.removesuffix(".json").split(".")[-1]
    if isinstance(error, tuf_errors.DownloadLengthMismatchError):
        return UpdateRefused("endless_data", f"{name} is longer than allowed: {text}")
    if isinstance(error, tuf_errors.DownloadHTTPError):
        return UpdateRefused("missing", f"{text}; push again")
    if isinstance(error, tuf_errors.ExpiredMetadataError):
        return UpdateRefused("expired", f"frozen or stale offer: {text}; publish anew and push again")
    if isinstance(error, tuf_errors.UnsignedMetadataError):
        return UpdateRefused("wrong_key", f"{name} is not signed by enough trusted keys: {text}")
    if isinstance(error, tuf_errors.BadVersionNumberError):
        older = role in ("timestamp", "root") or text.endswith(".")
        code, what = ("rollback", "an older offer") if older else ("mix_and_match", "parts of different offers")
        return UpdateRefused(code, f"{name}: {what}: {text}")
    if isinstance(error, tuf_errors.LengthOrHashMismatchError):
        return UpdateRefused("mix_and_match", f"{name} is not the one that was signed with the rest: {text}")
    return UpdateRefused("malformed", f"{name} cannot be used: {text}")


def _check_parses(trust: Trust) -> None:
    """Not whether it is signed: whether the parts that are read without being verified can be."""
    parts = [*((root, Root.type) for root in trust.roots), (trust.timestamp, Timestamp.type)]
    try:
        wrong = [role for data, role in parts if data is not None and Metadata.from_bytes(data).signed.type != role]
    except tuf_errors.RepositoryError as error:
        raise UpdateRefused("no_trust", f"not what was written: {error}"[:200]) from error
    if wrong or not trust.roots:
        raise UpdateRefused("no_trust", f"lacks its {wrong[0] if wrong else Root.type}")


def _signed_target(target: TargetFile) -> SignedTarget:
    custom: Any = target.custom
    try:
        kind, version, name = str(custom["kind"]), int(custom["version"]), str(custom["name"])
        digest = target.hashes["sha256"]
    except (KeyError, TypeError, ValueError) as error:
        raise UpdateRefused("malformed", f"targets.json lacks {error} for {target.path}") from error
    return SignedTarget(kind, version, name, target.length, digest)


def _write_cache(cache: Path, trust: Trust) -> None:
    (cache / "root_history").mkdir()
    for number, root in enumerate(trust.roots, start=_root(trust.roots[0]).version):
        (cache / "root_history" / f"{number}.root.json").write_bytes(root)
    for role in ("timestamp", "snapshot", "targets"):
        data = getattr(trust, role)
        if data is not None:
            (cache / f"{role}.json").write_bytes(data)


def _read_cache(cache: Path, trust: Trust) -> Trust:
    """What python-tuf verified and stored, as a value."""
    roots, first = list(trust.roots), _root(trust.roots[0]).version
    while (path := cache / "root_history" / f"{first + len(roots)}.root.json").exists():
        roots.append(path.read_bytes())
    timestamp = _read_if_there(cache / "timestamp.json")
    rotated = _timestamp_keys(trust.roots[-1]) != _timestamp_keys(roots[-1])
    if rotated and timestamp == trust.timestamp:
        timestamp = None  # signed by keys that count no more
    floor_s = 0.0 if rotated else trust.signed_time_s
    return Trust(
        tuple(roots),
        timestamp,
        _read_if_there(cache / "snapshot.json"),
        _read_if_there(cache / "targets.json"),
        floor_s if timestamp is None else max(_signed_at_s(timestamp), floor_s),
    )


def _signed_at_s(timestamp: bytes) -> float:
    return float(Metadata[Timestamp].from_bytes(timestamp).signed.unrecognized_fields.get(SIGNED_AT, 0.0))


def _timestamp_keys(root: bytes) -> list[str]:
    return sorted(_root(root).roles[Timestamp.type].keyids)


def _root(data: bytes) -> Root:
    return Metadata[Root].from_bytes(data).signed


def _read_if_there(path: Path) -> bytes | None:
    return path.read_bytes() if path.exists() else None


def _text(data: bytes | None) -> str | None:
    return None if data is None else data.decode()


def _bytes(text: str | None) -> bytes | None:
    return None if text is None else text.encode()


def metadata_versions(trust: Trust) -> tuple[int, int | None]:
    """(newest root, newest timestamp) that the robot has verified."""
    newest = None if trust.timestamp is None else Metadata[Timestamp].from_bytes(trust.timestamp).signed.version
    return _root(trust.roots[-1]).version, newest
