"""From a registered bundle to robots that run it: what `dags/release_dag.py` calls.

Keys and inventory are paths on the machine that signs; only the bundle lies in the lake.
"""

from pathlib import Path
from typing import Any

from foundation.atomic_files import write_json
from oxturn.lake import local_copy, produce


def sign(bundle: str, lake: str, keys: str, repository: str) -> dict[str, Any]:
    """The bundle as the repository's newest release; once for a bundle. `{"version", "sha256"}`."""
    import json

    from deploy import signing

    def work(folder: Path) -> None:
        with local_copy(bundle) as source:
            report = signing.publish(source / "bundle", Path(keys), Path(repository))
        write_json(folder / "release.json", {"version": report.version, "sha256": report.target_sha256})

    with local_copy(produce(f"{lake}/releases/{_name(bundle)}", [bundle, repository], work)) as folder:
        held: dict[str, Any] = json.loads((folder / "release.json").read_text())
    return held


def _name(uri: str) -> str:
    """A folder name of its own for each model's place in the lake."""
    return "-".join(uri.rstrip("/").rsplit("/", 2)[1:])
