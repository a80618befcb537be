#!/usr/bin/env python3
"""Makes evaluate.json: small series with scores and labels, and what reference programs say of them.

    make.py QUALITY > evaluate.json

QUALITY is the path of the scorer that the project's figures of quality are taken with. It has to offer
average_precision, best_f1, vus_pr (which calls TSB-AD 1.5), at_budget, nab, persistence and hour_of_week.
Needs numpy, pandas, and what TSB-AD needs. Nothing of it is needed to run the tests.
"""
import importlib.util
import json
import sys

import numpy as np
import pandas as pd

spec = importlib.util.spec_from_file_location("quality", sys.argv[1])
quality = importlib.util.module_from_spec(spec)
spec.loader.exec_module(quality)
# The tests compare more digits than people read.
quality.round = lambda value, digits: value

from TSB_AD.utils.slidingWindows import find_length_rank

rng = np.random.default_rng(20260105)


def rhythm(n, period, noise):
    i = np.arange(n)
    return np.round(100 + 30 * np.sin(2 * np.pi * i / period) + noise * rng.standard_normal(n), 2)


def seen(n, spans, miss=0.3):
    """Scores of a detector that sees most of the labelled rows."""
    s = rng.exponential(1.0, n)
    for a, b in spans:
        if rng.random() > miss:
            s[a : b + 1] += rng.exponential(4.0, b - a + 1)
    return np.round(s, 3)


def series(name, values, spans, scores):
    return {"name": name, "values": [float(v) for v in values], "spans": [list(s) for s in spans], "scores": [float(s) for s in scores]}


dense = [(a, a + w) for a, w in zip(np.cumsum(rng.integers(3, 9, 45)).tolist(), rng.integers(0, 2, 45).tolist())]
several = [(30, 41), (90, 90), (200, 229), (240, 242), (399, 405)]
edges = [(0, 4), (100, 103), (292, 299)]
late = [(700, 720), (900, 930), (1100, 1101), (1380, 1390)]
all_series = [
    series("several intervals", rhythm(500, 24, 4), several, seen(500, several)),
    series("ties", rhythm(500, 48, 8), several, np.floor(seen(500, several) / 2) * 2),
    series("constant scores", rhythm(300, 12, 3), [(50, 60), (120, 121)], np.zeros(300)),
    series("intervals at both ends", rhythm(300, 36, 5), edges, seen(300, edges)),
    series("ramps that meet", rhythm(320, 24, 5), dense, seen(320, dense)),
    series("one row labelled", rhythm(260, 30, 5), [(130, 130)], seen(260, [(130, 130)], 0)),
    series("fewer rows than thresholds", rhythm(40, 8, 2), [(12, 14), (30, 31)], seen(40, [(12, 14)], 0)),
    series("intervals that overlap", rhythm(300, 24, 5), [(100, 120), (115, 130), (131, 133)], seen(300, [(100, 133)], 0)),
    series("values that never change", np.full(300, 7.0), [(200, 210)], seen(300, [(200, 210)], 0)),
    series("a long rhythm", rhythm(1400, 210, 0.5), late, seen(1400, late)),
    series("nothing labelled", rhythm(400, 24, 5), [], seen(400, [])),
    series("two rows", [1.0, 2.0], [(1, 1)], [0.5, 0.25]),
]

parts = []
for s in all_series:
    y = np.zeros(len(s["values"]), int)
    for a, b in s["spans"]:
        y[a : b + 1] = 1
    scores, values = np.array(s["scores"]), np.array(s["values"])
    # An hour from row to row.
    parts.append((scores, y, [tuple(x) for x in s["spans"]], max((len(y) - 1) / 24, 1 / 24)))
    if y.any():
        s["window"] = int(find_length_rank(values.reshape(-1, 1), rank=1))
        s["vus_pr"] = quality.vus_pr(y, scores, values)
        s["auc_pr"] = quality.average_precision(y, scores)
        s["best_f1"] = quality.best_f1(y, scores)

budgets = []
for per_week in (0.05, 0.25, 1, 3, 20):
    recall, false_alarms, delay, threshold = quality.at_budget(parts, per_week)
    finite = lambda v: float(v) if np.isfinite(v) else None
    budgets.append({"per_week": per_week, "recall": float(recall), "false_alarms": int(false_alarms), "delay": finite(delay), "threshold": finite(threshold)})

# What no program can ask of windows that overlap is left out of the Numenta scores.
for_nab = [p for p, s in zip(parts, all_series) if s["name"] != "intervals that overlap"]
nab = {k: float(v) for k, v in quality.nab(for_nab, list(range(len(for_nab)))).items()}

times = pd.date_range("2026-01-05 00:00:00", periods=24 * 15, freq="h")
load = np.round(50 + 20 * np.sin(2 * np.pi * times.hour / 24) + 5 * (times.dayofweek > 4) + 3 * rng.standard_normal(len(times)), 2)
frame = pd.DataFrame({"timeslot": times, "mean_metric_value": load})
# The learning part leaves out an hour of the day on two days, and one whole hour of the week.
learn = frame[: 24 * 9].drop(index=[5, 30, 31])
judged = frame[24 * 9 :].reset_index(drop=True)
second = lambda t: [int(x.timestamp()) for x in t]
baselines = {
    "earlier_times": second(learn.timeslot), "earlier": learn.mean_metric_value.tolist(),
    "times": second(judged.timeslot), "values": judged.mean_metric_value.tolist(),
    "last_value": quality.persistence(learn, judged).tolist(), "hour_of_week": quality.hour_of_week(learn, judged).tolist(),
}

json.dump({"series": all_series, "budgets": budgets, "nab": nab, "baselines": baselines}, sys.stdout, separators=(",", ":"))
print()
