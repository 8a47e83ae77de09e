"""The MuJoCo side of the stand-in: one world with one robot, stepped in Webots' basic time steps.

In: a compiled model that holds the fragment of `robot_model`, the robot's configuration, a seed. Out: what devices
measure, in SI units and Webots' orders. It knows nothing of controllers, sampling periods or processes. The seed draws
sensor noise only; equal seeds and equal commands give equal bytes.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import cv2
import numpy as np
from numba import njit
from numpy.typing import NDArray

from foundation.geometry import FloatArray
from foundation.robot_config import RobotConfig
from simulation import robot_model, webots_rotation
from simulation.headless_mujoco import mujoco
from simulation.standin.rendering import HIDDEN_GROUP, Renderer, open_renderer
from simulation.standin.view_solids import cast

BASIC_STEP_MS: Final = 20
SUBSTEPS: Final = 5
GYRO_NOISE_RADPS: Final = 0.003
GYRO_BIAS_RADPS: Final = 0.002
CAMERA_NOISE_LEVELS: Final = 2.0


@dataclass(frozen=True, slots=True)
class Contact:
    """One touch of the robot with something else; `geom` is MuJoCo's id of the other."""

    point_m: tuple[float, float, float]
    geom: int


@dataclass(frozen=True, slots=True)
class Labels:
    """What each geom is in segmentation images."""

    classes: NDArray[np.uint8]  # (ngeom,)
    instances: NDArray[np.uint16]  # (ngeom,)


class Engine:
    """Physics, rays and images; `time_ms` counts simulated time."""

    def __init__(
        self, model: Any, config: RobotConfig, *, seed: int, labels: Labels | None = None, lidar_turn_s: float = 0.0
    ) -> None:
        """`lidar_turn_s` is how long the LIDAR takes for one turn, driving on meanwhile; 0 is all beams at once."""
        self.model = model
        self.data = mujoco.MjData(model)
        self.config = config
        self.labels = labels
        self.time_ms = 0
        model.opt.timestep = BASIC_STEP_MS / SUBSTEPS / 1000
        model.opt.integrator = mujoco.mjtIntegrator.mjINT_IMPLICITFAST
        model.opt.cone = mujoco.mjtCone.mjCONE_ELLIPTIC
        model.opt.impratio = 10  # soft friction would let the wheels creep
        self._rng = np.random.default_rng([seed, 0x5E])
        self._gyro_bias = self._rng.normal(0, GYRO_BIAS_RADPS, 3)
        self.before_step: list[Callable[[Any, float], None]] = []  # (MjData, time in s): what moves by itself
        self._robot = _named(model, mujoco.mjtObj.mjOBJ_BODY, robot_model.ROBOT)
        self._robot_geoms = np.flatnonzero(np.isin(_root_bodies(model), [self._robot])[model.geom_bodyid])
        self._shell = [_named(model, mujoco.mjtObj.mjOBJ_GEOM, name) for name in robot_model.BODY_GEOMS]
        self._ground = int(mujoco.mj_name2id(model, mujoco.mjtObj.mjOBJ_GEOM, GROUND))
        joint = model.body_jntadr[self._robot]
        self._qpos, self._qvel = int(model.jnt_qposadr[joint]), int(model.jnt_dofadr[joint])
        wheels = [_named(model, mujoco.mjtObj.mjOBJ_JOINT, name) for name in WHEELS]
        self._wheel_qpos = [int(model.jnt_qposadr[wheel]) for wheel in wheels]
        self._wheel_wanted, self._wheel_now = np.zeros(2), np.zeros(2)
        self._rays = _lidar_rays(config.lidar.beams)
        self._hits = np.full(config.lidar.beams, -1, np.int32)
        self._ranges = np.empty(config.lidar.beams)
        self._turn_substeps = round(lidar_turn_s * 1000 / (BASIC_STEP_MS / SUBSTEPS))
        self._substep = 0
        self._turn_hits, self._turn_ranges = self._hits.copy(), np.full(config.lidar.beams, np.inf)
        self._camera_noise = self._rng.normal(0, CAMERA_NOISE_LEVELS, (64, 4096)).round().astype(np.int16)
        self._renderers: dict[tuple[int, int], Renderer] = {}
        self._seen: dict[tuple[int, int], tuple[NDArray[np.uint8], NDArray[np.int32]]] = {}  # since the last change
        self._contacts: list[Contact] = []
        self._bumped = False
        mujoco.mj_forward(model, self.data)

    def close(self) -> None:
        for renderer in self._renderers.values():
            renderer.close()
        self._renderers.clear()

    # --- motion

    def set_wheel_velocities(self, left_radps: float, right_radps: float) -> None:
        """Wanted velocities; the motors' acceleration and torque limits stand between them and the wheels."""
        limit = robot_model.MOTOR_MAX_VELOCITY_RADPS
        self._wheel_wanted[:] = np.clip((left_radps, right_radps), -limit, limit)

    def basic_step(self) -> None:
        """Advances by one basic time step."""
        self._contacts.clear()
        self._seen.clear()
        self._bumped = False
        for move in self.before_step:
            move(self.data, self.time_ms / 1000)
        ramp = robot_model.MOTOR_ACCELERATION_RADPS2 * BASIC_STEP_MS / SUBSTEPS / 1000
        for _ in range(SUBSTEPS):
            self._wheel_now += np.clip(self._wheel_wanted - self._wheel_now, -ramp, ramp)
            self.data.ctrl[:2] = self._wheel_now
            mujoco.mj_step(self.model, self.data)
            self._note_contacts()
            if self._turn_substeps:
                self._turn_lidar()
        self.time_ms += BASIC_STEP_MS

    @property
    def robot_body(self) -> int:
        """MuJoCo's number of the robot's body, for `place`."""
        return self._robot

    def robot_pose(self) -> tuple[FloatArray, FloatArray]:
        """Position (3,) in world and rotation (3, 3) world_from_base."""
        return self.data.xpos[self._robot].copy(), self.data.xmat[self._robot].reshape(3, 3).copy()

    def place(self, body: int, position_m: FloatArray | None, rotation: tuple[float, ...] | None) -> None:
        """Puts a body somewhere; the robot by its free joint, everything else by its place in the model."""
        if body == self._robot:
            if position_m is not None:
                self.data.qpos[self._qpos : self._qpos + 3] = position_m
            if rotation is not None:
                self.data.qpos[self._qpos + 3 : self._qpos + 7] = webots_rotation.quaternion(rotation)
        else:
            if position_m is not None:
                self.model.body_pos[body] = position_m
            if rotation is not None:
                self.model.body_quat[body] = webots_rotation.quaternion(rotation)

    def reset_physics(self) -> None:
        """Stops the robot where it is."""
        self.data.qvel[self._qvel : self._qvel + 6] = 0
        self._wheel_now[:] = 0

    def settle(self) -> None:
        """Makes written poses visible to sensors without advancing time."""
        self._seen.clear()
        mujoco.mj_forward(self.model, self.data)

    # --- sensors

    def wheel_angles(self) -> tuple[float, float]:
        """Left and right, in encoder ticks made radians."""
        tick_rad = 2 * np.pi / self.config.body.encoder_ticks_per_turn
        left, right = (float(np.floor(self.data.qpos[index] / tick_rad) * tick_rad) for index in self._wheel_qpos)
        return left, right

    def gyro(self) -> tuple[float, float, float]:
        """Angular velocity in base_link with bias and noise."""
        rate = self.data.qvel[self._qvel + 3 : self._qvel + 6] + self._gyro_bias
        x, y, z = rate + self._rng.normal(0, GYRO_NOISE_RADPS, 3)
        return float(x), float(y), float(z)

    def accelerometer(self) -> tuple[float, float, float]:
        """Specific force in base_link, as a resting sensor reads +9.81 upwards; noiseless."""
        rotation = self.data.xmat[self._robot].reshape(3, 3)
        x, y, z = rotation.T @ (self.data.qacc[self._qvel : self._qvel + 3] - self.model.opt.gravity)
        return float(x), float(y), float(z)

    def ranges(self, *, noise: bool = True) -> NDArray[np.float32]:
        """(N,) left to right as Webots orders them, inf outside [min, max); noise is added after the clip."""
        lidar = self.config.lidar
        if self._turn_substeps:
            self._hits, self._ranges = self._turn_hits.copy(), self._turn_ranges.copy()
        else:
            self._cast(self._rays, 0.0, self._hits, self._ranges)
        ranges = self._ranges.copy()
        ranges[(self._hits < 0) | (ranges < lidar.range_min_m) | (ranges >= lidar.range_max_m)] = np.inf
        if noise and lidar.noise_m:
            ranges += self._rng.normal(0, lidar.noise_m, len(ranges))
        return ranges.astype(np.float32)

    def _turn_lidar(self) -> None:
        """Casts the beams that the turning head passes in this substep, each with the heading of its own moment."""
        beams = len(self._rays)
        at = self._substep % self._turn_substeps
        self._substep += 1
        first, end = (number * beams // self._turn_substeps for number in (at, at + 1))
        lag_s = (end - 1 - np.arange(first, end)) / beams * self._turn_substeps * BASIC_STEP_MS / SUBSTEPS / 1000
        turned = -lag_s * float(self.data.qvel[self._qvel + 5])
        self._cast(self._rays[first:end], turned, self._turn_hits[first:end], self._turn_ranges[first:end])

    def _cast(self, rays: FloatArray, turned_rad: FloatArray | float, hits: NDArray[np.int32], out: FloatArray) -> None:
        """Rays (N, 3) of the laser, turned about its axis by `turned_rad`, into `hits` and `out` (N,)."""
        lidar = self.config.lidar
        position, rotation = self.robot_pose()
        angle = lidar.yaw_rad + turned_rad
        cos, sin = np.cos(angle), np.sin(angle)
        x, y = cos * rays[:, 0] - sin * rays[:, 1], sin * rays[:, 0] + cos * rays[:, 1]
        world = np.stack([x, y, rays[:, 2]], axis=1) @ rotation.T
        start = position + rotation @ np.array([lidar.x_m, lidar.y_m, lidar.z_m])
        seen = np.flatnonzero(NOT_THE_ROBOT[self.model.geom_group])
        model, data = self.model, self.data
        solids = (model.geom_type, model.geom_size, data.geom_xpos, data.geom_xmat)
        cast(world, start, seen, *solids, lidar.range_max_m, hits, out)

    def hit_geoms(self) -> NDArray[np.int32]:
        """(N,): what each beam of the last `ranges` struck, -1 for nothing."""
        return self._hits.copy()

    def image(self, width_px: int, height_px: int, *, noise: bool = True) -> NDArray[np.uint8]:
        """(H, W, 4) BGRA of the robot's camera."""
        rgb, _ = self._look(width_px, height_px)
        bgra: NDArray[np.uint8] = np.asarray(cv2.cvtColor(rgb, cv2.COLOR_RGB2BGRA), np.uint8)
        if noise:
            self._add_noise(bgra)
        return bgra

    def segmentation(self, width_px: int, height_px: int) -> tuple[NDArray[np.uint8], NDArray[np.uint16]]:
        """Class numbers (H, W) and instances (H, W); void where nothing is labelled."""
        _, geoms = self._look(width_px, height_px)
        if self.labels is None:
            return np.zeros(geoms.shape, np.uint8), np.zeros(geoms.shape, np.uint16)
        classes, instances = _labelled(geoms, self.labels.classes, self.labels.instances)
        return classes, instances

    def refresh_surfaces(self, textures: Sequence[int]) -> None:
        """After these textures, or lights, of the model were rewritten: what is drawn from now on shows them."""
        self._seen.clear()
        for renderer in self._renderers.values():
            renderer.refresh_surfaces(textures)

    def bumped(self) -> bool:
        """Whether the front half of the shell touched something during the last basic step."""
        return self._bumped

    def contacts(self) -> list[Contact]:
        """Every touch of the robot during the last basic step but the wheels' on the ground."""
        return list(self._contacts)

    def floor_below(self, x_m: float, y_m: float) -> float:
        """Distance from a cliff sensor at (x, y) in base_link down to what lies below; inf when nothing does."""
        position, rotation = self.robot_pose()
        start = position + rotation @ np.array([x_m, y_m, robot_model.CLIFF_SENSOR_HEIGHT_M])
        hit = np.zeros(1, np.int32)
        distance = mujoco.mj_ray(self.model, self.data, start, -rotation[:, 2], NOT_THE_ROBOT, True, -1, hit)
        return float(distance) if hit[0] >= 0 else float("inf")

    def set_camera(self, rotation: tuple[float, ...] | None, fov_rad: float | None, size_px: tuple[int, int]) -> None:
        """Turns the camera (Webots' rotation of its FLU frame in base_link) and sets its horizontal field of view."""
        self._seen.clear()
        camera = _named(self.model, mujoco.mjtObj.mjOBJ_CAMERA, robot_model.CAMERA)
        if rotation is not None:
            self.model.cam_quat[camera] = webots_rotation.camera_quaternion(rotation)
        if fov_rad is not None:
            self.model.cam_fovy[camera] = np.degrees(robot_model.vertical_fov_rad(fov_rad, *size_px))

    def _look(self, width_px: int, height_px: int) -> tuple[NDArray[np.uint8], NDArray[np.int32]]:
        """Colours and geoms of the camera's view: drawn once, however often asked for before something moves."""
        size = (width_px, height_px)
        if size not in self._seen:
            self._seen[size] = self._renderer(width_px, height_px).look(self.data)
        return self._seen[size]

    def _renderer(self, width_px: int, height_px: int) -> Renderer:
        key = (width_px, height_px)
        if key not in self._renderers:
            self._renderers[key] = open_renderer(self.model, width_px, height_px, robot_model.CAMERA)
        return self._renderers[key]

    def _add_noise(self, bgra: NDArray[np.uint8]) -> None:
        start = int(self._rng.integers(0, self._camera_noise.size - 1))
        _add_noise(bgra.reshape(-1, 4), self._camera_noise.ravel(), -start % self._camera_noise.size)

    def _note_contacts(self) -> None:
        pairs = self.data.contact.geom[: self.data.ncon]
        aside = (pairs != self._ground).all(axis=1)
        if not aside.any():
            return
        mine = np.isin(pairs, self._robot_geoms)
        for index in np.flatnonzero(aside & mine.any(axis=1)):
            first_is_mine = bool(mine[index, 0])
            other, own = int(pairs[index, 1 if first_is_mine else 0]), int(pairs[index, 0 if first_is_mine else 1])
            x_m, y_m, z_m = (float(value) for value in self.data.contact.pos[index])
            self._contacts.append(Contact((x_m, y_m, z_m), other))
            if own in self._shell:
                position, rotation = self.robot_pose()
                self._bumped |= bool(rotation[:, 0] @ (self.data.contact.pos[index] - position) > 0)


GROUND: Final = "ground"
WHEELS: Final = (robot_model.LEFT_WHEEL, robot_model.RIGHT_WHEEL)
UNSEEN_GROUPS: Final = (robot_model.ROBOT_GEOM_GROUP, HIDDEN_GROUP)
NOT_THE_ROBOT: Final = np.array([group not in UNSEEN_GROUPS for group in range(6)], np.uint8)


def _named(model: Any, kind: Any, name: str) -> int:
    number = int(mujoco.mj_name2id(model, kind, name))
    if number < 0:
        raise ValueError(f"the world holds no {name!r}: was it built with simulation.robot_model?")
    return number


def _root_bodies(model: Any) -> NDArray[np.int32]:
    roots: NDArray[np.int32] = np.asarray(model.body_rootid)
    return roots


@njit(cache=True)  # type: ignore[untyped-decorator]
def _labelled(
    geoms: NDArray[np.int32], classes: NDArray[np.uint8], instances: NDArray[np.uint16]
) -> tuple[NDArray[np.uint8], NDArray[np.uint16]]:
    """What each pixel's geom is; 0 where there is none."""
    class_image, instance_image = np.zeros(geoms.shape, np.uint8), np.zeros(geoms.shape, np.uint16)
    for row in range(geoms.shape[0]):
        for col in range(geoms.shape[1]):
            geom = geoms[row, col]
            if geom >= 0:
                class_image[row, col], instance_image[row, col] = classes[geom], instances[geom]
    return class_image, instance_image


@njit(cache=True)  # type: ignore[untyped-decorator]
def _add_noise(bgra: NDArray[np.uint8], bank: NDArray[np.int16], start: int) -> None:
    """Adds the bank's levels from `start` on, round and round, to the colours of the pixels (N, 4)."""
    at = start
    for pixel in range(bgra.shape[0]):
        level = np.int32(bank[at])
        for channel in range(3):
            bgra[pixel, channel] = min(max(np.int32(bgra[pixel, channel]) + level, np.int32(0)), np.int32(255))
        at = at + 1 if at + 1 < bank.size else 0


def _lidar_rays(beams: int) -> FloatArray:
    """(N, 3) unit vectors in `laser`: bearing +pi - (j + .5) * 2 pi / N, left to right."""
    bearings = np.pi - (np.arange(beams) + 0.5) * 2 * np.pi / beams
    return np.stack([np.cos(bearings), np.sin(bearings), np.zeros(beams)], axis=1)
