"""A tiny kinematic world on a plane for tests of navigation: walls, blocks, discs on the floor, a round robot.

It is truth and sensors in one: ray-cast scans with noise, wheel angles with error, a cone in which a fake detector sees
the discs. It counts collisions, hits and the floor truly swept, by DESIGN's measures.
"""

import math
from dataclasses import dataclass

import numpy as np
from numba import njit
from scipy import ndimage

from foundation.geometry import IDENTITY, Pose2D
from foundation.robot_config import RobotConfig
from navigation.grid_geometry import CellRect, GridGeometry
from navigation.path_follower import ahead
from navigation.pose_estimate import PoseEstimate, Tracking
from navigation.robot_io import DriveCommand
from navigation.static_map import FREE, OCCUPIED, UNKNOWN
from perception.labels import FLOORS
from perception.observation import Detections, Observation, Scan, WheelAngles


@dataclass
class Disc:
    x_m: float
    y_m: float
    radius_m: float
    thing: int  # discs of one number are one thing
    hit: bool = False


def box(x0, y0, x1, y1):
    """Four segments (4, 4) of x0, y0, x1, y1."""
    return np.array([[x0, y0, x1, y0], [x1, y0, x1, y1], [x1, y1, x0, y1], [x0, y1, x0, y0]], dtype=float)


class FlatWorld:
    """RobotIO over a plane. `boxes` are (x0, y0, x1, y1) solids inside the room `bounds`."""

    def __init__(
        self,
        bounds,
        boxes=(),
        discs=(),
        start=IDENTITY,
        *,
        seed=0,
        noise_m=0.01,
        wheel_error=0.01,
        ticks=20000,
        config=None,
        false_alarms=0.0,
        detect=True,
        glass=(),  # solids that the LIDAR does not see
        carpets=(),  # boxes of floor
        kind_errors=0.15,  # share of floor told as of another kind
    ):
        self.config = config or RobotConfig()
        self.bounds, self.boxes = bounds, list(boxes)
        self.segments = np.concatenate([box(*bounds), *[box(*solid) for solid in boxes]])
        self.solid = np.concatenate([self.segments, *[box(*solid) for solid in glass]])
        self.discs = [
            Disc(*disc, number)
            for number, thing in enumerate(discs)
            for disc in (thing if isinstance(thing, list) else [thing])
        ]
        self.pose, self.start = start, start
        self.rng = np.random.default_rng(seed)
        self.noise_m, self.false_alarms, self.detects = noise_m, false_alarms, detect
        self.scales = 1 + wheel_error * self.rng.standard_normal(2)
        self.ticks = ticks
        self.tick = 0
        self.now_s = 0.0
        self.commands = []
        self.command, self.coming = DriveCommand(0, 0), DriveCommand(0, 0)
        self.angles = np.zeros(2)
        self.track, self.collisions, self.touching = [start], 0, False
        self.tool_was_on = []  # between a place of the track and the next
        self.carpets, self.kind_errors = list(carpets), kind_errors
        self.estimates = []

    # RobotIO

    def observations(self):
        for tick in range(self.ticks):
            self.tick, self.now_s = tick, tick * 0.1
            yield self.observe()
            self.move()

    def drive(self, command):
        self.commands.append(command)
        self.coming = command

    def observe(self):
        lidar = self.config.lidar
        bearings = -math.pi + 2 * math.pi / lidar.beams * np.arange(lidar.beams)
        ranges = cast(self.segments, self.pose.x_m, self.pose.y_m, self.pose.heading_rad, bearings)
        ranges = ranges + self.noise_m * self.rng.standard_normal(len(ranges))
        ranges[self.rng.random(len(ranges)) < lidar.dropout_ratio] = np.nan
        ranges[ranges > lidar.range_max_m] = np.inf
        scan = Scan(self.now_s, ranges, -math.pi, 2 * math.pi / lidar.beams, lidar.range_max_m, np.zeros(len(ranges)))
        return Observation(
            self.now_s, scan, None, WheelAngles(*self.angles), self.command.turn_radps, bumper_pressed=self.touching
        )

    def move(self):
        body = self.config.body
        for _ in range(5):
            command = self.command
            was = self.pose
            wheels = np.array(
                [
                    command.speed_mps - command.turn_radps * body.wheel_track_m / 2,
                    command.speed_mps + command.turn_radps * body.wheel_track_m / 2,
                ]
            )
            self.angles += wheels * 0.02 / body.wheel_radius_m
            true = wheels * self.scales
            moved = DriveCommand(true.mean(), (true[1] - true[0]) / body.wheel_track_m)
            self.pose = ahead(self.pose, moved, 0.02)
            near = self.nearest_wall_m()
            if near < body.radius_m:
                if not self.touching:
                    self.collisions += 1
                self.touching, self.pose = True, Pose2D(was.x_m, was.y_m, self.pose.heading_rad)
            elif near > body.radius_m + 0.005:
                self.touching = False
            for disc in self.discs:
                if math.hypot(disc.x_m - self.pose.x_m, disc.y_m - self.pose.y_m) < body.radius_m + disc.radius_m:
                    disc.hit = True
            self.track.append(self.pose)
            self.tool_was_on.append(command.tool_on)
            self.command = self.coming if _ == 1 else self.command  # the command takes effect within the tick

    def nearest_wall_m(self):
        return nearest_segment(self.solid, self.pose.x_m, self.pose.y_m)

    # a detector that sees the discs in the camera's cone

    def detect(self, observation):
        if not self.detects:
            return None
        contacts, radii = [], []
        for thing in sorted({disc.thing for disc in self.discs}):
            for contact, radius in self.pieces([disc for disc in self.discs if disc.thing == thing]):
                distance = np.hypot(*contact)
                spread = 0.004 * max(distance / 0.3, 1) ** 2
                if distance < 1.2 and self.rng.random() < (0.9 if distance < 0.8 else 0.6):
                    contacts.append(contact + spread * self.rng.standard_normal(2))
                    radii.append(radius)
        while self.rng.random() < self.false_alarms:
            contacts.append(np.array([self.rng.uniform(0.3, 1.2), self.rng.uniform(-0.3, 0.3)]))
            radii.append(0.05)
        count = len(radii)
        floor = self.floor_seen()
        return Detections(
            observation.stamp_s,
            np.array(contacts).reshape(count, 2),
            np.array(radii, float),
            np.full(count, 0.85),
            np.zeros(count, np.int64),
            np.zeros((count, 4)),
            floor,
            floor_kinds=self.kinds_of(floor) if self.carpets else None,
        )

    def kinds_of(self, floor):
        """(M,): carpet or hardwood, told wrong now and then."""
        x, y = self.pose.transform(floor).T
        soft = np.zeros(len(floor), bool)
        for x0, y0, x1, y1 in self.carpets:
            soft |= (x0 < x) & (x < x1) & (y0 < y) & (y < y1)
        soft ^= self.rng.random(len(floor)) < self.kind_errors
        return np.where(soft, FLOORS.index("carpet"), FLOORS.index("hardwood")).astype(np.uint8)

    def floor_seen(self):
        """(M, 2) in base_link: floor in the picture that no disc covers or hides (things are 5 cm high)."""
        camera = self.config.camera.pinhole()
        x, y = np.meshgrid(np.arange(0.26, 1.2, 0.02), np.arange(-0.7, 0.7, 0.02))
        points = np.stack([x.ravel(), y.ravel()], axis=1)
        pixels = camera.pixels_from_floor(points)
        points = points[(np.abs(pixels[:, 0] - 160) < 160) & (np.abs(pixels[:, 1] - 120) < 120)]
        camera_base = np.array([camera.x_m, 0.0])
        free = np.ones(len(points), dtype=bool)
        for disc in self.discs:
            centre = self.pose.inverse().transform(np.array([[disc.x_m, disc.y_m]]))[0] - camera_base
            away = points - camera_base
            reach = np.hypot(*away.T)
            along = away @ centre / reach
            aside = np.abs(away[:, 0] * centre[1] - away[:, 1] * centre[0]) / reach
            far_m = along + disc.radius_m + np.hypot(*centre) * 0.05 / (camera.z_m - 0.05)
            behind = (along > 0) & (reach > along) & (reach < far_m) & (aside < disc.radius_m)
            free &= ~behind & (np.hypot(*(away - centre).T) > disc.radius_m)
        return points[free]

    def pieces(self, discs, piece_m=0.05):
        """(contact, radius) of the visible near edge of one thing, piece by piece, as the network tells it."""
        camera = self.config.camera.pinhole()
        around = np.linspace(0, 2 * math.pi, 24, endpoint=False)
        ring = np.stack([np.cos(around), np.sin(around)], axis=1)
        edge = np.concatenate([(disc.x_m, disc.y_m) + disc.radius_m * ring for disc in discs])
        edge = self.pose.inverse().transform(edge)
        pixels = camera.pixels_from_floor(edge)
        seen = (edge[:, 0] > 0.2) & (np.abs(pixels[:, 0] - 160) < 160) & (np.abs(pixels[:, 1] - 120) < 120)
        edge = edge[seen]
        if not len(edge):
            return []
        bearing = np.round(np.arctan2(edge[:, 1], edge[:, 0] - camera.x_m) / math.radians(1.6))
        distance = np.hypot(edge[:, 0], edge[:, 1])
        near = [np.flatnonzero(bearing == one)[np.argmin(distance[bearing == one])] for one in np.unique(bearing)]
        left, out = edge[near], []
        while len(left):
            first = left[np.argmin(np.hypot(*left.T))]
            mine = np.hypot(*(left - first).T) <= piece_m + 0.02 * np.hypot(*first)
            side = (left[mine] - first) @ np.array([-first[1], first[0]]) / np.hypot(*first)
            out.append((first, (side.max() - side.min()) / 2 + 0.006))
            left = left[~mine]
        return out

    # scores

    def score(self):
        """coverage ratio, hits, collisions, length by DESIGN's measures, on 1 cm cells."""
        x0, y0, x1, y1 = self.bounds
        cell = 0.01
        geometry = GridGeometry.around(x0, y0, x1, y1, cell)
        xs = geometry.origin_x_m + (np.arange(geometry.cols) + 0.5) * cell
        ys = geometry.origin_y_m + (np.arange(geometry.rows) + 0.5) * cell
        free = (ys[:, None] > y0) & (ys[:, None] < y1) & (xs[None] > x0) & (xs[None] < x1)
        for solid in self.boxes:
            free &= ~(
                (ys[:, None] > solid[1]) & (ys[:, None] < solid[3]) & (xs[None] > solid[0]) & (xs[None] < solid[2])
            )
        for disc in self.discs:
            free &= np.hypot(ys[:, None] - disc.y_m, xs[None] - disc.x_m) > disc.radius_m
        clear = ndimage.distance_transform_edt(np.pad(free, 1))[1:-1, 1:-1] * cell
        reach, _ = ndimage.label(clear >= self.config.body.radius_m + 0.03)
        row, col = geometry.cells(np.array([[self.start.x_m, self.start.y_m]]))[0]
        reach = reach == reach[row, col] if reach[row, col] else reach > 0
        coverable = free & (ndimage.distance_transform_edt(~reach) * cell <= self.config.tool.width_m / 2)
        swept = np.zeros(geometry.shape, bool)
        bar = np.linspace(-self.config.tool.width_m / 2 + 0.003, self.config.tool.width_m / 2 - 0.003, 60)
        for a, b, tool_on in zip(self.track[:-1], self.track[1:], self.tool_was_on, strict=True):
            if not tool_on:
                continue
            for share in (0.0, 0.5):
                x = a.x_m + share * (b.x_m - a.x_m) - math.sin(a.heading_rad) * bar
                y = a.y_m + share * (b.y_m - a.y_m) + math.cos(a.heading_rad) * bar
                cells = geometry.cells(np.stack([x, y], axis=1))
                cells = cells[geometry.contains(cells)]
                swept[cells[:, 0], cells[:, 1]] = True
        swept = ndimage.binary_closing(swept, iterations=1) & free
        length = sum(a.distance_m(b) for a, b in zip(self.track[:-1], self.track[1:]))
        return {
            "coverage": float((swept & coverable).sum() / coverable.sum()),
            "collisions": self.collisions,
            "hits": len({disc.thing for disc in self.discs if disc.hit}),
            "length_m": length,
            "coverable_m2": float(coverable.sum() * cell**2),
            "duration_s": self.now_s,
            "swept": swept,
            "coverable": coverable,
            "free": free,
            "geometry": geometry,
        }


@njit(cache=True)
def cast(segments, x, y, heading, bearings):
    out = np.full(len(bearings), np.inf)
    for i in range(len(bearings)):
        dx, dy = np.cos(heading + bearings[i]), np.sin(heading + bearings[i])
        for k in range(len(segments)):
            ex, ey = segments[k, 2] - segments[k, 0], segments[k, 3] - segments[k, 1]
            den = dx * ey - dy * ex
            if abs(den) < 1e-12:
                continue
            px, py = segments[k, 0] - x, segments[k, 1] - y
            t = (px * ey - py * ex) / den
            u = (px * dy - py * dx) / den
            if t > 0 and 0 <= u <= 1 and t < out[i]:
                out[i] = t
    return out


@njit(cache=True)
def nearest_segment(segments, x, y):
    best = np.inf
    for k in range(len(segments)):
        ex, ey = segments[k, 2] - segments[k, 0], segments[k, 3] - segments[k, 1]
        t = ((x - segments[k, 0]) * ex + (y - segments[k, 1]) * ey) / (ex * ex + ey * ey)
        t = min(max(t, 0.0), 1.0)
        d = np.hypot(segments[k, 0] + t * ex - x, segments[k, 1] + t * ey - y)
        best = min(best, d)
    return best


class TrueStart:
    """A Localiser and StaticMap that know the truth (with a little noise): SLAM's stand-in for tests of the rest.

    Frame `map` is the world's. The map is drawn from the scans at the true poses.
    """

    def __init__(self, world, *, noise_m=0.004, noise_rad=0.002, cell_m=None, seed=1):
        self.world = world
        self.rng = np.random.default_rng(seed)
        self.noise_m, self.noise_rad = noise_m, noise_rad
        x0, y0, x1, y1 = world.bounds
        self._geometry = GridGeometry.around(
            x0 - 0.3, y0 - 0.3, x1 + 0.3, y1 + 0.3, cell_m or world.config.planner.cell_m
        )
        self.evidence = np.zeros(self._geometry.shape, np.float32)
        self._cells = np.full(self._geometry.shape, UNKNOWN, np.int8)
        self._changed = CellRect(0, 0, *self._geometry.shape)

    def update(self, observation):
        true = self.world.pose
        pose = Pose2D(
            true.x_m + self.noise_m * self.rng.standard_normal(),
            true.y_m + self.noise_m * self.rng.standard_normal(),
            true.heading_rad + self.noise_rad * self.rng.standard_normal(),
        )
        if observation.scan is not None:
            draw_scan(
                self.evidence,
                observation.scan.ranges_m,
                observation.scan.bearings_rad() + pose.heading_rad,
                (pose.x_m - self._geometry.origin_x_m) / self._geometry.cell_m,
                (pose.y_m - self._geometry.origin_y_m) / self._geometry.cell_m,
                self._geometry.cell_m,
            )
            self._cells[:] = np.where(self.evidence > 0.5, OCCUPIED, np.where(self.evidence < -0.5, FREE, UNKNOWN))
            self._changed = CellRect(0, 0, *self._geometry.shape)
        estimate = PoseEstimate(observation.stamp_s, pose, Tracking.TRACKING, 0, pose, 0)
        self.world.estimates.append(estimate)
        return estimate

    @property
    def geometry(self):
        return self._geometry

    @property
    def cells(self):
        return self._cells

    def take_changed(self):
        changed, self._changed = self._changed, CellRect(0, 0, 0, 0)
        return changed

    def keyframe_pose(self, keyframe):
        return Pose2D(0, 0, 0)


@njit(cache=True)
def draw_scan(evidence, ranges, angles, x, y, cell):
    rows, cols = evidence.shape
    for i in range(len(ranges)):
        r = ranges[i]
        if not np.isfinite(r):
            continue
        n = int(r / cell / 0.5)
        dx, dy = np.cos(angles[i]) * 0.5, np.sin(angles[i]) * 0.5
        hit_row, hit_col = (
            int(np.floor(y + np.sin(angles[i]) * r / cell)),
            int(np.floor(x + np.cos(angles[i]) * r / cell)),
        )
        last_row, last_col = -1, -1
        for k in range(n):
            row, col = int(np.floor(y + dy * k)), int(np.floor(x + dx * k))
            if row == hit_row and col == hit_col:
                break
            if (row != last_row or col != last_col) and 0 <= row < rows and 0 <= col < cols:
                evidence[row, col] = max(evidence[row, col] - 0.4, -4.0)
                last_row, last_col = row, col
        if 0 <= hit_row < rows and 0 <= hit_col < cols:
            evidence[hit_row, hit_col] = min(evidence[hit_row, hit_col] + 1.2, 6.0)
