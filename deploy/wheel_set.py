"""The robot's software as data: a set of wheels for one Python on one kind of machine, and the manifest of them.

In: wheels by file name. Out: the manifest that `publish` signs with them, or the checked set that a robot installs.
Pure. Raises WheelsError for a source distribution, a foreign file, a wheel for another Python or machine, a missing
`oxturn`, a second version of one package, or bytes that are not the listed ones.
"""

import hashlib
import io
import json
import re
import zipfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final

from deploy.update_errors import WheelsError

MANIFEST: Final = "software.json"
PACKAGE: Final = "oxturn"
FORMAT: Final = 1
_SDIST: Final = (".tar.gz", ".tar.bz2", ".tar.xz", ".zip", ".tar")
_PART: Final = r"[A-Za-z0-9][A-Za-z0-9_.!+]*"
_WHEEL: Final = re.compile(
    rf"(?P<name>{_PART})-(?P<version>{_PART})(-(?P<build>\d[A-Za-z0-9_.]*))?"
    rf"-(?P<python>{_PART})-(?P<abi>{_PART})-(?P<platform>{_PART})\.whl"
)
_MANYLINUX: Final = re.compile(r"manylinux_(\d+)_(\d+)_(\w+)")
_OLD_MANYLINUX: Final = {
    "manylinux1": "manylinux_2_5",
    "manylinux2010": "manylinux_2_12",
    "manylinux2014": "manylinux_2_17",
}


@dataclass(frozen=True, slots=True)
class Machine:
    """What wheels are for: `python` as in their tags (`cp311`), the processor, and the C library it has."""

    python: str
    processor: str
    glibc: tuple[int, int]


REFERENCE: Final = Machine("cp311", "aarch64", (2, 36))  # Raspberry Pi OS on Debian 12


@dataclass(frozen=True, slots=True)
class WheelSet:
    """What `software.json` says; `installed_bytes` is what the wheels unpack to."""

    version: str
    python: str
    processor: str
    glibc: tuple[int, int]
    wheels: dict[str, str]  # file name -> sha256
    installed_bytes: int


def machine_of(python: str, processor: str, glibc: str) -> Machine:
    """As a person types it. Raises WheelsError."""
    if re.fullmatch(r"cp3\d+", python) is None or re.fullmatch(r"\d+\.\d+", glibc) is None:
        raise WheelsError(f"{python} with glibc {glibc}: wanted as cp311 and 2.36")
    major, minor = glibc.split(".")
    return Machine(python, processor, (int(major), int(minor)))


def manifest_of(files: Mapping[str, bytes], machine: Machine) -> bytes:
    """The manifest of these wheels, for robots like `machine`."""
    named = {name: _read_name(name) for name in sorted(files)}
    _check_packages(named)
    glibc = max((_fits(name, match, machine) for name, match in named.items()), default=(0, 0))
    version = next(match["version"] for match in named.values() if _package(match) == PACKAGE)
    wheels = {name: hashlib.sha256(files[name]).hexdigest() for name in named}
    found = WheelSet(
        version,
        machine.python,
        machine.processor,
        glibc,
        wheels,
        sum(_unpacked_bytes(name, files[name]) for name in named),
    )
    return json.dumps({"format": FORMAT, **asdict(found)}, indent=1, sort_keys=True).encode() + b"\n"


def checked(files: Mapping[str, bytes], machine: Machine) -> WheelSet:
    """The set in an unpacked archive, for this machine: exactly the listed wheels, byte for byte."""
    found = _parse(files.get(MANIFEST))
    if (found.python, found.processor) != (machine.python, machine.processor):
        theirs, ours = f"{found.python} on {found.processor}", f"{machine.python} on {machine.processor}"
        raise WheelsError(f"the wheels are for {theirs}, this robot has {ours}")
    if found.glibc > machine.glibc:
        raise WheelsError(f"the wheels need glibc {_dotted(found.glibc)}, this robot has {_dotted(machine.glibc)}")
    wheels = {name: data for name, data in files.items() if name != MANIFEST}
    if set(wheels) != set(found.wheels):
        odd = sorted(set(wheels) ^ set(found.wheels))[0]
        raise WheelsError(f"{odd} is {'not listed' if odd in wheels else 'listed but missing'}")
    for name, data in wheels.items():
        if hashlib.sha256(data).hexdigest() != found.wheels[name]:
            raise WheelsError(f"{name} is not the listed wheel: its sha256 differs")
    named = {name: _read_name(name) for name in wheels}
    _check_packages(named)
    for name, match in named.items():
        _fits(name, match, machine)
    return found


def _parse(data: bytes | None) -> WheelSet:
    if data is None:
        raise WheelsError(f"no {MANIFEST}: this is no software of `oxturn ota publish --software`")
    try:
        value: Any = json.loads(data)
        if value["format"] != FORMAT:
            raise WheelsError(f"{MANIFEST} has format {value['format']}, this robot reads {FORMAT}")
        major, minor = value["glibc"]
        return WheelSet(
            str(value["version"]),
            str(value["python"]),
            str(value["processor"]),
            (int(major), int(minor)),
            {str(name): str(digest) for name, digest in value["wheels"].items()},
            int(value["installed_bytes"]),
        )
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise WheelsError(f"{MANIFEST} cannot be read: {error}") from error


def _read_name(name: str) -> re.Match[str]:
    if name.endswith(_SDIST):
        raise WheelsError(f"{name} is a source distribution; a robot builds nothing: make a wheel of it")
    match = _WHEEL.fullmatch(name)
    if match is None:
        raise WheelsError(f"{name} is no wheel; the folder holds wheels alone")
    return match


def _check_packages(named: Mapping[str, re.Match[str]]) -> None:
    by_package: dict[str, str] = {}
    for name, match in named.items():
        other = by_package.setdefault(_package(match), name)
        if other != name:
            raise WheelsError(f"{other} and {name} are the same package")
    if PACKAGE not in by_package:
        raise WheelsError(f"no wheel of {PACKAGE} itself; `pip wheel --no-deps -w DIR .` makes it")


def _package(match: re.Match[str]) -> str:
    return re.sub(r"[-_.]+", "-", match["name"]).lower()


def _fits(name: str, match: re.Match[str], machine: Machine) -> tuple[int, int]:
    """The C library that the wheel needs; (0, 0) for none."""
    if not any(_is_for_python(python, match["abi"], machine.python) for python in match["python"].split(".")):
        raise WheelsError(f"{name} is for another Python than {machine.python}")
    needed = [_glibc(platform, machine.processor) for platform in match["platform"].split(".")]
    fitting = [glibc for glibc in needed if glibc is not None and glibc <= machine.glibc]
    if not fitting:
        raise WheelsError(f"{name} is for another machine than {machine.processor} with glibc {_dotted(machine.glibc)}")
    return min(fitting)


def _is_for_python(python: str, abis: str, wanted: str) -> bool:
    major, minor = wanted[2], int(wanted[3:])
    abi = abis.split(".")
    if python in (f"py{major}", f"py{major}{minor}", wanted):
        return "none" in abi or "abi3" in abi or wanted in abi
    older = re.fullmatch(rf"(cp|py){major}(\d+)", python)
    if older is None or int(older[2]) > minor:
        return False
    return "abi3" in abi if older[1] == "cp" else "none" in abi


def _glibc(platform: str, processor: str) -> tuple[int, int] | None:
    """The C library a platform tag asks for; None where it is for another machine."""
    if platform == "any" or platform == f"linux_{processor}":
        return 0, 0
    for old, new in _OLD_MANYLINUX.items():
        platform = platform.replace(f"{old}_", f"{new}_")
    match = _MANYLINUX.fullmatch(platform)
    return (int(match[1]), int(match[2])) if match is not None and match[3] == processor else None


def _unpacked_bytes(name: str, data: bytes) -> int:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as wheel:
            return sum(member.file_size for member in wheel.infolist())
    except zipfile.BadZipFile as error:
        raise WheelsError(f"{name} cannot be opened: {error}") from error


def _dotted(glibc: tuple[int, int]) -> str:
    return f"{glibc[0]}.{glibc[1]}"
