"""Tells when the mean of a stream has moved: CUSUM against a known mean, ADWIN against the stream's own past.

Pure, a number at a time, memory that does not grow (CUSUM) or grows with the logarithm of the stream (ADWIN).
`benchmarks/change_detectors.py` prints their delays and false alarms.
"""

import math
from collections import deque
from typing import Final


class Cusum:
    """Two-sided CUSUM of standardised values (Page, 1954): alarms once one side's sum passes `limit`.

    `slack` is what is tolerated for ever, in standard deviations; beyond it, each value adds its excess to the sum, so
    a shift of s is noticed after about limit / (s - slack) values. Values count as at most `clip`: one wild value is
    no drift.
    """

    def __init__(self, slack: float, limit: float, clip: float = 6.0) -> None:
        self._slack = slack
        self._limit = limit
        self._clip = clip
        self._high = 0.0
        self._low = 0.0

    @property
    def score(self) -> float:
        """0 is quiet, 1 is an alarm."""
        return max(self._high, self._low) / self._limit

    def update(self, value: float) -> bool:
        """True when this value raises the alarm; the sums then begin anew. NaN tells nothing and counts as nothing."""
        if math.isnan(value):
            return False
        value = min(max(value, -self._clip), self._clip)
        self._high = max(0.0, self._high + value - self._slack)
        self._low = max(0.0, self._low - value - self._slack)
        if self.score < 1:
            return False
        self._high = self._low = 0.0
        return True


BUCKETS_A_ROW: Final = 5
CHECK_EVERY: Final = 16
SIDE_MIN: Final = 5


class Adwin:
    """Adaptive window (Bifet and Gavalda, 2007): the newest values whose mean can be taken for one.

    Alarms when some cut of the window leaves two means further apart than chance allows at confidence `delta`; the
    older part is then forgotten. Buckets of row r sum 2^r values, so the window costs a logarithm of its length.
    """

    def __init__(self, delta: float) -> None:
        self._delta = delta
        self._rows: list[deque[tuple[float, float]]] = [deque()]  # (sum, sum of squared deviations), newest last
        self._count = 0
        self._sum = 0.0
        self._spread = 0.0
        self._seen = 0

    def __len__(self) -> int:
        """Values in the window."""
        return self._count

    @property
    def mean(self) -> float:
        return self._sum / self._count if self._count else 0.0

    def update(self, value: float) -> bool:
        """True when this value showed that the mean has moved. NaN tells nothing and counts as nothing."""
        if math.isnan(value):
            return False
        self._insert(value)
        self._seen += 1
        if self._seen % CHECK_EVERY or self._count < 2 * SIDE_MIN:
            return False
        changed = False
        while self._cut():
            changed = True
        return changed

    def _insert(self, value: float) -> None:
        if self._count:
            self._spread += self._count * (value - self.mean) ** 2 / (self._count + 1)
        self._count += 1
        self._sum += value
        self._rows[0].append((value, 0.0))
        for r, row in enumerate(self._rows):
            if len(row) <= BUCKETS_A_ROW:
                break
            if r + 1 == len(self._rows):
                self._rows.append(deque())
            size = 1 << r
            (sum_a, spread_a), (sum_b, spread_b) = row.popleft(), row.popleft()
            between = (sum_a - sum_b) ** 2 / (2 * size)
            self._rows[r + 1].append((sum_a + sum_b, spread_a + spread_b + between))

    def _cut(self) -> bool:
        """Forgets the oldest bucket when some cut of the window shows two means."""
        old_count, old_sum = 0, 0.0
        variance = self._spread / self._count
        confidence = math.log(2 * math.log(max(self._count, 3)) / self._delta)
        for r in range(len(self._rows) - 1, -1, -1):
            for bucket_sum, _ in self._rows[r]:
                old_count += 1 << r
                old_sum += bucket_sum
                new_count = self._count - old_count
                if old_count < SIDE_MIN:
                    continue
                if new_count < SIDE_MIN:
                    return False
                weight = 1 / old_count + 1 / new_count
                allowed = math.sqrt(2 * weight * variance * confidence) + 2 / 3 * weight * confidence
                if abs(old_sum / old_count - (self._sum - old_sum) / new_count) > allowed:
                    self._forget_oldest()
                    return True
        return False

    def _forget_oldest(self) -> None:
        size = 1 << (len(self._rows) - 1)
        bucket_sum, bucket_spread = self._rows[-1].popleft()
        left = self._count - size
        if left:
            mean_left = (self._sum - bucket_sum) / left
            between = size * left * (bucket_sum / size - mean_left) ** 2 / self._count
            self._spread = max(self._spread - bucket_spread - between, 0.0)
        self._count = left
        self._sum -= bucket_sum
        while len(self._rows) > 1 and not self._rows[-1]:
            self._rows.pop()
