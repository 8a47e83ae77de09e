"""The robot's own task: small things on the floor that the LIDAR cannot see, and what the floor is made of.

Answers on a grid of stride 8. `mask` says where small objects are seen at all: dense, so learnt soon, and a floor's
pattern seldom passes for one. A cell is a thing where the contour on which an object meets the floor runs through it;
a thin flat object (a cable) is a contour everywhere. So an object is a row of cells, each with its own point of
contact: what a map needs.
"""

from perception.frame_features import FRAME_FEATURES
from perception.labels import FLOORS, SMALL_OBJECTS
from perception.tasks.task import Head, ImageInput, LabelSource, Task

STRIDE_PX = 8
NOT_FLOOR = len(FLOORS)

# Channels of `box`, in cells: column and row inside the cell (0..1) where the object is seen to end, width of that line
# in the cell (0..1), log(1 + height of the object above it), and how far below the row the floor under the object's
# nearest point would be seen: round things overhang, so their contact is nearer than the line where they seem to end.
BOX_CHANNELS = ("column", "row", "width", "log_height", "drop")

OBSTACLES = Task(
    name="obstacles",
    view="grid",
    input=ImageInput(height_px=240, width_px=320, standardised=True),
    heads=(
        Head("thing", 1, "focal", 1.0, ("thing",)),
        Head("mask", 1, "focal", 0.5, ("mask",)),
        Head("kind", len(SMALL_OBJECTS), "softmax", 0.1, SMALL_OBJECTS),
        Head("box", len(BOX_CHANNELS), "smooth_l1", 0.5),
        Head("floor", len(FLOORS) + 1, "softmax", 0.3, (*FLOORS, "not_floor")),
    ),
    labels=LabelSource("instances", ("simulator", "human")),
    group_key="group",
    metrics=("recall_by_distance", "false_alarms_per_100", "contact_error_m", "floor_accuracy"),
    drift_features=FRAME_FEATURES,
)
