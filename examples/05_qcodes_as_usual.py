"""The station is a QCoDeS Station: parameters, snapshots and scripts work as they always do."""

import erbia

with erbia.load_station("mock_lab", seed=4) as lab:
    snspd = lab.station.snspd
    print("bias of channel 1:", snspd.ch1.bias(), snspd.ch1.bias.unit)
    for bias_a in (14e-6, 16e-6, 18e-6):
        snspd.ch1.bias(bias_a)
        print(f"{bias_a * 1e6:.0f} µA: {snspd.ch1.count_rate():.1f} dark counts per second")
    print("instruments in the snapshot:", ", ".join(lab.station.snapshot(update=False)["instruments"]))
