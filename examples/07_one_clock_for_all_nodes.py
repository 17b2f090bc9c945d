"""Keep the clocks' relation in the run file, and correlate two nodes on one clock; the recorded clicks stay as they are."""

import erbia
from erbia.analysis.correlation import correlate
from erbia.analysis.files.tagfile import read_tags
from erbia.analysis.files.timebase import write_timebase

with erbia.load_station("mock_lab", seed=3) as lab:
    run = lab.run("clock_sync", duration_s=1)

a_ps, b_ps = (run.tags(node).on(1) for node in ("alice", "bob"))
found = erbia.analysis.synchronize(a_ps, b_ps, max_offset_s=0.2, max_ppm=1.5)
write_timebase(run, "alice", {"bob": found.model}, "photon pairs")

both = read_tags(f"{run.path}:alice+bob")
number = {name: n for n, name in both.channel_names.items()}
alice, bob = (both.tags.on(number[f"{node}.photon"]) for node in ("alice", "bob"))
peak = correlate(alice, bob, bin_ps=50, range_ps=2000)
print(f"{peak.counts.max()} pairs in the highest bin, at {peak.lag_ps[peak.counts.argmax()]} ps")
