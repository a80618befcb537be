#!/usr/bin/env python3
"""Against the usual Python pipeline: training and scoring at equal shapes, and `noctop score` as a whole.

    benches/keras.py CASE --python PYTHON --pipeline FILE [--turns 3]

CASE holds the directories train and test. FILE is the pipeline (pandas, Keras's LSTM of 64 units, scikit-learn's
DBSCAN): called with CASE it prints a line for each stage, `name seconds s`, and `train N windows/s   score N windows/s`.
PYTHON has what it needs. Before: `cargo build --release --bin noctop --example equal_shapes`. The two sides take turns;
a ratio is that of the best of each, since other work on the machine only ever makes a run slower. Its load is printed.
"""
import argparse
import os
import re
import subprocess
import tempfile
import time

SPEEDS = re.compile(r"train (\d+) windows/s\s+score (\d+) windows/s")
STAGES = ("read csv", "prepare windows", "score", "dbscan")


def output(*command):
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def speeds(text):
    return tuple(map(int, SPEEDS.search(text).groups()))


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("case")
    options.add_argument("--python", required=True)
    options.add_argument("--pipeline", required=True)
    options.add_argument("--turns", type=int, default=3)
    options.add_argument("--binaries", default=os.path.join(os.path.dirname(__file__), "..", "target", "release"))
    options = options.parse_args()
    noctop = os.path.join(options.binaries, "noctop")
    shapes = os.path.join(options.binaries, "examples", "equal_shapes")
    train, test = (os.path.join(options.case, part) for part in ("train", "test"))
    theirs, ours, their_stages, our_seconds = [], [], [], []
    with tempfile.TemporaryDirectory() as place:
        model, scores = os.path.join(place, "model"), os.path.join(place, "scores.csv")
        output(noctop, "train", train, "--model", model)
        for turn in range(options.turns):
            text = output(options.python, options.pipeline, options.case)
            theirs.append(speeds(text))
            stages = (re.search(rf"^{stage}\s+([\d.]+) s", text, re.M) for stage in STAGES)
            their_stages.append(sum(float(stage.group(1)) for stage in stages))
            ours.append(speeds(output(shapes, options.case)))
            for _ in range(3):
                begun = time.monotonic()
                output(noctop, "score", test, "--model", model, "--output", scores)
                our_seconds.append(time.monotonic() - begun)
            print(
                f"turn {turn + 1}, load {os.getloadavg()[0]:.1f}: train {theirs[-1][0]:,} and {ours[-1][0]:,} windows/s,"
                f" score {theirs[-1][1]:,} and {ours[-1][1]:,} windows/s,"
                f" the whole {their_stages[-1]:.2f} and {min(our_seconds[-3:]):.3f} s",
                flush=True,
            )
    for i, what in enumerate(("training", "scoring")):
        them, us = max(speed[i] for speed in theirs), max(speed[i] for speed in ours)
        print(f"{what} at equal shapes: {them:,} and {us:,} windows/s, {us / them:.2f} times as fast")
    them, us = min(their_stages), min(our_seconds)
    print(f"read + windows + score + dbscan: {them:.2f} s, noctop score: {us:.3f} s, {them / us:.1f} times as fast")


if __name__ == "__main__":
    main()
