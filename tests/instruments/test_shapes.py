from math import pi

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import erf

from erbia.instruments.shapes import SHAPES, Chirp, Comb, Gaussian, Sech, Shape, Square, area

LENGTH_PS = 10_000_000
T_PS = (np.arange(20_000) + 0.5) * LENGTH_PS / 20_000
EXAMPLES: tuple[Shape, ...] = (Square(), Gaussian(), Sech(4e6, 0.01), Chirp(-3e6, 5e6), Comb(4, 2_000_000, 500_000))


def _frequency_hz(shape: Shape) -> np.ndarray:
    """From the carrier, by the phase's steps."""
    phase = np.unwrap(np.angle(shape.envelope(T_PS, LENGTH_PS)))
    return np.diff(phase) / (2 * pi * (T_PS[1] - T_PS[0]) * 1e-12)


def _inversion(shape: Shape, rabi_hz: float, detuning_hz: float = 0.0) -> float:
    """Population moved by a pulse of this peak Rabi frequency: exact steps of a two-level system."""
    state = np.array([1, 0], np.complex128)
    t_ps = T_PS.reshape(-1, 10).mean(axis=1)
    dt_s = (t_ps[1] - t_ps[0]) * 1e-12
    for e in shape.envelope(t_ps, LENGTH_PS):
        omega, delta = 2 * pi * rabi_hz * e, 2 * pi * detuning_hz
        total = np.hypot(abs(omega), delta)
        axis = np.array([[-delta, np.conj(omega)], [omega, delta]]) / total
        half = total * dt_s / 2
        state = np.cos(half) * state - 1j * np.sin(half) * (axis @ state)
    return float(abs(state[1]) ** 2)


@pytest.mark.parametrize("shape", EXAMPLES, ids=lambda s: s.kind)
def test_never_beyond_full_scale(shape: Shape) -> None:
    assert SHAPES[shape.kind] is type(shape)
    magnitude = np.abs(shape.envelope(T_PS, LENGTH_PS))
    assert magnitude.max() == pytest.approx(1.0, abs=1e-4)
    assert magnitude.max() <= 1.0 + 1e-12


@given(st.floats(1, 10))
def test_a_gaussian_has_the_area_of_its_integral(sigmas: float) -> None:
    assert area(Gaussian(sigmas), LENGTH_PS) == pytest.approx(
        (2 * pi) ** 0.5 / sigmas * erf(sigmas / 2 / 2**0.5), rel=1e-6
    )


def test_frequencies_run_as_they_are_said_to() -> None:
    chirp = _frequency_hz(Chirp(-3e6, 5e6))
    assert chirp[[0, -1]] == pytest.approx([-3e6, 5e6], abs=2e3)
    assert np.diff(chirp) == pytest.approx(8e6 / 20_000, rel=1e-3)
    sech = _frequency_hz(Sech(4e6, 0.01))
    assert sech[[0, -1]] == pytest.approx([-2e6, 2e6], rel=1e-3)
    assert np.abs(Sech(4e6, 0.01).envelope(np.array([0.0, LENGTH_PS]), LENGTH_PS)) == pytest.approx(0.01, rel=1e-3)


@pytest.mark.parametrize("detuning_hz", [-0.6e6, 0.0, 0.6e6])
def test_a_swept_sech_inverts_whatever_its_power(detuning_hz: float) -> None:
    """Adiabatic passage: a square pulse of these powers would leave between 0 and all of the population."""
    inversions = [_inversion(Sech(4e6, 0.01), rabi_hz, detuning_hz) for rabi_hz in (1.5e6, 2.0e6, 3.0e6)]
    assert min(inversions) > 0.99
    assert min(_inversion(Square(), rabi_hz) for rabi_hz in (1.5e6, 2.0e6, 3.0e6)) < 0.1


def test_the_spectrum_of_a_comb_has_teeth_at_multiples_of_one_over_its_spacing() -> None:
    shape = Comb(40, 250_000, 40_000)
    spectrum = np.abs(np.fft.rfft(shape.envelope(T_PS, LENGTH_PS).real))
    f_hz = np.fft.rfftfreq(len(T_PS), (T_PS[1] - T_PS[0]) * 1e-12)
    teeth = [int(np.argmin(np.abs(f_hz - k * 4e6))) for k in range(4)]
    between = [int(np.argmin(np.abs(f_hz - (k + 0.5) * 4e6))) for k in range(3)]
    assert spectrum[teeth].min() > 100 * spectrum[between].max()
    assert shape.length_ps == 9_790_000
