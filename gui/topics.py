"""What belongs on one tab: which results, curves and instrument parameters speak of the clock, the memory, the detectors.

A name belongs to a topic when one of its words does (``clock_offset_ps`` has the words clock, offset, ps); so does
everything of an experiment whose name does. New experiments find their tab without a line of code here.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Topic:
    """One tab: words of results and curves, last words of instrument parameters, what to do while it is empty."""

    title: str
    words: frozenset[str]
    parameters: tuple[str, ...]
    hint: str

    def has(self, name: str) -> bool:
        """Whether a result, curve or experiment of that name belongs here."""
        return not self.words.isdisjoint(name.lower().replace(".", "_").replace(" ", "_").split("_"))


CLOCK = Topic(
    "Clock",
    frozenset({"clock", "clocks", "skew", "offset", "tdev", "adev", "allan", "pairs", "wander"}),
    ("locked", "frequency_offset"),
    "No clock measurement yet.\nRun the clock synchronisation: offset, skew, time deviation and lock appear here.",
)
MEMORY = Topic(
    "Memory",
    frozenset(
        {"memory", "echo", "echoes", "storage", "comb", "afc", "hole", "lifetime", "coherence", "ramsey", "rabi"}
    ),
    ("temperature", "resonance_frequency", "magnetic_field", "electrode_voltage"),
    "Nothing measured on a memory yet.\nRun the storage time or a comb: echoes, decay and fit appear here.",
)
DETECTORS = Topic(
    "Detectors",
    frozenset({"bias", "dark", "detector", "detectors", "jitter", "efficiency", "dead", "snspd", "latch"}),
    ("bias", "count_rate", "latched"),
    "Nothing measured on a detector yet.\nRun a bias scan, dark counts or the timing jitter.",
)
TOPICS = (CLOCK, MEMORY, DETECTORS)
