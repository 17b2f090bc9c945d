"""The lab at one moment: its configuration under the present settings, asked in the terms of physics."""

from __future__ import annotations

from dataclasses import dataclass
from math import cos, hypot, log, sqrt

from . import devices, polarisation
from .config import LIGHT_KINDS, PAIR_SITES, DetectorConfig, NodeConfig, TwinConfig
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

    def reading(self, component: str, parameter: str) -> float:
        """The true value of one of READINGS but ``count_rate``."""
        if parameter == "resonance_frequency":
            return self.resonance_hz(NODES.index(component.removesuffix("_memory")))
        if parameter == "locked":  # of the reference behind a tagger's clock
            return float(self.settings[component, "skew_error"] == 0)
        if parameter == "measured_power" and component == "laser":
            return self.attenuated_w
        return self.settings[component, "frequency"] + self.settings[component, "frequency_error"]

    @property
    def attenuated_w(self) -> float:
        """Power of the excitation laser behind its attenuator, where a power meter may look."""
        if not (self.settings["laser", "emission"] and self.settings["attenuator", "shutter_open"]):
            return 0.0
        return self.settings["laser", "power"] * 10 ** (-self.settings["attenuator", "attenuation"] / 10)

    @property
    def laser_w(self) -> float:
        """Power that reaches the pulse shaper: only with the switch at its first output."""
        return self.attenuated_w if self.settings["switch", "position"] == 1 else 0.0

    @property
    def lit(self) -> bool:
        """Whether light of the excitation laser reaches the pulse shaper."""
        return self.laser_w > 0

    def efficiency(self, channel: str) -> float:
        return devices.efficiency(self.pixel(channel), *self._bias(channel))

    def dark_rate_hz(self, channel: str) -> float:
        return devices.dark_rate_hz(self.pixel(channel), *self._bias(channel))

    def may_latch(self, channel: str, rate_hz: float) -> bool:
        """Whether a click rate lifts a free pixel's bias (by the amplifier's slow baseline) so far that it latches."""
        (bias_a, latched), pixel = self._bias(channel), self.pixel(channel)
        return not latched and devices.latches(pixel, bias_a * (1 + pixel.pile_up_s * rate_hz))

    def detuning_hz(self, node: int) -> float:
        """Laser minus memory resonance."""
        return self.reading("laser", "true_frequency") - self.resonance_hz(node)

    def shift_hz(self, node: int) -> float:
        """Detuning of a node's input pulses from its burn pulses: what the frequency shifter in their way adds."""
        return self.settings[f"{NODES[node]}_shifter", "frequency"]

    def photons_apart_hz(self) -> float:
        """Difference of the two nodes' photon frequencies; pair sources follow their pump, ions their own line."""
        absorptive = [self.node(node).ensemble is not None for node in (0, 1)]
        return 0.0 if all(absorptive) else self.detuning_hz(0) - self.detuning_hz(1)

    def resonance_hz(self, node: int) -> float:
        """The memory's optical line."""
        component = f"{NODES[node]}_memory"
        voltage, field = self.settings[component, "electrode_voltage"], self.settings[component, "magnetic_field"]
        return devices.resonance_hz(self.node(node).memory, voltage, field)

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
            memory.ensemble.pair_probability * area * self.laser_w / self.config.laser.pi_power_w,
            1.0,
        )

    def fibre_delay_ps(self, node: int) -> int:
        """Delay to the midpoint, any drift included."""
        memory = f"{NODES[node]}_memory"
        drifted = self.settings[memory, "path_error"] + self.settings[memory, "fibre_warmth"]
        return devices.fibre_delay_ps(self.node(node).fibre) + round(drifted)

    def light_delay_ps(self, node: int) -> int:
        """Delay of a photon to the midpoint: fibre and delay line."""
        return self.fibre_delay_ps(node) + round(self.settings[f"{NODES[node]}_delay", "delay"] * 1e12)

    def arm_transmission(self, node: int) -> float:
        """From the fibre's input to the midpoint's detectors, the polariser included."""
        name = NODES[node]
        a1, a2, a3 = (self.settings[f"{name}_polarization", f"angle{axis}"] for axis in "123")
        t1, t2, t3 = (self.settings[f"{name}_memory", f"birefringence{axis}"] for axis in "123")
        polariser = polarisation.transmission((t1, t2, t3), (a1, a2, a3))
        return polariser * devices.fibre_transmission(self.node(node).fibre) * self.config.midpoint.transmission

    def diffusion_hz(self, node: int) -> float:
        """How far the optical line wanders from attempt to attempt: FWHM of spectral diffusion and vibration."""
        swing = self.config.cryostat.vibration_hz / sqrt(2) * sqrt(8 * log(2))
        return hypot(self.node(node).memory.spectral_diffusion_hz, swing)

    @property
    def optical_phase_rad(self) -> float:
        """Between the arms: fixed part, drift and phase shifter."""
        shifter, drift = self.settings["phase_shifter", "phase"], self.settings["midpoint", "phase_drift"]
        return self.config.midpoint.phase_rad + drift + shifter

    @property
    def laser_linewidth_hz(self) -> float:
        """Lorentzian FWHM, narrower when locked."""
        laser = self.config.laser
        return laser.locked_linewidth_hz if self.settings["laser", "lock"] else laser.linewidth_hz

    def fringe(self) -> tuple[float, float]:
        """Relative brightness of classical light through both arms at ch1 and ch2, the mean being 1."""
        a, b = self.arm_transmission(0), self.arm_transmission(1)
        swing = self.config.midpoint.fringe_contrast * 2 * sqrt(a * b) / (a + b) if a + b > 0 else 0.0
        swing *= cos(self.optical_phase_rad)
        return 1 + swing, 1 - swing

    @property
    def light_kind(self) -> str:
        """What the light source is set to."""
        return LIGHT_KINDS[int(self.settings["light_source", "kind"])]

    @property
    def light_rate_hz(self) -> float:
        """Photons, or pairs, the light source emits."""
        return self.settings["light_source", "rate"] * self.settings["light_source", "emission"]

    def bench_rates_hz(self) -> dict[str, float]:
        """Steady clicks at ch1 and ch2 by coherent light of the light source."""
        share = self.config.midpoint.splitter_transmission
        a, b = (self.light_rate_hz * self.arm_transmission(node) for node in (0, 1))
        match self.light_kind:
            case "coherent":
                ways = (share * self.light_rate_hz, (1 - share) * self.light_rate_hz)
            case "alice_arm":
                ways = (share * a, (1 - share) * a)
            case "bob_arm":
                ways = ((1 - share) * b, share * b)
            case "interferometer":
                bright, dim = self.fringe()
                ways = ((a + b) / 4 * bright, (a + b) / 4 * dim)
            case _:
                ways = (0.0, 0.0)
        return {channel: way * self.efficiency(channel) for channel, way in zip(MIDPOINT, ways, strict=True)}

    def free_rate_hz(self, channel: str, *, gated: bool) -> float:
        """Mean rate of clicks no pulse causes: pairs, darks, and the light source unless pulses gate the midpoint."""
        rate_hz = 0.0
        if channel in LOCAL:
            pairs = self.pair_rates_hz()
            rate_hz = pairs["both"] + pairs[channel] + self.dark_rate_hz(channel)
        return rate_hz if gated or channel == LOCAL[1] else rate_hz + self.bench_mean_rate_hz(channel)

    def bench_mean_rate_hz(self, channel: str) -> float:
        """Mean rate of clicks the light source and darks cause at a midpoint detector, or idlers at ch3."""
        source, share = self.config.light_source, self.config.midpoint.splitter_transmission
        pairs = self.light_kind == "pairs"
        if channel == "ch3":
            return self.light_rate_hz * source.idler_transmission * self.efficiency("ch3") if pairs else 0.0
        way = (share if channel == MIDPOINT[0] else 1 - share) * (source.signal_transmission if pairs else 1.0)
        fluctuating = self.light_kind in ("thermal", "single_photon", "pairs")
        drawn = self.light_rate_hz * way * self.efficiency(channel) if fluctuating else 0.0
        return drawn + self.bench_rates_hz()[channel] + self.dark_rate_hz(channel)

    def excitation_probability(self, node: int, duration_ps: int, area: float) -> float:
        """Chance that a laser pulse brings the bright state to emit, over power noise and spectral diffusion."""
        if not self.lit:
            return 0.0
        power_w, detuning = self.laser_w, self.detuning_hz(node)
        return devices.mean_excitation(
            self.config.laser, power_w, detuning, duration_ps * 1e-12, area, self.diffusion_hz(node)
        )

    @property
    def pair_site(self) -> str:
        """Where the pair source stands."""
        return PAIR_SITES[int(self.settings["pair_source", "site"])]

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
