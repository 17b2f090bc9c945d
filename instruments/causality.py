"""What can act on what in a lab that is partly simulated: real instruments are mirrored into the twin, never the other way."""

from __future__ import annotations

from collections.abc import Iterator, Set
from pathlib import Path

from .errors import ConfigError
from .station_file import LinkSection, StationFile


def refuse_impossible_links(path: Path, file: StationFile, mocks: Set[str]) -> None:
    """Refuses links from something simulated to something real: its light and its pulses never leave the simulator.

    Args:
        mocks: names of the instruments that live in the twin.

    Raises:
        ConfigError: names every such link that the file does not allow, and what to do.
    """
    allowed = {(link.source, link.target) for link in file.wiring if link.broken == "allowed"}
    impossible = [
        link
        for link in links_of(file)
        if link.source.partition(".")[0] in mocks
        and is_real(file, mocks, link.target.partition(".")[0])
        and (link.source, link.target) not in allowed
    ]
    if impossible:
        told = "; ".join(f"{link.source} is simulated and cannot reach the real {link.target}" for link in impossible)
        raise ConfigError(
            f"{path}: {told}. Make both simulated or both real, or add the link to wiring: with broken: allowed"
        )


def named_mocks(file: StationFile) -> set[str]:
    """The instruments whose class lies in a package of mocks; told without importing any of them."""
    return {name for name, section in file.instruments.items() if "mock" in section.type.split(".")[:-1]}


def links_of(file: StationFile) -> Iterator[LinkSection]:
    """Every link of a station: those it lists, and from each detector to the tagger input that records it."""
    yield from file.wiring
    for tagger, channels in file.channels.items():
        for number, channel in channels.items():
            if channel.detector:
                yield LinkSection(source=channel.detector, target=f"{tagger}.{number}", kind="electrical")


def is_real(file: StationFile, mocks: Set[str], name: str) -> bool:
    """Whether an instrument is outside the twin; one without an address of its own is what its parts are."""
    section = file.instruments[name]
    parts = {text.partition(".")[0] for text in section.init.values() if isinstance(text, str)} & set(file.instruments)
    if name in mocks:
        return False
    if section.address is None and parts:
        return any(is_real(file, mocks, part) for part in parts)
    return True
