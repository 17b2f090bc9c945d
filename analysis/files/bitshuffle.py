"""Whole chunks of HDF5 filter 32008 (bitshuffle with LZ4) followed by fletcher32, packed and unpacked without HDF5.

What the filters read and write, only faster for what time tags look like: in a block of 8192 bytes bit k of all
elements lies together, so that the low bits are noise and the high ones long runs. The packer looks for nothing but runs,
word by word, which any LZ4 reader reads; the unpacker takes every LZ4 block and never leaves its buffers.
(Ramps and other patterns that are neither noise nor runs would pack better with HDF5's own filter; clicks do not.)

Bits are split and joined 64 bytes at a time by comparisons of vectors, written as portable LLVM: numba finds no
such step in a loop over bytes.

Layout (bitshuffle's HDF5 filter; LZ4 block format; H5checksum): length of the chunk u64 and bytes in a block u32, both
big-endian; for each block its packed length u32 big-endian and an LZ4 block; fletcher32 of all that, u32 little-endian.
"""

from __future__ import annotations

import numba
import numpy as np
from llvmlite import ir
from numba.core import types
from numba.extending import intrinsic
from numpy.typing import NDArray

from ..records import UInt8Array
from . import bitplanes

#: Bytes bitshuffle transposes at a time.
BLOCK = 8192

_HEADER = 12
#: Words among which no run begins unless one of them is constant.
_STRETCH = 32


def _splitter(size):  # type: ignore[no-untyped-def]
    """``split(raw, at, planes, to, step)``: bit b of 64 elements of ``size`` bytes as 8 bytes at ``planes[to + b * step:]``."""

    @intrinsic
    def split(context, raw, at, planes, to, step):  # type: ignore[no-untyped-def]
        def build(target, builder, signature, arguments):  # type: ignore[no-untyped-def]
            source, start, out, first, stride = arguments
            kinds = signature.args
            parts = [
                builder.load(bitplanes.at(target, builder, kinds[0], source, place, bitplanes.BYTES), align=1)
                for place in bitplanes.places(builder, start, ir.Constant(start.type, 64), size)
            ]
            words = [
                w
                for lane in (bitplanes.lanes_of(builder, parts) if size > 1 else parts)
                for w in bitplanes.bits_of(builder, lane)
            ]
            for word, place in zip(words, bitplanes.places(builder, first, stride, 8 * size), strict=True):
                builder.store(word, bitplanes.at(target, builder, kinds[2], out, place, bitplanes.WORD), align=1)
            return target.get_dummy_value()

        return types.void(raw, types.intp, planes, types.intp, types.intp), build

    return split


def _joiner(size, used):  # type: ignore[no-untyped-def]
    """``join(planes, at, step, raw, to)``: the inverse; only the first ``used`` bytes of an element are not 0."""

    @intrinsic
    def join(context, planes, at, step, raw, to):  # type: ignore[no-untyped-def]
        def build(target, builder, signature, arguments):  # type: ignore[no-untyped-def]
            source, first, stride, out, start = arguments
            kinds = signature.args
            words = [
                builder.load(bitplanes.at(target, builder, kinds[0], source, place, bitplanes.WORD), align=1)
                for place in bitplanes.places(builder, first, stride, 8 * used)
            ]
            lanes = [bitplanes.bytes_of(builder, words[8 * k : 8 * k + 8]) for k in range(size)]
            places = bitplanes.places(builder, start, ir.Constant(start.type, 64), size)
            for part, place in zip(bitplanes.elements_of(builder, lanes) if size > 1 else lanes, places, strict=True):
                builder.store(part, bitplanes.at(target, builder, kinds[3], out, place, bitplanes.BYTES), align=1)
            return target.get_dummy_value()

        return types.void(planes, types.intp, types.intp, raw, types.intp), build

    return join


_split_bytes, _split_words = _splitter(1), _splitter(4)  # type: ignore[no-untyped-call]
_join_bytes, _join_words, _join_short_words = _joiner(1, 1), _joiner(4, 4), _joiner(4, 3)  # type: ignore[no-untyped-call]


@numba.njit(nogil=True, cache=True)
def _copy(target, source):  # type: ignore[no-untyped-def]  # pragma: no cover
    for k in range(len(target)):
        target[k] = source[k]


@numba.njit(nogil=True, cache=True)
def _fill(target, value):  # type: ignore[no-untyped-def]  # pragma: no cover
    for k in range(len(target)):
        target[k] = value


@numba.njit(nogil=True, cache=True)
def _constant(words):  # type: ignore[no-untyped-def]  # pragma: no cover
    """The byte that all of ``words`` (uint64) consist of; -1 if there is none."""
    first, different = words[0], np.uint64(0)
    for k in range(len(words)):
        different |= words[k] ^ first
    byte = first & np.uint64(255)
    return np.int64(byte) if not different and first == byte * np.uint64(0x0101010101010101) else np.int64(-1)


@numba.njit(nogil=True, cache=True)
def _constant_planes(words, m):  # type: ignore[no-untyped-def]  # pragma: no cover
    """The byte whose 8 bit planes, ``m`` words each, are ``words``; -1 if not every plane is all 0 or all 1."""
    byte = np.int64(0)
    for bit in range(8):
        value = _constant(words[bit * m : (bit + 1) * m])
        if value != 0 and value != 255:
            return np.int64(-1)
        byte |= (value & 1) << bit
    return byte


@numba.njit(nogil=True, cache=True)
def _shuffle(raw, size, planes):  # type: ignore[no-untyped-def]  # pragma: no cover
    """A block of elements of 1 or 4 bytes to its bit planes."""
    m = BLOCK // size // 8
    byte = _constant(raw.view(np.uint64))
    if byte >= 0:
        for bit in range(8 * size):
            _fill(planes[bit * m : (bit + 1) * m], 255 * (byte >> (bit & 7) & 1))
    elif size == 1:
        for k in range(m // 8):
            _split_bytes(raw, 64 * k, planes, 8 * k, m)
    else:
        for k in range(m // 8):
            _split_words(raw, 256 * k, planes, 8 * k, m)


@numba.njit(nogil=True, cache=True)
def _unshuffle(planes, size, raw):  # type: ignore[no-untyped-def]  # pragma: no cover
    m = BLOCK // size // 8
    top = _constant_planes(planes[8 * m * (size - 1) :].view(np.uint64), m // 8)
    if size == 1:
        if top >= 0:
            _fill(raw, top)
            return
        for k in range(m // 8):
            _join_bytes(planes, 8 * k, m, raw, 64 * k)
    elif top == 0:
        for k in range(m // 8):
            _join_short_words(planes, 8 * k, m, raw, 256 * k)
    else:
        for k in range(m // 8):
            _join_words(planes, 8 * k, m, raw, 256 * k)


@numba.njit(nogil=True, cache=True)
def _put_length(target, at, rest):  # type: ignore[no-untyped-def]  # pragma: no cover
    while rest >= 255:
        target[at] = 255
        at += 1
        rest -= 255
    target[at] = rest
    return at + 1


@numba.njit(nogil=True, cache=True)
def _put_sequence(target, at, literals, run):  # type: ignore[no-untyped-def]  # pragma: no cover
    """One LZ4 sequence: literals, then the last byte again ``run`` times (0: no match, the end of the block)."""
    n = len(literals)
    target[at] = (min(n, 15) << 4) | (min(run - 4, 15) if run else 0)
    at += 1
    if n >= 15:
        at = _put_length(target, at, n - 15)
    _copy(target[at : at + n], literals)
    at += n
    if run:
        target[at], target[at + 1] = 1, 0
        at += 2
        if run >= 19:
            at = _put_length(target, at, run - 19)
    return at


@numba.njit(nogil=True, cache=True)
def _constants(words):  # type: ignore[no-untyped-def]  # pragma: no cover
    """How many words consist of one byte eight times."""
    found = 0
    for k in range(len(words)):
        found += words[k] == (words[k] << np.uint64(8) | words[k] >> np.uint64(56))
    return found


@numba.njit(nogil=True, cache=True)
def _compress_runs(source, target, out):  # type: ignore[no-untyped-def]  # pragma: no cover
    """An LZ4 block of ``source`` at ``target[out:]``; returns its end.

    A run is found where a whole aligned word consists of one byte. LZ4 wants the last 5 bytes as literals, and no
    match to begin in the last 12.
    """
    words = source.view(np.uint64)
    end, last = len(source) - 5, len(words) - 2
    anchor = k = 0
    while k < last:
        if k % _STRETCH == 0 and not _constants(words[k : k + _STRETCH]):
            k += _STRETCH
            continue
        word = words[k]
        value = word & np.uint64(255)
        if word != value * np.uint64(0x0101010101010101):
            k += 1
            continue
        start = 8 * k
        while start > anchor and source[start - 1] == value:
            start -= 1
        k += 1
        while k < len(words) and words[k] == word:
            k += 1
        stop = 8 * k
        while stop < end and source[stop] == value:
            stop += 1
        stop = min(stop, end)
        out = _put_sequence(target, out, source[anchor : start + 1], stop - start - 1)
        anchor = stop
    return _put_sequence(target, out, source[anchor:], 0)


@numba.njit(nogil=True, cache=True)
def _get_length(source, at, end):  # type: ignore[no-untyped-def]  # pragma: no cover
    """The rest of a length and where it ends; -1 if the source ends inside."""
    total = 0
    while at < end:
        byte = np.int64(source[at])
        at += 1
        total += byte
        if byte != 255:
            return total, at
    return -1, at


@numba.njit(nogil=True, cache=True)
def _decompress(source, at, end, target):  # type: ignore[no-untyped-def]  # pragma: no cover
    """Fills ``target`` from the LZ4 block ``source[at:end]``; False if it is damaged."""
    out, size = 0, len(target)
    while at < end:
        token = np.int64(source[at])
        at += 1
        n = token >> 4
        if n == 15:
            more, at = _get_length(source, at, end)
            n = n + more if more >= 0 else size + 1
        if n > end - at or n > size - out:
            return False
        _copy(target[out : out + n], source[at : at + n])
        out += n
        at += n
        if at == end:
            return out == size
        if end - at < 2:
            return False
        offset = np.int64(source[at]) | np.int64(source[at + 1]) << 8
        at += 2
        n = token & 15
        if n == 15:
            more, at = _get_length(source, at, end)
            n = n + more if more >= 0 else size + 1
        n += 4
        if offset == 0 or offset > out or n > size - out:
            return False
        if offset == 1:
            _fill(target[out : out + n], target[out - 1])
            out += n
            continue
        while n > 0:  # what was copied may be copied again, so the piece doubles
            k = min(n, offset)
            _copy(target[out : out + k], target[out - offset : out - offset + k])
            out += k
            n -= k
            offset += k
    return False


@numba.njit(nogil=True, cache=True)
def _put_big_endian(target, at, value):  # type: ignore[no-untyped-def]  # pragma: no cover
    for k in range(4):
        target[at + k] = (value >> (24 - 8 * k)) & 255


@numba.njit(nogil=True, cache=True)
def _get_big_endian(source, at):  # type: ignore[no-untyped-def]  # pragma: no cover
    value = np.int64(0)
    for k in range(4):
        value = value << 8 | np.int64(source[at + k])
    return value


@numba.njit(nogil=True, cache=True)
def _folded(total):  # type: ignore[no-untyped-def]  # pragma: no cover
    """Modulo 65535 as fletcher32 leaves it (65535 for multiples of it, 0 for 0 only), its two bytes swapped."""
    if not total:
        return np.uint64(0)
    return (total % np.uint64(65535) * np.uint64(256) + np.uint64(65534)) % np.uint64(65535) + np.uint64(1)


@numba.njit(nogil=True, cache=True)
def _fletcher32(data):  # type: ignore[no-untyped-def]  # pragma: no cover
    """HDF5's fletcher32, which sums big-endian words: little-endian sums times 256, as 65536 is 1 modulo 65535."""
    words = data[: len(data) // 2 * 2].view(np.uint16)
    count = np.uint64((len(data) + 1) // 2)
    first, second = np.uint64(0), np.uint64(0)
    for k in range(len(words)):
        first += np.uint64(words[k])
        second += np.uint64(words[k]) * (count - np.uint64(k))
    if len(data) % 2:
        first += np.uint64(data[-1])
        second += np.uint64(data[-1])
    return _folded(second) << np.uint64(16) | _folded(first)


@numba.njit(nogil=True, cache=True)
def _pack(raw, size, target):  # type: ignore[no-untyped-def]  # pragma: no cover
    _put_big_endian(target, 0, len(raw) >> 32)
    _put_big_endian(target, 4, len(raw) & 0xFFFFFFFF)
    _put_big_endian(target, 8, BLOCK)
    planes = np.empty(BLOCK, np.uint8)
    out = _HEADER
    for start in range(0, len(raw), BLOCK):
        _shuffle(raw[start : start + BLOCK], size, planes)
        end = _compress_runs(planes, target, out + 4)
        _put_big_endian(target, out, end - out - 4)
        out = end
    total = _fletcher32(target[:out])
    for k in range(4):
        target[out + k] = (total >> np.uint64(8 * k)) & np.uint64(255)
    return out + 4


@numba.njit(nogil=True, cache=True)
def _unpack(packed, size, raw):  # type: ignore[no-untyped-def]  # pragma: no cover
    stop = len(packed) - 4
    if stop < _HEADER or _get_big_endian(packed, 4) != len(raw) or _get_big_endian(packed, 8) != BLOCK:
        return False
    planes = np.empty(BLOCK, np.uint8)
    at = _HEADER
    for start in range(0, len(raw), BLOCK):
        if at + 4 > stop:
            return False
        end = at + 4 + _get_big_endian(packed, at)
        if end > stop or not _decompress(packed, at + 4, end, planes):
            return False
        _unshuffle(planes, size, raw[start : start + BLOCK])
        at = end
    return at == stop


def packed_bound(n_bytes: int) -> int:
    """Room that ``pack`` may need for ``n_bytes``: LZ4's worst case, lengths, header, checksum."""
    return n_bytes + n_bytes // 255 + 32 * (n_bytes // BLOCK) + 64


def pack(values: NDArray[np.uint8] | NDArray[np.uint32], target: UInt8Array) -> UInt8Array:
    """A chunk as the filters leave it: a view of ``target``, which must have ``packed_bound`` bytes.

    ``values`` (N,) must fill a whole number of blocks of 8192 bytes.
    """
    return target[: _pack(values.view(np.uint8), values.itemsize, target)]


def unpack(packed: UInt8Array, values: NDArray[np.uint8] | NDArray[np.uint32]) -> bool:
    """Fills ``values`` from a packed chunk; False if it is damaged. The fletcher32 is not looked at."""
    return bool(_unpack(packed, values.itemsize, values.view(np.uint8)))
