"""Fidelity and Bell test from counts you already have."""

import erbia

counts = {
    "target": "psi+",
    "bases": {
        "XX": {"++": 88, "+-": 9, "-+": 11, "--": 92},
        "YY": {"++": 90, "+-": 12, "-+": 8, "--": 90},
        "ZZ": {"++": 4, "+-": 97, "-+": 96, "--": 3},
    },
    "confidence": 0.95,
}
f = erbia.analysis.estimate_fidelity(counts).fidelity
print(f"F = {f.value:.3f} in [{f.lower:.3f}, {f.upper:.3f}] ({f.method}, n = {f.n})")

bell = erbia.analysis.bell_test(
    {
        "settings": {
            "00": {"same": 46, "different": 7},
            "01": {"same": 63, "different": 16},
            "10": {"same": 46, "different": 16},
            "11": {"same": 10, "different": 41},
        },
        "signs": [1, 1, 1, -1],
    }
)
print(f"S = {bell.s.value:.3f} ± {bell.s_std:.3f}, p = {bell.p_value:.3f}")
