#!/usr/bin/env python3
"""Which incidents of generated fleets are listed, under which name, and what rings.

Makes fleets with `noctop simulate`, trains on their first two weeks, scores the rest with default
settings, and compares `score --incidents` with the labels. Needs nothing but Python.
"""

import argparse
import csv
import shutil
import subprocess
import tempfile
from collections import Counter, defaultdict
from datetime import datetime, timedelta
from pathlib import Path

START = datetime(2026, 1, 5)
UNITS = {"s": "seconds", "m": "minutes", "h": "hours"}
# A microburst is a spike of the maximum; a backup has no kind of its own.
NAMES = {"microburst": "spike", "backup": None}


class Plan:
    """How far apart a fleet's slots are, when it is scored, and how far from a label what belongs to it lies."""

    def __init__(self, text):
        self.text = text
        self.step = timedelta(**{UNITS[text[-1]]: int(text[:-1])})
        # Where slots are long a fortnight has few of them to learn from.
        self.weeks = 2 if self.step <= timedelta(minutes=5) else 4
        self.begin = START + timedelta(weeks=self.weeks)
        self.end = START + timedelta(weeks=2 * self.weeks)
        self.before = max(timedelta(minutes=15), self.step)
        self.beside = max(timedelta(minutes=10), self.step)
        self.after = max(timedelta(hours=2), 3 * self.step)


def read(path, plan):
    time = lambda text: datetime.fromisoformat(text) if text else plan.end
    with open(path, newline="") as file:
        rows = list(csv.DictReader(file))
    for row in rows:
        row["who"] = (row["hostname"], row["ifname"])
        row["from"], row["to"] = time(row["start"]), time(row["end"])
    return rows


def make(binary, place, devices, seed, options, plan):
    run = lambda *args: subprocess.run([binary, *map(str, args)], check=True, capture_output=True)
    run("simulate", "--output", place / "all", "--labels", place / "labels.csv", "--seed", seed, "--step", plan.text,
        "--days", 14 * plan.weeks, "--quiet-days", 7 * plan.weeks, "--devices", devices, "--interfaces", 6, *options)
    cut = plan.begin.date().isoformat()
    for name in ("history", "rows"):
        (place / name).mkdir()
    for path in (place / "all").iterdir():
        with open(path) as file, open(place / "history" / path.name, "w") as old, open(place / "rows" / path.name, "w") as new:
            header = next(file)
            old.write(header)
            new.write(header)
            for line in file:
                (old if line < cut else new).write(line)
        path.unlink()
    run("train", place / "history", "--model", place / "model.safetensors")
    run("score", place / "rows", "--history", place / "history", "--model", place / "model.safetensors",
        "--output", place / "scores.csv", "--incidents", place / "incidents.csv")
    labels = read(place / "labels.csv", plan)
    incidents = [i for i in read(place / "incidents.csv", plan) if i["to"] >= plan.begin]
    return labels, incidents


def compare(labels, incidents, counts, plan):
    own = defaultdict(list)
    for incident in incidents:
        own[incident["who"]].append(incident)
    told, explained, seen, first_night = {}, set(), set(), {}
    for n, label in enumerate(labels):
        kind, who = label["kind"], label["who"]
        overlap = lambda i: min(i["to"], label["to"]) - max(i["from"], label["from"])
        near = [i for i in own[who] if i["from"] <= label["to"] + plan.after and i["to"] >= label["from"] - plan.before]
        explained.update(id(i) for i in near)
        hits = [i for i in near if overlap(i) >= timedelta(0)]
        counts["all", kind] += 1
        if kind == "backup":
            first_night.setdefault(who, (label["from"], label["to"]))
        if not hits:
            continue
        best = max(hits, key=lambda i: (overlap(i), float(i["peak"])))
        told[n] = best
        counts["found", kind] += 1
        counts["named", kind] += NAMES.get(kind, kind) in (None, best["kind"])
        again = (who, kind, label["to"] - label["from"]) in seen
        if again or not any(s[:2] == (who, kind) for s in seen):
            counts["again" if again else "first", best["verdict"]] += 1
        seen.add((who, kind, label["to"] - label["from"]))
    for who, (start, end) in first_night.items():
        for night in range(3, 7 * plan.weeks):
            late = timedelta(days=night)
            if end + late + plan.beside < plan.end:
                hits = [i for i in own[who] if i["from"] <= end + late + plan.beside and i["to"] >= start + late - plan.beside]
                counts["later nights"] += 1
                counts["later nights listed"] += any(i["direction"] == "up" for i in hits)
                explained.update(id(i) for i in own[who] if i["from"] <= end + late + plan.after and i["to"] >= start + late)
    for story in {label["story"] for label in labels if label["story"]}:
        members = [n for n, label in enumerate(labels) if label["story"] == story]
        stories = Counter(told[n]["story"] for n in members if n in told and told[n]["story"])
        counts["stories"] += 1
        if stories:
            name, size = stories.most_common(1)[0]
            of_it = [i for i in incidents if i["story"] == name]
            whose = {labels[n]["who"] for n in members}
            counts["stories whole"] += size == len(members)
            counts["members"] += len(of_it)
            counts["strangers"] += sum(i["who"] not in whose for i in of_it)
    fresh = [i for i in incidents if i["from"] >= plan.begin]
    counts["others"] += sum(id(i) not in explained for i in fresh)
    counts["rings"] += sum(i["rings"] == "1" for i in fresh)
    counts["days"] += 7 * plan.weeks


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("binary", help="noctop, as built")
    parser.add_argument("--devices", type=int, default=50, help="devices of a fleet, six interfaces each")
    parser.add_argument("--seeds", type=int, default=3, help="fleets with incidents, and as many with repeats")
    parser.add_argument("--first", type=int, default=101, help="seed of the first fleet; the others follow from it")
    parser.add_argument("--only", choices=["fleet", "quiet", "repeats"], help="one kind of fleet instead of all three")
    parser.add_argument("--keep", type=Path, help="directory for labels and incidents of each fleet, to look at")
    parser.add_argument("--step", default="5m", help="time between two slots; above 5m a fleet has eight weeks instead of four")
    args = parser.parse_args()
    plan = Plan(args.step)
    busy = ["--incidents", "0.8", "--stories", "0.6", "--unlabelled", "0.3", "--new-backups", "0.1"]
    plans = {
        "fleet": [(args.first + n, busy) for n in range(args.seeds)],
        "quiet": [(args.first + 10, ["--incidents", "none"])],
        "repeats": [(args.first + 20 + n, ["--incidents", "0.5", "--stories", "0", "--repeats", "1"]) for n in range(args.seeds)],
    }
    for name, fleets in plans.items():
        if args.only not in (None, name):
            continue
        counts = Counter()
        for seed, options in fleets:
            with tempfile.TemporaryDirectory() as place:
                compare(*make(args.binary, Path(place), args.devices, seed, options, plan), counts, plan)
                if args.keep:
                    shutil.copytree(place, args.keep / f"{name}-{seed}", dirs_exist_ok=True)
        print(f"\n{name}: {len(fleets)} of {6 * args.devices} interfaces")
        for kind in sorted(k[1] for k in counts if k[0] == "all"):
            found, everything = counts["found", kind], counts["all", kind]
            print(f"  {kind:13} {found:4} of {everything:4} found, {found / everything:.3f}; {counts['named', kind]} named")
        weeks = len(fleets) * 6 * args.devices * plan.weeks
        print(f"  others: {counts['others'] / weeks:.2f} for each interface and week; rings: {counts['rings'] / counts['days']:.1f} a day")
        if counts["stories"]:
            print(f"  stories: {counts['stories whole']} of {counts['stories']} whole, {counts['strangers']} strangers in {counts['members']}")
            print(f"  nights from the fourth on: {counts['later nights listed']} of {counts['later nights']} listed")
        if name == "repeats":
            for what, word in (("first", "noise"), ("again", "recurring")):
                everything = sum(n for key, n in counts.items() if key[0] == what)
                print(f"  {what}: {counts[what, word]} of {everything} {word}")


if __name__ == "__main__":
    main()
