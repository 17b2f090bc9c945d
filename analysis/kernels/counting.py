"""Kernels: clicks per channel and intervals between successive clicks."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from llvmlite import ir
from numba.core import cgutils, types
from numba.extending import intrinsic

from ..records import Int64Array, UInt8Array
from .jit import kernel

_BLOCK, _VECTOR = 4096, 64
#: Channels below this are counted one after the other, 64 clicks at a time; the few others click by click.
_LOW = 16
_BYTES = ir.VectorType(ir.IntType(8), _VECTOR)

if TYPE_CHECKING:

    def _count_equal(values: UInt8Array, at: int, wanted: np.uint8) -> int: ...

else:

    @intrinsic
    def _count_equal(context, values, at, wanted):
        """How many of ``values[at : at + 64]`` are ``wanted``: one comparison of vectors, as portable LLVM."""

        def build(target, builder, signature, arguments):
            array, first, value = arguments
            data = cgutils.create_struct_proxy(signature.args[0])(target, builder, array).data
            where = builder.bitcast(builder.gep(data, [first]), _BYTES.as_pointer())
            undefined, lane = ir.Constant(_BYTES, ir.Undefined), ir.IntType(32)
            one = builder.insert_element(undefined, value, ir.Constant(lane, 0))
            every = builder.shuffle_vector(one, undefined, ir.Constant(ir.VectorType(lane, _VECTOR), None))
            found = builder.icmp_unsigned("==", builder.load(where, align=1), every)
            return builder.ctpop(builder.bitcast(found, ir.IntType(64)))

        return types.int64(values, types.intp, types.uint8), build


@kernel
def accumulate_channels(channel: UInt8Array, counts: Int64Array) -> None:
    """Adds the clicks of each channel to ``counts`` (int64 (256,))."""
    whole = len(channel) - len(channel) % _VECTOR
    for start in range(0, whole, _BLOCK):
        piece = channel[start : min(start + _BLOCK, whole)]
        used = np.uint8(0)
        for k in range(len(piece)):
            used |= piece[k]
        for wanted in range(min(int(used) + 1, _LOW)):
            found = 0
            for k in range(0, len(piece), _VECTOR):
                found += _count_equal(piece, k, np.uint8(wanted))
            counts[wanted] += found
        if used >= _LOW:
            for k in range(len(piece)):
                if piece[k] >= _LOW:
                    counts[piece[k]] += 1
    for k in range(whole, len(channel)):
        counts[channel[k]] += 1


@kernel
def accumulate_intervals(t: Int64Array, bin_ps: int, counts: Int64Array) -> None:
    """Adds the interval between each click and the next to ``counts``; the last entry takes all longer ones."""
    last = len(counts) - 1
    for i in range(1, len(t)):
        counts[min((t[i] - t[i - 1]) // bin_ps, last)] += 1
