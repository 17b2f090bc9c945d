"""What a run would give, before anything is armed: its budget, its pulses, and what the hardware makes of them."""

from pathlib import Path

from erbia.analysis.quantity import format_quantity
from erbia.analysis.report_timing import timing_diagram
from erbia.sequences.budget import make_budget
from erbia.sequences.budget_facts import facts_of_file
from erbia.sequences.compile_samples import Carrier, iq_samples
from erbia.sequences.diagram import diagram, played_sequence
from erbia.sequences.lab import make_experiment
from erbia.sequences.pulses import Comb, Pulse, Sech
from erbia.sequences.sequence import Block, Loop

facts = facts_of_file("mock_lab")  # the station file only: nothing is connected
experiment = make_experiment("heralded_entanglement", {"heralds": 500}).on(facts.nodes)
for line in make_budget(experiment, facts, Path()).lines:
    if line.name in {"herald rate", "fidelity", "run time", "heat on the cold stage"}:
        print(f"{line.name}: {format_quantity(line.value, line.unit)} {line.allowed} {line.verdict}")

hasty = make_experiment("heralded_entanglement", {"timing.attempt_period_s": "30 us"}).on(facts.nodes)
for line in make_budget(hasty, facts, Path()).refused:
    print(f"refused, {line.name}: {line.reason}")

sequence = played_sequence(experiment.build(), "XX")
timing_diagram(diagram(sequence), sequence.name, simulated=False).savefig("pulses.png")

# Comb preparation, then an adiabatic transfer, as I and Q of an AWG at 2.4 GS/s about a carrier of 80 MHz.
burn = Block(1_500_000, (Pulse("memory", 0, 1_240_000, 0.8, shape=Comb(count=4, spacing_ps=400_000, width_ps=40_000)),))
transfer = Pulse("memory", 152_000_100, 5_000_000, 0.5, shape=Sech(sweep_hz=4e6))
block = Block(160_000_000, (transfer,), (Loop(0, burn, 100),))
samples = iq_samples(block, {"memory": Carrier(if_hz=80e6, bits=14)}, rate_hz=2.4e9)
print(f"{len(samples.codes['memory'])} samples, edges within {samples.quantisation.largest_ps:.0f} ps,")
print(f"levels within {samples.error['memory']:.1e} of full scale")
