"""`room_spec` to a Webots world, pure: `.wbt` R2025a from base nodes only, so that it opens without a network.

Walls, furniture and dock are Solids with bounding objects; small objects are seen and recognised but have none, as the
robot runs them over. Recognition colours tell class and instance (`recognition_palette`).
"""

from collections.abc import Sequence
from typing import Final, Literal

from foundation.robot_config import RobotConfig
from perception import labels
from simulation import robot_model
from simulation.mujoco_world import FLOOR_THICKNESS_M, class_number
from simulation.recognition_palette import colour_of
from simulation.room_spec import AxisAngle, Colour, Dock, FloorPatch, Furniture, Part, Room, SmallObject, Vector, Wall
from simulation.shape_parts import turn
from simulation.standin import slots
from simulation.standin.engine import BASIC_STEP_MS
from simulation.webots_file import HEADER

ControllerName = Literal["coverage", "capture", "<extern>"]
_DOWN: Final = "0 1 0 1.5707963267948966"  # +x of a distance sensor, looking at the floor


def world_wbt(
    room: Room, config: RobotConfig, *, controller: ControllerName = "coverage", arguments: Sequence[str] = ()
) -> str:
    """The whole world; `capture` puts the robot into a supervisor's hands."""
    solids = [_floor(patch) for patch in room.floors]
    solids += [_wall(wall) for wall in room.walls]
    solids += [_thing(item.name, item, class_number(item.kind), 0, solid=True) for item in room.furniture]
    solids.append(_thing("dock", room.dock, labels.DOCK, 0, solid=True))
    solids += [
        _thing(item.name, item, labels.small_object_number(item.kind), number + 1, solid=False)
        for number, item in enumerate(room.small_objects)
    ]
    solids += [
        _solid(mover.name, (*mover.waypoints_m[0], 0.0), 0.0, mover.parts, labels.MOVING, 0, solid=True)
        for mover in room.movers
    ]
    lamps = [
        f"PointLight {{ location {_n(lamp.position_m)} color {_n(lamp.colour)} intensity 3 attenuation 0 0 1 "
        f"castShadows {'TRUE' if lamp.shadows else 'FALSE'} }}"
        for lamp in room.lamps
    ]
    return "\n".join(
        [
            HEADER,
            "",
            _world_info(room),
            _viewpoint(room),
            *lamps,
            *solids,
            robot_node(room, config, controller, arguments),
            "",
        ]
    )


def robot_node(room: Room, config: RobotConfig, controller: ControllerName, arguments: Sequence[str] = ()) -> str:
    """The reference robot at the room's dock, from base nodes."""
    start = room.dock.start
    supervisor = controller == "capture"
    quoted = " ".join(f'"{one}"' for one in arguments)
    return f"""DEF ROBOT Robot {{
  translation {_n((start.x_m, start.y_m, 0.0))}
  rotation 0 0 1 {start.heading_rad:.12g}
  name "robot"
  controller "{controller}"
  controllerArgs [ {quoted} ]
  supervisor {"TRUE" if supervisor else "FALSE"}
  contactMaterial "shell"
{_indented(robot_body(config, recognition=supervisor), 2)}
}}"""


def robot_body(config: RobotConfig, *, recognition: bool) -> str:
    """Children, bounding object and physics of the robot."""
    body, lidar, camera = config.body, config.lidar, config.camera
    shell_m = body.height_m - robot_model.GROUND_CLEARANCE_M
    middle_m = (body.height_m + robot_model.GROUND_CLEARANCE_M) / 2
    turret_m = lidar.z_m - 0.015 - body.height_m
    shell = f"Cylinder {{ radius {body.radius_m:.9g} height {shell_m:.9g} }}"
    turret = f"Cylinder {{ radius {robot_model.TURRET_RADIUS_M:.9g} height {turret_m:.9g} }}"
    dark, darker = _appearance((0.16, 0.17, 0.2)), _appearance((0.1, 0.1, 0.1))
    turret_place = _n((lidar.x_m, lidar.y_m, body.height_m + turret_m / 2))
    seen = "recognition Recognition { segmentation TRUE }" if recognition else ""
    cliffs = "\n".join(
        f"    DistanceSensor {{ translation {x:.9g} {y:.9g} {robot_model.CLIFF_SENSOR_HEIGHT_M} rotation {_DOWN} "
        f'name "{name}" lookupTable [ 0 0 0, 0.3 0.3 0 ] type "laser" aperture 0 }}'
        for name, (x, y) in zip(slots.CLIFF_SENSORS, robot_model.CLIFF_SENSORS_BASE_M, strict=True)
    )
    truth = '\n    GPS { name "gps" }\n    InertialUnit { name "inertial_unit" }' if recognition else ""
    casters = "\n".join(
        f"    {_caster(sign * (body.radius_m - 0.05), name)}"
        for sign, name in ((1, "caster_front"), (-1, "caster_back"))
    )
    track = body.wheel_track_m / 2
    return f"""children [
    Pose {{ translation 0 0 {middle_m:.9g} children [ Shape {{ {dark} geometry {shell} }} ] }}
    Pose {{ translation {turret_place} children [ Shape {{ {darker} geometry {turret} }} ] }}
    Lidar {{ translation {_n((lidar.x_m, lidar.y_m, lidar.z_m))} rotation 0 0 1 {lidar.yaw_rad:.12g} name "lidar"
      horizontalResolution {lidar.beams} fieldOfView 6.283185307179586 numberOfLayers 1 near 0.01
      minRange {lidar.range_min_m} maxRange {lidar.range_max_m} type "fixed" projection "cylindrical"
      noise {lidar.noise_m / lidar.range_max_m:.9g} }}
    DEF CAMERA Camera {{ translation {_n((camera.x_m, 0.0, camera.z_m))} rotation 0 1 0 {camera.pitch_down_rad:.12g}
      name "camera" fieldOfView {camera.horizontal_fov_rad:.12g} width {camera.width_px} height {camera.height_px}
      antiAliasing TRUE {seen} }}
    {_wheel("left", track, body.wheel_radius_m)}
    {_wheel("right", -track, body.wheel_radius_m)}
{casters}
    Gyro {{ name "gyro" }}
    Accelerometer {{ name "accelerometer" }}
    TouchSensor {{ translation {body.radius_m - 0.008:.9g} 0 {middle_m:.9g} name "bumper" type "bumper"
      contactMaterial "shell" boundingObject Box {{ size 0.02 {body.radius_m:.9g} {shell_m * 0.8:.9g} }} }}
{cliffs}{truth}
  ]
boundingObject Group {{ children [
    Pose {{ translation 0 0 {middle_m:.9g} children [ {shell} ] }}
    Pose {{ translation {turret_place} children [ {turret} ] }}
  ] }}
physics Physics {{ density -1 mass {body.mass_kg - 2 * robot_model.WHEEL_MASS_KG:.9g} centerOfMass [ 0 0 0.04 ] }}"""


def _wheel(side: str, y_m: float, radius_m: float) -> str:
    wheel = f"Cylinder {{ radius {radius_m:.9g} height {robot_model.WHEEL_WIDTH_M} }}"
    upright = f"Pose {{ rotation 1 0 0 1.5707963267948966 children [ {wheel} ] }}"
    seen = (
        f"Pose {{ rotation 1 0 0 1.5707963267948966 "
        f"children [ Shape {{ {_appearance((0.05, 0.05, 0.05))} geometry {wheel} }} ] }}"
    )
    return f"""HingeJoint {{
      jointParameters HingeJointParameters {{ axis 0 1 0 anchor 0 {y_m:.9g} {radius_m:.9g} }}
      device [
        RotationalMotor {{ name "{side}_motor" acceleration {robot_model.MOTOR_ACCELERATION_RADPS2}
          maxVelocity {robot_model.MOTOR_MAX_VELOCITY_RADPS} maxTorque {robot_model.MOTOR_MAX_TORQUE_NM} }}
        PositionSensor {{ name "{side}_encoder" }}
      ]
      endPoint Solid {{
        translation 0 {y_m:.9g} {radius_m:.9g}
        name "{side}_wheel" contactMaterial "wheel"
        children [ {seen} ]
        boundingObject {upright}
        physics Physics {{ density -1 mass {robot_model.WHEEL_MASS_KG} }}
      }}
    }}"""


def _caster(x_m: float, name: str) -> str:
    radius = robot_model.CASTER_RADIUS_M
    ball = f"Sphere {{ radius {radius} }}"
    place = f"{x_m:.9g} 0 {radius + robot_model.CASTER_LIFT_M:.9g}"
    seen = f"Shape {{ {_appearance((0.1, 0.1, 0.1))} geometry {ball} }}"
    return (
        f'Solid {{ translation {place} name "{name}" contactMaterial "caster" children [ {seen} ] '
        f"boundingObject {ball} physics Physics {{ density -1 mass 0.01 }} }}"
    )


def _world_info(room: Room) -> str:
    contacts = (("wheel", "floor", 1.0), ("caster", "floor", 0.0), ("shell", "standing", 0.3), ("shell", "floor", 0.3))
    lines = "\n".join(
        f'    ContactProperties {{ material1 "{one}" material2 "{other}" coulombFriction [ {friction} ] bounce 0 }}'
        for one, other, friction in contacts
    )
    return f"""WorldInfo {{
  title "{room.name}"
  info [ "drawn by oxturn from seed {room.seed}" ]
  basicTimeStep {BASIC_STEP_MS}
  coordinateSystem "ENU"
  randomSeed {room.seed % 2**31}
  contactProperties [
{lines}
  ]
}}"""


def _viewpoint(room: Room) -> str:
    x0, y0, x1, y1 = room.bounds_m()
    high = 1.3 * max(x1 - x0, y1 - y0)
    looking_down = "-0.5773502691896258 0.5773502691896258 0.5773502691896258 2.0943951023931953"
    return (
        f"Viewpoint {{ orientation {looking_down} position {_n(((x0 + x1) / 2, (y0 + y1) / 2, high))} }}\n"
        "Background { skyColor [ 0.6 0.7 0.8 ] luminosity 0.8 }"
    )


def _floor(patch: FloorPatch) -> str:
    middle = (patch.x_m, patch.y_m, patch.top_m - FLOOR_THICKNESS_M / 2)
    size = (patch.size_m[0], patch.size_m[1], FLOOR_THICKNESS_M)
    bounding = f"\n  boundingObject Box {{ size {_n(size)} }}" if patch.top_m == 0 else ""
    return f"""DEF {patch.name} Solid {{
  translation {_n(middle)}
  rotation 0 0 1 {patch.heading_rad:.12g}
  name "{patch.name}"
  contactMaterial "floor"
  children [ Shape {{ {_appearance(patch.colour)} geometry Box {{ size {_n(size)} }} }} ]{bounding}
  recognitionColors [ {_n(colour_of(labels.floor_number(patch.kind), 0))} ]
}}"""


def _wall(wall: Wall) -> str:
    part = wall.part()
    return _solid(wall.name, part.position_m, part.rotation[3], (_centred(part),), labels.WALL, 0, solid=True)


def _thing(name: str, item: Furniture | SmallObject | Dock, number: int, instance: int, *, solid: bool) -> str:
    return _solid(name, (item.x_m, item.y_m, 0.0), item.heading_rad, item.parts, number, instance, solid=solid)


def _solid(
    name: str, place: Vector, heading_rad: float, parts: Sequence[Part], number: int, instance: int, *, solid: bool
) -> str:
    shapes = "\n".join(
        f"    {_posed(part, f'Shape {{ {_appearance(part.colour)} geometry {_geometry(part)} }}')}" for part in parts
    )
    bounding = "\n".join(f"    {_posed(part, _geometry(part))}" for part in parts)
    group = f"\n  boundingObject Group {{ children [\n{bounding}\n  ] }}" if solid else ""
    return f"""DEF {name} Solid {{
  translation {_n(place)}
  rotation 0 0 1 {heading_rad:.12g}
  name "{name}"
  contactMaterial "standing"
  children [
{shapes}
  ]{group}
  recognitionColors [ {_n(colour_of(number, instance))} ]
}}"""


def _posed(part: Part, inner: str) -> str:
    place = f"translation {_n(part.position_m)} rotation {_n(part.rotation)}"
    if part.shape == "ellipsoid":
        return f"Transform {{ {place} scale {_n(part.size_m)} children [ {inner} ] }}"
    return f"Pose {{ {place} children [ {inner} ] }}"


def _geometry(part: Part) -> str:
    x, _, z = part.size_m
    if part.shape == "box":
        return f"Box {{ size {_n(part.size_m)} }}"
    if part.shape == "cylinder":
        return f"Cylinder {{ radius {x / 2:.12g} height {z:.12g} }}"
    if part.shape == "capsule":
        return f"Capsule {{ radius {x / 2:.12g} height {z - x:.12g} }}"
    if part.shape == "sphere":
        return f"Sphere {{ radius {x / 2:.12g} subdivision 3 }}"
    return "Sphere { radius 0.5 subdivision 3 }"  # scaled by its Transform


def _centred(part: Part) -> Part:
    return Part(part.shape, part.size_m, (0.0, 0.0, 0.0), turn(0.0), part.colour, part.texture)


def _appearance(colour: Colour) -> str:
    return f"appearance PBRAppearance {{ baseColor {_n(colour)} roughness 0.8 metalness 0 }}"


def _n(values: Vector | Colour | AxisAngle | Sequence[float]) -> str:
    return " ".join(f"{value:.12g}" for value in values)


def _indented(text: str, spaces: int) -> str:
    return "\n".join(" " * spaces + line if line else line for line in text.splitlines())
