#!/usr/bin/env python3
"""Makes explore.json: small samples, and what SciPy, statsmodels and matplotlib's rule say of them.

    make_explore.py > explore.json

Needs numpy, scipy and statsmodels (explore.json names their versions). Nothing of it is needed to run the tests.
"""
import json
import sys

import numpy as np
import scipy
import statsmodels
from scipy import stats
from statsmodels.stats.multitest import multipletests
from statsmodels.tsa.stattools import acf

rng = np.random.default_rng(20261125)
numbers = lambda values: [float(v) for v in values]


def rhythm(n, period, noise):
    i = np.arange(n)
    return np.round(100 + 30 * np.sin(2 * np.pi * i / period) + noise * rng.standard_normal(n), 3)


def holes(values, *spans):
    values = values.copy()
    for a, b in spans:
        values[a:b] = np.nan
    return values


samples = {
    "normal": np.round(rng.standard_normal(120), 4),
    "normal, moved": np.round(0.3 + rng.standard_normal(150), 4),
    "heavy tails": np.round(np.exp(2 * rng.standard_normal(200)), 4),
    "few values": rng.integers(0, 5, 90).astype(float),
    "many zeros": np.where(rng.random(100) < 0.7, 0.0, np.round(rng.exponential(5, 100), 2)),
    "small": np.round(rng.standard_normal(11), 3),
    "large numbers": np.round(1e9 * rng.exponential(1, 300), 1),
    "two values": np.array([-1.5, 4.0]),
    "one": np.array([3.0]),
}
spread = []
for name, values in samples.items():
    q1, q3 = np.quantile(values, [0.25, 0.75])
    reach = 1.5 * (q3 - q1)
    inside = values[(values >= q1 - reach) & (values <= q3 + reach)]
    spread.append({
        "name": name, "values": numbers(values),
        "quantiles": numbers(np.quantile(values, [0, 0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99, 1])),
        "whiskers": [min(float(inside.min()), float(q1)), max(float(inside.max()), float(q3))],
        "outliers": [int((values < q1 - reach).sum()), int((values > q3 + reach).sum())],
        "ranks": numbers(stats.rankdata(values)), "kendall": None if len(set(values)) < 2 else float(stats.kendalltau(np.arange(len(values)), values).statistic),
    })

pairs, p_values = [], []
names = [n for n in samples if len(samples[n]) > 2]
for i, a in enumerate(names):
    for b in names[i + 1:]:
        test = stats.ks_2samp(samples[a], samples[b], method="asymp")
        pairs.append({"a": a, "b": b, "statistic": float(test.statistic), "p": float(test.pvalue)})
        p_values.append(float(test.pvalue))
holm = numbers(multipletests(p_values, method="holm")[1])
limit = [{"x": x, "p": float(stats.kstwobign.sf(x))} for x in (0.05, 0.3, 0.5, 0.8, 1.0, 1.17, 1.19, 1.36, 1.63, 2.5, 4.0)]

series = {
    "a rhythm": rhythm(240, 24, 8), "noise": np.round(rng.standard_normal(200), 4), "a walk": np.round(np.cumsum(rng.standard_normal(300)), 4),
    "a rhythm with holes": holes(rhythm(300, 24, 8), (40, 70), (111, 112), (250, 256)), "short": np.array([1.0, 4.0, 2.0, 8.0, 5.0, 7.0]),
    "bursts": np.where(rng.random(220) < 0.05, 1e6, rhythm(220, 12, 3)),
}
curves = []
for name, values in series.items():
    lags = len(values) // 2
    there = ~np.isnan(values)
    ranked = np.full(len(values), np.nan)
    ranked[there] = stats.rankdata(values[there])
    curve = lambda v: numbers(acf(v, nlags=lags, missing="conservative", adjusted=False, fft=False))
    curves.append({"name": name, "values": [None if np.isnan(v) else float(v) for v in values], "acf": curve(values), "acf_of_ranks": curve(ranked)})

x = np.sort(rng.random(40)) * 30
y = 2 - 0.7 * x + rng.standard_normal(40)
y[5] = 400
lines = {"x": numbers(x), "y": numbers(y), "theil_sen": float(stats.theilslopes(y, x).slope), "pearson": float(stats.pearsonr(x, y).statistic), "spearman": float(stats.spearmanr(x, y).statistic)}

json.dump({
    "made_with": {"numpy": np.__version__, "scipy": scipy.__version__, "statsmodels": statsmodels.__version__},
    "spread": spread, "pairs": pairs, "holm": holm, "limit": limit, "curves": curves, "lines": lines,
}, sys.stdout, separators=(",", ":"))
print()
