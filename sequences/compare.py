"""Comparing runs: a run with its own analysis done anew, and two runs with each other."""

from __future__ import annotations

import difflib
import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ..analysis.files.provenance import collect
from ..analysis.files.runfile import Run
from ..analysis.records import Estimate
from .replay import analyze
from .resume import results_of_whole

#: Numbers nearer than this (relative) are the same number: libraries may add in another order.
_SAME = 1e-9
_CODE = ("git_commit", "git_dirty", "host")


@dataclass(frozen=True, slots=True)
class Reproduction:
    """A run's results as recorded and as its file gives them now.

    Attributes:
        recorded, again: estimates by name; a name may be in one only.
        environment: what of the code and packages is not as it was, ``(then, now)`` by name.
    """

    recorded: Mapping[str, Estimate]
    again: Mapping[str, Estimate]
    environment: Mapping[str, tuple[str, str]]

    def differing(self) -> list[str]:
        """Names of the results that did not come out the same."""
        names = {**self.recorded, **self.again}
        return [name for name in names if not _same(self.recorded.get(name), self.again.get(name))]


def reproduce(run: Run) -> Reproduction:
    """Analyses a run again from its file alone, every block checked, and compares with what was found when it was taken.

    Raises:
        DataError: the file is damaged, or holds no results to compare with.
    """
    of_whole = results_of_whole(run)
    recorded = of_whole[0].estimates if of_whole else {}
    return Reproduction(dict(recorded), dict(analyze(run).estimates), _environment(run.provenance, collect(), _CODE))


@dataclass(frozen=True, slots=True)
class Difference:
    """What is not the same in two runs: ``(in the first, in the second)`` by name; None where it is missing.

    ``station`` is a unified diff of the two station files, line by line.
    """

    config: Mapping[str, tuple[Any, Any]]
    parameters: Mapping[str, tuple[Any, Any]]
    origin: Mapping[str, tuple[Any, Any]]
    station: tuple[str, ...]


def difference(first: Run, second: Run) -> Difference:
    """How two runs' settings, instruments and origins differ."""
    resolved = [json.loads(run.config["resolved_json"]) for run in (first, second)]
    kept = ("experiment", "config", "held", "monitors", "seed", "instruments")
    configs = [dict(_leaves({key: r.get(key) for key in kept})) for r in resolved]
    values = [dict(_parameters(json.loads(run.snapshot("start")))) for run in (first, second)]
    a, b = (run.config["station_yaml"].splitlines() for run in (first, second))
    station = difflib.unified_diff(a, b, first.path.name, second.path.name, lineterm="", n=0)
    return Difference(
        _unlike(*configs),
        _unlike(*values),
        _environment(first.provenance, second.provenance, (*_CODE, "command")),
        tuple(station),
    )


def _same(a: Estimate | None, b: Estimate | None) -> bool:
    if a is None or b is None or a.n != b.n:
        return False
    pairs = ((a.value, b.value), (a.lower, b.lower), (a.upper, b.upper), (a.std, b.std))
    return all(x == y or (math.isnan(x) and math.isnan(y)) or math.isclose(x, y, rel_tol=_SAME) for x, y in pairs)


def _environment(then: Mapping[str, str], now: Mapping[str, str], keys: tuple[str, ...]) -> dict[str, tuple[str, str]]:
    packages = [json.loads(p.get("packages_json", "{}")) for p in (then, now)]
    origin = [{key: p.get(key, "") for key in keys} for p in (then, now)]
    return {**_unlike(*origin), **_unlike(*packages)}


def _unlike(a: Mapping[str, Any], b: Mapping[str, Any]) -> dict[str, tuple[Any, Any]]:
    return {key: (a.get(key), b.get(key)) for key in sorted({*a, *b}) if a.get(key) != b.get(key)}


def _leaves(value: Any, prefix: str = "") -> Iterator[tuple[str, Any]]:
    if not isinstance(value, Mapping):
        yield prefix, value
        return
    for key, inner in value.items():
        yield from _leaves(inner, f"{prefix}.{key}" if prefix else str(key))


def _parameters(snapshot: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for name, instrument in snapshot.get("instruments", {}).items():
        yield from _of_instrument(name, instrument)


def _of_instrument(prefix: str, instrument: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for name, parameter in instrument.get("parameters", {}).items():
        if name not in ("IDN", "timeout"):
            yield f"{prefix}.{name}", parameter.get("value")
    for name, module in instrument.get("submodules", {}).items():
        yield from _of_instrument(f"{prefix}.{name}", module)
