"""Open a run file, look at its raw tags, and find its numbers again from the file alone."""

import numpy as np

import erbia

with erbia.load_station("mock_lab", seed=2) as lab:
    path = lab.run("heralded_entanglement", heralds=20).path

run = erbia.open_run(path)
tags = run.tags("midpoint")
print(f"{len(tags)} clicks at the midpoint on channels {run.channels('midpoint')}")
print("clicks per channel:", np.bincount(tags.channel))

again = erbia.analyze(run)
assert again.estimates["fidelity"] == run.results["fidelity"]
print("the same fidelity from the file:", again.estimates["fidelity"].value)
