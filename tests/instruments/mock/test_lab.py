"""The mock lab end to end: what comes out of the taggers is what the physics predicts.

Statistical tests allow 4.5 standard errors (false alarm below 1e-5 each) with fixed seeds, so they do not flake.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from erbia.analysis.records import PS_PER_S

US = 1_000_000
TAGGERS = ("tagger", "alice_tagger", "bob_tagger")


def within(value: float, expected: float, std: float, sigmas: float = 4.5) -> bool:
    return abs(value - expected) < sigmas * std


@pytest.mark.parametrize("basis", ["X", "Y", "Z"])
def test_heralded_correlators_agree_with_truth(make_lab, tables, read_heralds, basis):
    lab = make_lab(seed=3)
    found = read_heralds(lab.record(150, tables["herald"](basis)))
    truth = lab.world.truth()
    n = len(found.sign)
    assert np.all(found.sign != 0)
    assert within(n, truth["herald_rate_hz"] * 150, np.sqrt(n))
    product = found.alice * found.bob * (1 if basis == "Z" else found.sign)
    click = [(truth[f"{node}_p_bright_click"], truth[f"{node}_p_dark_click"]) for node in ("alice", "bob")]
    gain = np.prod([b - d for b, d in click])
    bias = np.prod([b + d - 1 for b, d in click])
    expected = gain * truth[f"e{basis.lower() * 2}"] + bias
    assert within(product.mean(), expected, np.sqrt((1 - expected**2) / n))


def test_fidelity_is_what_the_correlators_say(make_lab, tables):
    lab = make_lab()
    lab.pulser.load(tables["herald"]("X"))
    truth = lab.world.truth()
    assert 0.85 < truth["fidelity"] < 0.95
    assert 2.2 < truth["chsh_s_raw"] < 2.4
    assert truth["fidelity"] == pytest.approx((1 + truth["exx"] + truth["eyy"] - truth["ezz"]) / 4)
    lab.pulser.load(tables["herald"]("Z"))
    assert lab.world.truth()["fidelity"] == pytest.approx(
        truth["fidelity"], abs=2e-3
    )  # the analysis turn takes no part


def test_storage_decays_as_stretched_exponential(make_lab, tables):
    for tau_us in (100, 400, 800):
        lab = make_lab(seed=tau_us)
        tags = lab.record(4, tables["echo"](tau_us * US))["alice_tagger"]
        sync, click = tags.on(0)[:-1], tags.on(1)
        start = sync + US + 6 * US + 2 * tau_us * US
        shone = np.searchsorted(click, start + 152 * US) > np.searchsorted(click, start)
        truth = lab.world.truth()
        assert truth["storage_time_s"] == pytest.approx(1e-3, rel=1e-3)
        bright = 0.5 * (1 + 0.99 * np.exp(-((2 * tau_us * 1e-6 / 1e-3) ** 1.5)))  # 0.99: initialised 99.5 %
        high, low = truth["alice_p_bright_click"], truth["alice_p_dark_click"]
        expected = low + (high - low) * bright
        assert within(shone.mean(), expected, np.sqrt(expected * (1 - expected) / len(sync)))


def test_probe_shows_the_jitter(make_lab, tables):
    lab = make_lab()
    tags = lab.record(2, tables["probe"]())["tagger"]
    sync, click = tags.on(0), tags.on(1)
    delay = click - sync[np.searchsorted(sync, click) - 1] - US
    delay = delay[np.abs(delay) < 500]
    truth = lab.world.truth()
    variance = truth["jitter_sigma_ps"] ** 2 + truth["jitter_tau_ps"] ** 2
    assert len(delay) > 20_000
    assert within(delay.mean(), truth["jitter_tau_ps"], np.sqrt(variance / len(delay)))
    assert within(delay.var(), variance, variance * np.sqrt(4 / len(delay)))


def test_pairs_tie_the_two_clocks(make_lab):
    lab = make_lab()
    lab.pair_source.pump_power(0.01)
    lab.pair_source.emission(True)
    tags = lab.record(3)
    truth = lab.world.truth()
    a, b = tags["alice_tagger"].on(1), tags["bob_tagger"].on(1)
    expected = a + truth["clock_offset_ps"] + truth["clock_skew"] * a
    nearest = np.searchsorted(b, expected - 200)
    lag = b[np.minimum(nearest, len(b) - 1)] - expected
    lag = lag[np.abs(lag) < 200]
    accidental = len(a) * len(b) / 3 * 400e-12
    assert within(len(lag), 3 * truth["pair_rate_hz"] * 0.988 + accidental, 2 * np.sqrt(len(lag)))  # 0.988: dead time
    assert abs(lag.mean()) < 4.5 * 40 / np.sqrt(len(lag)) + 1  # + clock wander about its straight line


def test_one_table_of_attempts_ends(make_lab, tables):
    lab = make_lab()
    tags = lab.record(1.0, tables["herald"](attempts_per_burst=50, bursts=20))
    assert len(tags["tagger"].on(0)) == 20
    assert not lab.pulser.running()


def test_blocks_follow_without_gap(make_lab, tables):
    lab = make_lab()
    tagger = lab.taggers["tagger"]
    lab.pulser.load(tables["herald"]())
    lab.pulser.arm()
    tagger.start()
    lab.pulser.start()
    blocks = [tagger.read(1.0) for _ in range(5)]
    for before, after in pairwise(blocks):
        assert after.t_start_ps == before.t_stop_ps
    for block in blocks:
        assert np.all(np.diff(block.tags.t_ps) >= 0)
        assert len(block.tags) == 0 or block.t_start_ps <= block.tags.t_ps[0] <= block.tags.t_ps[-1] < block.t_stop_ps
    assert blocks[0].t_stop_ps - blocks[0].t_start_ps <= PS_PER_S


def test_sparse_counts_equal_enumeration(make_lab, tables):
    """Every click pattern over 2e7 attempts, each within 4.5 standard deviations."""
    lab = make_lab()
    lab.pulser.load(tables["herald"]())
    model = lab.world.current_model()
    assert model.probability.sum() == pytest.approx(1, abs=1e-12)
    counts, played = lab.world.count_patterns(2 * 10**7)
    expected = played * model.probability
    frequent = expected > 5
    assert np.all(np.abs(counts - expected)[frequent] < 4.5 * np.sqrt(expected[frequent]))


def test_forecast_of_heralds_has_the_links_rate(make_lab, tables):
    lab = make_lab()
    lab.pulser.load(tables["herald"]())
    times, outcomes = lab.world.sample_heralds(1000 * PS_PER_S)
    expected = 1000 * lab.world.truth()["herald_rate_hz"]
    assert within(len(times), expected, np.sqrt(expected))
    assert within(np.mean(outcomes == 1), 0.5, 0.5 / np.sqrt(expected))
    assert np.all(np.diff(times) > 0)


class TestDeterminism:
    def run(self, lab, tables, cuts):
        """Heralding, then a change of bias at 1.5 s, cut into steps of the given lengths (ms)."""
        lab.pair_source.pump_power(1e-4)
        lab.pair_source.emission(True)
        lab.pulser.load(tables["herald"]("X"))
        lab.pulser.arm()
        for name in TAGGERS:
            lab.taggers[name].start()
        lab.pulser.start()
        for end_s in (1.5, 3.0):
            k = 0
            while lab.world.now_ps < end_s * PS_PER_S:
                step = cuts[k % len(cuts)] * PS_PER_S // 1000
                lab.world.advance(min(step, int(end_s * PS_PER_S) - lab.world.now_ps))
                k += 1
            lab.snspd.ch1.bias(16e-6)
        return {name: lab.taggers[name].read(1.0).tags for name in TAGGERS}

    @pytest.mark.parametrize("cuts", [(1,), (7, 130, 33), (3000,)])
    def test_any_cutting_of_time_gives_the_same_tags(self, make_lab, tables, cuts):
        one, other = (self.run(make_lab(seed=5), tables, c) for c in ((100,), cuts))
        for name in TAGGERS:
            assert len(one[name]) > 100
            assert np.array_equal(one[name].t_ps, other[name].t_ps)
            assert np.array_equal(one[name].channel, other[name].channel)

    def test_another_seed_gives_other_tags(self, make_lab, tables):
        one, other = (self.run(make_lab(seed=s), tables, (500,)) for s in (5, 6))
        assert not np.array_equal(one["tagger"].t_ps, other["tagger"].t_ps)

    def test_two_threads_give_the_same_tags(self, make_lab, tables):
        from erbia.instruments.twin import World

        lab = make_lab(seed=5)
        both = []
        for threads in (1, 2):
            world = World(lab.world.config, 5, threads=threads)
            for (component, parameter), value in lab.world.conditions.settings.values.items():
                world.set(component, parameter, value)
            world.set("pair_source", "pump_power", 1e-3)
            world.set("pair_source", "emission", 1.0)
            world.start_tagger("bob_tagger")
            for _ in range(10):
                world.advance(10**11)
            both.append(world.read_tagger("bob_tagger", 1).tags)
        assert len(both[0]) > 10_000
        assert np.array_equal(both[0].t_ps, both[1].t_ps)

    def test_a_checkpoint_goes_on_as_the_original(self, make_lab, tables):
        lab = make_lab(
            seed=5,
            overrides={
                "random_faults": [{"kind": "lock_loss", "component": "laser", "per_hour": 1e3, "duration_s": 1.0}]
            },
        )
        self.run(lab, tables, (500,))
        kept = lab.world.checkpoint()
        rest = []
        for world in (lab.world, kept):
            world.advance(5 * PS_PER_S)
            world.set("snspd.ch1", "bias", 17e-6)
            world.advance(5 * PS_PER_S)
            rest.append(world.read_tagger("tagger", 1).tags)
        assert len(rest[0]) > 1000
        assert np.array_equal(rest[0].t_ps, rest[1].t_ps)
