"""Order, shifting, selecting and counting kernels against numpy one-liners."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from erbia.analysis.kernels.counting import accumulate_channels, accumulate_intervals
from erbia.analysis.kernels.order import first_descent
from erbia.analysis.kernels.shifting import select_channel, shift_channels

small = st.lists(st.integers(-20, 20), max_size=50)


@settings(deadline=None)
@given(values=small, padding=st.sampled_from([0, 4095, 4096, 9000]))
def test_first_descent(values, padding):
    t = np.concatenate([np.full(padding, -20), np.array(values, np.int64)])
    down = np.flatnonzero(np.diff(t) < 0)
    assert first_descent(t) == (down[0] + 1 if len(down) else -1)


@settings(deadline=None)
@given(
    gaps=st.lists(st.integers(0, 9), max_size=50),
    channels=st.lists(st.integers(0, 3), min_size=50, max_size=50),
    delays=st.lists(st.integers(-30, 30), min_size=4, max_size=4),
)
def test_shift_channels_is_a_stable_sort(gaps, channels, delays):
    t = np.cumsum(np.array(gaps, np.int64))
    channel = np.array(channels[: len(t)], np.uint8)
    delay_of = np.zeros(256, np.int64)
    delay_of[:4] = delays
    t_out, channel_out = np.empty_like(t), np.empty_like(channel)
    assert shift_channels(t, channel, delay_of, 10**6, t_out, channel_out) == len(t)
    order = np.argsort(t + delay_of[channel], kind="stable")
    assert np.array_equal(t_out, (t + delay_of[channel])[order])
    assert np.array_equal(channel_out, channel[order])


def test_shift_channels_gives_up_when_too_many_overtake():
    t = np.arange(100, dtype=np.int64)
    channel = (t % 2).astype(np.uint8)
    delay_of = np.zeros(256, np.int64)
    delay_of[0] = 1000
    assert shift_channels(t, channel, delay_of, 10, np.empty_like(t), np.empty_like(channel)) < 100


@settings(deadline=None)
@given(
    channels=st.lists(st.integers(0, 255) | st.integers(0, 20), max_size=50),
    wanted=st.integers(0, 255),
    repeats=st.sampled_from([1, 2, 3, 100]),
)
def test_select_and_count_channels(channels, wanted, repeats):
    channel = np.array([*channels, wanted] * repeats, np.uint8)
    t = np.arange(len(channel), dtype=np.int64)
    out = np.empty(len(t), np.int64)
    assert np.array_equal(out[: select_channel(t, channel, wanted, out)], t[channel == wanted])
    counts = np.zeros(256, np.int64)
    accumulate_channels(channel, counts)
    assert np.array_equal(counts, np.bincount(channel, minlength=256))


@settings(deadline=None)
@given(gaps=st.lists(st.integers(0, 60), max_size=50), bin_ps=st.integers(1, 9), bins=st.integers(1, 5))
def test_intervals(gaps, bin_ps, bins):
    t = np.cumsum(np.array(gaps, np.int64))
    counts = np.zeros(bins + 1, np.int64)
    accumulate_intervals(t, bin_ps, counts)
    assert np.array_equal(counts, np.bincount(np.minimum(np.diff(t) // bin_ps, bins), minlength=bins + 1))
