"""PTU files: every kind of record, against ptufile and against records written by hand."""

import struct
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from erbia.analysis.errors import DataError, UsageError
from erbia.analysis.files.convert import salvage
from erbia.analysis.files.ptu import open_ptu, read_ptu, write_ptu
from erbia.analysis.files.ptu_header import header_bytes, read_header
from erbia.analysis.files.ptu_records import KINDS, MARKER
from erbia.analysis.files.tagfile import read_tags
from erbia.analysis.files.tagstream import Grid, TagStream, ordered_blocks
from erbia.analysis.records import TimeTags

T2 = [kind for kind in KINDS.values() if kind.mode == 2]
T3 = [kind for kind in KINDS.values() if kind.mode == 3]


def grid_of(kind):
    if kind.mode == 3:
        return Grid(float(1 << kind.dtime_bits), 1.0)
    return Grid(4.0) if kind.family == "pico" else Grid(1.0)


def fitting(kind, deltas, numbers):
    """Clicks on the grid of ``kind``, on channels it has."""
    step = int(grid_of(kind).tick_ps) if kind.mode == 2 else 1
    inputs = 4 if kind.family == "pico" else 63
    low = 1 if kind.mode == 3 else 0
    t_ps = np.cumsum(np.array(deltas, np.int64)) * step
    return TimeTags(t_ps, (np.array(numbers, np.int64) % (inputs + 1 - low) + low).astype(np.uint8))


def write(path, kind, tags):
    write_ptu(path, TagStream("x", ordered_blocks([tags], "x", path)), kind, grid_of(kind))


def assert_equal(found, expected):
    assert np.array_equal(found.t_ps, expected.t_ps)
    assert np.array_equal(found.channel, expected.channel)


GAPS = st.one_of(st.integers(0, 100), st.integers(0, 2**26), st.integers(2**25 - 2, 2**25 + 2), st.integers(0, 2**31))


@pytest.mark.parametrize("kind", KINDS.values(), ids=lambda kind: kind.name)
@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.lists(st.tuples(GAPS, st.integers(0, 255)), min_size=1, max_size=60), st.integers(0, 400))
def test_what_is_written_is_read(tmp_path, kind, rows, crowd):
    """Crowded stretches, too: there records are decoded many at a time."""
    crowded = [(k % 7, k) for k in range(crowd)]
    path, tags = tmp_path / "x.ptu", fitting(kind, *zip(*crowded, *rows, *crowded, strict=True))
    write(path, kind, tags)
    assert_equal(read_ptu(path).tags(), tags)
    assert_equal(TimeTags.concatenate(b.tags for b in read_ptu(path).blocks), tags)


@pytest.mark.parametrize("kind", KINDS.values(), ids=lambda kind: kind.name)
def test_ptufile_reads_it_identically(tmp_path, kind):
    ptufile = pytest.importorskip("ptufile")
    rng = np.random.default_rng(1)
    deltas = rng.integers(0, 2000, 300_000)
    deltas[rng.integers(0, len(deltas), 20)] = rng.integers(2**31, 2**34, 20)
    tags = fitting(kind, deltas, rng.integers(1, 255, len(deltas)))
    tags = TimeTags(tags.t_ps, np.maximum(tags.channel, 1))
    path = tmp_path / "x.ptu"
    write(path, kind, tags)
    assert_equal(read_ptu(path).tags(), tags)
    grid = grid_of(kind)
    with ptufile.PtuFile(path) as file:
        assert file.tags["TTResultFormat_TTTRRecType"] == kind.code
        assert file.global_resolution == grid.tick_ps * 1e-12
        records = file.decode_records()
    clicks = records[(records["channel"] >= 0) & (records["marker"] == 0)]
    t_ps = clicks["time"].astype(np.int64) * int(grid.tick_ps)
    if kind.mode == 3:
        t_ps += clicks["dtime"].astype(np.int64)
    assert np.array_equal(t_ps, tags.t_ps)
    # ptufile counts the inputs from 0, except where the record itself counts them from 1
    shift = 0 if kind.family == "pico" and kind.mode == 2 else 1
    assert np.array_equal(clicks["channel"], tags.channel.astype(np.int64) - shift)


@pytest.mark.parametrize("name", ["PicoHarpT3", "HydraHarp2T3", "GenericT3"])
def test_a_file_of_other_software_is_read(tmp_path, name):
    """An image as ptufile writes it: photons of three channels, and markers of frames, lines and pixels."""
    ptufile = pytest.importorskip("ptufile")
    path, image = tmp_path / "x.ptu", np.random.default_rng(1).poisson(0.5, (2, 6, 5, 3, 32)).astype(np.uint16)
    kind = ptufile.PtuRecordType[name]
    ptufile.imwrite(path, image, global_resolution=12.5e-9, tcspc_resolution=50e-12, record_type=kind)
    with ptufile.PtuFile(path) as file:
        records = file.decode_records()
    found = read_ptu(path).tags()
    photons, markers = records[records["channel"] >= 0], records[records["marker"] > 0]
    t_ps = photons["time"].astype(np.int64) * 12_500 + photons["dtime"].astype(np.int64) * 50
    order, clicked = np.argsort(t_ps, kind="stable"), found.channel < MARKER
    assert np.array_equal(found.t_ps[clicked], t_ps[order])
    assert np.array_equal(found.channel[clicked], photons["channel"][order] + 1)
    assert np.array_equal(found.t_ps[~clicked], markers["time"].astype(np.int64) * 12_500)
    assert np.array_equal(found.channel[~clicked], markers["marker"] + MARKER)
    assert clicked.sum() == image.sum()


def by_hand(path, code, words, tick_s=1e-12, resolution_s=1e-12, **header):
    values = {
        "TTResultFormat_TTTRRecType": code,
        "MeasDesc_GlobalResolution": tick_s,
        "MeasDesc_Resolution": resolution_s,
        "TTResult_NumberOfRecords": len(words),
    } | header
    path.write_bytes(header_bytes(values) + struct.pack(f"<{len(words)}I", *words))


def test_records_of_hydraharp_2_t2_by_hand(tmp_path):
    """sync at 5, overflow of 3000, input 1 at 7, marker 9 at 8, overflow with count 0 (one), input 63 at 1."""
    words = [1 << 31 | 5, 127 << 25 | 3000, 7, 1 << 31 | 9 << 25 | 8, 127 << 25, 62 << 25 | 1]
    by_hand(tmp_path / "x.ptu", 0x01010204, words)
    stream = read_ptu(tmp_path / "x.ptu")
    found = stream.tags()
    assert found.t_ps.tolist() == [5, 3000 * 2**25 + 7, 3000 * 2**25 + 8, 3001 * 2**25 + 1]
    assert found.channel.tolist() == [0, 1, 249, 63]
    assert stream.channel_names[249] == "marker 9"


def test_records_of_hydraharp_1_t2_wrap_at_33552000(tmp_path):
    by_hand(tmp_path / "x.ptu", 0x00010204, [127 << 25 | 3, 7])
    assert read_ptu(tmp_path / "x.ptu").tags().t_ps.tolist() == [33552007]


def test_records_of_picoharp_by_hand(tmp_path):
    """T2: overflow, marker 2 (its bits cleared from the time), input 3 on the 4 ps grid."""
    by_hand(tmp_path / "x.ptu", 0x00010203, [15 << 28, 15 << 28 | 160 | 2, 3 << 28 | 200], 4e-12)
    found = read_ptu(tmp_path / "x.ptu").tags()
    assert found.t_ps.tolist() == [4 * (210698240 + 160), 4 * (210698240 + 200)]
    assert found.channel.tolist() == [242, 3]


def test_t3_times_are_sync_plus_dtime_and_sorted(tmp_path):
    """A dtime beyond the sync period: the later sync's click comes first in time."""
    words = [2000 << 10 | 1, 100 << 10 | 2, 127 << 25 | 1, 1 << 25 | 0 << 10 | 3]
    by_hand(tmp_path / "x.ptu", 0x00010307, words, 12.5e-9 / 100, 80e-12)
    found = read_ptu(tmp_path / "x.ptu").tags()
    assert found.t_ps.tolist() == [100 * 80 + 250, 1027 * 125, 2000 * 80 + 125]
    assert found.channel.tolist() == [1, 2, 1]


@pytest.mark.parametrize(
    ("words", "match"),
    [
        ([5, 1 << 31 | 20 << 25], "record 1: no such kind of record"),
        ([5, 7, 6], "record 2: its time lies before"),
        ([5, 7] + [127 << 25 | 0x1FFFFFF] * 5000, "record 4098: the time counter exceeds"),
    ],
)
def test_damaged_records_are_named(tmp_path, words, match):
    by_hand(tmp_path / "x.ptu", 0x01010204, words)
    with pytest.raises(DataError, match=match):
        read_ptu(tmp_path / "x.ptu").tags()
    with pytest.raises(DataError, match=match):
        list(read_ptu(tmp_path / "x.ptu").blocks)


@pytest.mark.parametrize("bad", [0, 63, 64, 100, 499])
@pytest.mark.parametrize("word", [(1 << 25) | 1, (1 << 31) | (31 << 25)])
def test_a_bad_record_is_named_wherever_it_lies_in_a_crowd(tmp_path, bad, word):
    """Record ``bad`` steps back in time (unless it is the first), or is of no known kind."""
    path, tags = tmp_path / "x.ptu", fitting(KINDS[0x01010204], np.full(500, 3), np.full(500, 2))
    write(path, KINDS[0x01010204], tags)
    at = open_ptu(path).offset + 4 * bad
    raw = bytearray(path.read_bytes())
    raw[at : at + 4] = struct.pack("<I", word)
    path.write_bytes(raw)
    if bad == 0 and word < 1 << 31:
        assert read_ptu(path).tags().t_ps[:2].tolist() == [1, 6]
        return
    with pytest.raises(DataError, match=f"record {bad}: "):
        read_ptu(path).tags()
    assert f"record {bad}: " in salvage(path, tmp_path / "sound.npz").reason
    assert_equal(read_tags(tmp_path / "sound.npz").tags, TimeTags(tags.t_ps[:bad], tags.channel[:bad]))


def test_truncated(tmp_path):
    path = tmp_path / "x.ptu"
    by_hand(path, 0x01010204, [1, 2, 3])
    raw = path.read_bytes()
    for cut, match in (
        (4, "truncated at record 2"),
        (6, "truncated at record 1"),
        (20, "truncated at tag"),
        (len(raw) - 4, "PQTTTR"),
    ):
        path.write_bytes(raw[:-cut])
        with pytest.raises(DataError, match=match):
            read_ptu(path).tags()


@pytest.mark.parametrize(
    ("header", "match"),
    [
        ({"TTResultFormat_TTTRRecType": 5}, "kind of record 5 is not known; known are PicoHarp T2"),
        ({"MeasDesc_GlobalResolution": float("nan")}, "MeasDesc_GlobalResolution must be a time"),
        ({"MeasDesc_GlobalResolution": "x"}, "MeasDesc_GlobalResolution must be a time"),
    ],
)
def test_bad_headers_are_named(tmp_path, header, match):
    by_hand(tmp_path / "x.ptu", 0x01010204, [1], **header)
    with pytest.raises(DataError, match=match):
        read_ptu(tmp_path / "x.ptu")


def test_header_round_trip(tmp_path):
    values = {"a": 1, "b": 2.5, "c": True, "d": "text", "e": None}
    path = tmp_path / "x"
    path.write_bytes(header_bytes(values))
    with path.open("rb") as file:
        assert read_header(file, Path("x")) == values


@pytest.mark.parametrize(
    ("kind", "tags", "match"),
    [
        (
            T2[0],
            TimeTags(np.array([4, 5]), np.array([1, 1], np.uint8)),
            "click at 5 ps on channel 1 does not fit PicoHarp T2",
        ),
        (T2[1], TimeTags(np.array([-1]), np.array([1], np.uint8)), "click at -1 ps"),
        (T2[1], TimeTags(np.array([1]), np.array([100], np.uint8)), "channel 100"),
        (T3[1], TimeTags(np.array([1]), np.array([0], np.uint8)), "channel 0"),
    ],
)
def test_what_does_not_fit_is_refused(tmp_path, kind, tags, match):
    with pytest.raises(UsageError, match=match):
        write(tmp_path / "x.ptu", kind, tags)
    assert not (tmp_path / "x.ptu").exists()


def test_the_header_tells_about_the_file(tmp_path):
    write(tmp_path / "x.ptu", T2[2], TimeTags(np.arange(5), np.ones(5, np.uint8)))
    file = open_ptu(tmp_path / "x.ptu")
    assert file.records == 5
    assert file.header["HW_Type"] == T2[2].name
