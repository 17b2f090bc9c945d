"""Clock models in a run file: ``/clocks/<n>``, one group each time the taggers' clocks are compared, never changed.

The ticks of every tagger stay as recorded. A timebase says how each tagger's clock relates to one of them, and its clicks
are brought onto that clock when they are read; a better model, added later, changes no click.
"""

from __future__ import annotations

import datetime
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..clock_model import block_on_clock_a, on_clock_a
from ..errors import DataError, UsageError
from ..records import ClockModel, TagBlock, TimeTags
from ..tags import merge
from .opening import reading
from .runreader import Run
from .strings import read_attributes, read_text, write_attributes, write_text


@dataclass(frozen=True, slots=True)
class Timebase:
    """How the clocks of a run's taggers relate.

    Attributes:
        number: of ``/clocks/<number>``.
        reference: the tagger whose clock is the common one.
        clocks: for each other tagger, the model that maps the reference's clock to its own.
        method: how the models were found.
        created_utc: when.
    """

    number: int
    reference: str
    clocks: Mapping[str, ClockModel]
    method: str
    created_utc: str

    def tags(self, run: Run, source: str) -> TimeTags:
        """The clicks of ``source`` with their times on the reference's clock.

        Raises:
            UsageError: no such source, or no model of its clock.
        """
        model = self._model(run, source)
        return run.tags(source) if model is None else on_clock_a(run.tags(source), model)

    def blocks(self, run: Run, source: str) -> Iterator[TagBlock]:
        """As ``tags``, block by block with bounded memory, for the analyses that take blocks."""
        model = self._model(run, source)
        for block in run.iter_blocks(source):
            yield block if model is None else block_on_clock_a(block, model)

    def _model(self, run: Run, source: str) -> ClockModel | None:
        if source == self.reference:
            return None
        if source not in self.clocks:
            known = ", ".join((self.reference, *self.clocks))
            raise UsageError(f"{run.path}: no model of the clock of {source!r}; the timebase has {known}")
        return self.clocks[source]


def on_one_clock(run: Run, sources: Sequence[str]) -> tuple[TimeTags, dict[int, str]]:
    """The clicks of several taggers in one stream on the reference's clock, and the names of its channels.

    Channel numbers a tagger shares with one before it are moved up behind all numbers before; names read
    ``tagger.channel``.

    Raises:
        UsageError: no such source, no model of its clock, or more channels than 256.
        DataError: the run has no timebase.
    """
    base = timebase_of(run)
    names: dict[int, str] = {}
    streams = []
    for source in sources:
        tags, own = base.tags(run, source), run.channels(source)
        used = set(own) | {int(c) for c in np.unique(tags.channel)}
        shift = max(names, default=-1) + 1 if used & set(names) else 0
        if max(used, default=0) + shift > 255:
            raise UsageError(f"{run.path}: {', '.join(sources)} have more channels than one stream can number (256)")
        names |= {c + shift: f"{source}.{own.get(c, c)}" for c in sorted(used)}
        streams.append(TimeTags(tags.t_ps, tags.channel + np.uint8(shift)))
    return merge(*streams), names


def write_timebase(run: Run, reference: str, clocks: Mapping[str, ClockModel], method: str) -> int:
    """Adds ``/clocks/<n>`` to a run that has ended and returns n; the newest one is what readers use.

    Raises:
        UsageError: a name that is no tagger of the run, or a model of the reference's own clock.
        DataError: the run is still being written, or another process is changing the file.
    """
    unknown = [name for name in (reference, *clocks) if name not in run.sources]
    if unknown or reference in clocks:
        raise UsageError(
            f"{run.path}: a timebase names one reference and other taggers of {', '.join(run.sources) or '(none)'};"
            f" got reference {reference!r} and models of {', '.join(clocks) or 'none'}"
        )

    def change(file: Any) -> int:
        group = file.require_group("clocks")
        number = max((int(name) for name in group), default=-1) + 1
        target = group.create_group(str(number))
        created = datetime.datetime.now(datetime.UTC).isoformat()
        write_attributes(target, {"reference": reference, "method": method, "created_utc": created})
        for source, model in clocks.items():
            write_text(target, source, json.dumps(model_to_plain(model)))
        return number

    return run.amend(change)


def read_timebases(run: Run) -> tuple[Timebase, ...]:
    """Every timebase of the run, oldest first; empty when its clocks were never compared."""

    def timebase(number: str, group: Any) -> Timebase:
        about = read_attributes(group)
        clocks = {source: model_from_plain(json.loads(read_text(group, source))) for source in group}
        return Timebase(int(number), about["reference"], clocks, about["method"], about["created_utc"])

    with reading(run.path, "/clocks"):
        groups = run.group("clocks")
        return tuple(timebase(number, groups[number]) for number in sorted(groups, key=int))


def timebase_of(run: Run) -> Timebase:
    """The newest timebase; DataError when the run has none."""
    every = read_timebases(run)
    if not every:
        raise DataError(
            f"{run.path}: the clocks of its taggers were never compared; keep a model with erbia sync --keep or erbia merge"
        )
    return every[-1]


def model_to_plain(model: ClockModel) -> dict[str, Any]:
    """A clock model as JSON-able values; floats keep every digit."""
    return {
        "offset_ps": model.offset_ps,
        "skew": model.skew,
        "drift_per_s": model.drift_per_s,
        "t_ref_ps": int(model.t_ref_ps),
        "covariance": model.covariance.tolist(),
        "segments": [[int(start), model_to_plain(piece)] for start, piece in model.segments],
    }


def model_from_plain(plain: Mapping[str, Any]) -> ClockModel:
    """Inverse of ``model_to_plain``."""
    return ClockModel(
        float(plain["offset_ps"]),
        float(plain["skew"]),
        float(plain["drift_per_s"]),
        int(plain["t_ref_ps"]),
        np.array(plain["covariance"], np.float64),
        tuple((int(start), model_from_plain(piece)) for start, piece in plain["segments"]),
    )
