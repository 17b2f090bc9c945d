"""Polarisation of light in a fibre arm: Jones vectors on (H, V), wave plates, birefringent fibre, a polariser for H."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from .spin import PAULI_X, PAULI_Y, PAULI_Z, ComplexArray


def retarder(retardance_rad: float, axis_deg: float) -> ComplexArray:
    """Wave plate, complex (2, 2), whose fast axis lies ``axis_deg`` from H."""
    twice = 2 * np.radians(axis_deg)
    axis = np.cos(twice) * PAULI_Z + np.sin(twice) * PAULI_X
    plate: ComplexArray = np.cos(retardance_rad / 2) * np.eye(2) - 1j * np.sin(retardance_rad / 2) * axis
    return plate


@lru_cache(64)
def controller(angles_deg: tuple[float, float, float]) -> ComplexArray:
    """Quarter-, half- and quarter-wave paddles, passed in this order: complex (2, 2)."""
    first, second, third = angles_deg
    return retarder(np.pi / 2, third) @ retarder(np.pi, second) @ retarder(np.pi / 2, first)


def fibre(turn_rad: tuple[float, float, float]) -> ComplexArray:
    """Turn of the Poincaré sphere by |turn| about the Stokes axis along it (S1: H/V, S2: ±45°, S3: circular): (2, 2)."""
    angle = float(np.linalg.norm(turn_rad))
    if angle == 0:
        return np.eye(2, dtype=complex)
    s1, s2, s3 = np.array(turn_rad) / angle
    turn: ComplexArray = np.cos(angle / 2) * np.eye(2) - 1j * np.sin(angle / 2) * (
        s1 * PAULI_Z + s2 * PAULI_X + s3 * PAULI_Y
    )
    return turn


def transmission(turn_rad: tuple[float, float, float], angles_deg: tuple[float, float, float]) -> float:
    """Share of H-polarised light that passes the polariser for H after fibre and controller."""
    return float(abs((controller(angles_deg) @ fibre(turn_rad))[0, 0]) ** 2)
