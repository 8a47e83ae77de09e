"""Carpet, tiles or wood: one label a photo of the floor.

Chosen by folds of the training part of real photos (`benchmarks/floor_surface.py folds`), never by validation: the
trunk that learnt simulated floors knows what real ones are made of ten times sooner than a random one; a floor has
no upright but has its colours; eight looks at a photo are worth a point and a half; half the resolution costs two.
"""

from perception.frame_features import FRAME_FEATURES
from perception.tasks.task import Augmentation, Head, ImageInput, LabelSource, Schedule, Task

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
    looks=8,
    augmentation=Augmentation(zoom=(0.8, 1.25), quarter_turns=True, hues=False),
    schedule=Schedule(steps=1500, batch=32, learning_rate=3e-3, weight_decay=0.02),
    trunk_of="obstacles",
)
