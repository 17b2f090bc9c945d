"""Small instruments of the simulated lab: the power behind an attenuator, a photodiode, the clicks of a detector."""

from pathlib import Path

import erbia

STATION = """
instruments:
  laser: {type: erbia.instruments.mock.MockLaser}
  voa: {type: erbia.instruments.mock.MockAttenuator}
  power_meter: {type: erbia.instruments.mock.MockPowerMeter}
  photodiode: {type: erbia.instruments.mock.MockAnalogInput}
  snspd: {type: erbia.instruments.mock.MockSnspd}
  lamp: {type: erbia.instruments.mock.MockLightSource, init: {component: light_source}}
  counter: {type: erbia.instruments.mock.MockEdgeCounter, init: {component: snspd.ch1}}
  lines: {type: erbia.instruments.mock.MockDigitalLines, init: {lines: {shutter: attenuator.shutter_open}}}
twin: {preset: single_er_cavity, seed: 1}
"""

Path("bench.yaml").write_text(STATION)
with erbia.load_station("bench.yaml") as lab:
    bench = lab.station
    bench.laser.power(1e-3)
    bench.laser.emission(True)
    for attenuation_db in (0, 10, 20):
        bench.voa.attenuation(attenuation_db)
        print(
            f"{attenuation_db:3d} dB: {1e6 * bench.power_meter.power():8.2f} uW, {1e3 * bench.photodiode.voltage():7.1f} mV"
        )
    bench.lines.shutter(False)
    print(f"shutter closed: {1e9 * bench.power_meter.power():.2f} nW")

    bench.lamp.rate(1e5)
    bench.lamp.emission(True)
    for bias_ua in (8, 12, 16):
        bench.snspd.ch1.bias(1e-6 * bias_ua)
        print(f"{bias_ua:3d} uA: {bench.counter.count_rate():8.0f} counts/s  SIMULATED")
