"""Barrett-Kok attempts a second of SeQUeNCe 0.8.5's two-router network, for the ratio in benchmarks/twin.py.

Run with a Python that has SeQUeNCe: ``python benchmarks/sequence_peer.py [seconds of network time]``. Prints attempts and
processor seconds. An attempt is one start of the first round of the generation protocol at one router.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from sequence.app.request_app import RequestApp
from sequence.entanglement_management.generation import EntanglementGenerationA
from sequence.topology.router_net_topo import RouterNetTopo

NETWORK: dict[str, Any] = {
    "is_parallel": False,
    "stop_time": 10**15,
    "nodes": [
        {"name": name, "type": "QuantumRouter", "seed": seed, "memo_size": 1} for seed, name in enumerate(("alice", "bob"))
    ],
    "qconnections": [
        {"node1": "alice", "node2": "bob", "attenuation": 0.0002, "distance": 4000, "type": "meet_in_the_middle"}
    ],
    "cconnections": [{"node1": "alice", "node2": "bob", "delay": 20_000_000}],
}  # fmt: skip


def main(network_s: float) -> None:
    attempts = 0
    start = EntanglementGenerationA.start

    def counted(protocol: Any) -> None:
        nonlocal attempts
        attempts += protocol.owner.name == "alice" and protocol.ent_round == 0
        start(protocol)

    EntanglementGenerationA.start = counted
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "network.json"
        file.write_text(json.dumps(NETWORK))
        topology = RouterNetTopo(str(file))
    timeline = topology.get_timeline()
    timeline.stop_time = round(network_s * 1e12)
    routers = {node.name: node for node in topology.get_nodes_by_type(RouterNetTopo.QUANTUM_ROUTER)}
    for router in routers.values():
        memories = router.get_components_by_type("MemoryArray")[0]
        memories.update_memory_params("efficiency", 0.005)  # SeQUeNCe keeps trying, as a lab does
        memories.update_memory_params("frequency", 1e6)
    apps = {name: RequestApp(router) for name, router in routers.items()}
    apps["alice"].start("bob", 10**9, round(network_s * 1e12), 1, 0.1)
    timeline.init()
    begun = time.process_time()
    timeline.run()
    print(attempts, time.process_time() - begun)


if __name__ == "__main__":
    main(float(sys.argv[1]) if len(sys.argv) > 1 else 2.0)
