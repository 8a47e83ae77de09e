"""From drift on robots to new data: what `dags/drift_retrain_dag.py` calls."""

import hashlib
import json
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path
from typing import Any, Final

from foundation.atomic_files import write_json
from foundation.errors import OxturnError
from oxturn.lake import LakeError, fetch, fingerprint, listed, produce

ALARMS: Final = "increase(oxturn_drift_alarms_total[{window}]) > 0"
TIMEOUT_S: Final = 10.0


class FeedbackError(OxturnError):
    """Prometheus does not answer, or answers something else."""


def drifted(prometheus: str, window: str) -> list[dict[str, str]]:
    """Which feature drifted on which robot in the last `window` (Prometheus duration): `{"robot", "feature"}`."""
    body = urllib.parse.urlencode({"query": ALARMS.format(window=window)}).encode()
    try:
        with urllib.request.urlopen(f"{prometheus}/api/v1/query", body, timeout=TIMEOUT_S) as response:
            return _robots(json.load(response))
    except (urllib.error.URLError, TimeoutError, ConnectionError) as error:
        raise FeedbackError(f"{prometheus} does not answer: {error}") from error
    except (ValueError, KeyError, TypeError) as error:
        raise FeedbackError(f"{prometheus} is no Prometheus: {error!r}") from error


def _robots(answer: Any) -> list[dict[str, str]]:
    found = [
        {"robot": str(sample["metric"].get("instance", "")), "feature": str(sample["metric"]["feature"])}
        for sample in answer["data"]["result"]
    ]
    return sorted(found, key=lambda item: (item["robot"], item["feature"]))


def collect(feedback: str, lake: str, partition: str) -> str:
    """The frames that robots kept (monitoring.feedback) as one result, with an index for whoever labels them.

    Its place is named after what it holds, so that no later collection takes its place, nor labels laid beside it:
    robots delete what they kept.
    A frame whose description is missing or torn was cut off while being written or copied; it stays where it is.
    """
    described = {uri.removesuffix(".json"): uri for uri in listed(feedback, ".json")}
    pairs = [
        (uri, described[stem]) for uri in listed(feedback, ".jpg") if (stem := uri.removesuffix(".jpg")) in described
    ]
    if not pairs:
        raise LakeError(f"{feedback}: holds no frames with descriptions")

    def work(folder: Path) -> None:
        index = []
        for frame, description in pairs:
            name = frame.rpartition("/")[2]
            told = folder / "told.json"
            fetch(description, told)
            try:
                reason = json.loads(told.read_bytes())["reason"]
            except (ValueError, KeyError, TypeError):
                continue
            fetch(frame, folder / name)
            told.rename(folder / f"{Path(name).stem}.json")
            index.append({"frame": name, "reason": reason})
        (folder / "told.json").unlink(missing_ok=True)
        write_json(folder / "index.json", index)

    inputs = [f"{name} {fingerprint(uri)}" for pair in pairs for uri in pair for name in [uri.rpartition("/")[2]]]
    held = hashlib.sha256("\n".join(inputs).encode()).hexdigest()[:12]
    return produce(f"{lake}/{partition}/feedback/{held}", inputs, work)


def capture(lake: str, partition: str, rooms: int, frames: int, seed: int) -> str:
    """New simulated rooms: the URI of a sample folder that data_cleaning_dag can take over."""
    from foundation.progress import silent
    from simulation import dataset_writer

    def work(folder: Path) -> None:
        dataset_writer.capture(rooms, frames, seed, folder / "samples", workers=1, progress=silent)

    uri = produce(f"{lake}/{partition}/captures", [f"rooms {rooms}", f"frames {frames}", f"seed {seed}"], work)
    return f"{uri}/samples"
