"""Before anything imports mujoco: draw without a display."""

import os

os.environ.setdefault("MUJOCO_GL", "egl")
