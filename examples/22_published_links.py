"""Published links in the simulated lab: rubidium atoms over 6 to 33 km of fibre, beside the paper and with better spins. SIMULATED."""

from erbia.instruments.mock.links import load_link

BETTER = {node: {"memory": {"t2_s": 3.3e-3}} for node in ("alice", "bob")}

print("fibre    published        simulated  with ten times the coherence time")
for km in (6, 11, 23, 33):
    name = f"van_leent_2022_{km}km"
    link, better = load_link(name), load_link(name, overrides=BETTER)
    paper, found = link.published["fidelity"], link.world.truth()["fidelity"]
    print(
        f"{km:3d} km   {paper.value:.3f} ± {paper.above:.3f}    {found:.3f}      {better.world.truth()['fidelity']:.3f}"
    )
