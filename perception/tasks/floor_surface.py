"""Carpet, tiles or wood: one label a photo of the floor.

Chosen by folds of the training part of real photos (`benchmarks/floor_surface.py folds`), never by validation. After
600 steps a trunk that learnt simulated floors is right in 94 of 100 photos and a random one in 78; blended photos cost
one or two in so short a training; eight looks at a photo are worth about two, and 128 pixels instead of 160 cost two.
A floor has no upright, but it has its colours.
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
