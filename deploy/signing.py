"""The publisher's side of TUF: keys, signed repositories, rotation. What the robot checks is in `trust`.

keys/root/            three encrypted root keys, two of which sign; needed for `create_keys` and `rotate` only:
                      keep this folder on a stick. Nothing else ever opens it.
keys/online/          targets, snapshot and timestamp keys: `publish` signs with them
                      (`.pem.next` in either: a rotation's new key, until the root that names it is written)
keys/root_metadata/   1.root.json, 2.root.json ...: public; the robot's first root comes from here
repo/                 what `publish` writes and `push` sends: metadata and targets named by their hash
"""

import json
import os
import secrets
import time
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final, TypeVar

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    KeySerializationEncryption,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from securesystemslib.signer import CryptoSigner
from tuf.api.metadata import Metadata, MetaFile, Root, Signed, Snapshot, TargetFile, Targets, Timestamp

from deploy.bundle_archive import MAX_SOFTWARE_BYTES, pack, sha256
from deploy.trust import Kind
from deploy.update_errors import KeysError
from deploy.wheel_set import MANIFEST, PACKAGE, Machine, manifest_of
from foundation import atomic_files

SIGNED_AT: Final = "x-oxturn-signed-at"  # seconds since 1970 in timestamp.json: a robot without a clock learns the time
ROOT_KEYS: Final = 3
ROOT_THRESHOLD: Final = 2
ONLINE_ROLES: Final = (Targets.type, Snapshot.type, Timestamp.type)
LIFETIME: Final = {
    Root.type: timedelta(days=3 * 365),
    Targets.type: timedelta(days=365),
    Snapshot.type: timedelta(days=365),
    Timestamp.type: timedelta(days=60),
}
PASSPHRASE_VARIABLE: Final = "OXTURN_ROOT_PASSPHRASE"
S = TypeVar("S", bound=Signed)


@dataclass(frozen=True, slots=True)
class KeysReport:
    """What `create_keys` made; the passphrase is shown once and stored nowhere."""

    first_root: Path
    root_passphrase: str


@dataclass(frozen=True, slots=True)
class PublishReport:
    """One published target."""

    kind: Kind
    version: int
    target_sha256: str
    size_bytes: int
    expires: datetime


def create_keys(keys_dir: Path, *, root_passphrase: str | None = None, now_s: float | None = None) -> KeysReport:
    """New keys and the first root. KeysError where keys already lie: they are never overwritten.

    Without a passphrase the environment's OXTURN_ROOT_PASSPHRASE is taken, else one is made up.
    """
    if (keys_dir / "root_metadata").exists() or (keys_dir / "root").exists():
        raise KeysError(f"{keys_dir} already holds keys; choose another folder or use `oxturn ota keys --rotate`")
    passphrase = root_passphrase or os.environ.get(PASSPHRASE_VARIABLE) or secrets.token_urlsafe(18)
    root_signers = [CryptoSigner.generate_ed25519() for _ in range(ROOT_KEYS)]
    online = {role: CryptoSigner.generate_ed25519() for role in ONLINE_ROLES}
    root = Root(version=1, expires=_expiry(Root.type, _now_s(now_s)), consistent_snapshot=True)
    _assign(root, root_signers, online)
    first_root = keys_dir / "root_metadata" / "1.root.json"
    for number, signer in enumerate(root_signers):
        _write_key(_root_key(keys_dir, number), signer, BestAvailableEncryption(passphrase.encode()))
    for role, signer in online.items():
        _write_key(_online_key(keys_dir, role), signer, NoEncryption())
    atomic_files.write_bytes(first_root, _signed(root, root_signers[:ROOT_THRESHOLD]))
    return KeysReport(first_root, passphrase)


def rotate(
    keys_dir: Path,
    roles: Iterable[str] = ONLINE_ROLES,
    *,
    root_passphrase: str | None = None,
    now_s: float | None = None,
) -> Path:
    """New keys for `roles` (also "root") after a loss or a leak, in a next root signed by the old root and the new.

    The next `publish` signs with them; robots follow the chain of roots and refuse the old keys from then on.
    The new keys are on the disk before the root that names them: the next rotation or `publish` finishes one that died.
    """
    passphrase = (root_passphrase or os.environ.get(PASSPHRASE_VARIABLE) or "").encode()
    root = newest_root(keys_dir)
    _finish_rotation(keys_dir, root, (Root.type, *ONLINE_ROLES), passphrase)
    old_signers = _load_root_signers(keys_dir, root, passphrase)
    root.version += 1
    root.expires = _expiry(Root.type, _now_s(now_s))
    online = {role: _load_online(keys_dir, role) for role in ONLINE_ROLES}
    new_root_signers = old_signers
    new: dict[Path, CryptoSigner] = {}
    for role in roles:
        if role == Root.type:
            new_root_signers = [CryptoSigner.generate_ed25519() for _ in range(ROOT_KEYS)]
            new |= {_root_key(keys_dir, number): signer for number, signer in enumerate(new_root_signers)}
        elif role in online:
            online[role] = new[_online_key(keys_dir, role)] = CryptoSigner.generate_ed25519()
        else:
            raise KeysError(f"no role {role!r}, known are root, {', '.join(ONLINE_ROLES)}")
    for role in (Root.type, *ONLINE_ROLES):
        for key_id in list(root.roles[role].keyids):
            root.revoke_key(key_id, role)
    _assign(root, new_root_signers, online)
    signers = {signer.public_key.keyid: signer for signer in (*old_signers, *new_root_signers)}
    for key, signer in new.items():
        in_root = key.parent.name == Root.type
        _write_key(_staged(key), signer, BestAvailableEncryption(passphrase) if in_root else NoEncryption())
    path = keys_dir / "root_metadata" / f"{root.version}.root.json"
    atomic_files.write_bytes(path, _signed(root, list(signers.values())))
    _finish_rotation(keys_dir, root, (Root.type, *ONLINE_ROLES), passphrase)
    return path


def publish(bundle_dir: Path, keys_dir: Path, repo_dir: Path, *, now_s: float | None = None) -> PublishReport:
    """Sign a model's bundle as the repository's newest."""
    return _publish("model", bundle_dir.name, pack(_read_bundle(bundle_dir)), keys_dir, repo_dir, now_s)


def publish_software(
    wheels_dir: Path, keys_dir: Path, repo_dir: Path, machine: Machine, *, now_s: float | None = None
) -> PublishReport:
    """Sign a folder of wheels as the newest software for robots like `machine`. Raises WheelsError, KeysError."""
    wheels = _read_bundle(wheels_dir)
    manifest = manifest_of(wheels, machine)
    data = pack({**wheels, MANIFEST: manifest}, limit_bytes=MAX_SOFTWARE_BYTES)
    name = f"{PACKAGE}-{json.loads(manifest)['version']}"
    return _publish("software", name, data, keys_dir, repo_dir, now_s)


def _publish(kind: Kind, name: str, data: bytes, keys_dir: Path, repo_dir: Path, now_s: float | None) -> PublishReport:
    """The archive as the newest target of its kind, and everything signed anew, `timestamp.json` last.

    A crash in between leaves the repository at its former version: the new files carry names of their own.
    """
    now = _now_s(now_s)
    root = newest_root(keys_dir)
    _finish_rotation(keys_dir, root, ONLINE_ROLES, None)
    signers = {role: _load_online(keys_dir, role) for role in ONLINE_ROLES}
    offered = _offered_version(repo_dir)
    version = max(_counted_version(keys_dir), offered) + 1  # robots refuse to go back, whatever became of the folders
    digest = sha256(data)

    targets = _load_targets(repo_dir, offered) if offered else Targets()
    path = f"{kind}.tar"
    targets.targets[path] = TargetFile(
        len(data), {"sha256": digest}, path, {"custom": {"kind": kind, "version": version, "name": name}}
    )
    targets_bytes = _signed(_stamped(targets, version, now), [signers[Targets.type]])
    snapshot = Snapshot(meta={"targets.json": _meta(version, targets_bytes)})
    snapshot_bytes = _signed(_stamped(snapshot, version, now), [signers[Snapshot.type]])
    timestamp = Timestamp(snapshot_meta=_meta(version, snapshot_bytes), unrecognized_fields={SIGNED_AT: int(now)})
    timestamp_bytes = _signed(_stamped(timestamp, version, now), [signers[Timestamp.type]])

    atomic_files.write_text(keys_dir / "online" / "last_version", f"{version}\n")
    for number in range(1, root.version + 1):
        name = f"{number}.root.json"
        atomic_files.write_bytes(repo_dir / name, (keys_dir / "root_metadata" / name).read_bytes())
    atomic_files.write_bytes(repo_dir / f"{digest}.{path}", data)
    atomic_files.write_bytes(repo_dir / f"{version}.targets.json", targets_bytes)
    atomic_files.write_bytes(repo_dir / f"{version}.snapshot.json", snapshot_bytes)
    atomic_files.write_bytes(repo_dir / "timestamp.json", timestamp_bytes)
    return PublishReport(kind, version, digest, len(data), timestamp.expires)


def newest_root(keys_dir: Path) -> Root:
    """The last of `root_metadata`; KeysError where there is none."""
    numbers = sorted(int(path.name.split(".")[0]) for path in (keys_dir / "root_metadata").glob("*.root.json"))
    if not numbers:
        raise KeysError(f"{keys_dir} holds no root metadata; make keys with `oxturn ota keys --keys {keys_dir}`")
    return Metadata[Root].from_bytes((keys_dir / "root_metadata" / f"{numbers[-1]}.root.json").read_bytes()).signed


def _read_bundle(bundle_dir: Path) -> dict[str, bytes]:
    if not bundle_dir.is_dir():
        raise KeysError(f"{bundle_dir} is not a folder with a bundle or wheels")
    files: dict[str, bytes] = {}
    for path in sorted(bundle_dir.rglob("*")):
        if path.is_symlink():
            raise KeysError(f"{path} is a link; plain files are published")
        if path.is_file():
            files[path.relative_to(bundle_dir).as_posix()] = path.read_bytes()
    if not files:
        raise KeysError(f"{bundle_dir} is empty")
    return files


def _counted_version(keys_dir: Path) -> int:
    """The highest version ever begun, also when the repository was deleted or the publisher died."""
    counted = keys_dir / "online" / "last_version"
    return int(counted.read_text()) if counted.exists() else 0


def _offered_version(repo_dir: Path) -> int:
    """What the repository offers now, the last one that was published whole; 0 for an empty one."""
    timestamp = repo_dir / "timestamp.json"
    return int(json.loads(timestamp.read_bytes())["signed"]["version"]) if timestamp.exists() else 0


def _load_targets(repo_dir: Path, version: int) -> Targets:
    path = repo_dir / f"{version}.{Targets.type}.json"
    if not path.exists():
        raise KeysError(
            f"{path} is missing, so what is offered now would be lost; put it back, or choose another --repo"
        )
    return Metadata[Targets].from_bytes(path.read_bytes()).signed


def _finish_rotation(keys_dir: Path, root: Root, roles: Iterable[str], passphrase: bytes | None) -> None:
    """New keys that the newest root names take their places; those of a rotation that died before are forgotten."""
    for role in roles:
        keys = _root_keys(keys_dir) if role == Root.type else [_online_key(keys_dir, role)]
        for key in keys:
            staged = _staged(key)
            if not staged.exists():
                continue
            signer = _load_key(staged, passphrase if role == Root.type else None)
            if signer.public_key.keyid in root.roles[role].keyids:
                os.replace(staged, key)
            else:
                staged.unlink()
            atomic_files.fsync_folder(key.parent)


def _root_key(keys_dir: Path, number: int) -> Path:
    return keys_dir / "root" / f"root{number}.pem"


def _root_keys(keys_dir: Path) -> list[Path]:
    return [_root_key(keys_dir, number) for number in range(ROOT_KEYS)]


def _online_key(keys_dir: Path, role: str) -> Path:
    return keys_dir / "online" / f"{role}.pem"


def _staged(key: Path) -> Path:
    return key.with_name(f"{key.name}.next")


def _assign(root: Root, root_signers: list[CryptoSigner], online: dict[str, CryptoSigner]) -> None:
    for signer in root_signers:
        root.add_key(signer.public_key, Root.type)
    root.roles[Root.type].threshold = ROOT_THRESHOLD
    for role, signer in online.items():
        root.add_key(signer.public_key, role)


def _meta(version: int, data: bytes) -> MetaFile:
    return MetaFile(version, len(data), {"sha256": sha256(data)})


def _stamped(signed: S, version: int, now_s: float) -> S:
    signed.version = version
    signed.expires = _expiry(signed.type, now_s)
    return signed


def _signed(signed: Signed, signers: list[CryptoSigner]) -> bytes:
    metadata: Metadata[Any] = Metadata(signed)
    for signer in signers:
        metadata.sign(signer, append=True)
    return metadata.to_bytes()


def _expiry(role: str, now_s: float) -> datetime:
    return (datetime.fromtimestamp(now_s, UTC) + LIFETIME[role]).replace(microsecond=0)


def _now_s(now_s: float | None) -> float:
    return time.time() if now_s is None else now_s


def _write_key(path: Path, signer: CryptoSigner, encryption: KeySerializationEncryption) -> None:
    key = load_pem_private_key(signer.private_bytes, None)
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    atomic_files.write_bytes(path, key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption))
    path.chmod(0o600)


def _load_online(keys_dir: Path, role: str) -> CryptoSigner:
    return _load_key(_online_key(keys_dir, role), None)


def _load_root_signers(keys_dir: Path, root: Root, passphrase: bytes) -> list[CryptoSigner]:
    paths = sorted((keys_dir / "root").glob("*.pem"))
    if len(paths) < ROOT_THRESHOLD:
        raise KeysError(f"{keys_dir / 'root'} holds {len(paths)} root keys, {ROOT_THRESHOLD} must sign")
    signers = [_load_key(path, passphrase) for path in paths]
    known = [signer for signer in signers if signer.public_key.keyid in root.roles[Root.type].keyids]
    if len(known) < ROOT_THRESHOLD:
        raise KeysError(
            f"{len(known)} of the keys in {keys_dir / 'root'} are those of {root.version}.root.json,"
            f" {ROOT_THRESHOLD} must sign"
        )
    return known


def _load_key(path: Path, passphrase: bytes | None) -> CryptoSigner:
    try:
        key = load_pem_private_key(path.read_bytes(), passphrase)
    except FileNotFoundError as error:
        raise KeysError(f"{path} is missing; make keys with `oxturn ota keys`") from error
    except (ValueError, TypeError) as error:
        raise KeysError(f"{path}: cannot be opened: {error}") from error
    if not isinstance(key, Ed25519PrivateKey):
        raise KeysError(f"{path} is no ed25519 key")
    return CryptoSigner(key)
