"""The verbs of `deploy`; heavy imports stay inside them."""

import dataclasses
import json
import sys
from enum import Enum
from pathlib import Path
from typing import Annotated, Any

import typer

from deploy.robot_toml import ROBOT_TOML, config_here

ota = typer.Typer(
    help="Models and the robot's software over the air: keys, publish, push, status, rollback.", no_args_is_help=True
)

pi = typer.Typer(help="A Raspberry Pi: set it up, calibrate it, test it.", no_args_is_help=True)
robot = typer.Typer(help="Driving by hand.", no_args_is_help=True)

Keys = Annotated[Path, typer.Option("--keys", help="Folder of the publisher's keys.")]
Repo = Annotated[Path, typer.Option("--repo", help="Folder of the signed repository.")]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]
Home = Annotated[Path | None, typer.Option("--home", help="This machine is the robot: its update folder.")]
Host = Annotated[str | None, typer.Option("--host", help="Robot as [user@]host[:port].")]
HostKey = Annotated[str | None, typer.Option("--host-key", help="Its public host key line, or a file with it.")]
Software = Annotated[bool, typer.Option("--software", help="The robot's program instead of its model.")]
OwnConfig = Annotated[Path | None, typer.Option("--config", help=f"robot.toml; {ROBOT_TOML} where there is one.")]
KeyFile = Annotated[Path | None, typer.Option("--key-file", help="Private ed25519 key; else the SSH agent is asked.")]


def register(app: typer.Typer) -> None:
    """Adds this folder's verbs to the `oxturn` command."""
    app.add_typer(ota, name="ota")
    app.add_typer(pi, name="pi")
    app.add_typer(robot, name="robot")


@ota.command("keys")
def make_keys(
    keys: Keys,
    rotate: Annotated[
        list[str] | None, typer.Option(help="Role with a new key: targets, snapshot, timestamp, root.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Make the publisher's keys, or rotate them; the root passphrase comes from OXTURN_ROOT_PASSPHRASE."""
    from deploy import signing

    if rotate:
        _show({"root": signing.rotate(keys, rotate)}, as_json, "new root: {root}; publish, then push")
        return
    report = signing.create_keys(keys)
    _show(report, as_json, "first root: {first_root}\nroot passphrase (kept nowhere, write it down): {root_passphrase}")


@ota.command()
def publish(
    keys: Keys,
    repo: Repo,
    bundle: Annotated[Path | None, typer.Argument(help="Folder of a bundle.")] = None,
    software: Annotated[Path | None, typer.Option("--software", help="Folder of wheels: the robot's program.")] = None,
    python: Annotated[str, typer.Option(help="The robots' Python, as in wheels' tags.")] = "cp311",
    processor: Annotated[str, typer.Option(help="The robots' processor, as `uname -m` says it.")] = "aarch64",
    glibc: Annotated[str, typer.Option(help="The robots' C library; 2.36 is Debian 12's.")] = "2.36",
    as_json: Json = False,
) -> None:
    """Sign a bundle, or with --software a folder of wheels, as the repository's newest version."""
    from deploy import signing
    from deploy.wheel_set import machine_of

    if bundle is not None and software is None:
        report = signing.publish(bundle, keys, repo)
    elif software is not None and bundle is None:
        report = signing.publish_software(software, keys, repo, machine_of(python, processor, glibc))
    else:
        raise typer.BadParameter("say one of BUNDLE and --software WHEELS_DIR")
    _show(
        report,
        as_json,
        "{kind} version {version}, {size_bytes} bytes, valid until {expires}",
    )


@ota.command()
def push(
    repo: Repo,
    host: Host = None,
    host_key: HostKey = None,
    key_file: KeyFile = None,
    software: Software = False,
    limit_kbps: Annotated[float | None, typer.Option(min=1, help="Bandwidth limit, kilobytes a second.")] = None,
    as_json: Json = False,
) -> None:
    """Send the newest version to a robot, which verifies, installs, checks and confirms it or goes back."""
    import functools

    from deploy.push import push as push_to
    from deploy.transport import connected
    from foundation import progress

    line = functools.partial(connected, rate_limit_bytes_per_s=None if limit_kbps is None else limit_kbps * 1e3)
    report = push_to(
        repo,
        _address(host, host_key, key_file),
        kind="software" if software else "model",
        progress=progress.silent if as_json else progress.bars,
        connect=line,
    )
    _show(
        report,
        as_json,
        "{robot}: {result}: {message} ({how}, {archive_bytes} + {metadata_bytes} bytes, {duration_s:.1f} s)",
    )
    if not report.taken:
        raise typer.Exit(1)


@ota.command()
def status(
    home: Home = None, host: Host = None, host_key: HostKey = None, key_file: KeyFile = None, as_json: Json = False
) -> None:
    """What runs on a robot, and how its last update and rollback ended."""
    from deploy.update_errors import UpdateFailed

    answer = _ask("status", home, host, host_key, key_file)
    if answer.get("result") == "failed":
        if as_json:
            _show(answer, as_json, "")
        raise UpdateFailed(f"the robot cannot tell its status: {answer['message']}")
    _show(
        answer,
        as_json,
        "{active}: version {installed_version}, trial {on_trial}; "
        "software {software[active]}: version {software[installed_version]}, trial {software[on_trial]}",
    )
    if answer.get("trouble"):  # an older robot does not know the word
        print(f"oxturn: {answer['trouble']}", file=sys.stderr)


@ota.command()
def rollback(
    home: Home = None,
    host: Host = None,
    host_key: HostKey = None,
    key_file: KeyFile = None,
    software: Software = False,
    as_json: Json = False,
) -> None:
    """Back to the model, or with --software to the program, before this one."""
    answer = _ask("rollback-software" if software else "rollback", home, host, host_key, key_file)
    _show(answer, as_json, "{result}: {message}")
    if answer["result"] == "failed":
        raise typer.Exit(1)


@ota.command()
def rollout(
    inventory: Annotated[Path, typer.Option("--inventory", help="TOML file of robots, canaries first.")],
    journal: Annotated[Path, typer.Option("--journal", help="JSON file that survives a crash; one a roll-out.")],
    repo: Annotated[
        Path | None, typer.Option("--repo", help="Folder of the signed repository; starts or goes on.")
    ] = None,
    wish: Annotated[str | None, typer.Option("--wish", help="run, pause or abort: for one that is under way.")] = None,
    software: Software = False,
    as_json: Json = False,
) -> None:
    """Send the newest version to a fleet: canary, waves, halt when robots do not take it."""
    from deploy import fleet
    from foundation import progress

    robots = fleet.read_inventory(inventory)
    if wish is not None:
        _show({"wish": fleet.write_wish(journal, fleet.parse_wish(wish))}, as_json, "wish: {wish}")
        return
    if repo is None:
        raise typer.BadParameter("say --repo to roll out, or --wish to steer one that is under way")
    shown = progress.silent if as_json else progress.bars
    with shown("roll-out", total=len(robots), unit="robots") as advance:
        report = fleet.roll_out(
            repo,
            robots,
            journal,
            kind="software" if software else "model",
            on_robot=lambda robot, outcome: advance(1),
        )
    _show(report, as_json, "{result}: {installed} installed, {reached} reached. {reason}")
    if report.result in ("halted", "aborted"):
        raise typer.Exit(1)


@pi.command()
def setup(
    host: Annotated[str, typer.Argument(help="The Pi as [user@]host[:port]; this user may use sudo there.")],
    wheel: Annotated[Path, typer.Option("--wheel", help="The program: `pip wheel --no-deps -w dist .` makes it.")],
    first_root: Annotated[Path, typer.Option("--first-root", help="KEYS/root_metadata/1.root.json")],
    push_key: Annotated[Path, typer.Option("--push-key", help="Public key file of whoever may push.")],
    config: Annotated[Path | None, typer.Option("--config", help="robot.toml; the defaults without one.")] = None,
    host_key: HostKey = None,
    key_file: KeyFile = None,
    check: Annotated[bool, typer.Option("--check", help="Only say what is missing.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Make a Pi a robot; run it again at any time, it does what is missing."""
    from deploy.pi_commands import set_up_pi, setup_files
    from deploy.pi_setup import plan

    steps = plan(setup_files(wheel, first_root, push_key, config))
    if not check and not yes:
        print("\n".join(f"  {step.title}" for step in steps))
        typer.confirm(f"{len(steps)} steps on {host}, each only if it is missing. Go on?", abort=True)
    needed = set_up_pi(
        _address(host, host_key, key_file),
        steps,
        check_only=check,
        say=lambda title, state: print(f"{state:12} {title}"),
    )
    print(f"{needed} of {len(steps)} steps {'are missing' if check else 'were done now'}")
    if check and needed:
        raise typer.Exit(1)


@pi.command()
def selftest(
    config: OwnConfig = None,
    out: Annotated[Path, typer.Option(help="The acceptance report.")] = Path("acceptance.md"),
) -> None:
    """On the Pi: drive a small course (a metre of free floor), check every sensor and timing."""
    from deploy.pi_commands import run_selftest

    passed, report = run_selftest(_own(config), out)
    print(report)
    if not passed:
        raise typer.Exit(1)


@pi.command()
def software_check(
    home: Annotated[Path, typer.Argument(help="The robot's folder.")],
    config: Annotated[Path, typer.Option(help="robot.toml")] = ROBOT_TOML,
) -> None:
    """Asked of new software before it is used: does it import, read this robot's folder and settings, run its model."""
    from deploy.software_check import examine

    sys.stdout.write(json.dumps(dataclasses.asdict(examine(home, config))) + "\n")


@pi.command()
def calibrate(config: OwnConfig = None) -> None:
    """On the Pi, facing a wall 1 to 2 m away: measure wheel size and track; prints lines for robot.toml."""
    from deploy.pi_commands import run_calibration

    for line in run_calibration(_own(config)):
        print(line)


@robot.command()
def teleop(config: OwnConfig = None) -> None:
    """Drive by keyboard, through the safety limiter."""
    from deploy.pi_commands import run_teleop
    from deploy.teleop import HELP

    print(HELP)
    run_teleop(_own(config))


def _own(config: Path | None) -> Path | None:
    """The configuration of the robot whose devices are about to be used; says which."""
    used = config_here(config)
    typer.echo(f"configuration: {used or f'the reference robot, for there is no {ROBOT_TOML}'}", err=True)
    return used


def _address(host: str | None, host_key: str | None, key_file: Path | None) -> Any:
    from deploy.transport import RobotAddress

    if host is None:
        raise typer.BadParameter("say which robot: --host [user@]host[:port]")
    user, _, place = host.rpartition("@")
    name, _, port = place.partition(":")
    if port and not port.isdigit():
        raise typer.BadParameter(f"--host {host!r}: port {port!r} is not a number")
    if host_key is not None and Path(host_key).is_file():
        host_key = Path(host_key).read_text().strip()
    return RobotAddress(name, int(port or 22), user or "oxturn", host_key, key_file)


def _ask(verb: str, home: Path | None, host: str | None, host_key: str | None, key_file: Path | None) -> dict[str, Any]:
    if home is not None:
        from deploy.robot_shell import answer

        return answer(verb, home)
    from deploy.push import ask

    return ask(_address(host, host_key, key_file), verb)


def _show(value: Any, as_json: bool, line: str) -> None:
    fields = (
        dataclasses.asdict(value) if dataclasses.is_dataclass(value) and not isinstance(value, type) else dict(value)
    )
    if as_json:
        sys.stdout.write(json.dumps(fields, default=_plain) + "\n")
    else:
        print(line.format(**fields))


def _plain(value: Any) -> Any:
    return value.value if isinstance(value, Enum) else str(value)
