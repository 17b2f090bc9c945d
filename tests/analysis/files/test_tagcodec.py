"""The delta codec: exact for every order-of-time input, loud for the rest."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from erbia.analysis.errors import DataError
from erbia.analysis.files.tagcodec import GAP_DTYPE, LONG_GAP, Decoder, _checksum
from erbia.analysis.files.tagcodec import encode as encode_into


def encode(t_ps, t_start_ps, first_row=0, channel=None):
    """Deltas, gaps and checksum, in memory of their own."""
    words = np.full(len(t_ps), 12345, np.uint32)
    channel = np.zeros(len(t_ps), np.uint8) if channel is None else channel
    return words, *encode_into(t_ps, channel, t_start_ps, words, first_row)


def decode(words, edges, t_starts_ps, checksums, gaps, piece=7):
    """All at once, and again in small pieces: the same, and sound. ``edges`` (B+1,): first rows, and the end of the last."""
    columns = np.array(edges), np.array(t_starts_ps), np.array(checksums, np.uint64), gaps
    channel, t_ps, again = (
        np.zeros(len(words), np.uint8),
        np.empty(len(words), np.int64),
        np.empty(len(words), np.int64),
    )
    assert Decoder(*columns).decode(words, channel, t_ps) == -1
    decoder = Decoder(*columns)
    for k in range(0, len(words), piece):
        part = slice(k, k + piece)
        assert decoder.decode(words[part], channel[part], again[part]) == -1
    assert np.array_equal(t_ps, again)
    return t_ps


GAPS = st.one_of(
    st.integers(0, 3),
    st.integers(0, 2**20),
    st.integers(LONG_GAP - 2, LONG_GAP + 2),
    st.integers(2**32, 2**58),
)
BLOCKS = st.lists(st.tuples(st.lists(GAPS, max_size=40), st.integers(0, 2**40)), min_size=1, max_size=6)


@settings(deadline=None)
@given(BLOCKS, st.integers(-(2**61), 2**61), st.integers(0, 10**12))
@example([([0], 0)], -(2**61), 0)
@example([([LONG_GAP], 0), ([], 5), ([LONG_GAP - 1, 0, 0], 0)], 0, 7)
def test_blocks_come_back_bit_for_bit(parts, t_first_ps, first_row):
    row, now = first_row, t_first_ps
    words, gaps, edges, starts, times, sums = [], [], [first_row], [], [], []
    for deltas, pause in parts:
        t_ps = np.array([now + sum(deltas[: k + 1]) for k in range(len(deltas))], np.int64)
        w, g, checksum = encode(t_ps, now, row)
        assert w.dtype == np.uint32
        starts.append(now)
        row += len(t_ps)
        edges.append(row)
        sums.append(checksum)
        words.append(w)
        gaps.append(g)
        times.append(t_ps)
        now += sum(deltas) + pause
    back = decode(np.concatenate(words), edges, starts, sums, np.concatenate(gaps))
    assert np.array_equal(back, np.concatenate(times))


def test_gaps_of_other_rows_do_not_disturb():
    t_ps = np.array([5, 2**40, 2**40 + 1, 2**41], np.int64)
    words, gaps, checksum = encode(t_ps, 0, 100)
    assert gaps["row"].tolist() == [101, 103]
    others = np.array([(3, 1), (999, 1)], GAP_DTYPE)
    merged = np.sort(np.concatenate([gaps, others]), order="row")
    assert np.array_equal(decode(words, [100, 104], [0], [checksum], merged), t_ps)


@pytest.mark.parametrize(("times", "row"), [([-1], 0), ([5, 4], 1), ([0, 2**40, 7], 2), ([2**62, -(2**62)], 1)])
def test_a_backward_step_is_named(times, row):
    with pytest.raises(DataError, match=f"click {row} at"):
        encode(np.array(times, np.int64), 0)


def first_damaged(words, channel, edges, t_starts_ps, sums, cuts=()):
    """What the decoder says of blocks ``[edges[k], edges[k + 1])``, fed in pieces."""
    decoder = Decoder(edges, t_starts_ps, sums, np.empty(0, GAP_DTYPE))
    for a, b in pairwise([0, *cuts, len(words)]):
        bad = decoder.decode(words[a:b], channel[a:b], np.empty(b - a, np.int64))
        if bad >= 0:
            return bad
    return -1


@settings(deadline=None)
@given(st.integers(0, 9999), st.integers(0, 63), st.booleans(), st.integers(0, 2**32))
def test_any_flipped_bit_is_found(row, bit, in_channel, seed):
    rng = np.random.default_rng(seed)
    t_ps = np.sort(rng.integers(-(2**62), 2**62, 10_000))
    channel = rng.integers(0, 256, 10_000).astype(np.uint8)
    expected = encode(t_ps, t_ps[0], 0, channel)[2]
    assert _checksum(t_ps, channel, 0) == expected
    if in_channel:
        channel[row] ^= np.uint8(1 << (bit % 8))
    else:
        t_ps.view(np.uint64)[row] ^= np.uint64(1) << np.uint64(bit)
    assert _checksum(t_ps, channel, 0) != expected


def test_checksum_is_the_documented_sum():
    rng = np.random.default_rng(1)
    t_ps, channel = np.sort(rng.integers(-(2**62), 2**62, 9000)), rng.integers(0, 256, 9000).astype(np.uint8)
    by_hand = sum((2 * i + 1) * (int(t) + 2**56 * int(c)) for i, (t, c) in enumerate(zip(t_ps, channel, strict=True)))
    assert int(encode(t_ps, t_ps[0], 0, channel)[2]) == by_hand % 2**64


@settings(deadline=None)
@given(st.lists(st.integers(0, 60), max_size=8), st.lists(st.integers(0, 60), max_size=6), st.integers(-1, 59))
@example([4, 4, 10], [], 7)
@example([0, 0], [0, 0], -1)
def test_first_damaged_block_is_found_whatever_the_pieces(ends, cuts, damaged):
    edges, cuts = np.array([0, *sorted(ends), 60]), sorted(cuts)
    t_ps, channel = np.arange(60, dtype=np.int64), np.zeros(60, np.uint8)
    coded = [encode(t_ps[a:b], 0) for a, b in pairwise(edges)]
    words, sums = np.concatenate([c[0] for c in coded]), np.array([c[2] for c in coded])
    if damaged >= 0:
        channel[damaged] = 1
    in_block = int(np.searchsorted(edges, damaged, side="right")) - 1 if damaged >= 0 else -1
    assert first_damaged(words, channel, edges, np.zeros(len(coded), np.int64), sums, cuts) == in_block
