"""Two free clocks followed block by block, and their offset without the path's delay."""

import erbia

with erbia.load_station("mock_lab", seed=11) as lab:
    tracked = lab.run("clock_tracking", duration_s=4)
    both_ways = lab.run("clock_two_way", rounds=2, leg_s="0.5 s")

tdev = erbia.analyze(tracked).curves["TDEV"]
print("SIMULATED")
for tau_s, deviation_s in zip(tdev.x, tdev.measured, strict=True):
    print(f"time deviation over {tau_s:.1f} s: {deviation_s * 1e12:.2f} ps")
for name in ("two_way_offset_ps", "one_way_delay_ps", "asymmetry_bound_ps"):
    e = both_ways.results[name]
    print(f"{name:20} {e.value:.2f} ± {e.std:.2f} ps")
