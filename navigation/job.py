"""What the robot is asked to do: which floor, which not, how often, whether to come back. A value, read from a file.

In: TOML or JSON; places are metres in `map`, whose origin is where the robot stood when the map was begun, looking
along x. Out: a `Job`. What can fail: a file that cannot be read, an unknown key, a value out of range, a polygon that
encloses nothing (`ConfigError`: which file, which key, which value, why). A job that cannot be done here is a
`JobError`, raised by those who try.

    passes = 2                      # the second one crosswise
    return_to_start = true
    carpet = "tool_up"              # or "avoid", or "sweep" as any floor; needs a model that tells floors
    rooms = [1, "kitchen"]          # together with zones and spots; with none of the three: the whole floor
    [[zones]]
    corners_map_m = [[0, 0], [2, 0], [2, 1.5]]
    [[spots]]
    centre_map_m = [1.0, 2.0]
    radius_m = 0.5
    [[no_go]]
    corners_map_m = [[3, 0], [4, 0], [4, 1], [3, 1]]
    [[virtual_walls]]
    from_map_m = [0, 2]
    to_map_m = [2, 2]
    [[named_rooms]]                 # a room is named by any place in it
    name = "kitchen"
    place_map_m = [4, 3]
"""

import json
import math
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Final, Literal

from pydantic import Field, StrictInt, StrictStr, field_validator, model_validator

from foundation.checked_section import Section, checked, text_of
from foundation.errors import ConfigError, OxturnError
from foundation.geometry import Pose2D
from navigation.floor_shapes import Point, fault_of, wall_corners
from navigation.map_handler import KeepOut

_FAR_M: Final = 1000.0
_CORNERS_MOST: Final = 200
Metres = Annotated[float, Field(ge=-_FAR_M, le=_FAR_M, allow_inf_nan=False)]
Place = tuple[Metres, Metres]
Carpet = Literal["sweep", "tool_up", "avoid"]  # rugs too: as other floor; crossed at need, not swept; not entered


class JobError(OxturnError):
    """A job that cannot be done here: what it asks for, what there is."""


class Zone(Section):
    """A simple polygon, convex or not, either way round."""

    name: str = Field("zone", max_length=80)
    corners_map_m: tuple[Place, ...] = Field(max_length=_CORNERS_MOST)

    @field_validator("corners_map_m")
    @classmethod
    def _encloses_floor(cls, corners: tuple[Point, ...]) -> tuple[Point, ...]:
        fault = fault_of(corners)
        if fault is not None:
            raise ValueError(fault)
        return corners


class Spot(Section):
    """A disc of floor."""

    centre_map_m: Place
    radius_m: float = Field(ge=0.1, le=50, allow_inf_nan=False)


class VirtualWall(Section):
    """A straight line that the body keeps off as it does off a wall."""

    name: str = Field("virtual wall", max_length=80)
    from_map_m: Place
    to_map_m: Place
    width_m: float = Field(0.02, ge=0.001, le=1, allow_inf_nan=False)

    @model_validator(mode="after")
    def _has_a_length(self) -> "VirtualWall":
        length_m = math.dist(self.from_map_m, self.to_map_m)
        if length_m < 0.01:
            raise ValueError(f"from_map_m {self.from_map_m} and to_map_m are {length_m:.4f} m apart, at least 0.01")
        return self


class NamedRoom(Section):
    """The room around a place."""

    name: str = Field(min_length=1, max_length=80)
    place_map_m: Place


class Job(Section):
    """Without zones, spots and rooms: the whole floor that can be reached."""

    name: str = Field("", max_length=200)
    zones: tuple[Zone, ...] = ()
    spots: tuple[Spot, ...] = ()
    rooms: tuple[StrictInt | StrictStr, ...] = ()  # numbers count from 1, in the order of a short tour
    named_rooms: tuple[NamedRoom, ...] = ()
    no_go: tuple[Zone, ...] = ()
    virtual_walls: tuple[VirtualWall, ...] = ()
    passes: int = Field(1, ge=1, le=4)  # every second one crosswise
    return_to_start: bool = False
    carpet: Carpet = "sweep"
    on_saved_map: bool = False  # drive in the map of the last finished job, begun where that one began

    @model_validator(mode="after")
    def _rooms_can_be_meant(self) -> "Job":
        names = [one.name for one in self.named_rooms]
        for name in names:
            if names.count(name) > 1:
                raise ValueError(f"named_rooms has {name!r} {names.count(name)} times")
        for room in self.rooms:
            if isinstance(room, int) and room < 1:
                raise ValueError(f"rooms has {room}, numbers count from 1")
            if isinstance(room, str) and room not in names:
                raise ValueError(f"rooms has {room!r}, named_rooms has {', '.join(map(repr, names)) or 'none'}")
        return self

    @property
    def whole_floor(self) -> bool:
        return not (self.zones or self.spots or self.rooms)

    @property
    def needs_map(self) -> bool:
        """Rooms are rooms of a map."""
        return self.on_saved_map or bool(self.rooms)

    def keep_outs(self) -> list[KeepOut]:
        """No-go zones and virtual walls, as the map handler draws them."""
        walls = [
            KeepOut(wall_corners(one.from_map_m, one.to_map_m, one.width_m), one.name) for one in self.virtual_walls
        ]
        return [*(KeepOut(one.corners_map_m, one.name) for one in self.no_go), *walls]


WHOLE_FLOOR: Final = Job()


@dataclass(frozen=True, slots=True)
class JobProgress:
    """A job and how far it has come, beside the floor that is swept: what a resumed job goes on with."""

    job: Job = WHOLE_FLOOR
    home: Pose2D | None = None  # map_from_base where it began; None: not known yet
    pass_number: int = 1
    pass_begins_at: int = 0  # number of the first sweep that counts


def parse(text: str, origin: str) -> Job:
    """JSON when `origin` ends with .json, else TOML; raises ConfigError."""
    form = "JSON" if origin.lower().endswith(".json") else "TOML"
    try:
        values = json.loads(text) if form == "JSON" else tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        raise ConfigError(f"{origin}: not {form}: {error}") from error
    if not isinstance(values, dict):
        raise ConfigError(f"{origin}: holds a {type(values).__name__}, a job is an object of keys")
    return checked(Job, values, origin)


def load(path: Path) -> Job:
    """Raises ConfigError."""
    return parse(text_of(path), str(path))
