"""The robot's folder: where everything of updates lies, read and written as values.

incoming/   what SFTP may write: metadata and archives, nothing in it is trusted
trust/      first_root.json (from `pi setup`) and trusted.json
slots/, active, state.json, update.lock
software/   the same four for the robot's own program; trust and incoming are shared
"""

import fcntl
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from deploy.disk import Disk, PosixDisk, replace_file
from deploy.slots import Slots
from deploy.trust import Kind, SignedTarget, Trust
from deploy.update_errors import UpdateRefused
from deploy.update_rules import SLOTS, Instant, Outcome, Slot, Trial, UpdateState

SOFTWARE_PREFIX: Final = "software-"  # of pushed archives: each kind tidies up after itself alone


@dataclass(frozen=True, slots=True)
class RobotHome:
    """One robot's update files behind the disk seam, as they are for one kind of target."""

    path: Path
    disk: Disk
    kind: Kind = "model"

    @property
    def root(self) -> Path:
        """Where this kind has its slots, link, state and lock."""
        return self.path if self.kind == "model" else self.path / "software"

    @property
    def slots(self) -> Slots:
        return Slots(self.root, self.disk, self.kind)

    def prepare(self, first_root: bytes | None = None) -> None:
        """Make the folders; put the first root in place unless there is one already."""
        for name in ("incoming", "trust", "slots", "software", "software/slots"):
            self.disk.make_folder(self.path / name)
        self.disk.fsync_folder(self.path / "software")
        self.disk.fsync_folder(self.path)
        if first_root is not None and not self.disk.exists(self.path / "trust" / "first_root.json"):
            replace_file(self.disk, self.path / "trust" / "first_root.json", first_root)

    def load_trust(self) -> Trust:
        """Raises UpdateRefused where no root was ever installed, or what is trusted cannot be read.

        A damaged file is not passed over for the first root: which offers are old would be forgotten without a word.
        """
        trusted, first = self.path / "trust" / "trusted.json", self.path / "trust" / "first_root.json"
        try:
            return Trust.from_bytes(self.disk.read(trusted))
        except FileNotFoundError:
            pass
        except (OSError, UpdateRefused) as error:
            raise UpdateRefused(
                "no_trust",
                f"{trusted} cannot be used ({error}): no model runs and none is taken until it is removed"
                f" on the robot (`sudo rm {trusted}`); push your newest version right after: until then older ones are"
                " taken too",
            ) from error
        try:
            return Trust.from_first_root(self.disk.read(first))
        except FileNotFoundError as error:
            raise UpdateRefused("no_trust", f"{self.path} has no first root; run `oxturn pi setup`") from error
        except (OSError, UpdateRefused) as error:
            raise UpdateRefused(
                "no_trust", f"{first} cannot be used ({error}): remove it on the robot and run `oxturn pi setup` again"
            ) from error

    def save_trust(self, trust: Trust) -> None:
        replace_file(self.disk, self.path / "trust" / "trusted.json", trust.to_bytes())

    def load_state(self) -> UpdateState:
        """A state that was never written or cannot be read is an empty one: what runs is judged by its signature."""
        try:
            return parse_state(self.disk.read(self.root / "state.json"))
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            return UpdateState()

    def save_state(self, state: UpdateState) -> None:
        replace_file(self.disk, self.root / "state.json", json.dumps(asdict(state), indent=1).encode())

    def installed(self, trust: Trust) -> dict[Slot, SignedTarget]:
        """The slots that equal their signed target."""
        found = {slot: self.slots.verified(slot, trust) for slot in SLOTS}
        return {slot: target for slot, target in found.items() if target is not None}

    def fetch(self, name: str) -> bytes:
        """A pushed file by name. Raises FileNotFoundError."""
        return self.disk.read(self.path / "incoming" / name)

    def incoming(self) -> list[str]:
        return self.disk.names(self.path / "incoming")

    def forget_incoming(self) -> None:
        """Pushed files of this kind have done their service, or were no good; metadata comes with every push."""
        for name in self.incoming():
            if name.endswith(".json") or name.startswith(SOFTWARE_PREFIX) == (self.kind == "software"):
                self.disk.remove(self.path / "incoming" / name)


def set_up(path: Path, first_root: Path) -> RobotHome:
    """A robot's folder with the publisher's first root (`keys/root_metadata/1.root.json`); an old root is kept."""
    path.mkdir(parents=True, exist_ok=True)
    home = on_this_machine(path)
    home.prepare(first_root.read_bytes())
    return home


def on_this_machine(path: Path, kind: Kind = "model") -> RobotHome:
    return RobotHome(path, PosixDisk(), kind)


def parse_state(data: bytes) -> UpdateState:
    """Raises ValueError, KeyError, TypeError or AttributeError for anything that `save_state` does not write."""
    value = json.loads(data)
    trial = value["trial"]
    return UpdateState(
        trial=None if trial is None else Trial(**{**trial, "began": Instant(**trial["began"])}),
        attempts={int(version): int(count) for version, count in value["attempts"].items()},
        failed={int(version): str(why) for version, why in value["failed"].items()},
        last_update=_outcome(value["last_update"]),
        last_rollback=_outcome(value["last_rollback"]),
    )


@contextmanager
def exclusive(path: Path) -> Iterator[None]:
    """One update, rollback or confirmation at a time; released by the kernel when the process dies."""
    with open(path / "update.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _outcome(value: Any) -> Outcome | None:
    return None if value is None else Outcome(**value)
