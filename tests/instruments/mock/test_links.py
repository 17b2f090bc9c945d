"""Published links: what the papers found comes out of the presets within the errors they quote, nothing being fitted."""

from __future__ import annotations

import pytest

from erbia.instruments.errors import ConfigError
from erbia.instruments.mock.links import load_link


@pytest.mark.parametrize(
    ("name", "figure"), [("hensen_2015", "fidelity"), ("hensen_2015", "chsh_s_raw"), ("hensen_2016", "chsh_s_raw")]
)
def test_published_figure_comes_out_within_its_error(name, figure):
    link = load_link(name)
    value, error = link.published[figure]
    assert link.world.truth()[figure] == pytest.approx(value, abs=error)


def test_two_photon_link_heralds_with_the_product_of_its_efficiencies():
    """Half of eta² and the darks, 4·d·eta + 4·d² with d = 20 Hz in 25 ns."""
    eta, d = 1.131e-4, 20 * 25e-9
    probability = load_link("hensen_2015").world.truth()["herald_probability"]
    assert probability == pytest.approx(eta**2 / 2 + 4 * d * eta + 4 * d**2, rel=0.01)


def test_single_photon_link_heralds_twice_the_bright_share():
    """2·alpha·eta and the darks; the pump leaves 0.3 % in the other state, which the rotation makes bright."""
    alpha, eta, d = 0.05 + 0.003 * 0.9, 3.5e-4, 20 * 25e-9
    probability = load_link("humphreys_2018").world.truth()["herald_probability"]
    assert probability == pytest.approx(2 * alpha * eta + 2 * d, rel=0.01)


def test_unknown_link_is_refused():
    with pytest.raises(ConfigError, match="nowhere_1999"):
        load_link("nowhere_1999")
