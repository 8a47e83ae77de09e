"""A room on the stand-in whose small objects, surfaces and lamps are redrawn in place: no new world is compiled."""

import math
from dataclasses import replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from foundation.robot_config import RobotConfig
from perception import labels
from simulation.headless_mujoco import mujoco
from simulation.mujoco_world import BuiltWorld, build, geom_frame, paint_texture
from simulation.room_simulator import ground_of, strew
from simulation.room_spec import Colour, Furniture, Lamp, Part, Room, Texture
from simulation.sample_labels import ObjectGeometry
from simulation.shape_parts import Rng, any_colour, composed, shade, turn
from simulation.standin.engine import Engine
from simulation.standin.rendering import HIDDEN_GROUP
from simulation.textures import FLOOR_USES, KINDS, draw_texture

SPARE_PARTS: Final = 100  # at least; 14 objects have up to 90, and each that is there costs every ray and picture
_SHADOW_RATIO: Final = 0.08


class CaptureStage:
    """Holds the engine and says which room it shows right now."""

    def __init__(self, room: Room, config: RobotConfig, *, seed: int) -> None:
        self._built: BuiltWorld = build(room, config, spare_parts=max(_parts_of(room), SPARE_PARTS))
        self.engine = Engine(self._built.model, config, seed=seed, labels=self._built.labels)
        self.room = room
        self._ground = ground_of(room)
        self._turn = 0
        self._material = {
            index: mujoco.mj_name2id(self._built.model, mujoco.mjtObj.mjOBJ_MATERIAL, f"material_{index}")
            for index in range(-1, len(room.textures))
        }
        self._material[-1] = mujoco.mj_name2id(self._built.model, mujoco.mjtObj.mjOBJ_MATERIAL, "plain")
        self._show_small_objects(room)

    def redraw(self, rng: Rng, small_objects: int | None) -> None:
        """New colours, light and floors in the same walls, and new small objects unless None; shown from now on."""
        self._turn += 1
        room = replace(
            self.room,
            textures=tuple(
                _again(texture, self.room, rng) if self._is_due(texture, index) else texture
                for index, texture in enumerate(self.room.textures)
            ),
            furniture=tuple(_repainted(item, rng) for item in self.room.furniture),
            lamps=_relit(self.room, rng),
            ambient=shade((1.0, 1.0, 1.0), rng.uniform(0.2, 0.55)),
        )
        for _ in range(8 if small_objects is not None else 0):
            strewn = strew(room, rng, small_objects or 0, ground=self._ground)
            if strewn is not None and _parts_of(strewn) <= len(self._built.spare_geoms):
                room = strewn
                break
        self.room = room
        if small_objects is not None:
            self._show_small_objects(room)
        self._show_surfaces(room)

    def beam_classes(self) -> NDArray[np.uint8]:
        """(N,): what each beam of the last scan met, by labels' numbers, in the LIDAR's order; 0 for nothing."""
        hits = self.engine.hit_geoms()
        classes: NDArray[np.uint8] = np.where(hits >= 0, self._built.labels.classes[hits], labels.VOID).astype(np.uint8)
        return classes

    def _is_due(self, texture: Texture, index: int) -> bool:
        """Floors change in turn at every second redraw, the rest at every fourth: a floor is what most pixels show."""
        turns = 2 if KINDS[texture.kind].use in FLOOR_USES else 4
        return index % turns == self._turn % turns

    def _show_small_objects(self, room: Room) -> None:
        model, spares = self._built.model, self._built.spare_geoms
        used = 0
        for number, item in enumerate(room.small_objects):
            for part in item.parts:
                geom = spares[used]
                self._write_part(geom, part, (item.x_m, item.y_m, item.heading_rad))
                self._built.labels.classes[geom] = labels.small_object_number(item.kind)
                self._built.labels.instances[geom] = number + 1
                used += 1
        model.geom_pos[spares[used:]] = (0, 0, -5)
        model.geom_group[spares[:used]] = 2
        model.geom_group[spares[used:]] = HIDDEN_GROUP
        self.objects = ObjectGeometry(room)
        self.engine.settle()

    def _write_part(self, geom: int, part: Part, place: tuple[float, float, float]) -> None:
        model = self._built.model
        kind, sizes, rotation = geom_frame(part)
        x, y, z = part.position_m
        cos, sin = math.cos(place[2]), math.sin(place[2])
        model.geom_type[geom] = int(getattr(mujoco.mjtGeom, f"mjGEOM_{kind.upper()}"))
        model.geom_size[geom] = sizes
        model.geom_rbound[geom] = max(part.size_m)
        model.geom_pos[geom] = (place[0] + cos * x - sin * y, place[1] + sin * x + cos * y, z)
        model.geom_quat[geom] = _quaternion(composed(turn(place[2]), rotation))
        model.geom_sameframe[geom] = 0
        model.geom_rgba[geom, :3] = part.colour
        model.geom_matid[geom] = self._material[part.texture]

    def _show_surfaces(self, room: Room) -> None:
        model = self._built.model
        due = [index for index, texture in enumerate(room.textures) if self._is_due(texture, index)]
        painted = [paint_texture(model, room, index) for index in due]
        for item in room.furniture:
            for i, part in enumerate(item.parts):
                geom = mujoco.mj_name2id(model, mujoco.mjtObj.mjOBJ_GEOM, f"{item.name}/{i}")
                model.geom_rgba[geom, :3] = part.colour
        for i, lamp in enumerate(room.lamps):
            light = mujoco.mj_name2id(model, mujoco.mjtObj.mjOBJ_LIGHT, f"lamp_{i}")
            model.light_pos[light] = lamp.position_m
            model.light_pos0[light] = lamp.position_m
            model.light_diffuse[light] = lamp.colour
            model.light_castshadow[light] = lamp.shadows
        model.vis.headlight.ambient[:] = room.ambient
        self.engine.settle()
        self.engine.refresh_surfaces(painted)


def _parts_of(room: Room) -> int:
    """Of its small objects."""
    return sum(len(item.parts) for item in room.small_objects)


def _again(texture: Texture, room: Room, rng: Rng) -> Texture:
    """Another texture for the same use; its scale stays, because the compiled material holds it."""
    drawn = draw_texture(KINDS[texture.kind].use, room.purpose, rng)
    return replace(drawn, scale_m=texture.scale_m)


def _repainted(item: Furniture, rng: Rng) -> Furniture:
    old = item.parts[0].colour
    new: Colour = any_colour(rng)
    if item.kind in ("wall_block", "pillar"):
        return item
    level = max(sum(old) / 3, 0.05)
    return replace(
        item, parts=tuple(replace(part, colour=shade(new, sum(part.colour) / 3 / level)) for part in item.parts)
    )


def _relit(room: Room, rng: Rng) -> tuple[Lamp, ...]:
    x0, y0, x1, y1 = room.bounds_m()
    shadows = rng.uniform() < _SHADOW_RATIO
    lamps = []
    for index in range(len(room.lamps)):
        warm, level = rng.uniform(0.7, 1.1), rng.uniform(0.2, 0.8) / math.sqrt(len(room.lamps))
        colour = (min(level, 1.0), min(level * (0.5 + 0.5 * warm), 1.0), min(level * warm, 1.0))
        place = (rng.uniform(x0, x1), rng.uniform(y0, y1), rng.uniform(1.2, 2.4))
        lamps.append(Lamp(place, colour, shadows and index == 0))
    return tuple(lamps)


def _quaternion(rotation: tuple[float, float, float, float]) -> Any:
    half = rotation[3] / 2
    sin = math.sin(half)
    return np.array([math.cos(half), rotation[0] * sin, rotation[1] * sin, rotation[2] * sin])
