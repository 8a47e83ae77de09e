"""Along rows or along columns: the sweep direction of every place, so that sweeps have the fewest ends.

Each end of a sweep is a turn. A block of floor swept along its row has an end where its left or right neighbour is a
wall or is swept the other way; likewise for columns. The labelling with the fewest ends is a minimum cut (Potts
energy with two labels, exact), after Ramesh et al. 2022 (partitioning for minimum turn coverage).
"""

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import breadth_first_order, maximum_flow

BoolGrid = NDArray[np.bool_]
_UNIT = 4


def along_rows(centres: BoolGrid, block_cells: int) -> BoolGrid:
    """(R, C): True where the floor is swept along rows; worked out on blocks of `block_cells`."""
    rows, cols = centres.shape
    tall, wide = -(-rows // block_cells), -(-cols // block_cells)
    padded = np.zeros((tall * block_cells, wide * block_cells), dtype=np.bool_)
    padded[:rows, :cols] = centres
    blocks = np.asarray(padded.reshape(tall, block_cells, wide, block_cells).any(axis=(1, 3)))
    label = _minimum_cut(blocks)
    grown: BoolGrid = np.repeat(np.repeat(label, block_cells, axis=0), block_cells, axis=1)[:rows, :cols]
    return grown


def _minimum_cut(blocks: BoolGrid) -> BoolGrid:
    """(T, W): True for blocks on the row side of the cut."""
    number = np.full(blocks.shape, -1, np.int64)
    count = int(blocks.sum())
    number[blocks] = np.arange(count)
    framed = np.pad(blocks, 1)
    row_ends = (~framed[1:-1, :-2]).astype(np.int64) + ~framed[1:-1, 2:]
    column_ends = (~framed[:-2, 1:-1]).astype(np.int64) + ~framed[2:, 1:-1]
    source, sink = count, count + 1
    ids = np.arange(count)
    across = blocks[:, :-1] & blocks[:, 1:]
    down = blocks[:-1] & blocks[1:]
    a = np.concatenate([number[:, :-1][across], number[:-1][down]])
    b = np.concatenate([number[:, 1:][across], number[1:][down]])
    one = np.full(len(a), _UNIT)
    tails = np.concatenate([np.full(count, source), ids, a, b])
    heads = np.concatenate([ids, np.full(count, sink), b, a])
    room = np.concatenate([_UNIT * column_ends[blocks], _UNIT * row_ends[blocks], one, one])
    graph = coo_matrix((room.astype(np.int32), (tails, heads)), shape=(count + 2, count + 2)).tocsr()
    flow = maximum_flow(graph, source, sink).flow
    rest = (graph - flow).tocsr()
    rest.data[rest.data < 0] = 0
    rest.eliminate_zeros()
    side = np.zeros(count + 2, dtype=np.bool_)
    side[breadth_first_order(rest, source, return_predecessors=False)] = True
    label = np.zeros(blocks.shape, dtype=np.bool_)
    label[blocks] = side[:count]
    return label
