"""The same analysis over many files: one after the other, on several cores, or on a dask cluster, with the same answer."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from functools import reduce
from typing import Any, TypeVar

from ..errors import ErbiaError, UsageError

R = TypeVar("R")
W = TypeVar("W")


def map_reduce(
    items: Sequence[W],
    fn: Callable[[W], R],
    combine: Callable[[R, R], R],
    jobs: int = 1,
    scheduler: str | None = None,
) -> R:
    """``combine(combine(fn(items[0]), fn(items[1])), ...)``, always in the order of ``items``.

    Args:
        items: at least one: files, or shares of the work on them.
        fn: analysis of one item; a function of a module, or a ``partial`` of one, so that other processes can find it.
        combine: joins two answers.
        jobs: processes to use; 1 works in this one.
        scheduler: address of a dask scheduler (extra ``cluster``), e.g. ``tcp://10.0.0.1:8786``; ``jobs`` is then unused.
            Nothing is ever retried. Whoever reaches a scheduler runs code on it: keep it to a trusted network.

    Raises:
        UsageError: no items, jobs below 1, or a scheduler without dask installed.
        ErbiaError: a worker process died.
        Whatever ``fn`` raises, e.g. DataError naming its file.
    """
    if not items:
        raise UsageError("no files to analyse")
    if jobs < 1:
        raise UsageError(f"jobs must be at least 1, not {jobs}")
    if scheduler is not None:
        return _on_cluster(items, fn, combine, scheduler)
    if jobs == 1 or len(items) == 1:
        return _combined(map(fn, items), combine)
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(min(jobs, len(items)), mp_context=spawn) as pool:
        try:
            return _combined(pool.map(fn, items), combine)
        except BrokenProcessPool as error:
            raise ErbiaError(f"a worker process died while analysing {len(items)} files; try fewer jobs") from error


def _combined(answers: Iterable[R], combine: Callable[[R, R], R]) -> R:
    return reduce(combine, answers)


def _on_cluster(items: Sequence[W], fn: Callable[[W], R], combine: Callable[[R, R], R], scheduler: str) -> R:
    try:
        from distributed import Client
    except ImportError as error:
        raise UsageError("a dask scheduler needs dask: pip install 'erbia[cluster]'") from error
    try:
        client: Any = Client(scheduler, timeout=10)
    except (OSError, TimeoutError) as error:
        raise UsageError(f"no dask scheduler answers at {scheduler}") from error
    with client:
        futures = client.map(fn, list(items), pure=False, retries=0)
        combined: R = _combined((future.result() for future in futures), combine)
        return combined
