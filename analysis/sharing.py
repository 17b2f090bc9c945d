"""Work cut into equal shares, one a thread, the first its own. Kernels release the GIL; results come back in order."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from typing import TypeVar

from .errors import UsageError

T = TypeVar("T")


def in_shares(work: Callable[[int, int], T], n: int, threads: int) -> list[T]:
    """``work(first, stop)`` for ``threads`` consecutive shares of ``range(n)``.

    Raises:
        UsageError: ``threads`` is not at least 1.
    """
    if threads < 1:
        raise UsageError(f"threads must be at least 1, got {threads}")
    if threads == 1:
        return [work(0, n)]
    cuts = [n * k // threads for k in range(threads + 1)]
    with ThreadPoolExecutor(threads - 1) as pool:
        others = [pool.submit(work, *share) for share in pairwise(cuts[1:])]
        return [work(cuts[0], cuts[1]), *(other.result() for other in others)]
