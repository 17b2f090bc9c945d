"""A run that is cut off goes on in its own file; data taken while something was wrong do not count."""

import tempfile
from pathlib import Path

import erbia
from erbia.sequences.compare import reproduce
from erbia.sequences.control import RunControl
from erbia.sequences.documents import SettingStart, Validity

control = RunControl()
folder = Path(tempfile.mkdtemp())


def stop_in_yy(document):
    if isinstance(document, SettingStart) and document.name == "YY":
        control.request("now")


def tell_validity(document):
    if isinstance(document, Validity) and document.source == "midpoint":
        print(
            f"{document.t_ps / 1e12:.1f} s: {'counts again' if document.valid else 'does not count'}: {document.reason}"
        )


with erbia.load_station("mock_lab", seed=1) as lab:
    power = {"power": {"parameter": "laser.power", "minimum": 0.9e-3}}  # the excitation pulse needs it
    config = {"heralds": 40, "calibration_shots": 500}
    run = lab.run(
        "heralded_entanglement", out_dir=folder, control=control, subscribers=(stop_in_yy,), monitors=power, **config
    )
    print(run.status, "with settings", [str(name) for name in run.settings()["name"]])

    run = lab.resume(run.path, subscribers=(tell_validity,))
    print(run.status, "with settings", [str(name) for name in run.settings()["name"]])
    print("fidelity", run.results["fidelity"])

found = reproduce(run)
print("from the file alone:", found.differing() or "the same numbers")
print("as left:", [str(row["text"]) for row in run.log() if "safe" in str(row["text"])])
