"""Software for robots: wheels made as zip files, environments behind the disk seam, and starts as systemd makes them.

An `oxturn` behaves as its one file says: `good ...` works, `sick ...` fails its own check, `crash ...` dies at a start.
"""

import base64
import hashlib
import io
import zipfile

from deploy import software_trial, software_update
from deploy.health import HealthReport
from deploy.wheel_set import Machine

MACHINE = Machine("cp311", "aarch64", (2, 36))
BEHAVIOUR = "oxturn/behaviour.txt"
PROGRAM = """\
import json, sys
from pathlib import Path
def main():
    behaviour = (Path(__file__).parent / "behaviour.txt").read_text()
    if sys.argv[1:3] == ["pi", "software-check"]:
        sick = behaviour.startswith("sick")
        print(json.dumps({"healthy": not sick, "reason": "cannot import" if sick else "", "latency_ms_p50": 1.0}))
        return
    if behaviour.startswith("crash"):
        raise RuntimeError("this version crashes at start")
    print(behaviour)
"""


def wheel(name: str, version: str, files: dict[str, str], tags: str = "py3-none-any", entry: str = "") -> bytes:
    """A wheel as pip takes it, equal bytes for equal content."""
    info = f"{name}-{version}.dist-info"
    content = {
        **files,
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n",
        f"{info}/WHEEL": f"Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: {tags}\n",
    }
    if entry:
        content[f"{info}/entry_points.txt"] = f"[console_scripts]\n{entry}\n"
    rows = []
    for path, text in content.items():
        digest = base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()
        rows.append(f"{path},sha256={digest},{len(text.encode())}")
    content[f"{info}/RECORD"] = "\n".join([*rows, f"{info}/RECORD,,"]) + "\n"
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for path, text in content.items():
            archive.writestr(zipfile.ZipInfo(path), text)
    return buffer.getvalue()


def wheels_of(behaviour: str) -> dict[str, bytes]:
    """An `oxturn` of this behaviour, and something it needs that never changes."""
    oxturn = {"oxturn/__init__.py": "", "oxturn/cli.py": PROGRAM, BEHAVIOUR: behaviour}
    return {
        "oxturn-1.0-py3-none-any.whl": wheel("oxturn", "1.0", oxturn, entry="oxturn = oxturn.cli:main"),
        "needed-2.0-py3-none-any.whl": wheel("needed", "2.0", {"needed.py": "VALUE = 1\n" * 500}),
    }


class FakeEnvironments:
    """Writes an environment through the robot's disk, and leaves it unsure as pip does."""

    def __init__(self, disk) -> None:
        self._disk = disk

    def build(self, venv, folder, wheels) -> None:
        assert not self._disk.exists(venv)
        for path in (venv, venv / "bin", venv / "lib"):
            self._disk.make_folder(path)
        for name in wheels:
            with zipfile.ZipFile(io.BytesIO(self._disk.read(folder / name))) as archive:
                if BEHAVIOUR in archive.namelist():
                    self._disk.write(venv / "lib" / "behaviour.txt", archive.read(BEHAVIOUR))
        self._disk.write(venv / "bin" / "python", b"#!python")


class FakeCheck:
    def __init__(self, disk) -> None:
        self._disk = disk

    def examine(self, venv) -> HealthReport:
        sick = self._disk.read(venv / "lib" / "behaviour.txt").startswith(b"sick")
        return HealthReport(not sick, "cannot import" if sick else "")


class Waits:
    """The updater's wait: for nobody, or until `late`."""

    def __init__(self, late: str | None = None) -> None:
        self._late = late

    def wait(self, home, trial) -> str | None:
        return self._late


def install_software(home, clock, *, late: str | None = None):
    disk = home.disk
    return software_update.update(home, MACHINE, FakeEnvironments(disk), FakeCheck(disk), Waits(late), clock)


def behaviour(home) -> str | None:
    """Of what `current` points to; None where that is no whole environment, byte for byte."""
    slot = home.slots.active()
    if slot is None or not software_trial.is_whole(home, slot):
        return None
    venv = software_trial.venv_dir(home, slot)
    try:
        python, told = home.disk.read(venv / "bin" / "python"), home.disk.read(venv / "lib" / "behaviour.txt").decode()
    except FileNotFoundError:
        return None
    return told if python == b"#!python" else None


def start(home) -> bool:
    """As systemd does it: the guard, then the daemon from `current`. True where the daemon stayed up."""
    guard(home.disk, home.root)
    runs = behaviour(home)
    if runs is None or not runs.startswith("good"):
        return False
    software_trial.settle(home)
    if software_trial.slot_on_trial(home) is not None:
        software_trial.confirm(home)
    return True


def guard(disk, root) -> None:
    """`deploy/systemd/software_guard.sh` once more, over the disk seam; a test holds the two together."""

    def whole(points_to) -> bool:
        place = root / (points_to or "none")
        known = points_to in ("slots/A", "slots/B")
        return known and disk.exists(place / "complete") and disk.exists(place / "venv" / "bin" / "python")

    def go_to(points_to) -> None:
        disk.remove(root / ".current.new")
        disk.symlink(points_to, root / ".current.new")
        disk.rename(root / ".current.new", root / "current")
        disk.fsync_folder(root)

    current, fallback = disk.read_link(root / "current"), disk.read_link(root / "fallback")
    if fallback is None:
        others = [slot for slot in ("slots/A", "slots/B") if whole(slot)]
        if not whole(current) and others:
            go_to(others[0])
        return
    if fallback == current:
        disk.remove(root / "fallback")
        disk.fsync_folder(root)
        return
    told = disk.read(root / "starts").decode().strip() if disk.exists(root / "starts") else ""
    starts = int(told) if told.isdigit() else 0
    if starts < software_trial.MAX_STARTS and whole(current):
        try:
            disk.write(root / ".starts.new", f"{starts + 1}\n".encode())
            disk.fsync(root / ".starts.new")
            disk.rename(root / ".starts.new", root / "starts")
            disk.fsync_folder(root)
        except OSError:
            pass  # a full disk: rather back than round and round
        else:
            return
    if whole(fallback):
        go_to(fallback)
        if current is not None:
            disk.remove(root / current / "complete")
        disk.remove(root / "fallback")
        disk.fsync_folder(root)
        if current is not None and disk.exists(root / current):
            disk.fsync_folder(root / current)
    elif not disk.exists(root / "rollback_failed"):
        disk.write(root / "rollback_failed", b"")
        disk.fsync_folder(root)
