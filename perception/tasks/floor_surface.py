"""Carpet, tiles or wood: one label a photo of the floor."""

from perception.frame_features import FRAME_FEATURES
from perception.tasks.task import Head, ImageInput, LabelSource, Task

SURFACES = ("carpet", "tiles", "wood")

FLOOR_SURFACE = Task(
    name="floor_surface",
    view="image",
    input=ImageInput(height_px=160, width_px=160),
    heads=(Head("label", len(SURFACES), "softmax", 1.0, SURFACES),),
    labels=LabelSource("label", ("truth", "human")),
    group_key="group",
    metrics=("accuracy", "f1"),
    drift_features=FRAME_FEATURES,
    width=1.0,
)
