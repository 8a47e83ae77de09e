"""Prints what the robot extra needs, for pip, from pyproject.toml, and the test tools."""

import sys
import tomllib
from pathlib import Path

TEST_TOOLS = ("pytest", "pytest-timeout", "hypothesis")


def main() -> None:
    project = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text())["project"]
    extras, wanted, seen = project["optional-dependencies"], ["robot", "ota"], set()
    lines = [*project["dependencies"], *TEST_TOOLS]
    while wanted:
        extra = wanted.pop()
        if extra in seen:
            continue
        seen.add(extra)
        for line in extras[extra]:
            if line.startswith("oxturn["):
                wanted += line.removeprefix("oxturn[").rstrip("]").split(",")
            else:
                lines.append(line)
    sys.stdout.write("\n".join(dict.fromkeys(lines)) + "\n")


if __name__ == "__main__":
    main()
