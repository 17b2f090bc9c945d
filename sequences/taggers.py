"""The taggers of a run: read in rounds, one block each, on a time that only goes forward across breaks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ..analysis.kernels.counting import accumulate_channels
from ..analysis.records import PS_PER_S, TagBlock, TimeTags
from ..instruments.interfaces import Node
from ..instruments.station import LoadedStation

_READ_TIMEOUT_S = 10.0
#: At least so much time is missing after a break in which a tagger forgot its time.
_GAP_PS = 1_000_000_000


@dataclass
class Taggers:
    """The taggers of ``sources``.

    Attributes:
        covered_ps: by source, up to where its blocks are in the file.
        shift_ps: added to every time; all clocks together, so that their offsets stay.
    """

    lab: LoadedStation
    sources: Sequence[str]
    covered_ps: dict[str, int] = field(default_factory=dict)
    shift_ps: int = 0

    @contextmanager
    def recording(self) -> Iterator[None]:
        """Clicks are kept inside; what was there before is not."""
        for source in self.sources:
            self._tagger(source).start()
        try:
            yield
        finally:
            for source in self.sources:
                self._tagger(source).stop()

    def read_round(self) -> dict[str, TagBlock]:
        """One block of every tagger, by source, each after what its source has covered.

        Raises:
            InstrumentError: a tagger fails.
        """
        blocks = {source: self._tagger(source).read(_READ_TIMEOUT_S) for source in self.sources}
        behind_ps = [self.covered_ps.get(s, b.t_start_ps) - b.t_start_ps - self.shift_ps for s, b in blocks.items()]
        if max(behind_ps) > 0:  # a tagger was restarted and counts from the beginning
            self.shift_ps += max(behind_ps) + _GAP_PS
        shifted = {source: _shifted(block, source, self.shift_ps) for source, block in blocks.items()}
        self.covered_ps |= {source: block.t_stop_ps for source, block in shifted.items()}
        return shifted

    def _tagger(self, source: str) -> Any:
        return self.lab.instrument(self.lab.nodes[source].instruments["tagger"])


def _shifted(block: TagBlock, source: str, shift_ps: int) -> TagBlock:
    tags = TimeTags(block.tags.t_ps + np.int64(shift_ps), block.tags.channel) if shift_ps else block.tags
    return TagBlock(tags, block.t_start_ps + shift_ps, block.t_stop_ps + shift_ps, source, block.overflow, block.missed)


def pass_time(lab: LoadedStation, covered_ps: Mapping[str, int]) -> None:
    """Brings the clock of a simulated lab that begins anew to after ``covered_ps``, onto randomness not yet used."""
    if lab.world is not None and hasattr(lab.world, "go_on_at") and covered_ps:
        lab.world.go_on_at(max(covered_ps.values()) + 1_000_000_000_000)


def rates_hz(block: TagBlock, node: Node) -> dict[str, float]:
    """Clicks a second on every named channel of a node's tagger."""
    live_s = (block.t_stop_ps - block.t_start_ps) / PS_PER_S
    clicks = np.zeros(256, np.int64)
    if len(block.tags):
        accumulate_channels(block.tags.channel, clicks)
    return {c.name: (float(clicks[c.number]) / live_s if live_s > 0 else 0.0) for c in node.channels}
