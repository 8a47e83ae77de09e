"""Labelled samples of one room: a supervisor puts the robot here and there, and notes what its sensors say.

Everything the robot measures comes through Webots' `controller` API; what redraws the room between frames is the
engine's own affair (`CaptureStage`). Poses favour small objects from near and far, then plain floor.
"""

import json
import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, Final, Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from foundation.camera_geometry import PinholeCamera
from foundation.geometry import FloatArray, Pose2D
from foundation.robot_config import Camera, RobotConfig
from navigation.grid_geometry import GridGeometry
from perception.sample_format import Sample
from simulation import recognition_palette
from simulation.capture_stage import CaptureStage
from simulation.footprints import clearance_grid, rotation_matrix, standing
from simulation.ground_truth import BODY_TOP_M, floor_name_at, inside_grid
from simulation.label_png import label_png
from simulation.randomisation import Darkroom, FrameDraws, draw_frame, measured
from simulation.room_spec import Room
from simulation.sample_labels import ObjectGeometry
from simulation.shape_parts import Rng, composed
from simulation.standin import slots
from simulation.standin.link import local
from simulation.standin.path import use_standin
from simulation.standin.world import World

REDRAW_EVERY: Final = 5  # frames between new materials, lights and small objects
MOVED_MIN_M: Final = 0.05
TURNED_MIN_RAD: Final = math.radians(5)
_PHOTOGRAPH_PNG: Final = (  # noise repeats nowhere: looking for matches takes three times as long for more bytes
    cv2.IMWRITE_PNG_STRATEGY,
    cv2.IMWRITE_PNG_STRATEGY_HUFFMAN_ONLY,
    cv2.IMWRITE_PNG_FILTER,
    cv2.IMWRITE_PNG_FILTER_SUB,
)
_GRID_M: Final = 0.04
_LOOK_AT_OBJECT_RATIO: Final = 0.78
_OBJECT_CLEAR_M: Final = 0.185  # from the robot's centre: the camera, .14 m ahead, stays outside of things


class Stage(Protocol):
    """The room in front of the camera."""

    @property
    def room(self) -> Room: ...

    @property
    def objects(self) -> ObjectGeometry: ...

    def redraw(self, rng: Rng, small_objects: int | None) -> None:
        """Other surfaces and lights from now on, and so many small objects elsewhere; None leaves those as they are."""
        ...

    def beam_classes(self) -> NDArray[np.uint8] | None:
        """(N,) labels' numbers of what the beams of the last scan met, in the LIDAR's order; None when not known."""
        ...


class FixedStage:
    """A world that stays as it was opened: Webots' own."""

    def __init__(self, room: Room) -> None:
        self.room = room
        self.objects = ObjectGeometry(room)

    def redraw(self, rng: Rng, small_objects: int | None) -> None:
        """Nothing changes."""

    def beam_classes(self) -> None:
        """Webots' LIDAR tells distances alone."""


@dataclass(frozen=True, slots=True)
class _Look:
    """What the rig's devices said from one pose."""

    map_from_base: Pose2D
    height_m: float  # of base_link above the floor, and its rotation: a robot leans on one of its casters
    rotation: FloatArray  # (3, 3) map_from_base
    stamp_s: float
    image_bgr: NDArray[np.uint8]  # (H, W, 3)
    segmentation_bgra: NDArray[np.uint8]  # (H, W, 4)


@dataclass(frozen=True, slots=True)
class _Scan:
    """One turn of the LIDAR, counter-clockwise."""

    ranges_m: FloatArray  # (N,)
    classes: bytes  # of what the beams met; empty when not known
    first_bearing_rad: float
    step_rad: float


def samples(room: Room, config: RobotConfig, *, frames: int, seed: int) -> Iterator[Sample]:
    """`frames` samples from one room; equal seeds give equal bytes."""
    use_standin()
    from controller import Supervisor

    stage = CaptureStage(room, config, seed=seed)
    with World(stage.engine, [slots.capture_slot(config)]) as world, local(world, "capture"):
        yield from recorded(Supervisor(), stage, config, frames=frames, seed=seed)


def recorded(robot: Any, stage: Stage, config: RobotConfig, *, frames: int, seed: int) -> Iterator[Sample]:
    """The capture itself, by a `controller.Supervisor` of any engine; ends the simulation when it is done."""
    rng = np.random.default_rng([seed, 0xCA])
    darkroom, rig = Darkroom(seed), _Rig(robot)
    group, poses = stage.room.name, PoseChooser(stage, rng)
    for index in range(frames):
        if index and index % REDRAW_EVERY == 0:
            stage.redraw(rng, int(rng.integers(8, 15)) if index % (2 * REDRAW_EVERY) == 0 else None)
            poses.look_again(stage)
        draws = draw_frame(rng, config.camera)
        pose = poses.next()
        late = rig.scan(_a_tick_ago(pose, rng), stage) if draws.scan == "late" else None
        looked = rig.look(pose, draws)
        scan = late or rig.last_scan(stage)
        image = encoded(darkroom.photographed(looked.image_bgr, draws, rng), draws.jpeg_quality)
        told_m = measured(scan.ranges_m, draws, rng)
        beams = scan.classes if len(told_m) else b""
        yield _sample(
            (group, index), stage, draws, looked, replace(scan, ranges_m=told_m, classes=beams), image, config.camera
        )
    rig.quit()


class _Rig:
    """The capture robot: placed by its supervisor, read through its devices."""

    def __init__(self, robot: Any) -> None:
        self._robot = robot
        self._step_ms = int(robot.getBasicTimeStep())
        self._node = robot.getFromDef("ROBOT")
        camera_node = robot.getFromDef("CAMERA")
        self._translation = self._node.getField("translation")
        self._rotation = self._node.getField("rotation")
        self._camera_rotation = camera_node.getField("rotation")
        self._camera_fov = camera_node.getField("fieldOfView")
        self._camera = robot.getDevice("camera")
        self._lidar = robot.getDevice("lidar")
        self._camera.enable(self._step_ms)
        self._camera.recognitionEnable(self._step_ms)
        self._camera.enableRecognitionSegmentation()
        self._lidar.enable(self._step_ms)

    def scan(self, pose: Pose2D, stage: Stage) -> _Scan:
        """What the LIDAR says from a pose."""
        self._put(pose)
        self._robot.step(self._step_ms)
        return self.last_scan(stage)

    def last_scan(self, stage: Stage) -> _Scan:
        ranges_m, classes = np.array(self._lidar.getRangeImage(), np.float64), stage.beam_classes()
        told = b"" if classes is None else classes[::-1].tobytes()
        fov_rad = float(self._lidar.getFov())
        step_rad = fov_rad / len(ranges_m)
        return _Scan(ranges_m[::-1], told, -fov_rad / 2 + step_rad / 2, step_rad)

    def _put(self, pose: Pose2D) -> None:
        self._translation.setSFVec3f([pose.x_m, pose.y_m, 0.0])
        self._rotation.setSFRotation([0.0, 0.0, 1.0, pose.heading_rad])
        self._node.resetPhysics()

    def look(self, pose: Pose2D, draws: FrameDraws) -> _Look:
        self._put(pose)
        self._camera_rotation.setSFRotation(list(camera_rotation(draws.pitch_down_rad, draws.roll_rad)))
        self._camera_fov.setSFFloat(draws.horizontal_fov_rad)
        self._robot.step(self._step_ms)
        shape = (self._camera.getHeight(), self._camera.getWidth(), 4)
        image = np.frombuffer(self._camera.getImage(), np.uint8).reshape(shape)
        segmentation = np.frombuffer(self._camera.getRecognitionSegmentationImage(), np.uint8).reshape(shape)
        x, y, z = self._node.getPosition()
        rotation = np.array(self._node.getOrientation()).reshape(3, 3)
        return _Look(
            map_from_base=Pose2D(x, y, math.atan2(rotation[1, 0], rotation[0, 0])),
            height_m=z,
            rotation=rotation,
            stamp_s=self._robot.getTime(),
            image_bgr=np.asarray(cv2.cvtColor(image, cv2.COLOR_BGRA2BGR), np.uint8),
            segmentation_bgra=segmentation,
        )

    def quit(self) -> None:
        self._robot.simulationQuit(0)
        self._robot.step(self._step_ms)


def _a_tick_ago(pose: Pose2D, rng: Rng) -> Pose2D:
    """Where a robot at cruise was a tenth of a second before, on a straight line or an arc."""
    back_m, turned_rad = rng.uniform(0.0, 0.025), rng.uniform(-0.1, 0.1)
    return pose @ Pose2D(-float(back_m), 0.0, float(turned_rad))


class PoseChooser:
    """Draws poses with a clear body, most of them with a small object in view."""

    def __init__(self, stage: Stage, rng: Rng) -> None:
        room = stage.room
        self._rng = rng
        self._geometry = GridGeometry.around(*room.bounds_m(), _GRID_M)
        standing_clear_m = clearance_grid(standing(room, BODY_TOP_M), self._geometry, _OBJECT_CLEAR_M + _GRID_M)
        self._roomy = inside_grid(room, self._geometry) & (standing_clear_m > 0.18)
        self._last: Pose2D | None = None
        self._objects: ObjectGeometry | None = None
        self.look_again(stage)

    def look_again(self, stage: Stage) -> None:
        """After the small objects were redrawn; nothing to do while they lie as they lay."""
        if self._objects is stage.objects:
            return
        self._objects = stage.objects
        lying_clear_m = clearance_grid(stage.objects.prints, self._geometry, _OBJECT_CLEAR_M + _GRID_M)
        self._free = self._roomy & (lying_clear_m > _OBJECT_CLEAR_M)
        self._cells = np.argwhere(self._free)
        self._discs = stage.objects.discs

    def next(self) -> Pose2D:
        """At least 5 cm or 5 degrees away from the one before."""
        for _ in range(50):
            looking = self._at_object() if self._rng.uniform() < _LOOK_AT_OBJECT_RATIO else None
            pose = looking or self._anywhere()
            if self._last is None or self._moved(pose, self._last):
                break
        self._last = pose
        return pose

    @staticmethod
    def _moved(pose: Pose2D, last: Pose2D) -> bool:
        turned = abs(math.remainder(pose.heading_rad - last.heading_rad, 2 * math.pi))
        return pose.distance_m(last) >= MOVED_MIN_M or turned >= TURNED_MIN_RAD

    def _anywhere(self) -> Pose2D:
        cell = self._cells[int(self._rng.integers(len(self._cells)))]
        x, y = self._geometry.centres(cell[None])[0] + self._rng.uniform(-_GRID_M / 2, _GRID_M / 2, 2)
        return Pose2D(float(x), float(y), float(self._rng.uniform(-math.pi, math.pi)))

    def _at_object(self) -> Pose2D | None:
        discs = self._discs
        if not discs:
            return None
        for _ in range(12):
            x, y, radius = discs[int(self._rng.integers(len(discs)))]
            distance = radius + 0.22 + 1.25 * self._rng.uniform() ** 1.7
            bearing, aside = self._rng.uniform(-math.pi, math.pi), self._rng.uniform(-0.5, 0.5)
            place = (x - distance * math.cos(bearing), y - distance * math.sin(bearing))
            row, col = self._geometry.cells(np.array([place]))[0]
            if 0 <= row < self._geometry.rows and 0 <= col < self._geometry.cols and self._free[row, col]:
                return Pose2D(*place, math.remainder(bearing + aside, 2 * math.pi))
        return None


def camera_rotation(pitch_down_rad: float, roll_rad: float) -> tuple[float, float, float, float]:
    """Webots' rotation of the camera node: pitched down about y, then rolled about its own axis.

    The image turns clockwise by `roll_rad`, as `foundation.camera_geometry` has it.
    """
    return composed((0.0, 1.0, 0.0, pitch_down_rad), (1.0, 0.0, 0.0, -roll_rad))


def _sample(
    identity: tuple[str, int],
    stage: Stage,
    draws: FrameDraws,
    looked: _Look,
    scan: _Scan,
    image: bytes,
    camera: Camera,
) -> Sample:
    classes, instances = recognition_palette.decode(looked.segmentation_bgra)
    pose, group = looked.map_from_base, identity[0]
    shadows = any(lamp.shadows for lamp in stage.room.lamps)
    return Sample(
        sample_id=f"{group}/{identity[1]:05d}",
        group=group,
        stamp_s=looked.stamp_s,
        image=image,
        ranges_m=scan.ranges_m,
        first_bearing_rad=scan.first_bearing_rad,
        step_rad=scan.step_rad,
        segmentation=label_png(classes),
        instances=label_png(instances),
        objects=tuple(stage.objects.seen(instances, pose)),
        floor_under=floor_name_at(stage.room, pose.x_m, pose.y_m),
        pose=pose,
        camera=true_camera(camera, draws, looked.rotation, looked.height_m),
        draws=json.dumps({**draws.to_json(), "shadows": shadows}, sort_keys=True),
        provenance="simulator",
        beam_classes=scan.classes,
    )


def true_camera(camera: Camera, draws: FrameDraws, map_from_base: FloatArray, height_m: float) -> PinholeCamera:
    """The camera above a level floor, as drawn and as the robot leans: `map_from_base` is its rotation (3, 3)."""
    heading_rad = math.atan2(map_from_base[1, 0], map_from_base[0, 0])
    level_from_base = rotation_matrix((0.0, 0.0, 1.0, -heading_rad)) @ map_from_base
    turned = level_from_base @ rotation_matrix(camera_rotation(draws.pitch_down_rad, draws.roll_rad))
    place = level_from_base @ np.array([camera.x_m, 0.0, camera.z_m])
    return PinholeCamera(
        camera.width_px,
        camera.height_px,
        draws.horizontal_fov_rad,
        x_m=float(place[0]),
        z_m=float(place[2]) + height_m,
        pitch_down_rad=-math.asin(float(np.clip(turned[2, 0], -1, 1))),
        roll_rad=-math.atan2(float(turned[2, 1]), float(turned[2, 2])),
    )


def encoded(image_bgr: NDArray[np.uint8], jpeg_quality: int) -> bytes:
    """JPEG, or PNG when the quality is 0."""
    if jpeg_quality == 0:
        _, data = cv2.imencode(".png", image_bgr, _PHOTOGRAPH_PNG)
    else:
        _, data = cv2.imencode(".jpg", image_bgr, [cv2.IMWRITE_JPEG_QUALITY, jpeg_quality])
    return bytes(data)
