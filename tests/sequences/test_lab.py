from pathlib import Path

import pytest

from erbia.analysis.errors import UsageError
from erbia.instruments.errors import ConfigError
from erbia.sequences.lab import Lab, load_station, make_experiment, split_settings


def test_settings_go_to_the_config_or_to_an_instrument() -> None:
    texts = ["heralds=5", "timing.window_s=2 us", "laser.emission=false", 'bases=["XX","ZZ"]']
    config, held = split_settings(texts, ["laser"])
    assert config == {"heralds": 5, "timing.window_s": "2 us", "bases": ["XX", "ZZ"]}
    assert held == {"laser.emission": False}
    with pytest.raises(UsageError, match="'heralds' is not KEY=VALUE"):
        split_settings(["heralds"], [])


@pytest.mark.parametrize(
    ("name", "config", "says"),
    [
        ("heralded_entanglment", {}, "did you mean 'heralded_entanglement'"),
        (
            "heralded_entanglement",
            {"herald": 5},
            r"unknown key 'herald'; did you mean 'heralds'\? \(allowed: bases, heralds",
        ),
        ("heralded_entanglement", {"timing.windw_s": 5}, "did you mean 'window_s'"),
        ("heralded_entanglement", {"timing.window_s": "4 uW"}, "'4 uW' has unit 'uW', expected s"),
        ("heralded_entanglement", {"bases": ["XQ"]}, "basis 'XQ' is not two of Z, X, Y, P, M"),
        ("heralded_entanglement", {"heralds": 0}, "'heralds' = 0: Input should be greater than or equal to 1"),
        ("clock_sync", {"duration_s": "-1 s"}, "greater than 0"),
    ],
)
def test_wrong_config_is_refused_in_one_line(name: str, config: dict[str, object], says: str) -> None:
    with pytest.raises(UsageError, match=says) as caught:
        make_experiment(name, config)
    assert "\n" not in str(caught.value)


def test_holding_a_parameter_checks_name_and_limits(lab: Lab) -> None:
    with pytest.raises(ConfigError, match="no instrument 'lazer'"):
        lab.hold("lazer.power", 1e-3)
    with pytest.raises(ConfigError, match="laser has no 'colour'"):
        lab.hold("laser.colour", 1)
    with pytest.raises(ConfigError, match=r"snspd\.ch1 is not a parameter"):
        lab.hold("snspd.ch1", 1)
    with pytest.raises(UsageError, match=r"laser\.power: 1 W is refused; allowed is"):
        lab.hold("laser.power", 1)
    with pytest.raises(UsageError, match=r"'2 s' has unit 's', expected W"):
        lab.hold("laser.power", "2 s")
    lab.hold("laser.power", "0.8 mW")
    assert lab.station.laser.power() == 0.8e-3


def test_instance_with_extra_config_is_refused(lab: Lab, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="has its config already; drop heralds"):
        lab.run(make_experiment("heralded_entanglement", {}), out_dir=tmp_path, heralds=3)
    assert not list(tmp_path.iterdir())


def test_closing_leaves_no_instrument_behind() -> None:
    for _ in range(2):  # a second load would fail on names still taken
        with load_station("mock_lab", seed=1) as lab:
            lab.station.laser.emission(True)
