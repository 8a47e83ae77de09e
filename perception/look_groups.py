"""Photos of one and the same floor, found by their look where nobody wrote down which they are; and folds of them.

Photos of a floor that training has seen are no test of a floor that it has not. A group here is a cluster of one
class's photos by colours and coarseness: it puts floors together that look the same, and may part a floor that is seen
under two lamps. So folds of such groups are held apart far better than folds of photos, and not perfectly. Never on
the robot: scikit-learn is training's.
"""

import math
from itertools import pairwise
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from foundation.geometry import FloatArray

APART: Final = 0.6  # mean distance of two clusters that are two floors
COARSENESS: Final = 0.15  # weight of log contrasts beside the Hellinger distance of colours, which is 0..1
_BINS: Final = (12, 16, 16)
_RANGES: Final = (
    (0, 256),
    (76, 180),
    (76, 180),
)  # of OpenCV's L, a, b; the few hues beyond count as the last
_SCALES_PX: Final = (1, 2, 4)


def groups(images: NDArray[np.uint8], targets: NDArray[np.int64]) -> NDArray[np.int64]:
    """(N,) numbers from 0 for images (N, H, W, 3) BGR; two classes never share a group."""
    from sklearn.cluster import AgglomerativeClustering

    found = np.zeros(len(targets), np.int64)
    following = 0
    for target in np.unique(targets):
        (mine,) = np.nonzero(targets == target)
        if len(mine) > 1:
            cluster = AgglomerativeClustering(
                n_clusters=None, metric="precomputed", linkage="average", distance_threshold=APART
            )
            found[mine] = following + cluster.fit_predict(distances(images[mine]))
        else:
            found[mine] = following
        following = int(found[mine].max()) + 1
    return found


def same_pictures(images: NDArray[np.uint8]) -> NDArray[np.int64]:
    """(N,) numbers from 0: one for each picture, whatever the number of its copies. Sets made by others have copies."""
    number_of: dict[bytes, int] = {}
    return np.array([number_of.setdefault(image.tobytes(), len(number_of)) for image in images], np.int64)


def folds(of_groups: NDArray[np.int64], targets: NDArray[np.int64], count: int, *, seed: int) -> NDArray[np.int64]:
    """(N,) fold of each image: whole groups, each class spread as evenly as its groups allow."""
    rng = np.random.default_rng([seed, count])
    fold_of = np.zeros(len(targets), np.int64)
    for target in np.unique(targets):
        filled = np.zeros(count, np.int64)
        known, sizes = np.unique(of_groups[targets == target], return_counts=True)
        order = rng.permutation(len(known))
        for index in order[np.argsort(-sizes[order], kind="stable")]:  # the largest first, always into the emptiest
            emptiest = int(rng.choice(np.flatnonzero(filled == filled.min())))
            fold_of[of_groups == known[index]] = emptiest
            filled[emptiest] += sizes[index]
    return fold_of


def distances(images: NDArray[np.uint8]) -> FloatArray:
    """(N, N), symmetric, 0 on the diagonal."""
    roots = np.stack([_root_colours(image) for image in images])
    contrasts = np.stack([_contrasts(image) for image in images])
    of_colours = np.sqrt(np.maximum(0, 1 - roots @ roots.T))
    of_coarseness = np.linalg.norm(contrasts[:, None] - contrasts[None], axis=2)
    both = of_colours + COARSENESS * of_coarseness
    np.fill_diagonal(both, 0)
    return np.asarray((both + both.T) / 2)


def _root_colours(image: NDArray[np.uint8]) -> FloatArray:
    """Square roots of the shares of colours in Lab, blurred a little so that a lamp's tint changes little."""
    lab = cv2.cvtColor(image, cv2.COLOR_BGR2LAB).reshape(-1, 3).astype(np.int64)
    at = np.zeros(len(lab), np.int64)
    for level, bins, (low, high) in zip(lab.T, _BINS, _RANGES):
        at = at * bins + np.clip((level - low) * bins // (high - low), 0, bins - 1)
    shares = np.bincount(at, minlength=math.prod(_BINS)).reshape(_BINS[0], -1).astype(np.float64)
    shares = cv2.GaussianBlur(shares, (1, 3), 0)
    return np.asarray(np.sqrt(shares.ravel() / shares.sum()))


def _contrasts(image: NDArray[np.uint8]) -> FloatArray:
    """Logarithm of what each scale shows of detail."""
    grey = cv2.cvtColor(image, cv2.COLOR_BGR2GRAY).astype(np.float32)
    blurred = [cv2.GaussianBlur(grey, (0, 0), scale) for scale in (*_SCALES_PX, 2 * _SCALES_PX[-1])]
    return np.array([np.log((fine - coarse).std() + 0.5) for fine, coarse in pairwise(blurred)])
