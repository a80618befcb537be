#!/usr/bin/env python3
"""A labelled fleet whose load and incidents are made otherwise than those of `noctop simulate`.

    benches/otherfleet.py OUT [--seed 1] [--step 5m] [--days 35] [--hosts 20]

Writes OUT/train, OUT/test (from .6 of the days on) and OUT/labels.csv. What finds the incidents of our own simulator
may suit that simulator: here noise multiplies and has a memory of hours, maxima have heavy tails, loads grow, some
hosts are offices or rest at weekends, and the incidents are those of which operators tell. Needs numpy.
"""

import argparse
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np

START = datetime(2026, 3, 2)
DAY = 86_400
UNITS = {"s": 1, "m": 60, "h": 3600}
# What the load of a kind of host is at weekends.
WEEKENDS = {"core": 0.85, "access": 1.05, "dc": 1.0, "office": 0.15}
EACH = 8


def memory(random, rows, hurst):
    """Noise of variance 1 whose spectrum falls as that of fractional Gaussian noise."""
    frequency = np.fft.rfftfreq(rows)[1:]
    draw = random.normal(size=len(frequency)) + 1j * random.normal(size=len(frequency))
    noise = np.fft.irfft(np.concatenate([[0], frequency ** (0.5 - hurst) * draw]), rows)
    return noise / noise.std()


class Fleet:
    def __init__(self, seed, step, days, hosts):
        self.random, self.step, self.days = np.random.default_rng(seed), step, days
        self.rows, self.cut = days * DAY // step, int(days * 0.6) * DAY // step
        self.mean, self.max, self.gone, self.jobs, self.busy, self.labels = {}, {}, {}, {}, {}, []
        self.story = 0
        seconds = np.arange(self.rows) * step
        self.seconds, self.hour, self.weekday = seconds, seconds % DAY / 3600, seconds // DAY % 7
        for number in range(hosts):
            self.host(number)

    def host(self, number):
        random = self.random
        kind = random.choice(list(WEEKENDS))
        peak = random.uniform(11, 21)
        for port in range(EACH):
            name = (f"{kind}{number:02d}.pop{number % 4}", f"xe-0/{port // 4}/{port % 4}")
            base, swing = 10 ** random.uniform(4.5, 9.5), random.uniform(0.02, 0.4) if kind == "dc" else random.uniform(0.3, 1.3)
            turn = lambda at, hours: np.cos((self.hour - at) / hours * 2 * np.pi)
            day = np.exp(swing * turn(peak + random.normal(0, 0.7), 24) + 0.3 * swing * turn(random.uniform(0, 24), 12))
            if kind == "office":
                day = np.where((self.hour > 8) & (self.hour < 18), 3 * day, day / 2)
            week = np.where(self.weekday >= 5, WEEKENDS[kind], 1)
            growth = np.exp(random.normal(0, 0.15) * self.seconds / (30 * DAY))
            noise = memory(random, self.rows, random.uniform(0.6, 0.95)) * random.uniform(0.03, 0.25)
            noise += random.standard_t(5, self.rows) * random.uniform(0.01, 0.08)
            mean = base * day * week * growth * np.exp(noise)
            if random.random() < 0.25:
                begin, length, load = random.uniform(0, 5), random.uniform(0.3, 2), base * random.uniform(1, 4)
                runs = (self.hour >= begin) & (self.hour < begin + length)
                mean = mean + runs * load * np.exp(0.05 * random.normal(size=self.rows))
                self.jobs[name] = (begin, length, load)
            peaks = 1 + np.abs(random.standard_t(4, self.rows)) * random.uniform(0.02, 0.15) + random.uniform(0.05, 0.4)
            self.mean[name], self.max[name] = mean, mean * peaks
            self.gone[name], self.busy[name] = np.zeros(self.rows, bool), []

    def slots(self, hours):
        return max(1, round(hours * 3600 / self.step))

    def is_free(self, name, begin, length):
        apart = self.slots(48)
        return all(begin + length + apart < a or begin > b + apart for a, b in self.busy[name])

    def mark(self, name, begin, length, kind):
        self.busy[name].append((begin, begin + length - 1))
        self.labels.append((*name, begin, begin + length - 1, kind, self.story))

    def add(self, kind, names, hours, change):
        """An incident of so many hours on these interfaces at once, somewhere in the part to judge."""
        length = self.slots(hours)
        for _ in range(200):
            begin = int(self.random.integers(self.cut + self.slots(6), self.rows - length - self.slots(12)))
            if all(self.is_free(name, begin, length) for name in names):
                self.story += 1
                for name in names:
                    change(name, slice(begin, begin + length), length)
                    self.mark(name, begin, length, kind)
                return

    def times(self, name, where, factor, of_max=None):
        self.mean[name][where] *= factor
        self.max[name][where] *= factor if of_max is None else of_max

    def one(self):
        names = list(self.mean)
        return [names[self.random.integers(len(names))]]

    def device(self):
        host = self.one()[0][0]
        return [name for name in self.mean if name[0] == host]

    def incidents(self):
        random, between, least = self.random, self.random.uniform, self.step / 3600

        def scaled(low, high):
            return lambda name, where, length: self.times(name, where, between(low, high))

        def flood(name, where, length):
            self.times(name, where, 1 + between(1.5, 7) * np.minimum(1, np.arange(length) / max(1, length / 5)))

        def leak(name, where, length):
            self.times(name, where, 1 + between(0.8, 2) * np.linspace(0, 1, length))

        def stuck(name, where, length):
            for values in (self.mean[name], self.max[name]):
                values[where] = values[where.start]

        def flap(name, where, length):
            down = np.arange(length) % 3 == 0
            self.times(name, where, np.where(down, 0, 1), np.where(down, 0.3, 1))

        def silent(name, where, length):
            self.gone[name][where] = True

        zero = scaled(0, 0)
        for number, kind, names, hours, change in (
            (6, "device-outage", self.device, (0.3, 4), zero),
            (4, "device-silence", self.device, (max(0.5, 3 * least), 4), silent),
            (25, "zero", self.one, (max(0.1, least), 3), zero),
            (20, "half-of-two-links", self.one, (2, 10), scaled(0.45, 0.55)),
            (20, "loss-of-30", self.one, (2, 8), scaled(0.65, 0.75)),
            (20, "loss-of-90", self.one, (max(0.5, least), 4), scaled(0.03, 0.1)),
            (20, "flood", self.one, (max(0.4, least), 2), flood),
            (20, "half-as-much-again", self.one, (12, 40), scaled(1.4, 1.6)),
            (15, "leak", self.one, (24, 48), leak),
            (15, "stuck", self.one, (max(1.5, 5 * least), 6), stuck),
            (15, "flap", self.one, (max(1, 3 * least), max(3, 9 * least)), flap),
            (15, "microburst", self.one, (max(0.1, least), max(0.6, 2 * least)),
             lambda name, where, length: self.times(name, where, 1, between(4, 7))),
        ):
            for _ in range(number):
                self.add(kind, names(), between(*hours), change)
        names = list(self.jobs)
        for name in names[:15]:
            self.miss(name, int(random.integers(self.cut * self.step // DAY + 1, self.days - 1)))

    def miss(self, name, night):
        """A nightly job that does not run."""
        begin, length, load = self.jobs[name]
        first, slots = int((night * 24 + begin) * 3600 / self.step) + 1, self.slots(length)
        if not self.is_free(name, first, slots):
            return
        where = slice(first, first + slots)
        left = np.maximum(self.mean[name][where] - load, 0.9 * self.mean[name][first - 2])
        self.times(name, where, left / self.mean[name][where])
        self.story += 1
        self.mark(name, first, slots, "missed-job")

    def write(self, out):
        time = lambda slot: str(START + timedelta(seconds=int(slot) * self.step))
        for part, begin, end in (("train", 0, self.cut), ("test", self.cut, self.rows)):
            (out / part).mkdir(parents=True, exist_ok=True)
            with open(out / part / "rows.csv", "w") as file:
                print("timeslot,hostname,ifname,max_metric_value,mean_metric_value", file=file)
                for slot in range(begin, end):
                    if self.random.random() < 0.0005:
                        continue
                    at = time(slot)
                    for name in self.mean:
                        if not self.gone[name][slot]:
                            print(f"{at},{name[0]},{name[1]},{self.max[name][slot]:.1f},{self.mean[name][slot]:.1f}", file=file)
        with open(out / "labels.csv", "w") as file:
            print("hostname,ifname,start,end,kind,story", file=file)
            for host, port, begin, end, kind, story in self.labels:
                print(f"{host},{port},{time(begin)},{time(end)},{kind},{story}", file=file)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path, help="directory that is made")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--step", default="5m", help="time between two slots, such as 5m or 1h")
    parser.add_argument("--days", type=int, default=35)
    parser.add_argument("--hosts", type=int, default=20, help=f"hosts of {EACH} interfaces")
    args = parser.parse_args()
    fleet = Fleet(args.seed, int(args.step[:-1]) * UNITS[args.step[-1]], args.days, args.hosts)
    fleet.incidents()
    fleet.write(args.out)
    print(f"{len(fleet.mean)} interfaces, {fleet.rows} slots, {len(fleet.labels)} labelled intervals")


if __name__ == "__main__":
    main()
