#!/usr/bin/env python3
"""How far off the forecasts of scored rows are, beside simple ones.

    noctop train CASE/train --model M
    noctop score CASE/test --history CASE/train --model M --output scores.csv
    benches/skill.py CASE/train CASE/test scores.csv [OTHER.csv]

Mean absolute error of the mean value on the rows of CASE/test, over max(IQR, (q95 - q5) / 4) of the rows of
CASE/train: of the last value, of the value a day before, of the mean of the hour of the week, and of what was
expected. With other scores of the same rows, also what the first take off their errors. Needs nothing but Python.
"""

import csv
import sys
from collections import defaultdict
from datetime import datetime, timedelta
from pathlib import Path
from statistics import fmean, median


def rows(paths, column):
    found = defaultdict(dict)
    for path in paths:
        with open(path, newline="") as file:
            for row in csv.DictReader(file):
                time = datetime.fromisoformat(row["timeslot"])
                found[row["hostname"], row["ifname"]][time] = float(row[column])
    return found


def directory(path):
    return rows(sorted(Path(path).glob("*.csv")), "mean_metric_value")


def quantile(values, q):
    values = sorted(values)
    place = q * (len(values) - 1)
    low = int(place)
    return values[low] + (place - low) * (values[min(low + 1, len(values) - 1)] - values[low])


def main():
    if len(sys.argv) not in (4, 5):
        sys.exit(__doc__)
    learnt, held_out = directory(sys.argv[1]), directory(sys.argv[2])
    expected = [rows([path], "mean_expected") for path in sys.argv[3:]]
    table = []
    print(f"{'interface':<40} {'last value':>10} {'day before':>10} {'hour of week':>12} {'expected':>9} {'gain':>7}")
    for name in sorted(held_out.keys() & learnt.keys()):
        before, came = learnt[name], held_out[name]
        unit = max(
            quantile(before.values(), 0.75) - quantile(before.values(), 0.25),
            (quantile(before.values(), 0.95) - quantile(before.values(), 0.05)) / 4,
        )
        weeks = defaultdict(list)
        for time, value in before.items():
            weeks[time.weekday(), time.hour].append(value)
        all_rows, last, errors = {**before, **came}, before[max(before)], [[] for _ in range(3 + len(expected))]
        for time in sorted(came):
            week = weeks.get((time.weekday(), time.hour))
            said = [last, all_rows.get(time - timedelta(days=1)), fmean(week) if week else None]
            said += [scores[name].get(time) for scores in expected]
            for list_, value in zip(errors, said):
                if value is not None:
                    list_.append(abs(came[time] - value) / unit)
            last = came[time]
        means = [fmean(e) if e else float("nan") for e in errors]
        gain = 1 - means[3] / means[4] if len(means) > 4 else None
        table.append((means, gain))
        show(name[0][-12:] + " " + name[1], means, gain)
    columns = [median(means[i] for means, _ in table) for i in range(3 + len(expected))]
    show("median", columns, median(gain for _, gain in table) if len(expected) > 1 else None)
    beaten = sum(means[3] < min(means[:3]) for means, _ in table)
    worst = max(means[3] / min(means[:3]) - 1 for means, _ in table)
    print(f"better than all three on {beaten} of {len(table)}; at worst {100 * worst:+.1f} % beside the best of them")


def show(name, means, gain):
    told = "" if gain is None else f"{100 * gain:+.1f} %"
    print(f"{name:<40} {means[0]:>10.3f} {means[1]:>10.3f} {means[2]:>12.3f} {means[3]:>9.4f} {told:>7}")


main()
