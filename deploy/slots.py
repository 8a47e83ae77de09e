"""Two slots for one kind of target, A and B, and the link that says which one runs. Disk discipline, no decisions.

    slots/A/bundle/...      the bundle's files
    slots/A/signed.json     the signed targets metadata they were installed by, and the root version that signed it
    active -> slots/A       swapped in one rename; `current` for software
A slot is filled beside its place and takes its name when every byte is on the disk.
"""

import json
import logging
from dataclasses import dataclass
from pathlib import Path

from deploy.bundle_archive import MAX_ARCHIVE_BYTES, MAX_SOFTWARE_BYTES, pack
from deploy.disk import Disk, read_folder, replace_link, write_folder
from deploy.trust import Kind, Offer, SignedTarget, Trust, check_target, installed_target
from deploy.update_errors import ArchiveError, UpdateRefused
from deploy.update_rules import SLOTS, Slot

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Slots:
    """The robot's two places for one kind of target."""

    home: Path
    disk: Disk
    kind: Kind = "model"

    @property
    def link(self) -> Path:
        return self.home / ("active" if self.kind == "model" else "current")

    def active(self) -> Slot | None:
        """Where the link points; None before the first install."""
        points_to = self.disk.read_link(self.link)
        return next((slot for slot in SLOTS if points_to == f"slots/{slot}"), None)

    def bundle_dir(self, slot: Slot) -> Path:
        return self.home / "slots" / slot / "bundle"

    def archive(self, slot: Slot) -> bytes:
        """The slot's bundle packed again: what patches are made against. Raises OSError, ArchiveError."""
        limit_bytes = MAX_ARCHIVE_BYTES if self.kind == "model" else MAX_SOFTWARE_BYTES
        return pack(read_folder(self.disk, self.bundle_dir(slot)), limit_bytes=limit_bytes)

    def verified(self, slot: Slot, trust: Trust) -> SignedTarget | None:
        """The signed target that this slot's files equal, byte for byte; None (and a warning) when they do not."""
        try:
            target = self._signed(slot, trust)
            check_target(self.archive(slot), target)
            return target
        except FileNotFoundError:
            return None
        except (OSError, ValueError, KeyError, TypeError, AttributeError, ArchiveError, UpdateRefused) as error:
            logger.warning("slot %s does not verify: %s", slot, error)
            return None

    def claimed(self, slot: Slot, trust: Trust) -> SignedTarget | None:
        """The signed target that this slot was filled from, by its signature alone: nothing is compared."""
        try:
            return self._signed(slot, trust)
        except (OSError, ValueError, KeyError, TypeError, AttributeError, UpdateRefused):
            return None

    def _signed(self, slot: Slot, trust: Trust) -> SignedTarget:
        record = json.loads(self.disk.read(self.home / "slots" / slot / "signed.json"))
        return installed_target(trust, record["targets"].encode(), int(record["root_version"]), self.kind)

    def fill(self, slot: Slot, files: dict[str, bytes], offer: Offer) -> None:
        """Replace an idle slot's content; a crash leaves the old content, none, or the new one whole."""
        folder = self.home / "slots" / slot
        staging, retired = folder.with_name(f".{slot}.new"), folder.with_name(f".{slot}.old")
        self.disk.remove_tree(staging)
        self.disk.remove_tree(retired)
        record = {"targets": offer.targets_metadata.decode(), "root_version": offer.root_version}
        content = {f"bundle/{name}": data for name, data in files.items()}
        content["signed.json"] = json.dumps(record, indent=1).encode()
        write_folder(self.disk, staging, content)
        if self.disk.exists(folder):
            self.disk.rename(folder, retired)
        self.disk.rename(staging, folder)
        self.disk.fsync_folder(folder.parent)
        self.disk.remove_tree(retired)

    def switch(self, slot: Slot) -> None:
        """Point the link at a slot, for good when this returns."""
        replace_link(self.disk, self.link, f"slots/{slot}")
