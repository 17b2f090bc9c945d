"""Shipped presets are sound, and the clock presets find the clocks on links of their length."""

from pathlib import Path

import pytest

from erbia.sequences.lab import load_station, make_experiment
from erbia.sequences.presets import read_preset, shipped_presets
from erbia.sequences.truth import truth_beside
from erbia.sequences.validation import problems_of

MOCK_LAB = Path(__file__).parents[3] / "configs" / "stations" / "mock_lab.yaml"
#: km, and dB from one node to the other: 0.2 dB/km, and 0.3 dB/km of patched metropolitan fibre.
LINKS = {"sync_20_km": (20.0, 4.0), "sync_132_km": (132.0, 26.4), "sync_12_km_metro": (12.0, 3.6)}
PS_PER_KM = 4_896_720


@pytest.mark.parametrize("preset", shipped_presets())
def test_every_preset_is_sound(preset: str) -> None:
    assert problems_of(shipped_presets()[preset]) == []


def station_of(folder: Path, km: float, loss_db: float) -> Path:
    """The mock lab with its pair source at Alice and a fibre of that length to Bob."""
    source = f"{{alice_delay_ps: 0, bob_delay_ps: {round(km * PS_PER_KM)}, bob_transmission: {0.118 * 10 ** (-loss_db / 10)}}}"
    text = MOCK_LAB.read_text(encoding="utf-8")
    assert "\n  pace: free\n" in text
    path = folder / "link.yaml"
    path.write_text(
        text.replace("\n  pace: free\n", f"\n  pace: free\n  overrides: {{pair_source: {source}}}\n"), encoding="utf-8"
    )
    return path


@pytest.mark.slow
@pytest.mark.parametrize("preset", LINKS)
def test_the_clocks_are_found_over_the_link(preset: str, tmp_path: Path) -> None:
    """Bound at 5 standard errors: 6e-7 false alarms."""
    with load_station(station_of(tmp_path, *LINKS[preset]), seed=21) as lab:
        run = lab.run(make_experiment("clock_sync", read_preset("clock_sync", preset)), out_dir=tmp_path)
    found, truth = run.results["clock_offset_ps"], truth_beside(run, run.results)
    assert abs(found.value - truth["clock_offset_ps"]) < 5 * found.std
    limit = run.results["clock_offset_limit_ps"].value
    assert 0.9 * limit < found.std < 2 * limit
