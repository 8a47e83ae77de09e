"""A room as files that people open: Webots world, MJCF, the room itself; and the capture that runs inside Webots."""

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from foundation import atomic_files
from foundation.out_folder import besides, require_own
from foundation.robot_config import RobotConfig
from perception import sample_format
from simulation.errors import RoomError
from simulation.room_spec import Room

NAMES: Final = ("room.json", "world.wbt", "world.xml")


def write_world(room: Room, out: Path, config: RobotConfig | None = None) -> None:
    """Exactly the three files of NAMES in `out`, all or none. Raises RoomError when `out` holds more."""
    from simulation.mujoco_world import world_mjcf
    from simulation.webots_world import world_wbt

    config = config or RobotConfig()
    require_own(out, "a world", besides(NAMES), RoomError)
    with atomic_files.staged_folder(out) as folder:
        room.save(folder / "room.json")
        (folder / "world.wbt").write_text(world_wbt(room, config), encoding="utf-8")
        (folder / "world.xml").write_text(world_mjcf(room, config), encoding="utf-8")


def capture_in_webots(arguments: Sequence[str] | None = None) -> int:
    """The capture controller: samples of the world it runs in, whose room is told by `--room`; then it quits Webots."""
    from simulation.lidar_capture import FixedStage, recorded
    from simulation.standin.path import use_standin

    parser = argparse.ArgumentParser(prog="capture", description=capture_in_webots.__doc__)
    parser.add_argument("--room", type=Path, default=Path("room.json"))
    parser.add_argument("--frames", type=int, default=100)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, default=Path("capture"))
    given = parser.parse_args(arguments)
    use_standin()
    from controller import Supervisor

    room = Room.load(given.room)
    taken = recorded(Supervisor(), FixedStage(room), RobotConfig(), frames=given.frames, seed=given.seed)
    sample_format.write_shard(given.out / sample_format.shard_name(0), taken)
    sample_format.write_manifest(given.out, seed=given.seed, origin={"room": room.name, "engine": "webots"})
    return 0
