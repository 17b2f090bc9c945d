"""LLVM steps of ``bitshuffle``: 64 bytes to their bits and back, bytes of elements apart and together, as portable vectors.

numba keeps the compiled code of ``bitshuffle.py`` until that file changes; a change here must change it, too.
"""

from __future__ import annotations

from llvmlite import ir
from numba.core import cgutils

#: 64 bytes as one vector, and their 64 bits of one plane.
BYTES = ir.VectorType(ir.IntType(8), 64)
WORD = ir.IntType(64)


def at(target, builder, kind, array, index, as_type):  # type: ignore[no-untyped-def]
    """Pointer to ``array[index]``, a uint8 array, as one to ``as_type``."""
    data = cgutils.create_struct_proxy(kind)(target, builder, array).data
    return builder.bitcast(builder.gep(data, [index]), as_type.as_pointer())


def bits_of(builder, lane):  # type: ignore[no-untyped-def]
    """64 bytes as 8 words: the bits 0 to 7 of all of them."""
    for bit in range(8):
        held = builder.and_(lane, ir.Constant(BYTES, [1 << bit] * 64))
        yield builder.bitcast(builder.icmp_unsigned("!=", held, ir.Constant(BYTES, None)), WORD)


def bytes_of(builder, bits):  # type: ignore[no-untyped-def]
    """Inverse of ``bits_of``."""
    lane = ir.Constant(BYTES, None)
    for bit, word in enumerate(bits):
        chosen = builder.bitcast(word, ir.VectorType(ir.IntType(1), 64))
        lane = builder.select(chosen, builder.or_(lane, ir.Constant(BYTES, [1 << bit] * 64)), lane)
    return lane


def _picked(builder, one, other, order):  # type: ignore[no-untyped-def]
    """A vector of the elements ``order`` of two, those of the second counted on from the first's."""
    return builder.shuffle_vector(one, other, ir.Constant(ir.VectorType(ir.IntType(32), len(order)), order))


def lanes_of(builder, parts):  # type: ignore[no-untyped-def]
    """4 vectors of 16 elements of 4 bytes as 4 of all first bytes, all second ones and so on."""
    for number in range(4):
        order = range(number, 128, 4)
        halves = [_picked(builder, *parts[k : k + 2], [*order]) for k in (0, 2)]
        yield _picked(builder, *halves, [*range(64)])


def elements_of(builder, lanes):  # type: ignore[no-untyped-def]
    """Inverse of ``lanes_of``."""
    pairs = ir.VectorType(ir.IntType(16), 32)
    for half in (0, 32):
        order = [k + which for k in range(half, half + 32) for which in (0, 64)]
        low, high = (builder.bitcast(_picked(builder, *lanes[k : k + 2], order), pairs) for k in (0, 2))
        for quarter in (0, 16):
            order16 = [k + which for k in range(quarter, quarter + 16) for which in (0, 32)]
            yield builder.bitcast(_picked(builder, low, high, order16), BYTES)


def places(builder, first, stride, count):  # type: ignore[no-untyped-def]
    """``count`` indices from ``first`` on, ``stride`` apart."""
    return [builder.add(first, builder.mul(stride, ir.Constant(stride.type, k))) for k in range(count)]
