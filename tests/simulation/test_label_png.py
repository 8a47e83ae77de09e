"""Label images survive their PNG exactly, whoever reads it."""

import cv2
import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from simulation.label_png import label_png

SHAPES = hnp.array_shapes(min_dims=2, max_dims=2, min_side=1, max_side=40)


@given(st.sampled_from([np.uint8, np.uint16]).flatmap(lambda kind: hnp.arrays(kind, SHAPES)))
def test_any_label_image_comes_back_as_it_was(image):
    read = cv2.imdecode(np.frombuffer(label_png(image), np.uint8), cv2.IMREAD_UNCHANGED)

    assert read.dtype == image.dtype
    assert np.array_equal(read, image)


def test_patches_cost_few_bytes():
    image = np.zeros((240, 320), np.uint16)
    image[100:140, 50:120] = 3

    assert len(label_png(image)) < 900
