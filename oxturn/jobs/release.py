"""From a registered bundle to robots that run it: what `dags/release_dag.py` calls.

Keys and inventory are paths on the machine that signs; only the bundle lies in the lake.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from foundation.atomic_files import write_json
from foundation.errors import OxturnError
from oxturn.lake import local_copy, produce


class ReleaseError(OxturnError):
    """A roll-out that halted."""


def sign(bundle: str, lake: str, keys: str, repository: str) -> dict[str, Any]:
    """The bundle as the repository's newest release; once for a bundle. `{"version", "sha256"}`."""
    from deploy import signing

    def work(folder: Path) -> None:
        with local_copy(bundle) as source:
            report = signing.publish(source / "bundle", Path(keys), Path(repository))
        write_json(folder / "release.json", {"version": report.version, "sha256": report.target_sha256})

    with local_copy(produce(f"{lake}/releases/{_name(bundle)}", [bundle, repository], work)) as folder:
        held: dict[str, Any] = json.loads((folder / "release.json").read_text())
    return held


def roll_out(signed: Mapping[str, Any], repository: str, inventory: str) -> dict[str, Any]:
    """The newest release to every robot of the inventory, wave by wave; what it came to.

    Raises ReleaseError when it halted: a wave did worse than its threshold allows. Doing it again goes on where the
    journal beside the repository ends.
    """
    from deploy import fleet

    journal = Path(repository) / f"rollout-{signed['version']}.json"
    report = fleet.roll_out(Path(repository), fleet.read_inventory(Path(inventory)), journal)
    if report.result == "halted":
        raise ReleaseError(f"version {signed['version']}: {report.reason}; {report.installed} robots run it")
    return asdict(report)


def _name(uri: str) -> str:
    """A folder name of its own for each model's place in the lake."""
    return "-".join(uri.rstrip("/").rsplit("/", 2)[1:])
