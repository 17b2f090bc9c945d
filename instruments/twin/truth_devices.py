"""Hidden values of single devices and of light at the midpoint, for experiments that characterise them."""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING

import numpy as np

from . import devices
from .attempt_model import AttemptModel
from .conditions import MIDPOINT, NODES
from .program import Program
from .storage import passing, seen_comb

if TYPE_CHECKING:
    from .world import World


def device_truth(world: World) -> dict[str, float]:
    """Optical lines, lifetimes and delays of the nodes; parameters of the detectors, taggers and the light source."""
    return _lines(world) | _detectors(world) | _light(world)


def _lines(world: World) -> dict[str, float]:
    found: dict[str, float] = {}
    now = world.conditions
    for node, name in enumerate(NODES):
        memory = now.node(node).memory
        found[f"{name}_resonance_hz"] = now.resonance_hz(node)
        found[f"{name}_line_fwhm_hz"] = memory.readout_linewidth_hz
        found[f"{name}_lifetime_s"] = memory.lifetime_s
        found[f"{name}_photon_delay_ps"] = float(now.light_delay_ps(node))
    return found


def _detectors(world: World) -> dict[str, float]:
    found: dict[str, float] = {}
    for channel, pixel in world.config.detectors.items():
        found |= {
            f"{channel}_efficiency": pixel.efficiency,
            f"{channel}_inflection_a": pixel.plateau_bias_a,
            f"{channel}_width_a": pixel.plateau_width_a,
            f"{channel}_latch_current_a": pixel.latch_fraction * pixel.switching_current_a,
            f"{channel}_stray_rate_hz": pixel.background_hz,
            f"{channel}_jitter_sigma_ps": pixel.jitter_sigma_ps,
            f"{channel}_jitter_rms_ps": (pixel.jitter_sigma_ps**2 + pixel.jitter_tau_ps**2) ** 0.5,
        }
    return found | {f"{name}_jitter_ps": tagger.jitter_ps for name, tagger in world.config.taggers.items()}


def _light(world: World) -> dict[str, float]:
    """Steady light at the midpoint: its rate, its fringe, and the statistics of the light source."""
    now = world.conditions
    a, b = (now.arm_transmission(node) for node in (0, 1))
    found = {"midpoint_rate_hz": sum(now.bench_mean_rate_hz(channel) for channel in MIDPOINT)}
    if a + b > 0:
        found["fringe_contrast"] = now.config.midpoint.fringe_contrast * 2 * (a * b) ** 0.5 / (a + b)
    return found | _statistics(world)


def _statistics(world: World) -> dict[str, float]:
    """g2 of the light source at lag 0, and how fast it goes over to 1."""
    source, rate_hz = world.config.light_source, world.get("light_source", "rate")
    match world.conditions.light_kind:
        case "coherent":
            return {"source_g2_zero": 1.0}
        case "thermal":
            return {"source_g2_zero": 2.0, "source_correlation_time_s": source.coherence_time_s / 2}
        case "single_photon" if rate_hz > 0:
            wait_s = max(1 / rate_hz - source.emitter_lifetime_s, 0.0)
            rate = (1 / wait_s if wait_s else inf) + 1 / source.emitter_lifetime_s
            return {"source_g2_zero": 0.0, "source_correlation_time_s": 1 / rate}
    return {}


def storage_truth(world: World, program: Program) -> dict[str, float]:
    """Of programs that send light into ensemble memories: what leaks and what the first echo brings, per photon in."""
    found, now = {}, world.conditions
    for node, name in enumerate(NODES):
        memory, inputs = now.node(node).ensemble, program.attempt.on(f"{name}_input")
        if memory is None or not inputs:
            continue
        phonons_hz = devices.phonon_rate_hz(now.node(node).memory, world.get("cryostat", "temperature"))
        found[f"{name}_optical_t2_s"] = 1 / (1 / memory.optical_t2_s + phonons_hz)
        out, absorber = passing(now, program, node, inputs[0]), seen_comb(now, program, node)
        found[f"{name}_leak"] = out[0].efficiency
        if len(out) > 1:
            found[f"{name}_first_echo"] = out[1].efficiency
        if absorber is not None:
            depth = absorber.profile()
            found |= {
                f"{name}_comb_spacing_hz": 1 / absorber.period_s,
                f"{name}_comb_finesse": absorber.finesse(),
                f"{name}_comb_floor_depth": float(depth.min()),
                f"{name}_comb_depth": float(np.ptp(depth)),
            }
    return found


def photon_truth(world: World, model: AttemptModel) -> dict[str, float]:
    """Of programs that excite: overlap of the photons; with one gate and no herald, g2(0) by enumeration."""
    if not model.visibility:
        return {}
    found = {"visibility": model.visibility}
    if len(model.probability) == 4:
        _, only_a, only_b, both = model.probability
        found["g2_zero"] = float(both / ((only_a + both) * (only_b + both)))
    return found
