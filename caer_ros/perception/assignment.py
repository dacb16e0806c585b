"""Who goes with whom: as many pairs as there can be, and of all such ways the cheapest."""

from __future__ import annotations

import numpy as np


def assign(costs: np.ndarray) -> list[tuple[int, int]]:
    """Pairs of row and column, each row and column in one pair at most.

    There are as many pairs as possible, and among those choices the sum of their costs is least.
    Between choices that cost the same, the order of rows and columns decides.

    Args:
        costs: float [rows, columns], finite and at least 0, or infinity for a pair that may not be.

    Returns:
        Pairs, by row.
    """
    rows, columns = costs.shape
    allowed = np.isfinite(costs)
    if not allowed.any():
        return []
    # Every row may also stay alone, in a column of its own that is dearer than all real pairs
    # together; what may not be is dearer still.
    alone = float(costs[allowed].max()) * rows + 1
    whole = np.full((rows, columns + rows), 3 * alone)
    whole[:, :columns][allowed] = costs[allowed]
    whole[np.arange(rows), columns + np.arange(rows)] = alone
    chosen = _cheapest(whole)
    return [(row, column) for row, column in enumerate(chosen) if column < columns]


def _cheapest(costs: np.ndarray) -> list[int]:
    """The column of every row, for the least sum: float [rows, columns], rows <= columns.

    Kuhn's Hungarian method in its form with shortest paths: rows come in one by one, and each takes
    the cheapest path of exchanges that ends at a free column. Column 0 is only where paths begin.
    """
    rows, columns = costs.shape
    row_price, price = np.zeros(rows), np.zeros(columns + 1)
    owner = np.full(columns + 1, -1)
    for row in range(rows):
        owner[0], column = row, 0
        reach = np.full(columns + 1, np.inf)
        before = np.zeros(columns + 1, np.int64)
        done = np.zeros(columns + 1, bool)
        while owner[column] >= 0:
            done[column] = True
            here = owner[column]
            step = costs[here] - row_price[here] - price[1:]
            nearer = ~done[1:] & (step < reach[1:])
            reach[1:][nearer] = step[nearer]
            before[1:][nearer] = column
            nearest = int(np.where(done, np.inf, reach).argmin())
            grown = reach[nearest]
            row_price[owner[done]] += grown
            price[done] -= grown
            reach[~done] -= grown
            column = nearest
        while column:
            owner[column], column = owner[before[column]], int(before[column])
    places = {int(row): column for column, row in enumerate(owner[1:]) if row >= 0}
    return [places[row] for row in range(rows)]
