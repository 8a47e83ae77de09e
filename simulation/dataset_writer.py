"""Captures many rooms into a data set: a process and a shard a room, resumable, the same bytes every time."""

import gc
import json
import multiprocessing
import os
import platform
import signal
import sys
from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import asdict, dataclass
from importlib.abc import MetaPathFinder
from pathlib import Path
from typing import Final

import numpy as np

from foundation import atomic_files
from foundation.out_folder import besides, require_own
from foundation.progress import ProgressFactory
from foundation.robot_config import RobotConfig
from perception import sample_format
from perception.errors import SampleError
from simulation.errors import CaptureError

_WORKER_ENVIRONMENT: Final = {
    "LP_NUM_THREADS": "0",  # the software renderer's own threads would fight the workers
    # glibc else hands each picture's memory back and takes it again, page by page: a twentieth of the time
    "MALLOC_MMAP_THRESHOLD_": str(256 << 20),
    "MALLOC_TRIM_THRESHOLD_": str(512 << 20),
    "MALLOC_TOP_PAD_": str(64 << 20),
}


@dataclass(frozen=True, slots=True)
class CaptureSettings:
    """What decides the bytes of a capture."""

    rooms: int
    frames: int
    seed: int
    width_px: int
    height_px: int


MAPS: Final = "maps"  # folder of each room's occupancy, by the name that samples give as their group
MAP_CELL_M: Final = 0.05


def capture(
    rooms: int,
    frames: int,
    seed: int,
    out: Path,
    *,
    width_px: int = 320,
    height_px: int = 240,
    workers: int,
    progress: ProgressFactory,
) -> sample_format.Manifest:
    """`frames` labelled samples of each of `rooms` rooms under `out`; finished rooms of an earlier try are kept.

    Raises CaptureError when `out` holds something else, when numbers make no sense, or when a worker was killed.
    """
    settings = _checked(CaptureSettings(rooms, frames, seed, width_px, height_px))
    made_by = {"verb": "sim capture", **asdict(settings)}
    _claim(out, made_by)
    todo = [index for index in range(rooms) if not _whole(shard_path(out, index), frames)]
    renderers: set[str] = set()

    def done_one(renderer: str) -> None:
        renderers.add(renderer)
        advance(frames)

    with progress("capture", total=rooms * frames, unit="samples") as advance:
        advance((rooms - len(todo)) * frames)
        if workers <= 1:
            for index in todo:
                done_one(capture_room(settings, index, out))
        else:
            _in_parallel(settings, todo, out, workers, done_one)
    origin = {**made_by, "renderer": "+".join(sorted(renderers)) or _renderer_here(), "processor": platform.machine()}
    return sample_format.write_manifest(out, seed=seed, origin=origin)


def capture_room(settings: CaptureSettings, index: int, out: Path) -> str:
    """Draws room `index` of the capture, writes its shard and says by which renderer."""
    from navigation.ros_map import write_map
    from simulation.ground_truth import occupancy
    from simulation.lidar_capture import samples  # here: the process that only hands out rooms need not wait for these
    from simulation.room_simulator import draw_room
    from simulation.standin.rendering import renderer_name

    room_seed, many = _room_of(settings, index)
    room = draw_room(room_seed, rooms=many, purpose="train")
    config = robot_config(settings)
    maps = out / MAPS
    maps.mkdir(exist_ok=True)
    write_map(maps, room.name, *occupancy(room, MAP_CELL_M))
    sample_format.write_shard(shard_path(out, index), samples(room, config, frames=settings.frames, seed=room_seed))
    return renderer_name()


def _room_of(settings: CaptureSettings, index: int) -> tuple[int, int]:
    """Seed of the capture's room `index`, and of how many rooms it is made."""
    draw = np.random.default_rng([settings.seed, index, 0xDA7A])
    return int(draw.integers(2**62)), int(draw.choice([1, 1, 1, 1, 2, 3]))


def robot_config(settings: CaptureSettings) -> RobotConfig:
    """The reference robot with the camera read at the capture's size."""
    plain = RobotConfig()
    camera = plain.camera.model_copy(update={"width_px": settings.width_px, "height_px": settings.height_px})
    return plain.model_copy(update={"camera": camera})


def shard_path(out: Path, index: int) -> Path:
    return out / sample_format.shard_name(index)


def _in_parallel(
    settings: CaptureSettings, todo: list[int], out: Path, workers: int, done_one: Callable[[str], None]
) -> None:
    for name, value in _WORKER_ENVIRONMENT.items():
        os.environ.setdefault(name, value)
    context = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(max_workers=workers, mp_context=context, initializer=_start_worker)
    try:
        largest_first = sorted(todo, key=lambda index: -_room_of(settings, index)[1])  # so that all end together
        waiting: set[Future[str]] = {pool.submit(capture_room, settings, index, out) for index in largest_first}
        while waiting:
            finished, waiting = wait(waiting, return_when=FIRST_COMPLETED)
            for future in finished:
                done_one(future.result())
    except BrokenProcessPool as error:
        raise CaptureError(f"{out}: a worker was killed; finished rooms are kept, run it again") from error
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _renderer_here() -> str:
    """Where every room was finished before: what this machine would draw with."""
    from simulation.standin.rendering import renderer_name

    return renderer_name()


def _start_worker() -> None:
    """Ctrl-C reaches the whole group; the parent alone decides."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    sys.meta_path.insert(0, _WithoutPandas())
    import simulation.lidar_capture  # noqa: F401

    gc.freeze()  # what was imported stays: searching it for garbage again and again takes a twentieth of the time


class _WithoutPandas(MetaPathFinder):
    """pyarrow imports pandas where it finds it, .3 s and 40 MB a worker, and makes our tables without."""

    def find_spec(self, fullname: str, path: object = None, target: object = None) -> None:
        if fullname == "pandas":
            raise ModuleNotFoundError("not wanted here", name=fullname)


def _whole(path: Path, frames: int) -> bool:
    if not path.exists():
        return False
    try:
        return sum(1 for _ in sample_format.read_shard(path)) == frames
    except SampleError:
        return False


def _claim(out: Path, made_by: dict[str, object]) -> None:
    """Refuses a folder that holds something else; notes what is being made before the first shard."""
    note = out / "capture.json"
    if note.exists():
        try:
            before = json.loads(note.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise CaptureError(f"{note}: cannot be read: {error}") from error
        if before != made_by:
            differs = [
                f"{key} {before.get(key)} there, {value} here"
                for key, value in made_by.items()
                if before.get(key) != value
            ]
            raise CaptureError(f"{out}: holds another capture ({'; '.join(differs)}); choose another --out")
        return
    require_own(out, "a capture", besides(()), CaptureError)
    atomic_files.write_json(note, made_by)


def _checked(settings: CaptureSettings) -> CaptureSettings:
    limits = {
        "rooms": (1, 1_000_000),
        "frames": (1, 400),
        "seed": (0, 2**62),
        "width_px": (32, 1280),
        "height_px": (24, 960),
    }
    for name, (low, high) in limits.items():
        value = getattr(settings, name)
        if not low <= value <= high:
            raise CaptureError(f"{name} = {value}: must be between {low} and {high}")
    return settings
