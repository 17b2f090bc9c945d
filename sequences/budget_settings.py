"""The budget of each setting of a plan: its link, how it plays, its tag rates, its time."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import zip_longest
from math import exp, inf, isinf, sqrt

from ..instruments.expected import ExpectedSection
from .budget_facts import LabFacts
from .budget_link import Arm, LinkBudget, link_budget
from .budget_load import STILL, Playing, Steady, channel_rates_hz, playing
from .experiments.base import Demand, Setting
from .pulses import Pulse
from .sequence import Sequence as PulseSequence


@dataclass(frozen=True)
class SettingBudget:
    """What is expected of one setting.

    Attributes:
        setting, demand: from the plan; no demand where it is not known what the setting waits for.
        link: of a sequence that branches on heralds, where the station file says enough.
        played: the sequence as it plays on average.
        rates_hz: tags a second by source and channel.
        needed_s: time until everything the setting waits for is there; inf if never.
        time_s: time it will take: ``needed_s``, or its longest time; 0 without a demand.
    """

    setting: Setting
    demand: Demand | None
    link: LinkBudget | None
    played: Playing
    rates_hz: Mapping[str, Mapping[str, float]]
    needed_s: float
    time_s: float
    readout_contrast: float

    @property
    def sequence(self) -> PulseSequence | None:
        return self.setting.sequence

    @property
    def link_unknown(self) -> bool:
        """It branches on heralds, and nobody knows how often they come."""
        return self.sequence is not None and self.sequence.branch is not None and self.link is None

    @property
    def tag_rate_hz(self) -> float:
        return sum(sum(channels.values()) for channels in self.rates_hz.values())

    def pulses(self) -> Iterator[Pulse]:
        """Every pulse of the sequence, once."""
        for block, _ in self.played.blocks:
            yield from block.played()


def setting_budgets(
    settings: Sequence[Setting], demands: Sequence[Demand], facts: LabFacts, sources: Sequence[str]
) -> list[SettingBudget]:
    """One budget a setting, in order; settings that play the same under the same power share their link's."""
    known: dict[object, _Played] = {}
    found = []
    for setting, demand in zip_longest(settings, demands[: len(settings)]):
        power_w, steady = _present(setting, "laser.power", facts), _steady(setting, facts)
        key = (id(setting.sequence), power_w, steady.pump_w, *steady.photons_hz.items())
        if key not in known:
            known[key] = _play(setting.sequence, power_w, steady, facts, sources)
        found.append(_setting_budget(setting, demand, known[key]))
    return _until_precise(found)


def fidelity_std(settings: Sequence[SettingBudget]) -> float | None:
    """Standard error of the fidelity from the correlators of these settings; None where none is expected."""
    bases = _bases(settings)
    if len(bases) < 2:
        return None
    heralds = [s.time_s * s.played.herald_rate_hz for s in bases]
    return sqrt(sum(_variance(s) / n for s, n in zip(bases, heralds, strict=True))) if all(heralds) else inf


def _bases(settings: Sequence[SettingBudget]) -> list[SettingBudget]:
    """The settings a fidelity is estimated from."""
    return [
        s for s in settings if s.link and s.link.fidelity and s.demand and s.demand.heralds and s.demand.fidelity_std
    ]


def _variance(s: SettingBudget) -> float:
    """What one herald of a basis leaves as variance of the fidelity: (1 - E²)/16, E as read out, over the contrast² c².

    E = ∓s·V·C along x and y, -s along z, with s the share of true heralds; a basis is told by the setting's name.
    """
    assert s.link is not None
    kept = 1.0 if s.setting.name == "ZZ" else s.link.visibility * s.link.coherence
    correlator = s.readout_contrast * s.link.true_share * kept
    return (1 - correlator**2) / (16 * s.readout_contrast**2)


def _until_precise(settings: list[SettingBudget]) -> list[SettingBudget]:
    """The same, bases ending as soon as each adds its equal share to the wanted variance."""
    bases = _bases(settings)
    return [_ending_early(s, len(bases)) if s in bases else s for s in settings]


def _ending_early(s: SettingBudget, bases: int) -> SettingBudget:
    assert s.demand is not None
    assert s.demand.fidelity_std is not None
    heralds = _variance(s) * bases / s.demand.fidelity_std**2
    enough_s = heralds / s.played.herald_rate_hz if s.played.herald_rate_hz else inf
    if isinf(s.demand.fidelity_std) or enough_s >= s.needed_s:
        return s
    return replace(s, needed_s=enough_s, time_s=min(enough_s, s.time_s))


@dataclass(frozen=True)
class _Played:
    """What is the same for all settings that play the same sequence in the same light."""

    link: LinkBudget | None
    played: Playing
    rates_hz: Mapping[str, Mapping[str, float]]
    readout_contrast: float


def _play(
    sequence: PulseSequence | None, power_w: float | None, steady: Steady, facts: LabFacts, sources: Sequence[str]
) -> _Played:
    expected = facts.file.expected
    arms = _arms(power_w, facts)
    link = _link(sequence, arms, expected)
    played = STILL if sequence is None else playing(sequence, link)
    rates_hz = {s: channel_rates_hz(facts.nodes[s], played, arms, expected, steady) for s in sources}
    return _Played(link, played, rates_hz, _readout_contrast(sequence, expected))


def _setting_budget(setting: Setting, demand: Demand | None, known: _Played) -> SettingBudget:
    needed_s = 0.0 if demand is None else _needed_s(demand, known.played, known.rates_hz)
    time_s = 0.0 if demand is None else min(needed_s, demand.longest_s)
    return SettingBudget(
        setting, demand, known.link, known.played, known.rates_hz, needed_s, time_s, known.readout_contrast
    )


def _needed_s(demand: Demand, played: Playing, rates_hz: Mapping[str, Mapping[str, float]]) -> float:
    source, _, channel = demand.channel.partition(".")
    waits = (
        (demand.heralds, played.herald_rate_hz),
        (demand.bursts, 1 / played.burst_s),
        (demand.clicks, rates_hz.get(source, {}).get(channel, 0.0)),
        (demand.time_s, 1.0),
    )
    return max((amount / rate if rate else inf) if amount else 0.0 for amount, rate in waits)


def _arms(power_w: float | None, facts: LabFacts) -> tuple[Arm, ...]:
    """The nodes whose light is known, at the present laser power."""
    laser = facts.file.expected.laser
    if laser is None:
        return ()
    power = 1.0 if power_w is None else power_w / laser.pi_power_w
    return tuple(
        Arm(name, known, facts.nodes[name].photon_delay_ps, laser.pi_duration_s * 1e12, power)
        for name, known in facts.file.expected.nodes.items()
        if name in facts.nodes
    )


def _link(sequence: PulseSequence | None, arms: tuple[Arm, ...], expected: ExpectedSection) -> LinkBudget | None:
    if sequence is None or sequence.branch is None or expected.midpoint is None or len(arms) != 2:
        return None
    if any(name not in expected.detectors for name in sequence.branch.on.detectors):
        return None
    return link_budget(sequence, sequence.branch, (arms[0], arms[1]), expected.midpoint, expected.detectors)


def _steady(setting: Setting, facts: LabFacts) -> Steady:
    """What shines during a setting, pulses apart. Free-running light is shut out while pulses play."""
    pump_w = _present(setting, "pair_source.pump_power", facts) or 0.0
    photons_hz: dict[str, float] = defaultdict(float)
    for name, light in facts.file.expected.lights.items() if setting.sequence is None else ():
        rate_hz = _present(setting, f"{name}.rate", facts) or 0.0
        for detector, share in light.share.items() if setting.parameters.get(f"{name}.emission") else ():
            photons_hz[detector] += rate_hz * share
    return Steady(pump_w if setting.parameters.get("pair_source.emission") else 0.0, photons_hz)


def _present(setting: Setting, name: str, facts: LabFacts) -> float | None:
    value = setting.parameters.get(name)
    return float(value) if isinstance(value, int | float) and not facts.held(name) else facts.value(name)


def _readout_contrast(sequence: PulseSequence | None, expected: ExpectedSection) -> float:
    """1 - P(click | dark) - P(no click | bright) of both nodes' read-outs after a herald, multiplied; 1 without any."""
    if sequence is None or sequence.branch is None:
        return 1.0
    contrast = 1.0
    for name, node in expected.nodes.items():
        light_s = sum(p.duration_ps for p in sequence.branch.then.played() if p.channel == f"{name}_readout") * 1e-12
        if light_s:
            contrast *= exp(-node.readout_dark_hz * light_s) - exp(-node.readout_bright_hz * light_s)
    return contrast
