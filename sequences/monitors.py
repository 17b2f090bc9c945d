"""Monitors of a run: which data count. Each is looked at once a block, next to the data it judges.

A block counts when every monitor was content both before and after it: a trip suspends from the block it fell into, and
the block in which all is well again does not count yet. What does not count reaches the analysis as a block without
live time, live and offline alike.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from pydantic import ValidationError

from ..analysis.errors import UsageError
from ..analysis.records import PS_PER_S, TagBlock
from ..instruments.monitored import MonitorSection
from ..instruments.station import LoadedStation
from .documents import Validity

Round = Mapping[str, TagBlock]


def not_counting(block: TagBlock) -> TagBlock:
    """The block as an analysis takes it when its time does not count."""
    return replace(block, overflow=True)


class Monitors:
    """The monitors of one run.

    Raises:
        UsageError: a monitor names a node, channel or parameter the lab does not have.
    """

    def __init__(self, lab: LoadedStation, sections: Mapping[str, MonitorSection]) -> None:
        self._sections = sections
        self._looks = {name: _look(lab, name, section) for name, section in sections.items()}
        self._troubles: dict[str, str] = {}
        self._latched: dict[str, str] = {}
        self._reasons: dict[str, str] = {}

    def suspended(self, source: str) -> str:
        """Why the data of ``source`` did not count in the last block; empty when they did."""
        return self._reasons.get(source, "")

    def restore(self, reasons: Mapping[str, str]) -> None:
        """Goes on where an interrupted run stood."""
        self._reasons = dict(reasons)

    def acknowledge(self) -> None:
        """Forgets what was latched; what is still wrong trips again."""
        self._latched.clear()

    def judge(self, blocks: Round) -> list[Validity]:
        """Looks at everything once; returns the changes of validity from the start of these blocks on."""
        troubles = {name: trouble for name, look in self._looks.items() if (trouble := look(blocks))}
        now = {**self._troubles, **troubles, **self._latched}
        self._latched |= {name: f"{t} (latched)" for name, t in troubles.items() if self._sections[name].latching}
        self._troubles = troubles
        changes = []
        for source, block in blocks.items():
            reason = "; ".join(f"{name}: {text}" for name, text in now.items() if self._concerns(name, source))
            if block.overflow:
                reason = "; ".join(filter(None, (reason, f"tagger overflow, {block.missed} clicks missed")))
            if bool(reason) != bool(self.suspended(source)):
                changes.append(Validity(block.t_start_ps, source, not reason, (reason or "all is well again")[:200]))
            self._reasons[source] = reason
        return changes

    def _concerns(self, name: str, source: str) -> bool:
        sources = self._sections[name].sources
        return not sources or source in sources


def _look(lab: LoadedStation, name: str, section: MonitorSection) -> Callable[[Round], str]:
    """What the monitor has to say about a round, in words; empty when it is content."""
    if section.parameter is not None:
        parameter = lab.parameter(section.parameter)
        return lambda blocks: _trouble(section, parameter.get(), f"{section.parameter} =", parameter.unit)
    if section.channel is not None:
        node_name, _, channel = section.channel.partition(".")
        number = _node(lab, name, node_name).channel(channel)
        return lambda blocks: _count_trouble(section, blocks.get(node_name), number)
    for node in (section.clock, section.against):
        _node(lab, name, str(node))
    return _ClockLook(section)


def _node(lab: LoadedStation, monitor: str, node: str) -> Any:
    if node not in lab.nodes:
        raise UsageError(f"monitor {monitor}: no node {node!r}; there are {', '.join(lab.nodes)}")
    return lab.nodes[node]


def _count_trouble(section: MonitorSection, block: TagBlock | None, number: int) -> str:
    if block is None or block.t_stop_ps == block.t_start_ps:
        return ""
    rate_hz = len(block.tags.on(number)) * PS_PER_S / (block.t_stop_ps - block.t_start_ps)
    return _trouble(section, rate_hz, f"{section.channel} at", "Hz")


class _ClockLook:
    """Steps of one clock against another, from block end to block end, beyond their rate over the block before."""

    def __init__(self, section: MonitorSection) -> None:
        self._section = section
        self._before: tuple[int, int] | None = None
        self._rate: float | None = None

    def __call__(self, blocks: Round) -> str:
        ours, other = blocks.get(str(self._section.clock)), blocks.get(self._section.against)
        if ours is None or other is None:
            return ""
        now = other.t_stop_ps, ours.t_stop_ps - other.t_stop_ps
        before, self._before = self._before, now
        if before is None or now[0] == before[0]:
            return ""
        passed_ps, moved_ps = now[0] - before[0], now[1] - before[1]
        expected, self._rate = self._rate, moved_ps / passed_ps
        step_s = 0.0 if expected is None else abs(moved_ps - expected * passed_ps) / PS_PER_S
        return _trouble(self._section, step_s, f"{self._section.clock} stepped by", "s")


def _trouble(section: MonitorSection, value: Any, what: str, unit: str) -> str:
    if section.equals is not None:
        return "" if value == section.equals else f"{what} {value}, wanted {section.equals}"
    if section.minimum is not None and not value >= section.minimum:
        return f"{what} {value:g} {unit}, below {section.minimum:g}"
    if section.maximum is not None and not value <= section.maximum:
        return f"{what} {value:g} {unit}, above {section.maximum:g}"
    return ""


def make_monitors(plain: Mapping[str, Mapping[str, Any]]) -> dict[str, MonitorSection]:
    """Monitors from plain dicts. Raises UsageError naming the monitor and what is wrong."""
    made = {}
    for name, section in plain.items():
        try:
            made[name] = MonitorSection.model_validate(section)
        except ValidationError as error:
            wrong = error.errors()[0]
            raise UsageError(f"monitor {name}: {'.'.join(map(str, wrong['loc']))}: {wrong['msg']}") from error
    return made
