"""How a station is wired to its simulated lab, read from the station file: composites, channels and links say it all."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from ..errors import ConfigError
from ..station_file import InstrumentSection, StationFile
from .playing import PulseWires
from .world_ports import SEEN_AT, AnalogWire, Wires

#: What a photodiode at an analog input is read as.
PHOTODIODE_W_PER_V = 1e-3
#: Inputs of the lab's taggers, by the names a station's channels have there.
NAMED_INPUTS = {"sync": 0, "herald": 7}


def wires_of(file: StationFile) -> Wires:
    """The wires of a station.

    Raises:
        ConfigError: a composite refers to a parameter no wire can be found for.
    """
    by_class: dict[str, dict[str, InstrumentSection]] = {}
    for name, section in file.instruments.items():
        by_class.setdefault(section.type.rpartition(".")[2], {})[name] = section
    named = file.twin.components if file.twin is not None else {}
    cold = {_owner(section, "temperature"): name for name, section in by_class.get("Cryostat", {}).items()}
    seeing = [name for name in by_class.get("Bristol871", {}) if name in named]
    metering = [name for name in by_class.get("ThorlabsPm100d", {}) if name in named]
    return Wires(
        components={**cold, **named},
        knobs=dict(_pump_knobs(by_class.get("PumpedPairSource", {})))
        | {f"{name}.frequency_hz": (named[name], "true_frequency") for name in seeing}
        | {f"{name}.power_w": (named[name], "measured_power") for name in metering},
        lit={f"{name}.power_w": named[name] for name in seeing},
        analog=dict(_analog(file, by_class.get("ErbiumMemory", {}))),
        monitors=dict(_photodiodes(by_class.get("NiAnalogInput", {}), named)),
        counters=dict(_counters(file)),
        inputs={tagger: _inputs(file, tagger) for tagger in file.channels},
        pulsers={name: _pulse_wires(file, s) for name, s in by_class.get("SwabianPulseStreamer", {}).items()},
    )


def _owner(section: InstrumentSection, part: str) -> str:
    return str(section.init[part]).partition(".")[0]


def _pump_knobs(sources: Mapping[str, InstrumentSection]) -> Iterator[tuple[str, tuple[str, str]]]:
    for name, section in sources.items():
        pump = _owner(section, "pump_power")
        yield f"{pump}.emission", (name, "emission")
        yield f"{pump}.power_w", (name, "pump_power")


def _analog(file: StationFile, memories: Mapping[str, InstrumentSection]) -> Iterator[tuple[str, AnalogWire]]:
    for name, section in memories.items():
        per_volt = float(section.init.get("tesla_per_unit", 1.0))
        for part, wire in {
            "electrode": AnalogWire(name, "electrode_voltage"),
            "magnet": AnalogWire(name, "magnetic_field", per_volt),
        }.items():
            output = file.instruments.get(_owner(section, part))
            if output is not None and "channel" in output.init:
                yield str(output.init["channel"]), wire


def _photodiodes(inputs: Mapping[str, InstrumentSection], named: Mapping[str, str]) -> Iterator[tuple[str, AnalogWire]]:
    """The first channel of an analog input that is said to see a laser."""
    for name, section in inputs.items():
        if name in named:
            channel, *_ = section.init.get("channels", ["Dev1/ai0"])
            yield str(channel), AnalogWire(named[name], "measured_power", PHOTODIODE_W_PER_V)


def _counters(file: StationFile) -> Iterator[tuple[str, str]]:
    """Links from a detector to an edge counter."""
    for link in file.wiring:
        detector = link.source.rpartition(".")[2]
        section = file.instruments[link.target.partition(".")[0]]
        if detector in SEEN_AT and section.type.endswith(".NiEdgeCounter"):
            terminal = str(section.init.get("terminal", "")).lstrip("/")
            yield terminal or str(section.init.get("counter", "Dev1/ctr0")), detector


def _inputs(file: StationFile, tagger: str) -> dict[int, int]:
    """The station's input numbers → those of the lab's tagger."""
    found = {}
    for number, channel in file.channels[tagger].items():
        detector = channel.detector.rpartition(".")[2]
        theirs = SEEN_AT[detector][1] if detector in SEEN_AT else NAMED_INPUTS.get(channel.name)
        if theirs is not None:
            found[number] = theirs
    return found


def _pulse_wires(file: StationFile, section: InstrumentSection) -> PulseWires:
    def texts(key: str) -> dict[str, str]:
        return {channel: str(output) for channel, output in section.init.get(key, {}).items()}

    return PulseWires(
        outputs=texts("outputs"),
        quadratures=texts("quadratures"),
        switches={channel: _line(file, path) for channel, path in texts("switches").items()},
        herald_logic=str(section.init.get("herald_logic", "")),
    )


def _line(file: StationFile, path: str) -> str:
    """Port of the digital line a parameter ``instrument.line`` drives."""
    owner, _, line = path.partition(".")
    lines = file.instruments[owner].init.get("lines", {}) if owner in file.instruments else {}
    if line not in lines:
        raise ConfigError(f"switches: {path!r} is no digital line of this station")
    return str(lines[line])
