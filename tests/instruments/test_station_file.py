from pathlib import Path

import pytest

from erbia.instruments.errors import ConfigError
from erbia.instruments.station_file import find_station, read_station

SOUND = """\
instruments:
  tagger:
    type: erbia.instruments.mock.MockTimeTagger
  laser:
    type: erbia.instruments.mock.MockLaser
nodes:
  midpoint: {tagger: tagger, photon_delay_s: 5 us}
channels:
  tagger:
    0: {name: sync}
    1: {name: detector_a, detector: laser.x}
twin:
  preset: single_er_cavity
"""


def _write(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "lab.yaml"
    path.write_text(text)
    return path


def test_a_sound_file_is_read_with_its_units(tmp_path: Path) -> None:
    station = read_station(_write(tmp_path, SOUND))
    assert station.nodes["midpoint"].photon_delay_s == 5e-6
    assert station.channels["tagger"][1].name == "detector_a"


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        (
            "twin:",
            "twinn:",
            r"lab\.yaml:12: unknown key 'twinn'; did you mean 'twin'\? \(allowed: extends, instruments,",
        ),
        ("photon_delay_s: 5 us", "photon_delay_s: 5 mW", r"lab\.yaml:7: .*'5 mW' has unit 'mW', expected s"),
        ("photon_delay_s: 5 us", "photon_delay_s: -5 us", r"lab\.yaml:7: .*greater than or equal to 0"),
        (
            "{name: sync}",
            "{nome: sync}",
            r"lab\.yaml:10: key 'channels\.tagger\.0\.name' is missing; .*unknown key '.*nome'; did you mean 'name'",
        ),
        (
            "{tagger: tagger,",
            "{tagger: tagr,",
            r"nodes\.midpoint\.tagger names instrument 'tagr'; the file has tagger, laser",
        ),
        ("type: erbia.instruments.mock.MockLaser", "type: MockLaser", r"lab\.yaml:5: .*write package\.module\.Class"),
        ("preset: single_er_cavity", "preset: [", r"lab\.yaml:1[34]: not valid YAML"),
        ("  preset: single_er_cavity", "  seed: x", r"lab\.yaml:13: .*seed.*'x'"),
        (SOUND, "- a\n- b\n", r"holds CommentedSeq, expected keys"),
    ],
)
def test_a_wrong_file_is_refused_with_its_line(tmp_path: Path, old: str, new: str, says: str) -> None:
    assert old in SOUND
    with pytest.raises(ConfigError, match=says) as caught:
        read_station(_write(tmp_path, SOUND.replace(old, new)))
    assert "\n" not in str(caught.value)


def test_missing_files_and_names(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"no station 'mock_lap': give a \.yaml file or one of .*mock_lab"):
        find_station("mock_lap")
    with pytest.raises(ConfigError, match=r"none\.yaml: cannot be read"):
        read_station(tmp_path / "none.yaml")
    assert find_station("mock_lab").name == "mock_lab.yaml"


@pytest.mark.parametrize("path", sorted(Path(find_station("mock_lab")).parent.glob("*.yaml")), ids=lambda p: p.stem)
def test_every_shipped_station_is_sound(path: Path) -> None:
    assert read_station(path).instruments
