"""The single source of a room: walls, furniture, small things, floors, lights and dock as frozen values.

Metres and radians in the `map` frame (x east, y north, z up, floor at z = 0). Everything solid is made of `Part`s; the
`.wbt`, the MJCF and the exact labels all derive from them. A room saved to JSON loads back equal.
"""

import math
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from foundation import atomic_files
from foundation.geometry import Pose2D
from perception.labels import FLOORS, SMALL_OBJECTS
from simulation.errors import RoomError
from simulation.room_json import read_json, to_plain

Vector = tuple[float, float, float]
Colour = tuple[float, float, float]  # red, green, blue, 0..1
AxisAngle = tuple[float, float, float, float]  # unit axis, then the angle: Webots' rotation
Shape = Literal["box", "cylinder", "capsule", "sphere", "ellipsoid"]
Purpose = Literal["train", "test"]
TextureName = Literal[
    "planks", "herringbone", "boards", "basket", "strips",
    "square_tiles", "bond_tiles", "marble", "mosaic", "paving", "cement_tiles", "checker",
    "pile", "fleck", "loop", "cloudy", "carpet_tiles", "carpet_lines",
    "rug_stripes", "rug_medallion", "rug_diamonds", "waves", "patches", "blots",
    "screed", "terrazzo", "stained", "pebbles",
    "plaster", "wallpaper", "bricks",
    "weave", "bands", "timber", "dots",
]  # fmt: skip

UPRIGHT: AxisAngle = (0.0, 0.0, 1.0, 0.0)
SMALL_OBJECT_HEIGHT_MAX_M = 0.12
TAKEN_NAMES = ("dock", "ground", "robot")  # what else a world holds


@dataclass(frozen=True, slots=True)
class Part:
    """One convex solid. `size_m` is its full extent along its own axes; cylinders and capsules stand along z."""

    shape: Shape
    size_m: Vector
    position_m: Vector  # of its centre, in the frame of the thing it belongs to
    rotation: AxisAngle
    colour: Colour
    texture: int = -1  # index into Room.textures; -1 is plain

    def __post_init__(self) -> None:
        if min(self.size_m) <= 0:
            raise RoomError(f"size_m = {self.size_m}: every extent must be above 0")
        if abs(math.hypot(*self.rotation[:3]) - 1) > 1e-6:
            raise RoomError(f"rotation = {self.rotation}: the axis must have length 1")


@dataclass(frozen=True, slots=True)
class Texture:
    """A procedural picture that repeats every `scale_m`; equal values give equal pixels."""

    kind: TextureName
    seed: int
    colours: tuple[Colour, ...]
    scale_m: float

    def __post_init__(self) -> None:
        if self.seed < 0:
            raise RoomError(f"seed = {self.seed}: must not be below 0")
        if not self.colours:
            raise RoomError("colours is empty: at least one is needed")
        if self.scale_m <= 0:
            raise RoomError(f"scale_m = {self.scale_m}: must be above 0")


@dataclass(frozen=True, slots=True)
class Wall:
    """A straight wall between two points of its middle line; slanted ones are as good as any."""

    name: str
    start_m: tuple[float, float]
    end_m: tuple[float, float]
    thickness_m: float
    height_m: float
    colour: Colour
    texture: int = -1

    @property
    def length_m(self) -> float:
        return math.dist(self.start_m, self.end_m)

    @property
    def heading_rad(self) -> float:
        return math.atan2(self.end_m[1] - self.start_m[1], self.end_m[0] - self.start_m[0])

    def part(self) -> Part:
        """In `map`."""
        middle = ((self.start_m[0] + self.end_m[0]) / 2, (self.start_m[1] + self.end_m[1]) / 2, self.height_m / 2)
        size = (self.length_m, self.thickness_m, self.height_m)
        return Part("box", size, middle, (0.0, 0.0, 1.0, self.heading_rad), self.colour, self.texture)


@dataclass(frozen=True, slots=True)
class Furniture:
    """Something the LIDAR sees and the robot must not touch. Its parts are upright boxes and cylinders only."""

    name: str
    kind: str
    variant: str
    x_m: float
    y_m: float
    heading_rad: float
    parts: tuple[Part, ...]

    def __post_init__(self) -> None:
        for part in self.parts:
            if part.shape not in ("box", "cylinder") or part.rotation[:3] != (0.0, 0.0, 1.0):
                raise RoomError(
                    f"furniture {self.name}: a {part.shape} turned about {part.rotation[:3]} is not upright"
                )

    @property
    def pose(self) -> Pose2D:
        return Pose2D(self.x_m, self.y_m, self.heading_rad)


@dataclass(frozen=True, slots=True)
class SmallObject:
    """A thing below the LIDAR plane; light, so that the robot runs over it: that is a hit."""

    name: str
    kind: str  # one of perception.labels.SMALL_OBJECTS
    variant: str
    x_m: float
    y_m: float
    heading_rad: float
    parts: tuple[Part, ...]

    def __post_init__(self) -> None:
        if self.kind not in SMALL_OBJECTS:
            raise RoomError(f"small object {self.name}: kind = {self.kind!r} is none of {', '.join(SMALL_OBJECTS)}")

    @property
    def pose(self) -> Pose2D:
        return Pose2D(self.x_m, self.y_m, self.heading_rad)


@dataclass(frozen=True, slots=True)
class FloorPatch:
    """A rectangle of floor; the highest `top_m` is what one sees and drives on."""

    name: str
    kind: str  # one of perception.labels.FLOORS
    x_m: float
    y_m: float
    heading_rad: float
    size_m: tuple[float, float]
    top_m: float
    colour: Colour
    texture: int = -1

    def __post_init__(self) -> None:
        if self.kind not in FLOORS:
            raise RoomError(f"floor {self.name}: kind = {self.kind!r} is none of {', '.join(FLOORS)}")
        if not 0 <= self.top_m <= 0.02:
            raise RoomError(f"floor {self.name}: top_m = {self.top_m}, must be between 0 and 0.02")

    @property
    def pose(self) -> Pose2D:
        return Pose2D(self.x_m, self.y_m, self.heading_rad)


@dataclass(frozen=True, slots=True)
class Dock:
    """Stands at a wall, `heading_rad` looking into the room; the robot starts in front of it, looking away from it."""

    x_m: float
    y_m: float
    heading_rad: float
    start_distance_m: float  # from the dock's centre to the robot's
    parts: tuple[Part, ...]

    @property
    def pose(self) -> Pose2D:
        return Pose2D(self.x_m, self.y_m, self.heading_rad)

    @property
    def start(self) -> Pose2D:
        """map_from_base where the robot begins."""
        return self.pose @ Pose2D(self.start_distance_m, 0.0, 0.0)


@dataclass(frozen=True, slots=True)
class Lamp:
    """A light without size at `position_m`, shining everywhere below."""

    position_m: Vector
    colour: Colour
    shadows: bool = False


@dataclass(frozen=True, slots=True)
class Mover:
    """A person, a pet, or a chair somebody pushes: goes along its waypoints and back, or once and stays."""

    name: str
    kind: Literal["person", "pet", "chair"]
    waypoints_m: tuple[tuple[float, float], ...]
    speed_mps: float
    start_s: float
    returns: bool
    parts: tuple[Part, ...]

    def __post_init__(self) -> None:
        if not self.waypoints_m:
            raise RoomError(f"mover {self.name}: waypoints_m is empty, it must stand somewhere")
        if self.speed_mps < 0:
            raise RoomError(f"mover {self.name}: speed_mps = {self.speed_mps}, must not be below 0")


@dataclass(frozen=True, slots=True)
class Room:
    """A furnished room or flat."""

    name: str
    seed: int
    purpose: Purpose
    walls: tuple[Wall, ...]
    floors: tuple[FloorPatch, ...]
    furniture: tuple[Furniture, ...]
    small_objects: tuple[SmallObject, ...]
    dock: Dock
    textures: tuple[Texture, ...]
    lamps: tuple[Lamp, ...]
    ambient: Colour = field(default=(0.4, 0.4, 0.4))
    movers: tuple[Mover, ...] = ()

    def __post_init__(self) -> None:
        named: tuple[Wall | FloorPatch | Furniture | SmallObject | Mover, ...]
        named = (*self.walls, *self.floors, *self.furniture, *self.small_objects, *self.movers)
        names = [item.name for item in named]
        if len(set(names)) != len(names):
            twice = sorted({name for name in names if names.count(name) > 1})
            raise RoomError(f"room {self.name}: names used twice: {', '.join(twice)}")
        if refused := [name for name in names if name in TAKEN_NAMES or '"' in name]:
            raise RoomError(
                f"room {self.name}: name {refused[0]!r}: must hold no quote and be none of {', '.join(TAKEN_NAMES)}"
            )
        if self.seed < 0:
            raise RoomError(f"room {self.name}: seed = {self.seed}: must not be below 0")
        if not self.walls and not self.floors:
            raise RoomError(f"room {self.name}: has neither walls nor floors")
        for index in self._textures_used():
            if not -1 <= index < len(self.textures):
                raise RoomError(f"room {self.name}: texture {index} of {len(self.textures)}")

    def bounds_m(self) -> tuple[float, float, float, float]:
        """x0, y0, x1, y1 around walls and floors."""
        xs, ys = [], []
        for wall in self.walls:
            pad = wall.thickness_m / 2
            xs += [min(wall.start_m[0], wall.end_m[0]) - pad, max(wall.start_m[0], wall.end_m[0]) + pad]
            ys += [min(wall.start_m[1], wall.end_m[1]) - pad, max(wall.start_m[1], wall.end_m[1]) + pad]
        for floor in self.floors:
            reach = math.hypot(*floor.size_m) / 2 if floor.heading_rad % (math.pi / 2) else max(floor.size_m) / 2
            if floor.heading_rad == 0:
                xs += [floor.x_m - floor.size_m[0] / 2, floor.x_m + floor.size_m[0] / 2]
                ys += [floor.y_m - floor.size_m[1] / 2, floor.y_m + floor.size_m[1] / 2]
            else:
                xs += [floor.x_m - reach, floor.x_m + reach]
                ys += [floor.y_m - reach, floor.y_m + reach]
        return min(xs), min(ys), max(xs), max(ys)

    def save(self, path: Path) -> None:
        """JSON, whole or not at all."""
        atomic_files.write_json(path, to_plain(self))

    @staticmethod
    def load(path: Path) -> "Room":
        """Raises RoomError naming the file, the field and why."""
        return read_json(path, Room)

    def _textures_used(self) -> set[int]:
        used = {wall.texture for wall in self.walls} | {floor.texture for floor in self.floors}
        things: tuple[Furniture | SmallObject | Dock | Mover, ...]
        things = (*self.furniture, *self.small_objects, self.dock, *self.movers)
        for thing in things:
            used |= {part.texture for part in thing.parts}
        return used
