"""The lab at one moment: its configuration under the present settings, asked in the terms of physics."""

from __future__ import annotations

from dataclasses import dataclass

from . import devices, ensemble
from .config import DetectorConfig, NodeConfig, TwinConfig
from .settings import Settings
from .spin import Decoherence

NODES = ("alice", "bob")
#: Each node's own detector.
LOCAL = ("ch3", "ch4")
MIDPOINT = ("ch1", "ch2")


@dataclass(frozen=True, slots=True)
class Conditions:
    """Nodes are counted 0 (Alice), 1 (Bob)."""

    config: TwinConfig
    settings: Settings

    def node(self, node: int) -> NodeConfig:
        return self.config.bob if node else self.config.alice

    def pixel(self, channel: str) -> DetectorConfig:
        return self.config.detectors[channel]  # type: ignore[index]

    @property
    def lit(self) -> bool:
        """Whether the excitation laser gives light."""
        return bool(self.settings["laser", "emission"]) and self.settings["laser", "power"] > 0

    def efficiency(self, channel: str) -> float:
        return devices.efficiency(self.pixel(channel), *self._bias(channel))

    def dark_rate_hz(self, channel: str) -> float:
        return devices.dark_rate_hz(self.pixel(channel), *self._bias(channel))

    def detuning_hz(self, node: int) -> float:
        """Laser minus memory resonance."""
        component = f"{NODES[node]}_memory"
        voltage, field = self.settings[component, "electrode_voltage"], self.settings[component, "magnetic_field"]
        laser = self.settings["laser", "frequency"] + self.settings["laser", "frequency_error"]
        return laser - devices.resonance_hz(self.node(node).memory, voltage, field)

    def photons_apart_hz(self) -> float:
        """Difference of the two nodes' photon frequencies; pair sources follow their pump, ions their own line."""
        absorptive = [self.node(node).ensemble is not None for node in (0, 1)]
        return 0.0 if all(absorptive) else self.detuning_hz(0) - self.detuning_hz(1)

    def resonance_hz(self, node: int) -> float:
        """The memory's optical line."""
        return self.settings["laser", "frequency"] + self.settings["laser", "frequency_error"] - self.detuning_hz(node)

    def decoherence(self, node: int) -> Decoherence:
        """Of a node's spin; an ensemble loses its excitation as a whole instead, when the echo is due."""
        if self.node(node).ensemble is not None:
            return Decoherence(t1_s=1e9, t2_s=1e9, t2_exponent=1.0, t2_star_s=1e9)
        temperature, field = (
            self.settings["cryostat", "temperature"],
            self.settings[f"{NODES[node]}_memory", "magnetic_field"],
        )
        return devices.decoherence(self.node(node).memory, temperature, field)

    def pair_probability(self, node: int, area: float) -> float:
        """Chance that a pump pulse makes an absorptive node's source emit a pair, proportional to power and amplitude."""
        memory = self.node(node)
        if memory.ensemble is None or not self.lit:
            return 0.0
        return min(
            memory.ensemble.pair_probability * area * self.settings["laser", "power"] / self.config.laser.pi_power_w,
            1.0,
        )

    def echo_efficiency(self, node: int) -> float:
        """Chance that an absorptive node gives a stored photon back in its first echo."""
        memory = self.node(node)
        if memory.ensemble is None:
            return 0.0
        phonons = devices.phonon_rate_hz(memory.memory, self.settings["cryostat", "temperature"])
        voltage = self.settings[f"{NODES[node]}_memory", "electrode_voltage"]
        return ensemble.echo_efficiency(memory.ensemble, phonons, voltage)

    def fibre_delay_ps(self, node: int) -> int:
        """Delay to the midpoint, any drift included."""
        return devices.fibre_delay_ps(self.node(node).fibre) + round(
            self.settings[f"{NODES[node]}_memory", "path_error"]
        )

    def excitation_probability(self, node: int, duration_ps: int, area: float) -> float:
        """Chance that a laser pulse brings the bright state to emit."""
        if not self.lit:
            return 0.0
        power, detuning = self.settings["laser", "power"], self.detuning_hz(node)
        return devices.excitation_probability(self.config.laser, power, detuning, duration_ps * 1e-12, area)

    def pair_rates_hz(self) -> dict[str, float]:
        """Detected pairs: ``both`` photons, or only the one at ``ch3`` or ``ch4``."""
        source = self.config.pair_source
        pumped = self.settings["pair_source", "pump_power"] * self.settings["pair_source", "emission"]
        a = source.alice_transmission * self.efficiency("ch3")
        b = source.bob_transmission * self.efficiency("ch4")
        emitted = source.pairs_per_s_per_w * pumped
        return {"both": emitted * a * b, "ch3": emitted * a * (1 - b), "ch4": emitted * b * (1 - a)}

    def _bias(self, channel: str) -> tuple[float, bool]:
        return self.settings[f"snspd.{channel}", "bias"], bool(self.settings[f"snspd.{channel}", "latched"])
