"""Find the offset and skew of two free-running clocks from the photon pairs both nodes share."""

import erbia

with erbia.load_station("mock_lab", seed=3) as lab:
    run = lab.run("clock_sync", duration_s=2)

# The experiment did it already; here it is once more, from the bare arrays of times.
a_ps, b_ps = (run.tags(node).on(1) for node in ("alice", "bob"))
found = erbia.analysis.synchronize(a_ps, b_ps, max_offset_s=0.2, max_ppm=1.5)
print(f"offset {found.offset_ps:.1f} ± {found.offset_std_ps:.1f} ps, truth {run.truth()['clock_offset_ps']:.1f} ps")
print(f"skew {found.skew:.3e} ± {found.skew_std:.1e}, from {found.pairs} pairs")
