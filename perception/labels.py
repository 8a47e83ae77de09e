"""The words for what the camera sees, and their numbers in segmentation images. Shared by simulator, training, robot.

Segmentation images are uint8 (H, W) of these numbers. New names go at the end of a block: numbers already written into
data never change their meaning.
"""

from typing import Final

VOID: Final = 0  # above the walls, inside things, not labelled
WALL: Final = 1
FURNITURE: Final = 2  # also doors, curtains and whatever else the LIDAR sees standing
DOCK: Final = 3
MOVING: Final = 4  # person, pet
ROBOT: Final = 5

FLOORS: Final = ("hardwood", "tile", "carpet", "rug", "concrete")
FIRST_FLOOR: Final = 10

# Lower than the LIDAR plane. `other` is an unknown thing: still a thing.
SMALL_OBJECTS: Final = (
    "cable",
    "sock",
    "shoe",
    "toy",
    "bowl",
    "pet_waste",
    "book",
    "power_strip",
    "cup",
    "paper",
    "bottle",
    "other",
)
FIRST_SMALL_OBJECT: Final = 32


def floor_number(name: str) -> int:
    """Segmentation number of a floor type; ValueError names the known ones."""
    return FIRST_FLOOR + _index(name, FLOORS)


def small_object_number(name: str) -> int:
    """Segmentation number of a small object's class; ValueError names the known ones."""
    return FIRST_SMALL_OBJECT + _index(name, SMALL_OBJECTS)


def _index(name: str, known: tuple[str, ...]) -> int:
    if name not in known:
        raise ValueError(f"{name!r} is none of {', '.join(known)}")
    return known.index(name)
