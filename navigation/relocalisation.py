"""Finds a lost robot in a known map, and says nothing until it is sure.

One look compares the present scan with the whole map: branch and bound in tiles of place and heading, each hit refined
and checked against free floor and walls. Looks repeat while the robot drives. A place is believed when it was seen
again from several poses along the way, odometry between, and no other place explains all of those looks about as well:
two rooms alike keep the robot lost until it has seen what tells them apart.
"""

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from foundation.geometry import FloatArray, Pose2D, wrap_angle
from navigation.branch_and_bound import Window, pyramid, search
from navigation.grid_geometry import GridGeometry
from navigation.keyframes import Snapshot, surfaces
from navigation.local_map import LocalMap, MapShape, build_local_map
from navigation.map_agreement import agreement
from navigation.scan_matcher import MatchSettings, refine
from navigation.scan_points import ScanPoints


@dataclass(frozen=True, slots=True)
class RelocalisationSettings:
    """How sure is sure."""

    tile_m: float = 1.0
    tile_turns: int = 4  # tiles of heading
    step_rad: float = 0.035
    search_points: int = 100
    min_score: float = 0.45  # of the lattice search
    min_agreement: float = 0.70  # of a place worth remembering
    sure_agreement: float = 0.90  # of a place to believe
    looks: int = 3  # from different poses
    look_apart_m: float = 0.12
    look_apart_rad: float = 0.30
    same_m: float = 0.25  # two finds nearer than this are one place
    same_rad: float = 0.20
    rival_margin: float = 0.12  # another place must explain the looks so much worse
    keep: int = 24  # places remembered
    forget: float = 0.6  # a place not seen again loses this share of its say in every look


@dataclass(frozen=True, slots=True)
class Sighting:
    """A place that explains one scan: quality 0..1 is likelihood times agreement."""

    map_from_base: Pose2D
    quality: float
    agreement: float


@dataclass(frozen=True, slots=True)
class Look:
    """All places that explain one scan, and where odometry had the robot then."""

    odom_from_base: Pose2D
    sightings: list[Sighting]


@dataclass(slots=True)
class _Place:
    """A hypothesis: where the robot would be now, and how the looks spoke for it."""

    map_from_base: Pose2D
    qualities: list[float]
    agreements: list[float]
    last: Pose2D  # odom_from_base of the last look that counted


class KnownGround:
    """The whole map as one surface to search on; prepared by the first look, as that takes a while."""

    def __init__(self, snapshot: Snapshot, cells: NDArray[np.int8], geometry: GridGeometry) -> None:
        self._snapshot = snapshot
        self._prepared: tuple[LocalMap, NDArray[np.uint8]] | None = None
        self.places = snapshot.poses[:, :2]  # (K, 2)
        self.cells, self.geometry = cells, geometry

    def prepared(self, shape: MapShape) -> tuple[LocalMap, NDArray[np.uint8]]:
        """The surface in map, and its bounds for the search."""
        if self._prepared is None:
            everything = range(len(self._snapshot.keyframes))
            poses = {k: Pose2D(*(float(value) for value in self._snapshot.poses[k])) for k in everything}
            poses[-1] = Pose2D(0.0, 0.0, 0.0)  # told from the map's origin
            points, origins = surfaces(self._snapshot.keyframes, poses, -1, everything)
            surface = build_local_map(points, origins, replace(shape, reach_m=math.inf))
            self._prepared = surface, pyramid(surface)
        return self._prepared


def look(
    ground: KnownGround,
    scan: ScanPoints,
    odom_from_base: Pose2D,
    settings: RelocalisationSettings,
    matching: MatchSettings,
    shape: MapShape,
) -> Look:
    """Compares one scan with every tile of the map that the robot has been near."""
    surface, levels = ground.prepared(shape)
    points = scan.points_base
    few = np.ascontiguousarray(points[:: max(1, len(points) // settings.search_points)])
    found: list[Sighting] = []
    half_turn = math.pi / settings.tile_turns
    for x_m, y_m in _tiles(ground.places, settings.tile_m):
        for k in range(settings.tile_turns):
            guess = Pose2D(x_m, y_m, wrap_angle(2 * half_turn * k))
            window = Window(0.5 * settings.tile_m, half_turn, settings.step_rad)
            coarse = search(few, surface, levels, guess, window, settings.min_score)
            if coarse is None:
                continue
            start = np.array([coarse.x_m, coarse.y_m, coarse.heading_rad])
            match = refine(points, surface, start, coarse, np.eye(3), matching)
            told = agreement(match.anchor_from_base, points, scan.origins_base, ground.cells, ground.geometry)
            if told.ratio >= settings.min_agreement:
                pose = match.anchor_from_base
                pose = Pose2D(pose.x_m, pose.y_m, wrap_angle(pose.heading_rad))
                _add(found, Sighting(pose, match.score * told.ratio, told.ratio), settings)
    return Look(odom_from_base, found)


def _tiles(places: FloatArray, tile_m: float) -> list[tuple[float, float]]:
    """Centres of the tiles that hold a place (K, 2), or lie beside one that does."""
    base = np.unique(np.floor(places / tile_m).astype(np.int64), axis=0)
    around = np.array([(dx, dy) for dx in (-1, 0, 1) for dy in (-1, 0, 1)])
    tiles = np.unique((base[:, None] + around).reshape(-1, 2), axis=0)
    return [((float(x) + 0.5) * tile_m, (float(y) + 0.5) * tile_m) for x, y in tiles]


def _add(found: list[Sighting], new: Sighting, settings: RelocalisationSettings) -> None:
    """Tiles overlap: of two finds of one place the better stays."""
    for k, other in enumerate(found):
        if _same(other.map_from_base, new.map_from_base, settings):
            if new.quality > other.quality:
                found[k] = new
            return
    found.append(new)


def _same(a: Pose2D, b: Pose2D, settings: RelocalisationSettings) -> bool:
    return a.distance_m(b) < settings.same_m and abs(wrap_angle(a.heading_rad - b.heading_rad)) < settings.same_rad


class Relocaliser:
    """Weighs the looks; forget it once the robot knows where it is."""

    def __init__(self, settings: RelocalisationSettings) -> None:
        self._settings = settings
        self._places: list[_Place] = []
        self._last: Pose2D | None = None

    def consider(self, seen: Look) -> Pose2D | None:
        """map_from_odom once one place stands alone; None while the robot is still lost."""
        settings = self._settings
        moved = Pose2D(0, 0, 0) if self._last is None else self._last.inverse() @ seen.odom_from_base
        apart = (
            math.hypot(moved.x_m, moved.y_m) >= settings.look_apart_m
            or abs(moved.heading_rad) >= settings.look_apart_rad
        )
        if self._last is not None and not apart:
            return None
        self._last = seen.odom_from_base
        for place in self._places:
            place.map_from_base = place.map_from_base @ place.last.inverse() @ seen.odom_from_base
            place.last = seen.odom_from_base
        self._weigh(seen)
        best = max(self._places, key=lambda place: sum(place.qualities), default=None)
        if best is None or not self._alone(best):
            return None
        return best.map_from_base @ seen.odom_from_base.inverse()

    def _weigh(self, seen: Look) -> None:
        settings = self._settings
        fresh = list(seen.sightings)
        for place in self._places:
            near = [s for s in fresh if _same(s.map_from_base, place.map_from_base, settings)]
            if near:
                best = max(near, key=lambda s: s.quality)
                fresh.remove(best)
                place.map_from_base = best.map_from_base
                place.qualities.append(best.quality)
                place.agreements.append(best.agreement)
            else:
                place.qualities = [quality * (1 - settings.forget) for quality in place.qualities] + [0.0]
                place.agreements.append(0.0)
        self._places += [_Place(s.map_from_base, [s.quality], [s.agreement], seen.odom_from_base) for s in fresh]
        self._places.sort(key=lambda place: -float(np.mean(place.qualities[-settings.looks :])))
        del self._places[settings.keep :]

    def _alone(self, best: _Place) -> bool:
        settings = self._settings
        recent = best.qualities[-settings.looks :]
        if len(recent) < settings.looks or min(recent) <= 0.0:
            return False
        mine = float(np.mean(recent))
        if mine < settings.min_score or np.mean(best.agreements[-settings.looks :]) < settings.sure_agreement:
            return False
        for other in self._places:
            if other is best or _same(other.map_from_base, best.map_from_base, settings):
                continue
            theirs = other.qualities[-settings.looks :]
            if sum(theirs) / settings.looks > mine - settings.rival_margin:
                return False
        return True
