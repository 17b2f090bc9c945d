"""All-or-nothing changes: whole after every interruption."""

import h5py
import numpy as np
import pytest

from erbia.analysis.errors import DataError
from erbia.analysis.files import transaction as module
from erbia.analysis.files.overlay import lookup3
from erbia.analysis.files.transaction import finish_redo, transaction


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "x.h5"
    with h5py.File(path, "w", libver="latest") as file:
        file["data"] = np.arange(100_000)
    return path


def read(path):
    with h5py.File(path, "r") as file:
        return {name: file[name][()] for name in file}


@pytest.mark.parametrize(
    ("data", "expected"),
    [(b"", 0xDEADBEEF), (b"Four score and seven years ago", 0x17770551)],
)
def test_lookup3_known_answers(data, expected):
    """The two answers Bob Jenkins gives in lookup3.c for initial value 0."""
    assert lookup3(data) == expected


def test_a_change_arrives(path):
    with transaction(path) as file:
        file["more"] = np.ones(50_000)
        file.attrs["x"] = "y"
    after = read(path)
    assert np.array_equal(after["data"], np.arange(100_000))
    assert after["more"].sum() == 50_000
    assert [p.name for p in path.parent.iterdir()] == ["x.h5"]


def test_an_error_leaves_the_file_as_it_was(path):
    before = path.read_bytes()
    with pytest.raises(OSError, match="already exists"), transaction(path) as file:
        file["data"] = 1
    assert path.read_bytes() == before
    assert [p.name for p in path.parent.iterdir()] == ["x.h5"]


@pytest.mark.parametrize("bytes_written", [0, 10, 70_000])
def test_death_while_applying_is_made_good(path, monkeypatch, bytes_written):
    """The redo file is complete, the file half changed: the next opening finishes the work."""
    before = path.read_bytes()
    monkeypatch.setattr(module, "_apply", lambda path, redo: None)
    with transaction(path) as file:
        file["more"] = np.arange(40_000)
    assert path.read_bytes() == before
    monkeypatch.undo()
    monkeypatch.setattr(module, "_owner_alive", lambda redo: False)
    path.write_bytes(b"\0" * bytes_written + before[bytes_written:])  # torn: redo rewrites every page it changed
    if bytes_written < 65536:
        finish_redo(path)
        assert np.array_equal(read(path)["more"], np.arange(40_000))
        assert np.array_equal(read(path)["data"], np.arange(100_000))


def test_a_corrupt_redo_is_refused_and_names_itself(path, monkeypatch):
    monkeypatch.setattr(module, "_apply", lambda path, redo: None)
    with transaction(path) as file:
        file["more"] = 1
    monkeypatch.undo()
    monkeypatch.setattr(module, "_owner_alive", lambda redo: False)
    redo = path.with_name("x.h5.redo")
    raw = bytearray(redo.read_bytes())
    raw[-5] ^= 1
    redo.write_bytes(raw)
    with pytest.raises(DataError, match=r"x\.h5\.redo: page"):
        finish_redo(path)


def test_a_file_left_open_for_writing_can_be_changed(path):
    """The flag in the superblock of a killed writer is cleared; new objects lie behind all that was there."""
    raw = bytearray(path.read_bytes())
    raw[11] = 5
    raw[44:48] = lookup3(bytes(raw[:44])).to_bytes(4, "little")
    path.write_bytes(bytes(raw) + b"written by the killed process, not in the end-of-file field" * 20)
    with pytest.raises(OSError):
        h5py.File(path, "r")
    with transaction(path) as file:
        file["more"] = 1
    assert np.array_equal(read(path)["data"], np.arange(100_000))
    assert b"not in the end-of-file field" * 1 in path.read_bytes()


def test_the_redo_of_a_living_process_is_left_to_it(path, monkeypatch):
    monkeypatch.setattr(module, "_apply", lambda path, redo: None)
    monkeypatch.setattr(module, "_PATIENCE_S", 0.02)
    before = path.read_bytes()
    with transaction(path) as file:
        file["more"] = 1
    with pytest.raises(DataError, match="another process is changing this file"):
        finish_redo(path)
    assert path.read_bytes() == before


def test_two_at_once_are_refused(path):
    path.with_name("x.h5.redo.draft").write_bytes(b"1")  # process 1 always lives
    with pytest.raises(DataError, match="process 1 is changing this file"), transaction(path):
        pass


def test_a_lock_of_a_dead_process_is_taken_over(path):
    path.with_name("x.h5.redo.draft").write_bytes(b"999999999")
    with transaction(path) as file:
        file["more"] = 1
    assert read(path)["more"] == 1


@pytest.mark.parametrize(
    "content", [b"", b"\x89HDF\r\n\x1a\n\x00" + bytes(100), b"\x89HDF\r\n\x1a\n\x03\x08\x08" + bytes(90)]
)
def test_not_an_hdf5_file(tmp_path, content):
    path = tmp_path / "no.h5"
    path.write_bytes(content)
    with pytest.raises(DataError, match="superblock"), transaction(path):
        pass
    assert path.read_bytes() == content
