"""Makes `import controller` find the stand-in, only where no Webots runs: a real Webots always wins."""

import importlib.util
import os
import sys
from pathlib import Path

HERE = Path(__file__).parent


def use_standin() -> bool:
    """Adds this folder to the path unless `controller` is already there; says whether the stand-in is in use."""
    spec = importlib.util.find_spec("controller")
    if spec is None and os.environ.get("WEBOTS_HOME"):
        sys.path.append(str(Path(os.environ["WEBOTS_HOME"], "lib", "controller", "python")))
        spec = importlib.util.find_spec("controller")
    if spec is None:
        sys.path.append(str(HERE))
        spec = importlib.util.find_spec("controller")
    return spec is not None and spec.origin is not None and Path(spec.origin).parent.parent == HERE
