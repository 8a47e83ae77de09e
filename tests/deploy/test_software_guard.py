"""The guard is POSIX sh; its twin in Python, which the fault campaign cuts at every boundary, does the same."""

import itertools
import subprocess
from pathlib import Path

import pytest
from fake_disk import FakeDisk
from fake_software import guard
from update_campaign import materialise

from deploy.disk import PosixDisk

GUARD = Path(__file__).parents[2] / "deploy" / "systemd" / "software_guard.sh"
ROOT = Path("/software")
LINKS = (None, "slots/A", "slots/B")


def robot(current, fallback, whole, starts):
    disk = FakeDisk()
    for path in (ROOT, ROOT / "slots"):
        disk.make_folder(path)
    for slot in "AB":
        place = ROOT / "slots" / slot
        for path in (place, place / "venv", place / "venv" / "bin"):
            disk.make_folder(path)
        disk.write(place / "venv" / "bin" / "python", b"")
        if slot in whole:
            disk.write(place / "complete", b"")
    for name, points_to in (("current", current), ("fallback", fallback)):
        if points_to is not None:
            disk.symlink(points_to, ROOT / name)
    if starts is not None:
        disk.write(ROOT / "starts", starts)
    return disk


def run(folder):
    return subprocess.run(["sh", str(GUARD), str(folder)], capture_output=True, text=True, check=False)


def seen(disk, root):
    """Everything that is there after the guard, by name."""
    found = {}
    for name in disk.names(root):
        path = root / name
        if disk.is_folder(path):
            found |= {f"{name}/{inner}": content for inner, content in seen(disk, path).items()}
        else:
            found[name] = disk.read_link(path) or disk.read(path)
    found.pop(".starts.new", None)
    return found


@pytest.mark.parametrize("starts", [None, b"2\n", b"3\n", b"junk\n"])
@pytest.mark.parametrize("fallback", LINKS)
def test_the_guard_and_its_twin_agree_on_every_state(tmp_path, fallback, starts):
    for number, (current, whole) in enumerate(itertools.product(LINKS, ("", "A", "B", "AB"))):
        folder = tmp_path / str(number)
        disk = robot(current, fallback, whole, starts)
        materialise(disk, ROOT, folder)
        for slot in "AB":
            (folder / "slots" / slot / "venv" / "bin" / "python").chmod(0o755)

        done = run(folder)
        guard(disk, ROOT)

        assert done.returncode == 0
        assert seen(PosixDisk(), folder) == seen(disk, ROOT), (current, whole, done.stderr)


def test_a_folder_that_is_not_there_stops_no_start(tmp_path):
    assert run(tmp_path / "nowhere").returncode == 0


def test_going_back_is_said_in_one_line(tmp_path):
    materialise(robot("slots/B", "slots/A", "AB", b"3\n"), ROOT, tmp_path / "software")
    for slot in "AB":
        (tmp_path / "software" / "slots" / slot / "venv" / "bin" / "python").chmod(0o755)

    assert "slots/B was not confirmed in 3 starts" in run(tmp_path / "software").stderr


def test_the_shell_of_the_account_runs_from_confirmed_software(tmp_path):
    materialise(robot("slots/B", "slots/A", "AB", None), ROOT, tmp_path / "software")
    shell = GUARD.with_name("robot_shell.sh")
    for slot in "AB":
        python = tmp_path / "software" / "slots" / slot / "venv" / "bin" / "python"
        python.write_text(f'#!/bin/sh\necho "{slot} $*"\n')
        python.chmod(0o755)

    on_trial = subprocess.run(["sh", str(shell), str(tmp_path)], capture_output=True, text=True, check=True).stdout
    (tmp_path / "software" / "fallback").unlink()
    confirmed = subprocess.run(["sh", str(shell), str(tmp_path)], capture_output=True, text=True, check=True).stdout

    assert on_trial == f"A -m deploy.robot_shell --home {tmp_path}\n"
    assert confirmed.startswith("B ")
