"""MuJoCo, told before its import to draw without a display. Everything in this folder takes `mujoco` from here."""

import os

os.environ.setdefault("MUJOCO_GL", "egl")
import mujoco

__all__ = ["mujoco"]
