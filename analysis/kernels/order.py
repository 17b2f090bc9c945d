"""Kernel: is a sequence of times sorted?"""

from __future__ import annotations

from ..records import Int64Array
from .jit import kernel

_BLOCK = 4096


@kernel
def first_descent(t: Int64Array) -> int:
    """Index of the first time earlier than the one before it, -1 if there is none."""
    n = len(t)
    for start in range(1, n, _BLOCK):
        stop = min(start + _BLOCK, n)
        descents = 0
        for i in range(start, stop):
            descents += t[i] < t[i - 1]
        if descents:
            for i in range(start, stop):
                if t[i] < t[i - 1]:
                    return i
    return -1
