"""What colour and texture alone can tell: a random forest on hand-made features, beside every trained label model.

In: labelled arrays, of which only the training part is fitted. Out: probabilities (N, K) of the held-out inputs. Rows
of sensor values go to the forest as they are. Never on the robot: scikit-learn is training's.
"""

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from foundation.geometry import FloatArray
from perception.labelled_arrays import LabelledArrays

SIDE_PX: Final = 96  # images are looked at in this size
TREES: Final = 200
HUES, LEVELS, TURNS = 12, 8, 8
_AROUND: Final = ((-1, -1), (-1, 0), (-1, 1), (0, 1), (1, 1), (1, 0), (1, -1), (0, -1))


def probabilities(train: LabelledArrays, held_out: LabelledArrays, classes: int, *, seed: int = 0) -> FloatArray:
    """(N, classes) for the held-out inputs; equal seeds give equal answers. A class never seen in training gets 0."""
    from sklearn.ensemble import RandomForestClassifier

    forest = RandomForestClassifier(n_estimators=TREES, min_samples_leaf=2, random_state=seed, n_jobs=1)
    forest.fit(features(train.inputs), train.targets)
    told = np.zeros((len(held_out), classes))
    told[:, forest.classes_] = forest.predict_proba(features(held_out.inputs))
    return told


def features(inputs: NDArray[np.generic]) -> FloatArray:
    """(N, F): of images (N, H, W, bands) each band's levels, texture, and hues where there are three; rows as is."""
    if inputs.ndim == 2:
        return inputs.astype(np.float64)
    return np.stack([_of_image(image) for image in inputs])


def _of_image(image: NDArray[np.generic]) -> FloatArray:
    bands = image.shape[2]
    small = cv2.resize(image, (SIDE_PX, SIDE_PX), interpolation=cv2.INTER_AREA).reshape(SIDE_PX, SIDE_PX, bands)
    told = [_levels(small[..., band]) for band in range(bands)]
    grey = small.mean(axis=2).astype(np.float32)
    told += [_turns(grey), _patterns(grey), _patterns(cv2.resize(grey, (SIDE_PX // 4, SIDE_PX // 4)))]
    if bands == 3:
        told.append(_hues(small))
    return np.concatenate(told).astype(np.float64)


def _levels(band: NDArray[np.generic]) -> FloatArray:
    shares = np.histogram(band, bins=LEVELS, range=(0, 256))[0] / band.size
    return np.concatenate([shares, [band.mean() / 255, band.std() / 255]])


def _hues(image: NDArray[np.generic]) -> FloatArray:
    """Shares of hue, weighted by saturation, and the saturation's own mean and spread."""
    hue, saturation, _ = cv2.split(cv2.cvtColor(image, cv2.COLOR_BGR2HSV))
    shares = np.histogram(hue, bins=HUES, range=(0, 180), weights=saturation.astype(np.float64))[0]
    return np.concatenate([shares / max(float(shares.sum()), 1.0), [saturation.mean() / 255, saturation.std() / 255]])


def _turns(grey: NDArray[np.float32]) -> FloatArray:
    """Shares of edge direction, weighted by strength, and the mean strength."""
    down, right = np.gradient(grey)
    strength, turn = np.hypot(down, right), np.arctan2(down, right) % np.pi
    shares = np.histogram(turn, bins=TURNS, range=(0, np.pi), weights=strength)[0]
    return np.concatenate([shares / max(float(strength.sum()), 1.0), [float(strength.mean()) / 255]])


def _patterns(grey: NDArray[np.float32]) -> FloatArray:
    """Shares of local binary patterns (Ojala et al., PAMI 2002), each by its number of brighter neighbours."""
    middle = grey[1:-1, 1:-1]
    rows, columns = grey.shape
    brighter = [grey[1 + r : rows - 1 + r, 1 + c : columns - 1 + c] > middle for r, c in _AROUND]
    count = np.sum(brighter, axis=0)
    return np.asarray(np.bincount(count.ravel(), minlength=len(_AROUND) + 1) / count.size)
