"""The budget of a run, made before anything is armed: rates, times, sizes, heat, light, and whether it can work at all.

Made from the plan and from what hardware is known to do (``expected:`` in the station file), never from a simulation's
hidden values; the same numbers therefore stand for a real lab.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from math import isfinite
from pathlib import Path
from typing import Any, Literal

from ..analysis.errors import UsageError
from ..analysis.quantity import format_quantity
from ..instruments.errors import LimitError
from ..instruments.pulse_steps import MAX_STEPS, Wiring
from ..instruments.pulse_table import PulseTable
from .budget_facts import LabFacts
from .budget_load import brightest_hz, heat_w
from .budget_settings import SettingBudget, fidelity_std, setting_budgets
from .checks import MINIMUM_PULSE_PS, check_sequence
from .compile import compile_sequence
from .compile_steps import steps_needed
from .experiments.base import Experiment, Setting

Verdict = Literal["ok", "warning", "refused"]

#: Of a tag in a run file: time as a 4-byte step and channel, before compression (docs/data-format.md).
BYTES_PER_TAG = 5
#: Row of the herald table, and what a file holds besides.
BYTES_PER_HERALD, BYTES_PER_FILE = 60, 1_200_000
#: Share of a limit from which on there is a warning.
_WARN_SHARE = 0.5
_KEPT_FREE = 0.02


@dataclass(frozen=True, slots=True)
class Line:
    """One figure of the budget: what is expected, what is allowed, and the verdict with its reason."""

    name: str
    value: float | None
    unit: str
    allowed: str
    verdict: Verdict
    reason: str = ""


@dataclass(frozen=True)
class Budget:
    """All figures of one run; ``predictions`` are those that the run will measure, by the names of its estimates."""

    experiment: str
    station: str
    lines: tuple[Line, ...]
    predictions: Mapping[str, float]

    @property
    def refused(self) -> tuple[Line, ...]:
        """The lines for which the run cannot be started."""
        return tuple(line for line in self.lines if line.verdict == "refused")

    def as_dict(self) -> dict[str, Any]:
        """JSON-able."""
        return {
            "experiment": self.experiment,
            "station": self.station,
            "lines": [asdict(line) | {"value": _finite(line.value)} for line in self.lines],
            "refused": bool(self.refused),
            "predictions": dict(self.predictions),
        }


def make_budget(experiment: Experiment[Any, Any], facts: LabFacts, out_dir: Path) -> Budget:
    """The budget of an experiment, bound to the lab's nodes, whose run file goes to ``out_dir``."""
    plan = experiment.build()
    settings = setting_budgets(plan.settings, experiment.demands(), facts, plan.sources)
    lines = (
        *_problems(plan.settings, facts),
        *_link_lines(settings, facts),
        *_target_lines(settings, experiment.later_s()),
        *_data_lines(settings, facts, out_dir),
        *_load_lines(settings, facts),
        *_generator_lines(settings, facts),
    )
    predictions = dict(experiment.predict(facts.file.expected))
    links = [s.link for s in settings if s.link is not None]
    if links:
        rate_hz = _mean_rate_hz(settings)
        predictions |= {"herald_rate_hz": rate_hz}
        if links[-1].fidelity is not None:
            predictions |= {"fidelity": links[-1].fidelity}
    return Budget(experiment.name, facts.station, lines, predictions)


def refuse_impossible(settings: Iterable[Setting], facts: LabFacts) -> None:
    """Raises UsageError for settings that must not be played: bad sequences, values outside limits, light, heat."""
    chosen = tuple(settings)
    budgets = setting_budgets(chosen, (), facts, ())
    loads = (*_load_lines(budgets, facts), *_generator_lines(budgets, facts))
    raise_refused((*_problems(chosen, facts), *_link_lines(budgets, facts), *loads))


def raise_refused(lines: Iterable[Line]) -> None:
    """Raises UsageError with every refused line."""
    refused = [f"{line.name}: {line.reason}" for line in lines if line.verdict == "refused"]
    if refused:
        raise UsageError("; ".join(refused))


def _problems(settings: Sequence[Setting], facts: LabFacts) -> Iterator[Line]:
    seen: set[int] = set()
    checked = 0
    for setting in settings:
        for name, value in {
            **dict(setting.sequence.settings if setting.sequence else ()),
            **setting.parameters,
        }.items():
            checked += 1
            if problem := facts.refuses(name, value):
                yield Line("limits", None, "", "within limits", "refused", f"setting {setting.name}: {problem}")
        for name, typed in setting.units.items():
            if facts.unit(name) not in ("", typed):
                problem = f"{name} is in {facts.unit(name)}, but was typed in {typed}"
                yield Line("units", None, "", "", "refused", f"setting {setting.name}: {problem}")
        if setting.sequence is not None and id(setting.sequence) not in seen:
            seen.add(id(setting.sequence))
            for problem in check_sequence(setting.sequence):
                yield Line("sequence", None, "", "", "refused", problem)
    yield Line("values within limits", checked, "", "all", "ok")


def _link_lines(settings: Sequence[SettingBudget], facts: LabFacts) -> Iterator[Line]:
    if any(s.link_unknown for s in settings):
        lacks = "the station file's expected: lacks laser, midpoint, two nodes or the herald detectors"
        yield Line("herald rate", None, "Hz", "", "warning", f"not known: {lacks}")
    linked = [s for s in settings if s.link is not None]
    if not linked:
        return
    worst = min(linked, key=lambda s: s.link.rate_hz if s.link else 0.0)
    link = worst.link
    assert link is not None
    coherence_s = min(n.coherence_s for n in facts.file.expected.nodes.values())
    yield Line("attempt rate", link.attempt_rate_hz, "Hz", "", "ok")
    few = "accidental heralds outnumber true ones: are the windows where the light is?" if link.true_share < 0.5 else ""
    yield Line("herald probability", link.probability, "", "", "warning" if few else "ok", few)
    yield Line("herald rate", link.rate_hz, "Hz", "", "ok")
    yield Line("heralds per hour", 3600 * link.rate_hz, "", "", "ok")
    if link.fidelity is not None:
        low = "not entangled: at most 1/2" if link.fidelity <= 0.5 else ""
        yield Line("fidelity", link.fidelity, "", "> 0.5", "warning" if low else "ok", low)
    trip_s = link.round_trip_ps * 1e-12
    yield _at_most("classical round trip", trip_s, "s", coherence_s, "the memory forgets before the herald is back")
    yield _at_most("storage until read-out", link.storage_ps * 1e-12, "s", coherence_s, "", refuse=False)
    yield from (_marker_line(s) for s in linked[:1])


def _marker_line(setting: SettingBudget) -> Line:
    assert setting.link is not None
    assert setting.sequence is not None
    attempt_s, marker_s = setting.sequence.attempt.length_ps * 1e-12, setting.link.marker_ps * 1e-12
    late = marker_s > attempt_s and setting.link.then_acts
    reason = "the next attempt resets the memory before its herald is back: lengthen the attempt" if late else ""
    return Line(
        "herald back at the nodes",
        marker_s,
        "s",
        f"≤ {format_quantity(attempt_s, 's')}",
        "refused" if late else "ok",
        reason,
    )


def _target_lines(settings: Sequence[SettingBudget], later_s: float | None) -> Iterator[Line]:
    waiting = [s for s in settings if s.demand is not None]
    beyond = "and what is decided from the data" if later_s is None else ""
    if not waiting and not later_s:
        unknown = beyond or "the experiment does not say what it waits for"
        yield Line("time to target", None, "s", "", "ok" if beyond else "warning", unknown)
        return
    if any(s.link_unknown for s in waiting):
        yield Line("time to target", None, "s", "", "warning", "the herald rate is not known")
        return
    short = [s for s in waiting if s.needed_s > s.time_s]
    reason = ""
    if short:
        share = min(s.time_s / s.needed_s for s in short)
        reason = f"{short[0].setting.name} ends after {format_quantity(short[0].time_s, 's')} with {share:.0%} of what it waits for"
    needed_s = sum(s.needed_s for s in waiting) + (later_s or 0.0)
    yield Line(
        "time to target", needed_s if isfinite(needed_s) else None, "s", "", "warning" if reason else "ok", reason
    )
    std = fidelity_std(waiting)
    if std is not None:
        asked = min(s.demand.fidelity_std for s in waiting if s.demand and s.demand.fidelity_std)
        missed = std > asked
        reason = f"raise heralds by a factor {(std / asked) ** 2:.2g}" if missed else ""
        allowed = f"≤ {asked:g}" if isfinite(asked) else ""
        yield Line("standard error of the fidelity", std, "", allowed, "warning" if missed else "ok", reason)
        if isfinite(asked):
            heralding_s = sum(s.time_s for s in waiting if s.link is not None)
            yield Line("time to target precision", heralding_s * (std / asked) ** 2, "s", "", "ok", "of heralding")
    yield Line("run time", sum(s.time_s for s in waiting) + (later_s or 0.0), "s", "", "ok", beyond)


def _data_lines(settings: Sequence[SettingBudget], facts: LabFacts, out_dir: Path) -> Iterator[Line]:
    if not settings:
        return
    expected = facts.file.expected
    for source in settings[0].rates_hz:
        rate_hz = max(sum(s.rates_hz[source].values()) for s in settings)
        tagger = facts.nodes[source].instruments["tagger"]
        known = expected.taggers.get(tagger)
        limit_hz = known.max_rate_hz if known else None
        yield _at_most(
            f"tag rate at {tagger}", rate_hz, "Hz", limit_hz, "more tags than it delivers: they would be lost"
        )
    bytes_hz = BYTES_PER_TAG * max(s.tag_rate_hz for s in settings)
    yield _at_most("disk write rate", bytes_hz, "B/s", expected.disk_bytes_per_s, "the disk is too slow")
    if any(s.demand is None or s.link_unknown or not isfinite(s.time_s) for s in settings):
        return
    size = BYTES_PER_FILE + sum(
        s.time_s * (BYTES_PER_TAG * s.tag_rate_hz + BYTES_PER_HERALD * s.played.herald_rate_hz) for s in settings
    )
    disk = shutil.disk_usage(next(p for p in (out_dir.absolute(), *out_dir.absolute().parents) if p.exists()))
    free = max(0.0, disk.free - _KEPT_FREE * disk.total)
    yield _at_most("file size", size, "B", free, f"no room in {out_dir}")


def _load_lines(settings: Sequence[SettingBudget], facts: LabFacts) -> Iterator[Line]:
    expected = facts.file.expected
    distinct = list({id(s.sequence): s for s in settings if s.sequence is not None}.values())
    if not distinct:
        return
    shortest = min((p for s in distinct for p in s.pulses()), key=lambda p: p.duration_ps, default=None)
    if shortest is not None:
        least = f"≥ {format_quantity(MINIMUM_PULSE_PS * 1e-12, 's')}"
        yield Line("shortest pulse", shortest.duration_ps * 1e-12, "s", least, "ok", f"on {shortest.channel}")
    for channel, output in expected.outputs.items():
        if output.max_duty < 1:
            share = max(s.played.on_s(channel) for s in distinct)
            yield _at_most(f"duty cycle of {channel}", share, "", output.max_duty, "on for too long")
        too_short = [
            p
            for s in distinct
            for p in s.pulses()
            if p.channel == channel and _too_short(p.duration_ps, output.min_pulse_s)
        ]
        if too_short:
            allowed = f"≥ {format_quantity(output.min_pulse_s, 's')}"
            yield Line(
                f"pulse on {channel}", too_short[0].duration_ps * 1e-12, "s", allowed, "refused", "too short a pulse"
            )
    heat = max(heat_w(s.played, expected.outputs) for s in distinct)
    yield _at_most("heat on the cold stage", heat, "W", expected.cooling_power_w, "the cryostat cannot take it away")
    for name, detector in expected.detectors.items():
        light_hz, output_name = max(brightest_hz(name, detector, s.played, expected.outputs) for s in distinct)
        gate = f"while {detector.gate} is open" if detector.gate else "which has no gate"
        reason = f"{output_name} shines on {name}, {gate}"
        yield _at_most(f"light on {name}", light_hz, "photons/s", detector.max_photons_hz, reason)


def _finite(value: float | None) -> float | None:
    return value if value is not None and isfinite(value) else None


def _generator_lines(settings: Sequence[SettingBudget], facts: LabFacts) -> Iterator[Line]:
    """What the pulse generator's grid and outputs do to the sequences."""
    sequences = list({id(s.sequence): s.sequence for s in settings if s.sequence is not None}.values())
    if facts.sample_ps is None or not sequences:
        return
    compiled = [compile_sequence(sequence, facts.sample_ps) for sequence in sequences]
    worst = max(compiled, key=lambda c: c.quantisation.largest_ps)
    shifts = worst.quantisation.by_channel()
    where = max(shifts, key=lambda channel: shifts[channel], default="")
    reason = f"edges of {where or 'a block'} on a grid of {facts.sample_ps} ps" if worst.quantisation.largest_ps else ""
    yield Line("quantisation", worst.quantisation.largest_ps * 1e-12, "s", "", "ok", reason)
    if facts.wiring is not None:
        yield from _step_lines([c.table for c in compiled], facts.wiring)


def _step_lines(tables: Iterable[PulseTable], wiring: Wiring) -> Iterator[Line]:
    most = 0
    for table in tables:
        try:
            most = max(most, steps_needed(table, wiring))
        except LimitError as error:
            yield Line("outputs", None, "", "", "refused", str(error))
            return
    yield _at_most("steps of the pulse generator", most, "", MAX_STEPS, "use fewer attempts a burst")


def _too_short(duration_ps: int, minimum_s: float) -> bool:
    return duration_ps < round(minimum_s * 1e12)


def _at_most(name: str, value: float, unit: str, limit: float | None, reason: str, *, refuse: bool = True) -> Line:
    """A line with an upper limit; a limit nobody knows is said so."""
    if limit is None:
        return Line(name, value, unit, "", "ok", "limit not known: the station file's expected: does not say")
    verdict: Verdict = "ok" if value <= _WARN_SHARE * limit else "warning"
    if value > limit and refuse:
        verdict = "refused"
    share = f"{value / limit:.2g} of the limit" if limit else "nothing is allowed"
    why = "" if verdict == "ok" else f"{reason} ({share})" if verdict == "refused" and reason else share
    return Line(name, value, unit, f"≤ {format_quantity(limit, unit)}", verdict, why)


def _mean_rate_hz(settings: Sequence[SettingBudget]) -> float:
    """Heralds over time of the settings that herald, as the run will count them."""
    linked = [s for s in settings if s.link is not None]
    time_s = sum(s.time_s for s in linked if isfinite(s.time_s))
    heralds = sum(s.time_s * s.played.herald_rate_hz for s in linked if isfinite(s.time_s))
    return heralds / time_s if time_s else linked[-1].played.herald_rate_hz
