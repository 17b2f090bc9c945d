"""The packer and unpacker of chunks are HDF5's filters, bit for bit, and safe on anything."""

import h5py
import hdf5plugin
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from erbia.analysis.files.bitshuffle import BLOCK, pack, packed_bound, unpack
from erbia.analysis.files.layout import filters

N = 131072


def arrays(dtype):
    """Noise, runs, ramps, few bits, extremes: what packers stumble over."""
    rng = np.random.default_rng(1)
    top = np.iinfo(dtype).max
    yield rng.exponential(top / 1e4 if dtype == np.uint32 else 3, N).astype(dtype)
    yield rng.integers(0, top, N, dtype=dtype, endpoint=True)
    yield np.zeros(N, dtype)
    yield np.full(N, top, dtype)
    yield np.arange(N).astype(dtype)
    yield (rng.random(N) < 0.001).astype(dtype) * dtype(top)
    yield np.repeat(rng.integers(0, top, N // 512, dtype=dtype), 512)
    yield np.tile(np.array([1, 2, 3], dtype), N // 3 + 1)[:N]


CASES = [pytest.param(a, id=f"{a.dtype}-{k}") for d in (np.uint8, np.uint32) for k, a in enumerate(arrays(d))]


@pytest.fixture
def dataset(tmp_path, request):
    dtype = request.getfixturevalue("values").dtype
    with h5py.File(tmp_path / "x.h5", "w", libver="latest") as file:
        yield file.create_dataset("x", (N,), dtype, chunks=(N,), **filters())


@pytest.mark.parametrize("values", CASES)
def test_hdf5_reads_what_we_pack(values, dataset):
    packed = pack(values, np.empty(packed_bound(values.nbytes), np.uint8))
    dataset.id.write_direct_chunk((0,), packed)
    assert np.array_equal(dataset[:], values)  # its fletcher32 holds, too
    back = np.empty_like(values)
    assert unpack(packed, back)
    assert np.array_equal(back, values)


@pytest.mark.parametrize("values", CASES)
def test_we_read_what_hdf5_packs(values, dataset):
    dataset[:] = values
    dataset.file.flush()
    packed = np.frombuffer(dataset.id.read_direct_chunk((0,))[1], np.uint8)
    back = np.empty_like(values)
    assert unpack(packed, back)
    assert np.array_equal(back, values)


@settings(deadline=None)
@given(st.integers(0, 2**32), st.integers(0, 10), st.booleans())
def test_damaged_chunks_never_leave_their_buffers(seed, changes, cut):
    rng = np.random.default_rng(seed)
    values = rng.exponential(1e5, BLOCK // 2).astype(np.uint32)
    packed = pack(values, np.empty(packed_bound(values.nbytes), np.uint8)).copy()
    packed[rng.integers(0, len(packed), changes)] = rng.integers(0, 256, changes)
    if cut:
        packed = packed[: rng.integers(0, len(packed))]
    guarded = np.full(len(values) + 2048, 0xABCDEF01, np.uint32)
    middle = guarded[1024:-1024]
    sound = unpack(packed, middle)
    assert (guarded[:1024] == 0xABCDEF01).all()
    assert (guarded[-1024:] == 0xABCDEF01).all()
    if not changes and not cut:
        assert sound
        assert np.array_equal(middle, values)


def test_size_of_poisson_clicks():
    """10 Mcps: entropy 2.257 B a gap; the filters of HDF5 reach 2.418, a whole file may take 2.45."""
    rng = np.random.default_rng(1)
    values = rng.exponential(100_000, N).astype(np.uint32)
    assert len(pack(values, np.empty(packed_bound(values.nbytes), np.uint8))) / N < 2.43
    assert hdf5plugin.Bitshuffle.filter_id == 32008
