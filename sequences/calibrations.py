"""Calibrations of a station: figures that are known for a while, with their age and what they rest on.

A short list with levels: each needs only calibrations of lower levels. One that is expired, failed or was never taken makes
what needs it stale, and every run taken meanwhile says so.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from math import hypot
from pathlib import Path
from typing import Any, Literal

from ..analysis.errors import DataError, ErbiaError, UsageError
from ..analysis.records import Estimate
from ..instruments.monitored import CalibrationSection

State = Literal["fresh", "expired", "stale", "failed", "never"]
#: A check agrees within so many standard errors of the difference (false alarm 6e-5), and the tolerance.
_SIGMAS = 4.0


@dataclass(frozen=True, slots=True)
class Taken:
    """What is known of a calibration: its last value, when it was last found good, by which run, and what failed since."""

    estimate: Estimate | None = None
    taken_utc_s: float = 0.0
    run_path: str = ""
    failure: str = ""


class CalibrationBook:
    """The calibrations of one station, their values in one JSON file.

    Raises:
        UsageError: a calibration needs one that is not there, or not of a lower level.
        DataError: the file is not what this program wrote.
    """

    def __init__(
        self, sections: Mapping[str, CalibrationSection], path: Path, now_s: Callable[[], float] = time.time
    ) -> None:
        for name, section in sections.items():
            for need in section.needs:
                if need not in sections:
                    raise UsageError(f"calibration {name} needs {need!r}; the station has {', '.join(sections)}")
                if sections[need].level >= section.level:
                    raise UsageError(
                        f"calibration {name} (level {section.level}) needs {need} (level {sections[need].level}): "
                        "what is needed must have a lower level"
                    )
        self._sections = dict(sorted(sections.items(), key=lambda item: item[1].level))
        self._path, self._now_s = path, now_s

    def names(self) -> tuple[str, ...]:
        """All, lowest level first."""
        return tuple(self._sections)

    def section(self, name: str) -> CalibrationSection:
        """As the station file has it. Raises UsageError when it has none of that name."""
        if name not in self._sections:
            raise UsageError(f"no calibration {name!r}; the station has {', '.join(self._sections) or 'none'}")
        return self._sections[name]

    def taken(self, name: str) -> Taken:
        """What is known of it."""
        return self._read().get(name, Taken())

    def state(self, name: str) -> tuple[State, str]:
        """How it stands, and why if it is not fresh."""
        return self._state(name, self._read())

    def _state(self, name: str, known: Mapping[str, Taken]) -> tuple[State, str]:
        section, found = self._sections[name], known.get(name, Taken())
        if found.failure:
            return "failed", found.failure
        if found.estimate is None:
            return "never", "never taken"
        age_s = self._now_s() - found.taken_utc_s
        if age_s > section.expires_after_s:
            return "expired", f"{age_s / 3600:.1f} h old, good for {section.expires_after_s / 3600:.1f} h"
        for need in section.needs:
            state, _ = self._state(need, known)
            if state != "fresh":
                return "stale", f"{need} is {state}"
            if known[need].taken_utc_s > found.taken_utc_s:
                return "stale", f"{need} was taken anew since"
        return "fresh", ""

    def due(self, names: Sequence[str]) -> list[str]:
        """The named ones and whatever they need that is not fresh, in order; no name: all that are not fresh."""
        wanted = set(names or (n for n in self._sections if self.state(n)[0] != "fresh"))
        for name in [*wanted]:
            wanted |= {need for need in self._ancestors(name) if self.state(need)[0] != "fresh"}
        return [name for name in self._sections if name in wanted]

    def _ancestors(self, name: str) -> set[str]:
        needs = self.section(name).needs
        return set(needs).union(*(self._ancestors(need) for need in needs)) if needs else set()

    def keep(self, name: str, results: Mapping[str, Estimate], run_path: str) -> Estimate:
        """Keeps a run's figure as the new value.

        Raises:
            UsageError: the run did not give that figure; the calibration has failed.
        """
        figure = self.section(name).figure
        if figure not in results:
            self.fail(name, f"the run gave no {figure}")
            raise UsageError(
                f"calibration {name}: {run_path} gave no {figure}; it has {', '.join(results) or 'nothing'}"
            )
        self._write(name, Taken(results[figure], self._now_s(), run_path))
        return results[figure]

    def agrees(self, name: str, results: Mapping[str, Estimate]) -> bool:
        """Whether a quick check finds the kept value; then it is good for another while."""
        found, checked = self.taken(name), results.get(self.section(name).figure)
        if found.estimate is None or checked is None:
            return False
        allowed = self.section(name).tolerance + _SIGMAS * hypot(found.estimate.std, checked.std)
        good = abs(checked.value - found.estimate.value) <= allowed
        if good:
            self._write(name, replace(found, taken_utc_s=self._now_s(), failure=""))
        return good

    def fail(self, name: str, reason: str) -> None:
        """Notes that it could not be taken; the last value stays for reading."""
        self._write(name, replace(self.taken(name), failure=reason))

    def _read(self) -> dict[str, Taken]:
        try:
            plain = json.loads(self._path.read_text(encoding="utf-8"))
            return {
                name: Taken(**{**t, "estimate": None if t["estimate"] is None else Estimate(**t["estimate"])})
                for name, t in plain.items()
            }
        except FileNotFoundError:
            return {}
        except (json.JSONDecodeError, TypeError, KeyError, AttributeError) as error:
            raise DataError(f"{self._path}: not a calibration file ({error}); move it away") from error

    def _write(self, name: str, taken: Taken) -> None:
        known = {**self._read(), name: taken}
        draft = self._path.with_suffix(f".{os.getpid()}")
        draft.parent.mkdir(parents=True, exist_ok=True)
        draft.write_text(json.dumps({n: asdict(t) for n, t in known.items()}, indent=1), encoding="utf-8")
        draft.replace(self._path)


def book_of(loaded: Any, out_dir: Path) -> CalibrationBook:
    """The calibrations of a loaded station, their values beside its run files."""
    return CalibrationBook(loaded.file.calibrations, out_dir / f".erbia-calibrations-{loaded.path.stem}.json")


def describe_states(book: CalibrationBook) -> dict[str, dict[str, Any]]:
    """For a run file: each calibration's state, reason, value and time, as plain values."""
    described = {}
    for name in book.names():
        state, reason = book.state(name)
        taken = book.taken(name)
        value = None if taken.estimate is None else taken.estimate.as_dict()
        described[name] = {"state": state, "reason": reason, "estimate": value, "taken_utc_s": taken.taken_utc_s}
    return described


Play = Callable[[str, Mapping[str, Any]], tuple[Mapping[str, Estimate], str]]


def calibrate(
    book: CalibrationBook, names: Sequence[str], play: Play, apply: Callable[[str, float], None]
) -> dict[str, str]:
    """Takes what is due, lowest level first; a check that agrees spares the whole run.

    Args:
        names: which; empty: all that are not fresh.
        play: runs an experiment with a config and gives its results and run file.
        apply: sets ``instrument.parameter``.

    Returns:
        by name: ``calibrated``, ``checked``, or why not.
    """
    outcomes: dict[str, str] = {}
    for name in book.due(names):
        section = book.section(name)
        missing = [need for need in section.needs if book.state(need)[0] != "fresh"]
        if missing:
            outcomes[name] = f"not taken: {', '.join(missing)} is not fresh"
            continue
        try:
            outcomes[name] = _take(book, name, play, apply)
        except ErbiaError as error:
            book.fail(name, str(error))
            outcomes[name] = f"failed: {error}"
    return outcomes


def _take(book: CalibrationBook, name: str, play: Play, apply: Callable[[str, float], None]) -> str:
    section = book.section(name)
    if section.check and book.state(name)[0] == "expired":
        results, _ = play(section.experiment, {**section.config, **section.check})
        if book.agrees(name, results):
            return "checked"
    results, path = play(section.experiment, section.config)
    estimate = book.keep(name, results, path)
    if section.sets is not None:
        apply(section.sets, estimate.value)
    return "calibrated"
