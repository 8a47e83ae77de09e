"""Finds the pushed archive of a signed target among the incoming files: whole, or a patch against what is installed.

Names say what a file is for; nothing else about it is believed: what comes out must be the signed target.

    <target sha256>.<first 8 of the file's sha256>.zst              whole; `software-` before it for wheels
    <target sha256>.<8>.from-<first 16 of the base's sha256>.zst    patch
"""

import re
from typing import Final

from deploy import member_patches, patches
from deploy.bundle_archive import sha256
from deploy.robot_home import SOFTWARE_PREFIX, RobotHome
from deploy.trust import Kind, SignedTarget, check_target
from deploy.update_errors import ArchiveError, UpdateRefused
from deploy.update_rules import Slot

_PREFIX: Final[dict[Kind, str]] = {"model": "", "software": SOFTWARE_PREFIX}
_DECOMPRESS: Final = {"model": patches.decompress, "software": member_patches.decompress}
_NAME: Final = re.compile(
    r"(?P<prefix>software-)?(?P<target>[0-9a-f]{64})\.(?P<file>[0-9a-f]{8})(\.from-(?P<base>[0-9a-f]{16}))?\.zst"
)


def whole_name(target_sha256: str, data: bytes, kind: Kind = "model") -> str:
    return f"{_PREFIX[kind]}{target_sha256}.{sha256(data)[:8]}.zst"


def patch_name(target_sha256: str, base_sha256: str, data: bytes, kind: Kind = "model") -> str:
    return f"{_PREFIX[kind]}{target_sha256}.{sha256(data)[:8]}.from-{base_sha256[:16]}.zst"


def read_archive(home: RobotHome, running: Slot | None, target: SignedTarget) -> bytes:
    """The signed target's bytes. A file that does not give them is removed, so that the next push sends it anew.

    Raises UpdateRefused with `missing` (nothing that fits) or `tampered_target`, `bad_patch`.
    """
    refusal = UpdateRefused("missing", f"no archive of version {target.version} was pushed; push again")
    for name in home.incoming():
        match = _NAME.fullmatch(name)
        if match is None or (match["prefix"] or "", match["target"]) != (_PREFIX[home.kind], target.sha256):
            continue
        try:
            data = _DECOMPRESS[home.kind](home.fetch(name), target.length, _base(home, running, match["base"]))
            check_target(data, target)
            return data
        except (UpdateRefused, ArchiveError) as error:
            code = "bad_patch" if match["base"] else "tampered_target"
            refusal = UpdateRefused(code, f"version {target.version}: {error}")
            home.disk.remove(home.path / "incoming" / name)
    raise refusal


def _base(home: RobotHome, running: Slot | None, base: str | None) -> bytes | None:
    if base is None:
        return None
    archive = b"" if running is None else home.slots.archive(running)
    if sha256(archive)[:16] != base:
        raise ArchiveError(f"the patch is against {base}, installed is {sha256(archive)[:16]}")
    return archive
