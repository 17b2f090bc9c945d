"""Delta coding of click times: one uint32 a click, with the rare long gaps set apart.

Within a block the first click is coded relative to the block's ``t_start_ps``, every other one relative to the click
before it. A gap that does not fit (``>= LONG_GAP``) leaves the mark ``LONG_GAP`` in its row and goes, as int64, into a
side table ``(row, delta_ps)``. Row i of the deltas is therefore always row i of the channels.

The checksum of a block is ``sum((2 i + 1) * (t_i + 2**56 * channel_i)) mod 2**64``: odd weights make every change of a
single click visible for certain, and swapped or shifted clicks too but for one case in about 2**63.
"""

from __future__ import annotations

import numba
import numpy as np
from numpy.typing import NDArray

from ..errors import DataError
from ..records import Int64Array, UInt8Array

UInt32Array = NDArray[np.uint32]

#: Mark of a gap of ``2**32 - 1`` ps or more.
LONG_GAP = 0xFFFF_FFFF

#: Clicks that stay in the fastest cache between two steps.
_PIECE = 1 << 12

GAP_DTYPE = np.dtype([("row", np.int64), ("delta_ps", np.int64)])


@numba.njit(nogil=True, cache=True)
def _encode(t_ps, before_ps, words):  # type: ignore[no-untyped-def]  # pragma: no cover
    """Fills ``words``; returns how many gaps were marked, backward steps among them."""
    mark = np.uint64(LONG_GAP)
    words[0] = min(np.uint64(t_ps[0]) - np.uint64(before_ps), mark)
    marked = np.int64(words[0] == LONG_GAP)
    for i in range(1, len(t_ps)):
        words[i] = min(np.uint64(t_ps[i]) - np.uint64(t_ps[i - 1]), mark)
        marked += words[i] == LONG_GAP
    return marked


@numba.njit(nogil=True, cache=True)
def _checksum(t_ps, channel, first):  # type: ignore[no-untyped-def]  # pragma: no cover
    """The share of clicks ``first`` to ``first + len(t_ps)`` in their block's checksum."""
    total = np.uint64(0)
    for i in range(len(t_ps)):
        total += np.uint64(2 * (first + i) + 1) * (np.uint64(t_ps[i]) + (np.uint64(channel[i]) << np.uint64(56)))
    return total


@numba.njit(nogil=True, cache=True)
def _encode_and_sum(t_ps, channel, t_start_ps, words):  # type: ignore[no-untyped-def]  # pragma: no cover
    """Codes and sums piece by piece, so that the second finds in cache what the first has read."""
    marked, total, before = np.int64(0), np.uint64(0), t_start_ps
    for start in range(0, len(t_ps), _PIECE):
        stop = min(start + _PIECE, len(t_ps))
        marked += _encode(t_ps[start:stop], before, words[start:stop])
        total += _checksum(t_ps[start:stop], channel[start:stop], start)
        before = t_ps[stop - 1]
    return marked, total


@numba.njit(nogil=True, cache=True)
def _decode(words, row, row_stops, t_starts_ps, gaps_row, gaps_delta_ps, state, t_ps):  # type: ignore[no-untyped-def]  # pragma: no cover
    """Running sums from where ``state`` (block, gap, time) stands; ``words[0]`` is row ``row``."""
    block, gap, now = state[0], state[1], np.uint64(state[2])
    i = 0
    while i < len(words):
        while row + i >= row_stops[block]:
            block += 1
            now = np.uint64(t_starts_ps[block])
        stop = min(len(words), row_stops[block] - row)
        until = stop
        if gap < len(gaps_row):
            until = min(stop, gaps_row[gap] - row)
        piece, out = words[i:until], t_ps[i:until]
        for k in range(len(piece)):
            now += np.uint64(piece[k])
            out[k] = np.int64(now)
        i = max(i, until)
        if i < stop:
            now += np.uint64(gaps_delta_ps[gap])
            t_ps[i] = np.int64(now)
            gap += 1
            i += 1
    state[0], state[1], state[2] = block, gap, np.int64(now)


@numba.njit(nogil=True, cache=True)
def _check(t_ps, channel, row, edges, expected, state):  # type: ignore[no-untyped-def]  # pragma: no cover
    """Goes on summing where ``state`` (block, its sum) stands; the first block that ends wrong, or -1."""
    block, total = np.int64(state[0]), state[1]
    i = 0
    while i < len(t_ps) or (block < len(expected) and row + i == edges[block + 1]):
        stop = min(len(t_ps), edges[block + 1] - row)
        total += _checksum(t_ps[i:stop], channel[i:stop], row + i - edges[block])
        i = stop
        if row + i == edges[block + 1]:
            if total != expected[block]:
                return block
            block, total = block + 1, np.uint64(0)
    state[0], state[1] = np.uint64(block), total
    return np.int64(-1)


@numba.njit(nogil=True, cache=True)
def _decode_and_check(words, channel, row, edges, t_starts_ps, checksums, gaps_row, gaps_delta_ps, place, total, t_ps):  # type: ignore[no-untyped-def]  # pragma: no cover
    _decode(words, row, edges[1:], t_starts_ps, gaps_row, gaps_delta_ps, place, t_ps)
    return _check(t_ps, channel, row, edges, checksums, total)


def encode(
    t_ps: Int64Array, channel: UInt8Array, t_start_ps: int, words: UInt32Array, first_row: int = 0
) -> tuple[NDArray[np.void], np.uint64]:
    """Codes one block.

    Args:
        t_ps, channel: int64 (N,), non-decreasing, none before ``t_start_ps``; uint8 (N,).
        t_start_ps: start of the block.
        words: uint32 (N,), where the deltas go.
        first_row: row number of ``t_ps[0]`` in the file, for the gap table.

    Returns:
        The gap table GAP_DTYPE (G,), rows ascending, and the checksum of the block.

    Raises:
        DataError: a time steps backwards; names the row.
    """
    marked, checksum = _encode_and_sum(t_ps, channel, np.int64(t_start_ps), words)
    if not marked:
        return np.empty(0, GAP_DTYPE), np.uint64(checksum)
    rows = np.flatnonzero(words == LONG_GAP)
    before = np.where(rows > 0, t_ps[rows - 1], np.int64(t_start_ps))
    if (t_ps[rows] < before).any():
        k = int(np.argmax(t_ps[rows] < before))
        raise DataError(
            f"click {rows[k]} at {t_ps[rows[k]]} ps lies before {'the block' if rows[k] == 0 else 'the click before it'}"
            f" ({before[k]} ps); clicks must be in order of time"
        )
    gaps = np.empty(len(rows), GAP_DTYPE)
    gaps["row"] = rows + first_row
    gaps["delta_ps"] = t_ps[rows] - before
    return gaps, np.uint64(checksum)


class Decoder:
    """Decodes and checks the rows of consecutive blocks, piece by piece.

    Args:
        edges: int64 (B+1,), the first row of each block and the end of the last.
        t_starts_ps: int64 (B,), start time of each block.
        checksums: uint64 (B,), what they were when the blocks were written.
        gaps: the gap table, GAP_DTYPE, at least for the rows that will come.
    """

    def __init__(
        self,
        edges: Int64Array,
        t_starts_ps: Int64Array,
        checksums: NDArray[np.uint64],
        gaps: NDArray[np.void],
    ) -> None:
        self._edges = edges
        self._t_starts_ps = np.ascontiguousarray(t_starts_ps)
        self._checksums = np.ascontiguousarray(checksums)
        self._gaps_row = np.ascontiguousarray(gaps["row"])
        self._gaps_delta_ps = np.ascontiguousarray(gaps["delta_ps"])
        self._row = int(edges[0])
        first_gap = np.searchsorted(self._gaps_row, self._row)
        self._place = np.array([0, first_gap, t_starts_ps[0] if len(t_starts_ps) else 0], np.int64)
        self._sum = np.zeros(2, np.uint64)

    def decode(self, words: UInt32Array, channel: UInt8Array, t_ps: Int64Array) -> int:
        """Fills ``t_ps``, int64 (N,), from the next N deltas; they must not go beyond the last block.

        Returns:
            Index of the first block that they end with a wrong checksum, -1 if none; after one, decode no further.
        """
        if len(words) != len(t_ps) or (len(words) and self._row + len(words) > self._edges[-1]):
            raise DataError(f"row {self._row + len(words) - 1} lies behind the last block")
        bad = _decode_and_check(
            words,
            channel,
            self._row,
            self._edges,
            self._t_starts_ps,
            self._checksums,
            self._gaps_row,
            self._gaps_delta_ps,
            self._place,
            self._sum,
            t_ps,
        )
        self._row += len(words)
        return int(bad)
