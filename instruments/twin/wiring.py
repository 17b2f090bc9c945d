"""What is plugged in where in the simulated lab."""

from __future__ import annotations

from collections.abc import Mapping

from .config import TwinConfig

#: Whose clock a tagger runs on; the midpoint's is the reference.
NODE_OF = {"tagger": "midpoint", "alice_tagger": "alice", "bob_tagger": "bob"}
MEMORIES = ("alice_memory", "bob_memory")
#: What can be plugged into each tagger, by default input number.
INPUTS: Mapping[str, Mapping[int, str]] = {
    "tagger": {0: "sync", 1: "ch1", 2: "ch2", 7: "herald"},
    "alice_tagger": {0: "sync", 1: "ch3", 7: "alice_herald"},
    "bob_tagger": {0: "sync", 1: "ch4", 7: "bob_herald"},
}


def inputs_of(config: TwinConfig) -> dict[str, dict[int, str]]:
    """What is plugged in where, further inputs of the configuration included."""
    return {name: {**plugged, **config.extra_inputs.get(name, {})} for name, plugged in INPUTS.items()}  # type: ignore[call-overload]
