"""Published links beside what the simulated laboratory finds: the table of docs/twin.md.

    python benchmarks/links.py

Every figure is a closed result of the enumeration, nothing is drawn; it takes a few seconds.
"""

from __future__ import annotations

from typing import Any

from erbia.instruments.mock.links import Figure, link_names, load_link


def main() -> None:
    print("| link | figure | published | simulated | |\n|---|---|---|---|---|")
    within = []
    for name in link_names():
        link = load_link(name)
        truth = link.world.truth()
        for figure, published in link.published.items():
            print(
                f"| {name} | {figure} | {quoted(published)} | {truth[figure]:.4g} | {verdict(published, truth[figure])} |"
            )
        if all(abs(published.errors_off(truth[figure])) <= 1 for figure, published in link.published.items()):
            within.append(name)
    print(f"\nAll figures within their errors: {len(within)} of {len(link_names())} links ({', '.join(within)})")
    print("\nWhat single values do (they stay as they are in the presets):\n")
    pumped = {node: {"memory": {"pumping_limit": 0.99}} for node in ("alice", "bob")}
    for name in ("hensen_2015", "humphreys_2018", "humphreys_2018_fast"):
        print(f"{name}, spins prepared to 0.99 instead of 0.997: fidelity {fidelity(name, pumped):.3f}")
    for name in ("humphreys_2018", "humphreys_2018_fast"):
        wide = {"midpoint": {"phase_sigma_rad": 0.5}}
        print(f"{name}, optical phase known to 0.5 rad instead of 0.25: fidelity {fidelity(name, wide):.3f}")


def fidelity(name: str, overrides: dict[str, Any]) -> float:
    """Of a link with some values replaced."""
    return load_link(name, overrides=overrides).world.truth()["fidelity"]


def quoted(figure: Figure) -> str:
    """The figure with its error, both of them when they differ."""
    if figure.above == figure.below:
        return f"{figure.value:.4g} ± {figure.above:.2g}"
    return f"{figure.value:.4g} +{figure.above:.2g} -{figure.below:.2g}"


def verdict(figure: Figure, simulated: float) -> str:
    """Where the simulated value lies, in units of the published error."""
    off = figure.errors_off(simulated)
    return "within" if abs(off) <= 1 else f"{abs(off):.1f} errors {'above' if off > 0 else 'below'}"


if __name__ == "__main__":
    main()
