"""`room_spec` to MJCF text, pure; and the compiled model with its textures painted and each geometry labelled.

The text is complete in itself: textures are MuJoCo's own flat ones of the right size, which `build` paints over.
Groups: 0 floors, 1 what stands (the only ones the robot can touch), 2 small objects, 3 the ground plane, 5 the robot.
"""

import math
from dataclasses import dataclass
from typing import Any, Final
from xml.sax.saxutils import quoteattr

import numpy as np
from numpy.typing import NDArray

from foundation.robot_config import RobotConfig
from perception import labels
from simulation.errors import RoomError
from simulation.headless_mujoco import mujoco
from simulation.robot_model import robot_mjcf
from simulation.room_spec import AxisAngle, Dock, FloorPatch, Furniture, Mover, Part, Room, SmallObject, Vector
from simulation.shape_parts import composed, turn
from simulation.standin.engine import Labels
from simulation.textures import paint

TEXTURE_PX: Final = 384
THING_TEXTURE_PX: Final = 128
FLOOR_THICKNESS_M: Final = 0.02
SPARE_NAME: Final = "spare"
_THIN_X: AxisAngle = (1 / math.sqrt(3), 1 / math.sqrt(3), 1 / math.sqrt(3), 2 * math.pi / 3)
_THIN_Y: AxisAngle = (1.0, 0.0, 0.0, math.pi / 2)


@dataclass(frozen=True, slots=True)
class BuiltWorld:
    """A compiled model and what each of its geometries is."""

    model: Any
    labels: Labels
    spare_geoms: NDArray[np.int32]  # (S,): invisible, to be turned into parts of small objects


def world_mjcf(
    room: Room,
    config: RobotConfig | None = None,
    *,
    wheel_scale: tuple[float, float] = (1.0, 1.0),
    spare_parts: int = 0,
) -> str:
    """The whole world; with the robot at the dock when `config` is given. Spare parts replace the small objects."""
    robot = robot_mjcf(config, room.dock.start, wheel_scale=wheel_scale) if config is not None else None
    geoms = [_floor(patch) for patch in room.floors]
    geoms += [_geom(wall.name, wall.part(), (0.0, 0.0, 0.0), 0.0, 1) for wall in room.walls]
    geoms += [line for item in room.furniture for line in _thing(item.name, item, 1)]
    geoms += _thing("dock", room.dock, 1)
    if spare_parts:
        geoms += [
            f'<geom name="{SPARE_NAME}/{i}" type="sphere" size=".01" pos="0 0 -5" contype="0" conaffinity="0" '
            f'group="2" material="plain" rgba="1 1 1 1"/>'
            for i in range(spare_parts)
        ]
    else:
        geoms += [line for item in room.small_objects for line in _thing(item.name, item, 2)]
    geoms += [line for mover in room.movers for line in _mover(mover)]
    ambient = _numbers(room.ambient)
    width_px, height_px = (config.camera.width_px, config.camera.height_px) if config is not None else (640, 480)
    x0, y0, x1, y1 = room.bounds_m()
    return f"""<mujoco model={quoteattr(room.name)}>
  <compiler angle="radian" autolimits="true"/>
  <option timestep="0.004" gravity="0 0 -9.81"/>
  <statistic center="{(x0 + x1) / 2:.9g} {(y0 + y1) / 2:.9g} 0.5" extent="1" meansize="0.1"/>
  <visual>
    <global offwidth="{width_px}" offheight="{height_px}"/>
    <map znear="0.01" zfar="40" shadowclip="4" shadowscale="0.9"/>
    <quality shadowsize="512" offsamples="4" numquads="3" numslices="20" numstacks="12"/>
    <headlight ambient="{ambient}" diffuse="0 0 0" specular="0 0 0"/>
  </visual>
  <asset>
{_lines(_assets(room), 4)}
  </asset>
  <worldbody>
{_lines(_lamps(room), 4)}
    <geom name="ground" type="plane" size="0 0 1" group="3" contype="1" conaffinity="1" friction="1 0.005 0.0001"/>
{_lines(geoms, 4)}
{robot.worldbody if robot else ""}
  </worldbody>
  <actuator>
{robot.actuator if robot else ""}
  </actuator>
</mujoco>
"""


def build(
    room: Room,
    config: RobotConfig | None = None,
    *,
    wheel_scale: tuple[float, float] = (1.0, 1.0),
    spare_parts: int = 0,
) -> BuiltWorld:
    """Compiled, textures painted, labels by geometry. Raises RoomError when the engine finds it to be no world."""
    text = world_mjcf(room, config, wheel_scale=wheel_scale, spare_parts=spare_parts)
    try:
        model = mujoco.MjModel.from_xml_string(text)
    except ValueError as error:
        raise RoomError(f"room {room.name}: the engine refuses it: {' '.join(str(error).split())}") from error
    for index in range(len(room.textures)):
        paint_texture(model, room, index)
    spares = [_geom_id(model, f"{SPARE_NAME}/{i}") for i in range(spare_parts)]
    return BuiltWorld(model, _labels(model, room), np.array(spares, dtype=np.int32))


def paint_texture(model: Any, room: Room, index: int) -> int:
    """Writes the pixels of `room.textures[index]` into the compiled model; says which of its textures that is."""
    number = int(mujoco.mj_name2id(model, mujoco.mjtObj.mjOBJ_TEXTURE, f"texture_{index}"))
    size = int(model.tex_width[number])
    start = int(model.tex_adr[number])
    pixels = paint(room.textures[index], size)
    model.tex_data[start : start + pixels.size] = pixels.reshape(-1)
    return number


def geom_frame(part: Part) -> tuple[str, Vector, AxisAngle]:
    """MuJoCo's type, half sizes and rotation of a part; boxes are laid so that textures lie on their broad sides."""
    x, y, z = (extent / 2 for extent in part.size_m)
    if part.shape == "box":
        if part.texture >= 0 and x < min(y, z):
            return "box", (y, z, x), composed(part.rotation, _THIN_X)
        if part.texture >= 0 and y < min(x, z):
            return "box", (x, z, y), composed(part.rotation, _THIN_Y)
        return "box", (x, y, z), part.rotation
    if part.shape == "cylinder":
        return "cylinder", (x, z, 0.0), part.rotation
    if part.shape == "capsule":
        return "capsule", (x, z - x, 0.0), part.rotation
    if part.shape == "sphere":
        return "sphere", (x, 0.0, 0.0), part.rotation
    return "ellipsoid", (x, y, z), part.rotation


def class_number(kind: str) -> int:
    """Segmentation number of furniture by its kind."""
    return labels.WALL if kind in ("wall_block", "pillar") else labels.FURNITURE


def _thing(name: str, item: Furniture | SmallObject | Dock, group: int) -> list[str]:
    place = (item.x_m, item.y_m, 0.0)
    return [_geom(f"{name}/{i}", part, place, item.heading_rad, group) for i, part in enumerate(item.parts)]


def _geom(name: str, part: Part, place: Vector, heading_rad: float, group: int) -> str:
    kind, sizes, rotation = geom_frame(part)
    cos, sin = math.cos(heading_rad), math.sin(heading_rad)
    x, y, z = part.position_m
    position = (place[0] + cos * x - sin * y, place[1] + sin * x + cos * y, place[2] + z)
    turned = composed(turn(heading_rad), rotation)
    solid = 'contype="1" conaffinity="1"' if group == 1 else 'contype="0" conaffinity="0"'
    extents = [size for size in sizes if size > 0]
    material = f"material_{part.texture}" if part.texture >= 0 else "plain"
    return (
        f'<geom name="{name}" type="{kind}" size="{_numbers(extents)}" pos="{_numbers(position)}" '
        f'axisangle="{_numbers(turned)}" {solid} group="{group}" material="{material}" '
        f'rgba="{_numbers(part.colour)} 1"/>'
    )


def _mover(mover: Mover) -> list[str]:
    """A body that the engine moves as it likes; it pushes and is not pushed."""
    x, y = mover.waypoints_m[0]
    geoms = [_geom(f"{mover.name}/{i}", part, (0.0, 0.0, 0.0), 0.0, 1) for i, part in enumerate(mover.parts)]
    return [f'<body name="{mover.name}" mocap="true" pos="{_numbers((x, y, 0.0))}">', *geoms, "</body>"]


def _floor(patch: FloorPatch) -> str:
    part = Part(
        "box",
        (*patch.size_m, FLOOR_THICKNESS_M),
        (0.0, 0.0, patch.top_m - FLOOR_THICKNESS_M / 2),
        turn(0.0),
        patch.colour,
        patch.texture,
    )
    return _geom(patch.name, part, (patch.x_m, patch.y_m, 0.0), patch.heading_rad, 0)


def _assets(room: Room) -> list[str]:
    lines = ['<material name="plain" specular="0.15" shininess="0.3" rgba="1 1 1 1"/>']
    big = {floor.texture for floor in room.floors} | {wall.texture for wall in room.walls}
    for index, texture in enumerate(room.textures):
        size = TEXTURE_PX if index in big else THING_TEXTURE_PX
        repeat = 2 / texture.scale_m  # uniform repeats count per two metres
        lines.append(
            f'<texture name="texture_{index}" type="2d" builtin="flat" rgb1="{_numbers(texture.colours[0])}" '
            f'width="{size}" height="{size}"/>'
        )
        lines.append(
            f'<material name="material_{index}" texture="texture_{index}" texuniform="true" '
            f'texrepeat="{repeat:.6g} {repeat:.6g}" specular="0.1" shininess="0.2" rgba="1 1 1 1"/>'
        )
    return lines


def _lamps(room: Room) -> list[str]:
    return [
        f'<light name="lamp_{i}" pos="{_numbers(lamp.position_m)}" dir="0 0 -1" cutoff="90" exponent="0" '
        f'diffuse="{_numbers(lamp.colour)}" specular="0.3 0.3 0.3" ambient="0 0 0" '
        f'castshadow="{"true" if lamp.shadows else "false"}"/>'
        for i, lamp in enumerate(room.lamps)
    ]


def _labels(model: Any, room: Room) -> Labels:
    classes = np.zeros(model.ngeom, dtype=np.uint8)
    instances = np.zeros(model.ngeom, dtype=np.uint16)
    for wall in room.walls:
        classes[_geom_id(model, wall.name)] = labels.WALL
    for patch in room.floors:
        classes[_geom_id(model, patch.name)] = labels.floor_number(patch.kind)
    for item in room.furniture:
        for i in range(len(item.parts)):
            classes[_geom_id(model, f"{item.name}/{i}")] = class_number(item.kind)
    for i in range(len(room.dock.parts)):
        classes[_geom_id(model, f"dock/{i}")] = labels.DOCK
    for number, small in enumerate(room.small_objects):
        for i in range(len(small.parts)):
            geom = mujoco.mj_name2id(model, mujoco.mjtObj.mjOBJ_GEOM, f"{small.name}/{i}")
            if geom >= 0:  # none where spare parts stand in for them
                classes[geom] = labels.small_object_number(small.kind)
                instances[geom] = number + 1
    for mover in room.movers:
        for i in range(len(mover.parts)):
            classes[_geom_id(model, f"{mover.name}/{i}")] = labels.MOVING
    for geom in range(model.ngeom):
        name = mujoco.mj_id2name(model, mujoco.mjtObj.mjOBJ_GEOM, geom)
        if name and name.startswith("robot:"):
            classes[geom] = labels.ROBOT
    return Labels(classes, instances)


def _geom_id(model: Any, name: str) -> int:
    return int(mujoco.mj_name2id(model, mujoco.mjtObj.mjOBJ_GEOM, name))


def _numbers(values: tuple[float, ...] | list[float]) -> str:
    return " ".join(f"{value:.12g}" for value in values)


def _lines(lines: list[str], indent: int) -> str:
    return "\n".join(" " * indent + line for line in lines)
