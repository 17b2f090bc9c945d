"""The picture of a stability: logarithmic axes, intervals, slopes."""

import numpy as np
import pytest

from erbia.analysis.errors import UsageError
from erbia.analysis.report_input import Curve
from erbia.analysis.stability import allan
from erbia.analysis.stability_figure import SLOPES, deviation_figure, stability_figure

PHASE_S = np.cumsum(np.random.default_rng(1).normal(size=500)) * 1e-11


@pytest.mark.parametrize("deviation", SLOPES)
def test_both_axes_are_logarithmic_and_each_noise_has_its_slope(deviation: str) -> None:
    axes = stability_figure(allan(PHASE_S, 1.0), deviation).axes[0]
    assert (axes.get_xscale(), axes.get_yscale()) == ("log", "log")
    lines = [line for line in axes.get_lines() if "tau" in str(line.get_label())]
    seen = [np.polyfit(*(np.log(np.asarray(d, np.float64)) for d in line.get_data()), 1)[0] for line in lines]
    assert seen == pytest.approx(list(SLOPES[deviation]))


def test_time_deviation_rises_one_power_faster_than_the_modified_deviation() -> None:
    assert [slope - 1 for slope in SLOPES["tdev"]] == list(SLOPES["mdev"])


def test_says_what_cannot_be_drawn() -> None:
    with pytest.raises(UsageError, match="known are oadev"):
        stability_figure(allan(PHASE_S, 1.0), "adev")
    nothing = np.full(3, np.nan)
    with pytest.raises(UsageError, match="record longer"):
        deviation_figure("TDEV", Curve(np.arange(1.0, 4.0), "averaging time (s)", "s", nothing, nothing, nothing), True)


def test_simulated_data_are_marked() -> None:
    tau, value = np.array([1.0, 2.0]), np.array([1e-12, 2e-12])
    curve = Curve(tau, "averaging time (s)", "s", value, value, value)
    axes = deviation_figure("TDEV", curve, True).axes[0]
    assert "SIMULATED" in axes.get_title(loc="left")
