"""Imports everything that the robot uses, and says which machine it is."""

import importlib
import platform
import sys
import time

MODULES = (
    *("numpy", "scipy", "numba", "cv2", "onnxruntime", "tuf", "cryptography", "zstandard", "paramiko", "serial"),
    *(
        "gpiozero",
        "mcap",
        "foxglove",
        "prometheus_client",
        "deploy.robotd",
        "deploy.robot_shell",
        "deploy.golden_frames",
    ),
)


def main() -> None:
    began_s = time.monotonic()
    versions = [f"{name} {getattr(importlib.import_module(name), '__version__', '')}".strip() for name in MODULES]
    took_s = time.monotonic() - began_s
    sys.stdout.write(
        f"{platform.machine()}, Python {platform.python_version()}, {took_s:.0f} s: {', '.join(versions)}\n"
    )


if __name__ == "__main__":
    main()
