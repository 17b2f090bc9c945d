"""Where a run came from."""

import json

from erbia.analysis.files import provenance


def test_in_this_checkout_everything_is_text():
    found = provenance.collect()
    assert set(found) == {"git_commit", "git_dirty", "git_diff", "packages_json", "host", "command"}
    assert all(isinstance(value, str) for value in found.values())
    packages = json.loads(found["packages_json"])
    assert {"python", "numpy", "h5py"} <= set(packages)


def test_outside_a_checkout_git_is_empty(monkeypatch, tmp_path):
    monkeypatch.setattr(provenance, "_PACKAGE", tmp_path)
    found = provenance.collect()
    assert (found["git_commit"], found["git_dirty"], found["git_diff"]) == ("", "", "")
    assert found["packages_json"]
