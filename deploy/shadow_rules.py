"""Is the model in the shadow fit to take over: pure bounds on what live frames said of both models.

The new one may be better, so it need not agree everywhere; it must answer, in time, and must neither flood the floor
with things nor lose most of what the old one was sure of.
"""

from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from deploy.update_rules import Evidence
from perception.observation import Detections

MAX_DURATION_S: Final = 0.08
MAX_SLOW_S: Final = 1.0  # in slow frames, two or more: no need to wait for what they amount to
MAX_SLOW_RATIO: Final = 0.25  # of frames: other work may hold the processor now and then
MAX_MORE_PER_FRAME: Final = 4.0  # objects beyond the old model's, on average
SURE_SCORE: Final = 0.8
SAME_PLACE_M: Final = 0.15
MIN_KEPT_RATIO: Final = 0.5  # of what the old model was sure of
MIN_SURE: Final = 10  # before that ratio means anything
MIN_FRAMES: Final = 8  # before averages mean anything
NOTHING_SEEN: Final = Evidence()


@dataclass(frozen=True, slots=True)
class FramePair:
    """One frame through both; `old` is None where no model ran before."""

    old: Detections | None
    new: Detections | None
    new_duration_s: float
    new_fault: str | None


@dataclass(frozen=True, slots=True)
class ShadowRecord:
    """Sums over the frames seen."""

    frames: int = 0
    slow: int = 0
    slow_s: float = 0.0  # spent in them
    more: int = 0  # objects beyond the old model's, summed; negative when fewer
    sure: int = 0
    kept: int = 0
    evidence: Evidence = NOTHING_SEEN


def judged(record: ShadowRecord, pair: FramePair) -> ShadowRecord:
    """The record with one frame more; its evidence complains as soon as a bound is broken and never recovers."""
    if record.evidence.complaint is not None:
        return record
    if pair.new is None:
        return replace(record, evidence=Evidence(record.evidence.good_ticks, pair.new_fault or "gives no answer"))
    sure, kept = _sure_and_kept(pair.old, pair.new)
    slow = pair.new_duration_s > MAX_DURATION_S
    old_count = 0 if pair.old is None else len(pair.old.scores)
    summed = replace(
        record,
        frames=record.frames + 1,
        slow=record.slow + slow,
        slow_s=record.slow_s + (pair.new_duration_s if slow else 0.0),
        more=record.more + len(pair.new.scores) - old_count,
        sure=record.sure + sure,
        kept=record.kept + kept,
    )
    complaint = _complaint(summed)
    return replace(summed, evidence=Evidence(record.evidence.good_ticks + (complaint is None), complaint))


def _complaint(record: ShadowRecord) -> str | None:
    if record.slow >= 2 and record.slow_s > MAX_SLOW_S:
        return f"{record.slow} of {record.frames} frames took {record.slow_s / record.slow * 1e3:.0f} ms each"
    if record.frames < MIN_FRAMES:
        return None
    if record.slow > MAX_SLOW_RATIO * record.frames:
        return f"{record.slow} of {record.frames} frames took longer than {MAX_DURATION_S * 1e3:.0f} ms"
    if record.more > MAX_MORE_PER_FRAME * record.frames:
        return f"sees {record.more / record.frames:.1f} objects a frame more than before, limit {MAX_MORE_PER_FRAME:g}"
    if record.sure >= MIN_SURE and record.kept < MIN_KEPT_RATIO * record.sure:
        return f"misses {record.sure - record.kept} of {record.sure} objects that the model before was sure of"
    return None


def _sure_and_kept(old: Detections | None, new: Detections) -> tuple[int, int]:
    """(objects the old model is sure of, those of them that the new one sees too)."""
    if old is None:
        return 0, 0
    places = old.contacts_base_m[old.scores >= SURE_SCORE]  # (S, 2)
    if len(places) == 0 or len(new.contacts_base_m) == 0:
        return len(places), 0
    gaps_m = np.linalg.norm(places[:, None] - new.contacts_base_m[None], axis=2)  # (S, K)
    return len(places), int((gaps_m.min(axis=1) <= SAME_PLACE_M).sum())
