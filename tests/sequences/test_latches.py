"""A latched detector spoils no run: it is freed by name before one starts and after one that latched it."""

from pathlib import Path
from typing import Any

import pytest

from erbia.analysis.files.runfile import Run
from erbia.instruments.errors import InstrumentError
from erbia.sequences.lab import Lab, load_station

#: Enough to latch the simulated detector, whose bias is 18 uA otherwise.
TOO_HIGH_A = 21.5e-6


def bias(lab: Lab, name: str = "ch3") -> Any:
    return lab.loaded.parameter(f"snspd.{name}.bias")


def latched(lab: Lab, name: str = "ch3") -> bool:
    return bool(lab.loaded.parameter(f"snspd.{name}.latched").get())


def warnings(run: Run) -> list[str]:
    return [str(text) for text in run.log()["text"] if "latched" in str(text)]


def count(lab: Lab, folder: Path) -> Run:
    return lab.run("scan", out_dir=folder, points="laser.power = 1 mW", dwell_s=20)


def test_a_scan_that_latches_leaves_a_detector_that_counts(tmp_path: Path) -> None:
    """5 Hz of strays for 20 s; none by chance: e-100."""
    with load_station("mock_lab", seed=3) as lab:
        run = lab.run("scan", out_dir=tmp_path, points="snspd.ch3.bias = 18, 21.5 uA", dwell_s=1)
        assert not latched(lab)
        assert bias(lab).get() == pytest.approx(18e-6)
        assert warnings(run) == ["snspd.ch3 was latched after the run; its bias was cycled"]
        after = count(lab, tmp_path)
    assert warnings(after) == []
    assert after.results["highest_hz"].value > 0


def test_a_run_frees_a_detector_somebody_left_latched(tmp_path: Path) -> None:
    with load_station("mock_lab", seed=3) as lab:
        bias(lab).set(TOO_HIGH_A)
        bias(lab).set(18e-6)
        assert latched(lab)
        run = count(lab, tmp_path)
        assert not latched(lab)
    assert warnings(run) == ["snspd.ch3 was latched before the run; its bias was cycled"]
    assert run.results["highest_hz"].value > 0


def test_a_bias_at_which_it_latches_at_once_is_refused_by_name(tmp_path: Path) -> None:
    with load_station("mock_lab", seed=3) as lab:
        bias(lab).set(TOO_HIGH_A)
        with pytest.raises(
            InstrumentError, match=r"snspd\.ch3: latched, and stays so at a bias of 2\.15e-05 A: lower the bias"
        ):
            count(lab, tmp_path)


def test_detectors_of_other_nodes_are_left_alone(tmp_path: Path) -> None:
    with load_station("mock_lab", seed=3) as lab:
        bias(lab, "ch4").set(TOO_HIGH_A)
        count(lab, tmp_path)
        assert latched(lab, "ch4")
