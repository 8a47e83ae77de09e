#!/usr/bin/env python3
"""SLAM's figures: public logs against their reference relations, perturbed runs, simulated flats, kidnaps, cost, peers.

    python benchmarks/slam.py [--parts logs perturbed flats kidnap growth peers] [--out out/slam]

Logs are found through OXTURN_REFERENCE_DATA (default ../shared/data); parts that lack their data or package are
skipped, saying so. kiss-icp and small_gicp run in this interpreter when they are installed in
it, with the wheels' step as their first guess. One configuration throughout: SlamSettings' defaults. Prints one table
a part; rows that miss their bar are marked.
"""

import argparse
import os
import sys
import time
from pathlib import Path

import numpy as np
from flat_drives import Drive, draw_flat

from foundation.geometry import IDENTITY, Pose2D, wrap_angle
from foundation.robot_config import RobotConfig
from foundation.settled_memory import settled_memory
from navigation.background import SteppedBackground
from navigation.carmen_log import LogScan, read_log
from navigation.log_replay import Replay, replay
from navigation.map_picture import png
from navigation.pose_estimate import Tracking
from navigation.reference_relations import relation_errors
from navigation.slam import Slam, SlamSettings, warm_up

DATA = Path(os.environ.get("OXTURN_REFERENCE_DATA", "../shared/data")) / "lidar_logs"
BARS = {"intel": (0.020, 0.30), "fr079": (0.042, 0.46)}  # final trajectory: m, degrees
CONFIG = RobotConfig()


def say(what: str, value: str, bar: str, good: bool) -> None:
    print(f"{what:<44} {value:<34} {bar:<26} {'ok' if good else 'MISSED'}", flush=True)


def perturbed(scans, *, seed, scale=1.0, turn_scale=1.0, skip=0.0, noise_m=0.0, dropout=0.0):
    """The log with odometry steps scaled, scans left out, noise and dropouts added."""
    rng = np.random.default_rng(seed)
    odom = last = None
    for scan in scans:
        step = IDENTITY if last is None else last.inverse() @ scan.odom_from_laser
        step = Pose2D(scale * step.x_m, scale * step.y_m, turn_scale * step.heading_rad)
        last, odom = scan.odom_from_laser, scan.odom_from_laser if odom is None else odom @ step
        if rng.random() < skip:
            continue
        ranges = scan.ranges_m + (rng.normal(0, noise_m, len(scan.ranges_m)) if noise_m else 0.0)
        ranges = np.where(rng.random(len(ranges)) < dropout, np.inf, ranges)
        yield LogScan(scan.stamp_s, ranges, scan.first_bearing_rad, scan.step_rad, scan.range_max_m, odom)


def run(name: str, range_max_m=80.0, **change) -> Replay:
    scans = read_log(DATA / f"{name}.clf.gz")
    with settled_memory():
        return replay(perturbed(scans, **change) if change else scans, SlamSettings(), range_max_m=range_max_m)


def logs() -> None:
    for name, (bar_m, bar_deg) in BARS.items():
        relations = DATA / f"{name}.relations"
        done = run(name)
        metres, degrees = relation_errors(done.stamps_s, done.final, relations)
        value = f"{metres.mean():.4f} m {degrees.mean():.3f} deg"
        say(f"{name} final", value, f"<= {bar_m} / {bar_deg}", metres.mean() <= bar_m and degrees.mean() <= bar_deg)
        say(f"{name} worst relation", f"{metres.max():.3f} m", "<= .5", metres.max() <= 0.5)
        metres, degrees = relation_errors(done.stamps_s, done.online, relations, 10)
        value = f"{metres.mean():.4f} m {degrees.mean():.3f} deg"
        say(f"{name} online, under 10 s", value, "<= .05 m", metres.mean() <= 0.05)
        p50, p99 = np.percentile(done.match_ms, [50, 99])
        say(f"{name} scan match", f"p50 {p50:.3f} p99 {p99:.3f} ms", "p99 <= 1 ms", p99 <= 1)
        value = f"p99 {np.percentile(done.update_ms, 99):.2f} max {done.update_ms.max():.1f} ms"
        say(f"{name} whole update", value, "max <= 20 ms", done.update_ms.max() <= 20)
        done = run(name, 8.0, seed=1, noise_m=0.01, dropout=0.02)
        metres, degrees = relation_errors(done.stamps_s, done.final, relations)
        value = f"{metres.mean():.4f} m {degrees.mean():.3f} deg"
        say(f"{name} range 8 m, 10 mm noise, 2 % dropouts", value, "<= .05 m", metres.mean() <= 0.05)


def perturbed_runs(count: int) -> None:
    for name in BARS:
        for seed in range(count):
            scale, turn_scale = np.random.default_rng(seed).choice([0.95, 1.05], 2)
            done = run(name, seed=seed, scale=scale, turn_scale=turn_scale, skip=0.1)
            metres, _ = relation_errors(done.stamps_s, done.final, DATA / f"{name}.relations")
            value = f"mean {metres.mean():.4f} worst {metres.max():.3f} m"
            say(f"{name} perturbed {seed}: {scale:.2f} {turn_scale:.2f}", value, "worst <= .5", metres.max() <= 0.5)


def new_slam(**more) -> Slam:
    body = CONFIG.body
    return Slam(
        SlamSettings(),
        laser=IDENTITY,
        wheel_radius_m=body.wheel_radius_m,
        wheel_track_m=body.wheel_track_m,
        background=SteppedBackground(3),
        **more,
    )


def off(found: Pose2D, true: Pose2D) -> tuple[float, float]:
    return found.distance_m(true), abs(wrap_angle(found.heading_rad - true.heading_rad))


def mapped(seed: int, seconds: float):
    """(flat, slam, true poses (N, 3), published poses (N, 3), tick times (N,) in s) of one drive through a flat."""
    flat = draw_flat(seed, CONFIG)
    drive, slam = Drive(flat, CONFIG, seed, flat.start), new_slam(start=flat.start)
    true_rows, rows, took = [], [], []
    for true, observation in drive.ticks(seconds):
        started = time.perf_counter()
        found = slam.update(observation).map_from_base
        took.append(time.perf_counter() - started)
        true_rows.append((true.x_m, true.y_m, true.heading_rad))
        rows.append((found.x_m, found.y_m, found.heading_rad))
    return flat, slam, np.array(true_rows), np.array(rows), np.array(took)


def fitted(true, found) -> tuple[float, float]:
    """95 % position (m) and heading (degrees) error after the best rigid fit."""
    middle, centre = true[:, :2].mean(axis=0), found[:, :2].mean(axis=0)
    cross = (found[:, :2] - centre).T @ (true[:, :2] - middle)
    turn = np.arctan2(cross[0, 1] - cross[1, 0], cross[0, 0] + cross[1, 1])
    rotation = np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
    metres = np.linalg.norm((found[:, :2] - centre) @ rotation + middle - true[:, :2], axis=1)
    headings = np.abs((found[:, 2] + turn - true[:, 2] + np.pi) % (2 * np.pi) - np.pi)
    return float(np.percentile(metres, 95)), float(np.degrees(np.percentile(headings, 95)))


def flats(count: int) -> None:
    worst_m = worst_deg = 0.0
    for seed in range(7000, 7000 + count):
        flat, _, true, found, took = mapped(seed, 180.0)
        metres, degrees = fitted(true, found)
        worst_m, worst_deg = max(worst_m, metres), max(worst_deg, degrees)
        start_aligned = np.percentile(np.linalg.norm(true[:, :2] - found[:, :2], axis=1), 95)
        value = f"p95 {100 * metres:.2f} cm {degrees:.2f} deg ({1e3 * took.mean():.2f} ms)"
        area = f"reach {flat.reach.sum() * flat.geometry.cell_m**2:.0f} m2"
        good = metres <= 0.03 and degrees <= 0.6
        say(f"flat {seed}, {area}, start-aligned {100 * start_aligned:.1f} cm", value, "3 cm / .6 deg", good)
    say(f"{count} flats, worst", f"p95 {100 * worst_m:.2f} cm {worst_deg:.2f} deg", "3 cm / .6 deg", worst_m <= 0.03)


def kidnaps(count: int) -> None:
    """Half are put down somewhere in the saved map, half are carried off while they track."""
    right = wrong = lost = 0
    for seed in range(7100, 7100 + max(1, count // 10)):
        flat, slam, *_ = mapped(seed, 240.0)
        saved = slam.snapshot()
        for k in range(10):
            drive = Drive(flat, CONFIG, 1000 * seed + k)
            robot = new_slam(saved=saved, start=None if k % 2 else drive.pose)
            if k % 2 == 0:
                for _, observation in drive.ticks(2.0):
                    robot.update(observation)
                drive.pose = drive.anywhere()
            confident_wrong = False
            for pose, observation in drive.ticks(5.0):
                estimate = robot.update(observation)
                metres, radians = off(estimate.map_from_base, pose)
                tracking = estimate.tracking is Tracking.TRACKING
                confident_wrong |= tracking and (metres > 0.3 or radians > 0.3)
            good = tracking and metres < 0.1 and radians < 0.1
            right, wrong, lost = right + good, wrong + confident_wrong, lost + (not good and not confident_wrong)
        print(f"flat {seed}: so far {right} right, {wrong} confidently wrong, {lost} lost", flush=True)
    total = right + wrong + lost
    say(f"{total} kidnaps, right within 5 s of driving", str(right), f">= {0.9 * total:.0f}", right >= 0.9 * total)
    say(f"{total} kidnaps, a confident wrong pose", str(wrong), "0", wrong == 0)
    say(f"{total} kidnaps, still lost", str(lost), "", True)


def growth(out: Path) -> None:
    """Time of whole replays of the first quarter, half, ... of a log: should grow as the log does."""
    scans = list(read_log(DATA / "intel.clf.gz"))
    spent = []
    for share in (0.25, 0.5, 0.75, 1.0):
        count = int(share * len(scans))
        started = time.process_time()
        done = replay(scans[:count], SlamSettings(), range_max_m=80.0)
        spent.append((count, time.process_time() - started))
        keyframes = len(done.slam.snapshot().keyframes)
        each_ms = f"{1e3 * spent[-1][1] / count:.2f} ms a scan, {1e3 * spent[-1][1] / keyframes:.2f} a keyframe"
        print(f"intel, first {count:>6} scans, {keyframes} keyframes: {spent[-1][1]:6.1f} s processor, {each_ms}")
    out.mkdir(parents=True, exist_ok=True)
    (out / "growth.png").write_bytes(png(bar_chart([seconds for _, seconds in spent])))
    ratio = (spent[-1][1] / spent[-1][0]) / (spent[0][1] / spent[0][0])
    say("cost per scan, whole log / first quarter", f"{ratio:.2f}", "about 1", ratio < 1.5)


def bar_chart(values: list[float]) -> np.ndarray:
    """(H, W, 3): one bar a value beside the line of exact proportion to the last one."""
    height, width = 240, 90 * len(values) + 30
    image = np.full((height, width, 3), 255, dtype=np.uint8)
    scale = (height - 20) / max(values)
    for k, value in enumerate(values):
        left = 30 + 90 * k
        image[height - int(scale * value) :, left : left + 60] = (30, 110, 220)
        linear = height - int(scale * values[-1] * (k + 1) / len(values))
        image[linear : linear + 2, left - 10 : left + 70] = (225, 60, 30)
    return image


def peers() -> None:
    """Odometry of others on the same scans: relations under 10 s."""
    for name in BARS:
        scans = list(read_log(DATA / f"{name}.clf.gz"))
        for peer, make in (("kiss-icp", kiss_icp), ("small_gicp", small_gicp)):
            try:
                step = make()
            except ImportError:
                print(f"{name}: {peer} is not installed, skipped")
                continue
            poses, took, last = [], [], scans[0].odom_from_laser
            for scan in scans:
                moved, last = last.inverse() @ scan.odom_from_laser, scan.odom_from_laser
                bearings = scan.first_bearing_rad + scan.step_rad * np.arange(len(scan.ranges_m))
                good = (scan.ranges_m > 0.05) & (scan.ranges_m < 40.0)
                ranges, bearings = scan.ranges_m[good], bearings[good]
                points = np.stack([ranges * np.cos(bearings), ranges * np.sin(bearings), 0 * ranges], axis=1)
                started = time.perf_counter()
                pose = step(points, matrix(moved))
                took.append(1e3 * (time.perf_counter() - started))
                poses.append((pose[0, 3], pose[1, 3], np.arctan2(pose[1, 0], pose[0, 0])))
            stamps = np.array([scan.stamp_s for scan in scans])
            metres, degrees = relation_errors(stamps, np.array(poses), DATA / f"{name}.relations", 10)
            p50, p99 = np.percentile(took, [50, 99])
            print(f"{name} {peer:<12} {metres.mean():.4f} m {degrees.mean():.3f} deg, p50 {p50:.2f} p99 {p99:.2f} ms")


def matrix(pose: Pose2D) -> np.ndarray:
    """(4, 4): the pose as the peers take it."""
    cos, sin = np.cos(pose.heading_rad), np.sin(pose.heading_rad)
    return np.array([[cos, -sin, 0, pose.x_m], [sin, cos, 0, pose.y_m], [0, 0, 1, 0], [0, 0, 0, 1.0]])


def kiss_icp():
    from kiss_icp.config import KISSConfig
    from kiss_icp.kiss_icp import KissICP

    config = KISSConfig()
    config.data.max_range, config.data.min_range, config.data.deskew = 40.0, 0.05, False
    config.mapping.voxel_size = 0.1
    odometry = KissICP(config)

    def step(points, guess):
        odometry.last_delta = guess
        odometry.register_frame(points, np.zeros(len(points)))
        return odometry.last_pose

    return step


def small_gicp():
    import small_gicp as library

    state = {"pose": np.eye(4), "target": None}

    def step(points, guess):
        cloud, tree = library.preprocess_points(points, 0.05)
        if state["target"] is not None:
            target, target_tree = state["target"]
            result = library.align(target, cloud, target_tree, init_T_target_source=guess)
            state["pose"] = state["pose"] @ result.T_target_source
        state["target"] = (cloud, tree)
        return state["pose"]

    return step


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    every = ("logs", "perturbed", "flats", "kidnap", "growth", "peers")
    parser.add_argument("--parts", nargs="*", choices=every, default=every)
    parser.add_argument("--runs", type=int, default=10, help="perturbed runs a log")
    parser.add_argument("--flats", type=int, default=20)
    parser.add_argument("--kidnaps", type=int, default=100)
    parser.add_argument("--out", type=Path, default=Path("out/slam"))
    arguments = parser.parse_args()
    sys.setswitchinterval(0.001)
    warm_up(SlamSettings())
    needs_logs = {"logs", "perturbed", "growth", "peers"}
    for part in arguments.parts:
        if part in needs_logs and not DATA.exists():
            print(f"{part}: no logs in {DATA}, skipped")
            continue
        print(f"-- {part}")
        {
            "logs": logs,
            "perturbed": lambda: perturbed_runs(arguments.runs),
            "flats": lambda: flats(arguments.flats),
            "kidnap": lambda: kidnaps(arguments.kidnaps),
            "growth": lambda: growth(arguments.out),
            "peers": peers,
        }[part]()
    return 0


if __name__ == "__main__":
    sys.exit(main())
