"""How much of everything the full loop makes."""

from dataclasses import dataclass
from typing import Final

MINUTES_MIN: Final = 1.0
MINUTES_MAX: Final = 240.0


@dataclass(frozen=True, slots=True)
class LoopSettings:
    """How much of everything; the unseen room uses shapes and textures that training never draws from."""

    seed: int = 7
    rooms: int = 60
    frames: int = 50  # samples a room
    train_minutes: float = 1.0  # on base weights
    unseen_rooms: int = 1  # single room; the seed draws which
    small_objects: tuple[int, int] = (10, 12)

    @staticmethod
    def within(minutes: float, seed: int) -> "LoopSettings":
        """Sized for a machine with two cores; 7.5 rooms a minute, MINUTES_MIN to MINUTES_MAX."""
        share = min(max(minutes, MINUTES_MIN), MINUTES_MAX) / 8.0
        return LoopSettings(seed=seed, rooms=max(round(60 * share), 8), train_minutes=1.0 * share)
