"""Who owns the jitter: splits a measured timing response into detector, tagger, laser and clock.

What adds up for independent parts are cumulants, not widths: variances, and third cumulants ``2 tau³`` of exponential tails.
Three pairwise measurements of three devices give each device (three-cornered hat, Gray and Allan 1974); one edge on two
channels gives sqrt(2) times the tagger; a known part is taken out of a fitted response.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from .emg import emg_fwhm
from .errors import UsageError
from .jitter import JitterFit
from .photons import propagate
from .records import Estimate


@dataclass(frozen=True, slots=True)
class Response:
    """A timing response by its cumulants: ``rms_ps`` (variance) and the tail ``tau_ps`` (third cumulant ``2 tau³``).

    ``sigma_ps`` is what is left of the variance for the Gaussian part.
    """

    rms_ps: float
    tau_ps: float = 0.0

    def __post_init__(self) -> None:
        if not 0 <= self.tau_ps <= self.rms_ps:
            raise UsageError(f"a tail of {self.tau_ps:g} ps does not fit into an rms of {self.rms_ps:g} ps")

    @property
    def sigma_ps(self) -> float:
        """Gaussian part."""
        return math.sqrt(self.rms_ps**2 - self.tau_ps**2)

    @property
    def fwhm_ps(self) -> float:
        """Full width at half maximum of the EMG with these cumulants."""
        return emg_fwhm(self.sigma_ps, self.tau_ps) if self.rms_ps else 0.0


def combine_responses(*parts: Response) -> Response:
    """The response of independent parts one after the other: variances and third cumulants add."""
    rms = math.hypot(*(part.rms_ps for part in parts))
    return Response(rms, min(sum(part.tau_ps**3 for part in parts) ** (1 / 3), rms))


def remaining_response(measured: JitterFit, *known: Response) -> Response:
    """What is left of a fitted response when known, independent parts are taken out.

    Raises:
        UsageError: the known parts are broader, or have more tail, than all that was measured.
    """
    removed = combine_responses(*known)
    variance = measured.rms_ps.value**2 - removed.rms_ps**2
    third = measured.tau_ps.value**3 - removed.tau_ps**3
    if variance < 0 or third < 0:
        what = f"rms {removed.rms_ps:.3g} ps and tail {removed.tau_ps:.3g} ps"
        raise UsageError(
            f"the known parts ({what}) exceed the measured rms {measured.rms_ps.value:.3g} ps "
            f"or tail {measured.tau_ps.value:.3g} ps"
        )
    rms = math.sqrt(variance)
    return Response(rms, min(third ** (1 / 3), rms))


def remaining_rms(total: Estimate, *known: Estimate) -> Estimate:
    """``sqrt(total² - sum known²)``, ps; the lower end is 0 where the known parts may be all there is.

    Raises:
        UsageError: the known parts exceed the total at its upper limit.
    """
    method = "total less known parts, in variances"
    return _root(propagate(lambda t, *parts: t**2 - sum(p**2 for p in parts), (total, *known), method))


def three_cornered_hat(rms_12: Estimate, rms_13: Estimate, rms_23: Estimate) -> tuple[Estimate, Estimate, Estimate]:
    """Jitter of each of three devices from the rms of their three pairwise differences, ``s1² = (s12² + s13² - s23²)/2``.

    Raises:
        UsageError: a variance negative beyond its interval: the three are not independent.
    """

    def own(a: float, b: float, other: float) -> float:
        return (a**2 + b**2 - other**2) / 2

    method = "three-cornered hat"
    first = _root(propagate(own, (rms_12, rms_13, rms_23), method))
    second = _root(propagate(own, (rms_12, rms_23, rms_13), method))
    third = _root(propagate(own, (rms_13, rms_23, rms_12), method))
    return first, second, third


def split_two_channels(rms_difference: Estimate) -> Estimate:
    """Jitter of one tagger channel from the difference of two channels that see the same edge: ``rms / sqrt 2``."""
    return propagate(lambda rms: rms / math.sqrt(2), (rms_difference,), "one edge on two channels")


def quantisation_rms(bin_ps: float) -> float:
    """Rms of a time rounded to bins, ``bin / sqrt 12``, ps."""
    return bin_ps / math.sqrt(12)


def _root(variance: Estimate) -> Estimate:
    """Root of a variance estimate that may reach below zero."""
    if variance.upper < 0:
        raise UsageError(
            f"negative variance ({variance.value:.3g} ps² ± {variance.std:.2g}): the parts are not independent"
        )
    value, lower, upper = (math.sqrt(max(v, 0.0)) for v in (variance.value, variance.lower, variance.upper))
    std = variance.std / (2 * value) if value else math.nan
    return Estimate(value, lower, upper, variance.confidence, std, variance.n, variance.method, "ps")
