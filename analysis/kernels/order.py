"""Kernel: is a sequence of times sorted?"""

from __future__ import annotations

from ..records import Int64Array
from .jit import kernel

_BLOCK = 4096


@kernel
def first_descent(t: Int64Array) -> int:
    """Index of the first time earlier than the one before it, -1 if there is none; at the speed of memory."""
    for start in range(1, len(t), _BLOCK):
        later, earlier = t[start : start + _BLOCK], t[start - 1 :]
        descents = 0
        for k in range(len(later)):
            descents += later[k] < earlier[k]
        if descents:
            for k in range(len(later)):
                if later[k] < earlier[k]:
                    return start + k
    return -1
