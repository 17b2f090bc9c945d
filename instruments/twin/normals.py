"""Counter-based random numbers for compiled loops: uniform, exponential and normal, the last two by ziggurat.

A number is a hash (SplitMix64) of a key and a counter; nothing is stored, so a stream can be resumed anywhere. The
ziggurat (Marsaglia and Tsang, J. Stat. Softw. 5(8), 2000) needs one hash 98 times in 100; rejected candidates hash on
with the same counter in another lane.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit

from ...analysis.records import FloatArray

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_MIX_A = np.uint64(0xBF58476D1CE4E5B9)
_MIX_B = np.uint64(0x94D049BB133111EB)
_LANE = np.uint64(0xD1342543DE82EF95)
_S30, _S27, _S31, _S11 = np.uint64(30), np.uint64(27), np.uint64(31), np.uint64(11)
_LAYER, _S8, _ONE = np.uint64(255), np.uint64(8), np.uint64(1)
_TO_UNIT = 1.0 / (1 << 53)
_LAYERS = 256
_NORMAL_TAIL = 3.6541528853610088
_EXPONENTIAL_TAIL = 7.69711747013104972


def _tables(tail: float, area: float, inverse: object, density: object) -> tuple[FloatArray, FloatArray]:
    """Right edges x (257,) and densities f(x) of equal-area layers; layer 0 holds the tail."""
    assert callable(inverse)
    assert callable(density)
    x = np.zeros(_LAYERS + 1)
    x[0], x[1] = area / density(tail), tail
    for i in range(2, _LAYERS):
        x[i] = inverse(density(x[i - 1]) + area / x[i - 1])
    return x, np.array([density(v) for v in x])


def _normal_tables() -> tuple[FloatArray, FloatArray]:
    tail = _NORMAL_TAIL
    rest = math.sqrt(math.pi / 2) * math.erfc(tail / math.sqrt(2))
    area = tail * math.exp(-tail * tail / 2) + rest
    return _tables(tail, area, lambda f: math.sqrt(-2 * math.log(f)), lambda v: math.exp(-v * v / 2))


def _exponential_tables() -> tuple[FloatArray, FloatArray]:
    tail = _EXPONENTIAL_TAIL
    area = (tail + 1) * math.exp(-tail)
    return _tables(tail, area, lambda f: -math.log(f), lambda v: math.exp(-v))


_NX, _NF = _normal_tables()
_EX, _EF = _exponential_tables()


@njit(inline="always")
def _hash(z: np.uint64) -> np.uint64:
    z = (z ^ (z >> _S30)) * _MIX_A
    z = (z ^ (z >> _S27)) * _MIX_B
    return z ^ (z >> _S31)


@njit(inline="always")
def uniform(key: np.uint64, counter: int) -> float:
    """Number in (0, 1), the same for the same key and counter."""
    return (float(_hash(key + np.uint64(counter) * _GOLDEN) >> _S11) + 0.5) * _TO_UNIT


@njit(nogil=True)
def _normal_slow(bits: np.uint64) -> float:
    """The two numbers in a hundred that are not inside their layer."""
    while True:
        layer = int(bits & _LAYER)
        sign = 1.0 if (bits >> _S8) & _ONE else -1.0
        u = (float(bits >> _S11) + 0.5) * _TO_UNIT
        x = u * float(_NX[layer])
        if x < _NX[layer + 1]:
            return sign * x
        bits = _hash(bits + _LANE)
        v = (float(bits >> _S11) + 0.5) * _TO_UNIT
        if layer == 0:
            while True:
                a = -math.log(v) / _NORMAL_TAIL
                bits = _hash(bits + _LANE)
                b = -math.log((float(bits >> _S11) + 0.5) * _TO_UNIT)
                if 2 * b > a * a:
                    return sign * (_NORMAL_TAIL + a)
                bits = _hash(bits + _LANE)
                v = (float(bits >> _S11) + 0.5) * _TO_UNIT
        if _NF[layer] + v * (_NF[layer + 1] - _NF[layer]) < math.exp(-x * x / 2):
            return sign * x
        bits = _hash(bits + _LANE)


@njit(inline="always")
def normal(key: np.uint64, counter: int) -> float:
    """Standard normal number of a key and counter."""
    bits = _hash(key + np.uint64(counter) * _GOLDEN)
    layer = int(bits & _LAYER)
    x = (float(bits >> _S11) + 0.5) * _TO_UNIT * float(_NX[layer])
    if x < _NX[layer + 1]:
        return x if (bits >> _S8) & _ONE else -x
    return _normal_slow(bits)


@njit(nogil=True)
def _exponential_slow(bits: np.uint64) -> float:
    while True:
        layer = int(bits & _LAYER)
        x = (float(bits >> _S11) + 0.5) * _TO_UNIT * float(_EX[layer])
        if x < _EX[layer + 1]:
            return x
        bits = _hash(bits + _LANE)
        v = (float(bits >> _S11) + 0.5) * _TO_UNIT
        if layer == 0:
            return _EXPONENTIAL_TAIL - math.log(v)
        if _EF[layer] + v * (_EF[layer + 1] - _EF[layer]) < math.exp(-x):
            return x
        bits = _hash(bits + _LANE)


@njit(inline="always")
def exponential(key: np.uint64, counter: int) -> float:
    """Exponential number of mean 1 of a key and counter."""
    bits = _hash(key + np.uint64(counter) * _GOLDEN)
    layer = int(bits & _LAYER)
    x = (float(bits >> _S11) + 0.5) * _TO_UNIT * float(_EX[layer])
    return x if x < _EX[layer + 1] else _exponential_slow(bits)
