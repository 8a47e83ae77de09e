"""How much of everything the full loop makes."""

from dataclasses import dataclass


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
        """Sized for a machine with two cores."""
        share = min(max(minutes, 1.0), 60.0) / 8.0
        return LoopSettings(seed=seed, rooms=max(round(60 * share), 8), train_minutes=1.0 * share)
