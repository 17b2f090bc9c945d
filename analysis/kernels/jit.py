"""How erbia compiles: numba, without the GIL, cached on disk.

A kernel calls kernels of its own module only: the cache notices when the module of a kernel changes, not when one it has
called from elsewhere does.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import ParamSpec, TypeVar

import numba

P = ParamSpec("P")
R = TypeVar("R")


def kernel(function: Callable[P, R]) -> Callable[P, R]:
    """Compiles ``function`` on first call for the array types it meets; releases the GIL; keeps the result on disk."""
    compiled: Callable[P, R] = numba.njit(nogil=True, cache=True)(function)
    return compiled
