"""What this machine has and lacks, each with the command that mends it. Looks only; changes nothing."""

import ctypes.util
import importlib.metadata
import os
import platform
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

State = Literal["ok", "missing", "absent"]  # absent: everything runs without it, something is better with it


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked for."""

    what: str
    state: State
    detail: str
    mend: str = ""

    def to_json(self) -> dict[str, Any]:
        return {"what": self.what, "state": self.state, "detail": self.detail, "mend": self.mend}


EXTRAS = {
    "robot": ("onnxruntime", "opencv-python-headless", "prometheus-client", "mcap", "tuf", "numba"),
    "sim": ("mujoco", "pyarrow"),
    "train": ("torch", "onnx", "mlflow", "scikit-learn", "matplotlib", "pandera"),
    "ota": ("paramiko", "tuf", "cryptography", "zstandard"),
    "airflow": ("apache-airflow",),
}
NEEDED_EXTRAS = ("robot", "sim", "train", "ota")
FREE_SPACE_BYTES = 4 * 2**30


def examine() -> list[Finding]:
    """Everything `oxturn doctor` prints, in its order."""
    looks: tuple[Callable[[], Finding], ...] = (memory, free_space, gl, openssh, webots, prometheus, serial_ports)
    return [python(), *(extra(name) for name in EXTRAS), *(look() for look in looks)]


def python() -> Finding:
    told = f"{platform.python_version()}, {platform.machine()}, {os.cpu_count()} cores"
    return Finding("Python", "ok", told)  # an older one cannot have installed this


def extra(name: str) -> Finding:
    versions, lacking = [], []
    for package in EXTRAS[name]:
        try:
            versions.append(f"{package} {importlib.metadata.version(package)}")
        except importlib.metadata.PackageNotFoundError:
            lacking.append(package)
    if lacking:
        state: State = "missing" if name in NEEDED_EXTRAS else "absent"
        mend = f"pip install -c requirements.lock -e '.[{name}]'"
        return Finding(f"extra {name}", state, f"lacks {', '.join(lacking)}", mend)
    return Finding(f"extra {name}", "ok", ", ".join(versions))


def memory() -> Finding:
    total_gib = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 2**30
    if total_gib < 3:
        return Finding("memory", "missing", f"{total_gib:.1f} GiB, training wants 3", "use a machine with more memory")
    return Finding("memory", "ok", f"{total_gib:.1f} GiB")


def free_space() -> Finding:
    free = shutil.disk_usage(Path.cwd()).free
    if free < FREE_SPACE_BYTES:
        return Finding("disk", "missing", f"{free / 2**30:.1f} GiB free here, the demo wants 4", "make space")
    return Finding("disk", "ok", f"{free / 2**30:.0f} GiB free here")


def gl() -> Finding:
    if ctypes.util.find_library("EGL") is None:
        mend = "sudo apt-get install libegl1 libegl-mesa0 libgl1-mesa-dri"
        return Finding("GL for rendering", "absent", "no libEGL: rooms are drawn by the slower renderer", mend)
    return Finding("GL for rendering", "ok", "EGL")


def openssh() -> Finding:
    found = shutil.which("sshd", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
    if found is None:
        return Finding("OpenSSH server", "absent", "demo uses its own SSH end", "sudo apt-get install openssh-server")
    return Finding("OpenSSH server", "ok", found)


def webots() -> Finding:
    home = os.environ.get("WEBOTS_HOME", "/usr/local/webots")
    if not Path(home, "lib", "controller", "python").is_dir():
        return Finding("Webots", "absent", "controllers run on the MuJoCo stand-in", "see docs/webots.md")
    return Finding("Webots", "ok", home)


def prometheus() -> Finding:
    if shutil.which("promtool") is None:
        return Finding("Prometheus", "absent", "alert rules are not tested here", "sudo apt-get install prometheus")
    return Finding("Prometheus", "ok", str(shutil.which("prometheus") or shutil.which("promtool")))


def serial_ports() -> Finding:
    ports = sorted([*Path("/dev").glob("ttyUSB*"), *Path("/dev").glob("ttyAMA*"), *Path("/dev").glob("ttyACM*")])
    if not ports:
        return Finding("serial ports", "absent", "none: no LIDAR or motor board here", "only a robot needs one")
    return Finding("serial ports", "ok", ", ".join(str(port) for port in ports))
