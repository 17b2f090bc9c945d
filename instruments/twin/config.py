"""Everything that can be chosen about the simulated lab: one frozen, validated tree of numbers with units in the names.

Power-up state (emission off, no bias) is not here: a lab is switched on by its instruments, not by its configuration.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

Positive = Annotated[float, Field(gt=0)]
NonNegative = Annotated[float, Field(ge=0)]
Fraction = Annotated[float, Field(ge=0, le=1)]


class _Block(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class LaserConfig(_Block):
    """Excitation laser shared by both nodes; a full-amplitude pulse of ``pi_duration_s`` at ``pi_power_w`` is a pi pulse.

    ``drift_hz_per_s``: how fast the frequency runs away from what is set while the lock is off. ``linewidth_hz`` is the
    Lorentzian FWHM of the free-running laser, ``path_difference_ps`` how much earlier its light reaches one node than the
    other, ``power_noise`` the relative rms of the power from pulse to pulse.
    """

    frequency_hz: Positive = 1.9495e14
    pi_power_w: Positive = 1e-3
    pi_duration_s: Positive = 50e-9
    max_power_w: Positive = 10e-3
    drift_hz_per_s: float = 0.0
    linewidth_hz: NonNegative = 0.0
    locked_linewidth_hz: NonNegative = 0.0
    path_difference_ps: Annotated[int, Field(ge=0)] = 0
    power_noise: NonNegative = 0.0


class PowerMeterConfig(_Block):
    """Power meter behind the attenuator: relative rms ``noise`` of a reading, and rms noise without light."""

    noise: NonNegative = 1e-3
    noise_w: NonNegative = 1e-10


class MemoryConfig(_Block):
    """Single erbium ion in a cavity. Bright state |0>; times as 1/e of the amplitude, linewidths as FWHM.

    Optical pumping takes the spin to |0> with time constant ``pumping_time_s``, up to ``pumping_limit``.
    ``phonon_rate_hz`` at 1 K, growing with temperature to the power ``phonon_exponent``, adds to 1/T1 and 1/T2.
    ``bath_rate_hz``: flip-flops of the electron spins around, adding to 1/T2 as sech²(gµB·B/2kT), g = ``bath_g_factor``.
    ``double_excitation``: chance that an excited ion emits early and is excited once more by the same pulse.
    ``depolarising``: chance that after an attempt's last excitation spin and photons have nothing to do with each other;
    4(1-F)/3 where a spin-photon Bell state of fidelity F was measured.
    ``decoupling_exponent``: T2 grows with the number of half turns to this power (2/3 for a slow Lorentzian bath).
    """

    resonance_hz: Positive = 1.9495e14
    stark_hz_per_v: float = 1.3e6
    zeeman_hz_per_t: float = 1.0e9
    nominal_field_t: NonNegative = 0.3
    spin_hz_per_t: Positive = 1.0e11
    lifetime_s: Positive = 0.8e-6
    indistinguishability: Fraction = 0.9
    double_excitation: Fraction = 0.0
    depolarising: Fraction = 0.0
    spectral_diffusion_hz: NonNegative = 63e3
    pumping_time_s: Positive = 1.1e-6
    pumping_limit: Fraction = 0.9998
    rabi_hz: Positive = 5e6
    t1_s: Positive = 0.1
    t2_s: Positive = 1e-3
    t2_exponent: Positive = 1.5
    t2_star_s: Positive = 20e-6
    phonon_rate_hz: NonNegative = 20.0
    phonon_exponent: Positive = 7.0
    bath_rate_hz: NonNegative = 0.0
    bath_g_factor: Positive = 8.0
    decoupling_exponent: NonNegative = 0.0
    collection: Fraction = 0.06
    readout_rate_hz: NonNegative = 28e3
    readout_background_hz: NonNegative = 100.0
    readout_linewidth_hz: Positive = 2e6


class EnsembleConfig(_Block):
    """Ensemble of erbium ions prepared as an atomic frequency comb (AFC), fed by the node's own photon-pair source.

    ``pair_probability`` per full-amplitude pump pulse at pi_power. Echo after 1/``comb_spacing_hz``; teeth are Gaussian
    of finesse ``finesse`` and peak optical depth ``optical_depth`` over a background ``background_depth``. The electrode
    splits the ions into two classes shifted by ±``stark_split_hz_per_v`` a volt; pulses on it have ``electrode_pulse_v``.
    ``retrieval`` is the path from echo to detector, ``noise_per_gate`` the mean of empty-input clicks in a read-out.

    Instead, pairs of burn pulses can make the comb, each of ``burn_strength``; holes fill with ``hole_lifetime_s``. Control
    pulses carry the excitation to a spin wave (``control_transfer``), which dephases by ``spin_linewidth_hz`` (FWHM) unless
    refocused, and decays with the memory's T2; each adds ``control_noise`` photons.
    """

    pair_probability: Fraction = 0.02
    comb_spacing_hz: Positive = 1e6
    finesse: Positive = 3.0
    optical_depth: NonNegative = 3.0
    background_depth: NonNegative = 0.2
    optical_t2_s: Positive = 64e-6
    stark_split_hz_per_v: NonNegative = 2.5e5
    retrieval: Fraction = 0.5
    noise_per_gate: NonNegative = 1e-3
    bandwidth_hz: Positive = 1e8
    input_mean_photons: NonNegative = 0.5
    electrode_pulse_v: float = 5.0
    burn_strength: NonNegative = 0.1
    hole_lifetime_s: Positive = 1.0
    control_transfer: Fraction = 0.9
    control_noise: NonNegative = 1e-3
    spin_linewidth_hz: NonNegative = 1e4


class FibreConfig(_Block):
    """A stretch of single-mode fibre from a node to the midpoint.

    ``birefringence_rad`` turns the polarisation about the Stokes axes (S1, S2, S3); each component walks at random with
    ``polarisation_drift_rad2_per_s``. The fibre's temperature swings as a sine; ``delay_ps_per_km_k`` is what that does.
    """

    length_m: NonNegative = 2000.0
    loss_db_per_km: NonNegative = 0.2
    connectors_db: NonNegative = 0.3
    group_index: Positive = 1.468
    birefringence_rad: tuple[float, float, float] = (0.0, 0.0, 0.0)
    polarisation_drift_rad2_per_s: NonNegative = 0.0
    pmd_ps_per_sqrt_km: NonNegative = 0.05
    delay_ps_per_km_k: float = 37.0
    temperature_swing_k: NonNegative = 0.0
    temperature_period_s: Positive = 86_400.0


class NodeConfig(_Block):
    """A memory and its fibre to the midpoint. With an ``ensemble`` the node absorbs photons, else its ion emits them."""

    ensemble: EnsembleConfig | None = None
    memory: MemoryConfig = MemoryConfig()
    fibre: FibreConfig = FibreConfig()


class MidpointConfig(_Block):
    """Beam splitter (power transmission), transmission from fibre end to detector, phase noise of the two arms.

    ``phase_sigma_rad`` is the rms optical phase common to a whole attempt (None: unknown, uniformly random);
    ``phase_walk_rad2_per_s`` the variance it gains per second between two bins of one attempt. ``phase_drift_rad2_per_s``
    is how fast the phase known to the lab wanders from attempt to attempt; the phase shifter can follow it.
    """

    splitter_transmission: Fraction = 0.5
    transmission: Fraction = 0.9
    phase_rad: float = 0.0
    phase_sigma_rad: NonNegative | None = None
    phase_walk_rad2_per_s: NonNegative = 100.0
    phase_drift_rad2_per_s: NonNegative = 0.0
    probe_mean_photons: NonNegative = 0.2
    reference_mean_photons: NonNegative = 0.2
    fringe_contrast: Fraction = 0.98


class DetectorConfig(_Block):
    """SNSPD pixel: efficiency eta(I) = eta_s/2·[1+erf((I-I0)/s)]; darks D_bg·eta/eta_s + D0·exp(I/I_D); EMG jitter.

    After a click nothing for ``dead_time_ps``, then the bias comes back as 1-exp(-t/recovery_ps) and the efficiency with
    it. ``walk``: rows (ps since a click, ps by which its pulse shifts a later one); the shifts x of all earlier clicks add
    up, and on a bent edge a click is late by x + ``walk_curvature_per_ps``·x². ``jitter_parts``: rows (share of the clicks, ps they come late, their own Gaussian sigma in
    ps). After-pulses come about ``afterpulse_delay_ps`` (±10 %) after a click. ``pile_up_s``: relative rise of the bias per count rate.
    """

    efficiency: Fraction = 0.86
    plateau_bias_a: Positive = 14e-6
    plateau_width_a: Positive = 2e-6
    switching_current_a: Positive = 20e-6
    latch_fraction: Fraction = 0.95
    background_hz: NonNegative = 5.0
    intrinsic_dark_hz: NonNegative = 1e-8
    dark_current_scale_a: Positive = 1e-6
    jitter_sigma_ps: NonNegative = 16.0
    jitter_tau_ps: NonNegative = 10.0
    dead_time_ps: Annotated[int, Field(ge=0)] = 30_000
    recovery_ps: Positive = 10_000.0
    walk: tuple[tuple[NonNegative, float], ...] = ()
    walk_curvature_per_ps: float = 0.0
    jitter_parts: tuple[tuple[Fraction, float, NonNegative], ...] = ()
    afterpulse_probability: Fraction = 0.0
    afterpulse_delay_ps: Annotated[int, Field(gt=0)] = 180_000
    pile_up_s: NonNegative = 1e-9
    max_bias_a: Positive = 22e-6


class TaggerConfig(_Block):
    """Time tagger: rms jitter, dead time and digitisation of one input, and what the link to the computer carries.

    ``lsb_ps`` is the step of the grid; ``inl_ps`` the amplitude of a sinusoidal integral nonlinearity of period
    ``inl_period_ps``. Tags beyond ``transfer_hz`` fill a buffer of ``buffer_tags`` and are lost when that is full.
    """

    jitter_ps: NonNegative = 5.0
    dead_time_ps: Annotated[int, Field(ge=0)] = 2_000
    lsb_ps: Annotated[int, Field(gt=0)] = 1
    inl_ps: NonNegative = 0.0
    inl_period_ps: Annotated[int, Field(gt=0)] = 5_000
    transfer_hz: Positive = 80e6
    buffer_tags: Annotated[int, Field(gt=0)] = 10_000_000


class ClockConfig(_Block):
    """Clock reading minus true time: offset + skew·t + noise.

    White and random-walk frequency noise as Allan deviations at 1 s, white phase noise as rms. ``steering_s`` is the time
    constant with which a disciplined clock is pulled back to its reference (None: it runs free).
    """

    offset_ps: int = 0
    skew: Annotated[float, Field(gt=-1e-3, lt=1e-3)] = 0.0
    white_frequency: NonNegative = 0.0
    random_walk_frequency: NonNegative = 0.0
    white_phase_ps: NonNegative = 0.0
    steering_s: Positive | None = None


#: Where the pair source can stand; its setting ``site`` counts from 0.
PAIR_SITES = ("midpoint", "alice", "bob")


class PairSourceConfig(_Block):
    """Continuously pumped photon pairs, one photon to each node's local detector.

    From the midpoint each photon takes its node's arm; from a node's own site one is detected there at once and the other
    takes both arms, one after the other.
    """

    pairs_per_s_per_w: NonNegative = 2e8
    max_pump_power_w: Positive = 50e-3
    alice_transmission: Fraction = 0.118
    bob_transmission: Fraction = 0.118
    alice_delay_ps: Annotated[int, Field(ge=0)] = 9_793_439
    bob_delay_ps: Annotated[int, Field(ge=0)] = 12_731_471


#: What the light source can be; its setting ``kind`` counts from 0.
LIGHT_KINDS = ("coherent", "thermal", "single_photon", "pairs", "alice_arm", "bob_arm", "interferometer")


class LightSourceConfig(_Block):
    """A source for correlation experiments, in front of the midpoint's splitter.

    ``coherence_time_s`` is that of thermal light (amplitude), ``emitter_lifetime_s`` of the single-photon emitter. Pairs
    come in pulses at ``repetition_hz`` with negative binomial numbers: ``schmidt_modes`` thermal modes (1: thermal).
    The signal meets the splitter, the idler goes to ch3.
    """

    max_rate_hz: Positive = 2e8
    coherence_time_s: Positive = 1e-6
    emitter_lifetime_s: Positive = 5e-9
    repetition_hz: Positive = 80e6
    schmidt_modes: Positive = 1.0
    pulse_sigma_ps: NonNegative = 3.0
    signal_transmission: Fraction = 0.4
    idler_transmission: Fraction = 0.4


class CryostatConfig(_Block):
    """Temperatures the cryostat can hold, where it starts, and the time constant with which it follows its setpoint.

    ``heating_k_per_w``: how much warmer than the setpoint a mean optical power makes the chips. ``vibration_hz``: how far
    the pulse tube swings their optical lines to either side.
    """

    base_temperature_k: Positive = 0.3
    max_temperature_k: Positive = 10.0
    start_temperature_k: Positive = 0.5
    time_constant_s: Positive = 20.0
    heating_k_per_w: NonNegative = 0.0
    vibration_hz: NonNegative = 0.0


FaultKind = Literal[
    "latch",
    "mode_hop",
    "lock_loss",
    "path_drift",
    "clock_step",
    "rollover",
    "lost_reference",
    "overflow",
    "unplug",
    "hang",
    "warm_up",
]


class FaultConfig(_Block):
    """A scripted fault: ``kind`` hits ``component`` at ``at_s`` of lab time, for ``duration_s`` (0: for good).

    ``size``: Hz for mode_hop and lock_loss, ps for path_drift, clock_step and rollover (by which the counter falls back), K
    for warm_up, relative frequency for lost_reference; not used otherwise. An overflow is a computer that does not read.
    """

    kind: FaultKind
    component: str
    at_s: NonNegative
    size: float = 1.0
    duration_s: NonNegative = 0.0


class RandomFaultConfig(_Block):
    """The same fault again and again at random times, ``per_hour`` on average."""

    kind: FaultKind
    component: str
    per_hour: Positive
    size: float = 1.0
    duration_s: NonNegative = 0.0


Output = Literal["sync", "ch1", "ch2", "ch3", "ch4", "herald", "alice_herald", "bob_herald"]


class TwinConfig(_Block):
    """The whole simulated lab. ``extra_inputs``: what is plugged into further inputs of the taggers."""

    laser: LaserConfig = LaserConfig()
    power_meter: PowerMeterConfig = PowerMeterConfig()
    alice: NodeConfig = NodeConfig()
    bob: NodeConfig = NodeConfig()
    midpoint: MidpointConfig = MidpointConfig()
    detectors: dict[Literal["ch1", "ch2", "ch3", "ch4"], DetectorConfig] = {}
    taggers: dict[Literal["tagger", "alice_tagger", "bob_tagger"], TaggerConfig] = {}
    clocks: dict[Literal["alice", "bob"], ClockConfig] = {}
    pair_source: PairSourceConfig = PairSourceConfig()
    light_source: LightSourceConfig = LightSourceConfig()
    extra_inputs: dict[Literal["tagger", "alice_tagger", "bob_tagger"], dict[Annotated[int, Field(ge=1)], Output]] = {}
    faults: tuple[FaultConfig, ...] = ()
    random_faults: tuple[RandomFaultConfig, ...] = ()
    cryostat: CryostatConfig = CryostatConfig()

    @model_validator(mode="before")
    @classmethod
    def _complete(cls, values: dict[str, Any]) -> dict[str, Any]:
        """Pixels, taggers and clocks not mentioned have their default values."""
        parts = {
            "detectors": ("ch1", "ch2", "ch3", "ch4"),
            "taggers": ("tagger", "alice_tagger", "bob_tagger"),
            "clocks": ("alice", "bob"),
        }
        return {
            **values,
            **{part: {key: {} for key in names} | dict(values.get(part, {})) for part, names in parts.items()},
        }
