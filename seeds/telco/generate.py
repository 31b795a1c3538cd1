#!/usr/bin/env python3
"""Writes the sample of a small telecom operator beside this file: nine weeks, 48 customers, of whom 12 leave.

usage: generate.py [--out DIRECTORY]

The same files every time: the only randomness is a seeded generator, drawn from in a fixed order.
"""
import argparse
import csv
import datetime
import json
import pathlib
import random

SEED = 20260101
START = datetime.datetime(2026, 1, 5, tzinfo=datetime.timezone.utc)
DAYS = 63
STORIES = ["steady"] * 36 + ["let down"] * 5 + ["fading"] * 5 + ["complaining"] * 2


class Customer:
    def __init__(self, number, story, rng):
        self.id = f"C{number:04d}"
        self.story = story
        self.rng = rng
        self.calls_per_day = 0.35 + 0.55 * rng.random()
        self.mean_duration = 150 + 200 * rng.random()
        self.leaves = {"let down": 44 + int(10 * rng.random()),
                       "complaining": 46 + int(8 * rng.random()),
                       "fading": DAYS}.get(story, None)

    def at(self, day, hour=None):
        """An instant on that day, by day light unless an hour is given."""
        hour = 8 + 13 * self.rng.random() if hour is None else hour
        return START + datetime.timedelta(days=day, seconds=round(hour * 3600))

    def calls_on(self, day):
        rate = self.calls_per_day
        if self.story == "fading" and day >= 30:
            rate *= 0.25
        if self.leaves is not None and day > self.leaves:
            return 0
        return sum(self.rng.random() < rate / 3 for _ in range(3))


def text(instant):
    return instant.strftime("%Y-%m-%dT%H:%M:%SZ")


def call(customer, instant, termination=None):
    rng = customer.rng
    if termination is None:
        draw = rng.random()
        termination = ("NORMAL" if draw < 0.86 else "NO_ANSWER" if draw < 0.93 else "BUSY" if draw < 0.97
                       else "DROPPED")
    duration = 0.0
    if termination in ("NORMAL", "DROPPED"):
        duration = round(customer.mean_duration * (0.2 + 1.6 * rng.random()) * (0.3 if termination == "DROPPED" else 1))
    return {"customer_id": customer.id, "started_at": text(instant),
            "direction": "OUTGOING" if rng.random() < 0.6 else "INCOMING",
            "called": f"+4930{int(rng.random() * 9000000) + 1000000}",
            "duration_s": float(duration), "termination": termination}


def complaint(customer, instant, case, status, topic):
    return {"case_id": case, "customer_id": customer.id, "opened_at": text(instant), "status": status,
            "topic": topic, "channel": "phone"}


def purchase(customer, instant, amount):
    return {"customer_id": customer.id, "paid_at": text(instant), "amount": amount, "currency": "EUR",
            "product": "top-up"}


def everyday(customer, out):
    """What happens to everybody: calls, top-ups, now and then a complaint that is dealt with."""
    next_purchase = int(7 * customer.rng.random())
    for day in range(DAYS):
        for _ in range(customer.calls_on(day)):
            out["calls"].append(call(customer, customer.at(day)))
        if day == next_purchase and (customer.leaves is None or day <= customer.leaves):
            amount = (20.0, 30.0, 50.0)[int(3 * customer.rng.random())]
            out["purchases"].append(purchase(customer, customer.at(day), amount))
            next_purchase += 10 + int(7 * customer.rng.random())
    if customer.story == "steady" and customer.rng.random() < 0.3:
        day = 5 + int(50 * customer.rng.random())
        case = f"K-{customer.id}-1"
        out["complaints"].append(complaint(customer, customer.at(day), case, "OPENED", "DEVICE"))
        out["complaints"].append(complaint(customer, customer.at(day + 2), case, "RESOLVED", "DEVICE"))


def story(customer, out):
    """What makes the customer leave. The last day is in truth.csv."""
    if customer.story == "let down":
        day = customer.leaves - 4
        case = f"K-{customer.id}-1"
        out["complaints"].append(complaint(customer, customer.at(day, 9), case, "OPENED", "NETWORK"))
        for number in range(5):
            out["calls"].append(call(customer, customer.at(day + number // 2, 11 + 2.5 * (number % 2)), "DROPPED"))
    elif customer.story == "complaining":
        for number in range(3):
            day = customer.leaves - 16 + 7 * number
            case = f"K-{customer.id}-{number + 1}"
            out["complaints"].append(complaint(customer, customer.at(day), case, "OPENED", "BILLING"))


def write(path, rows, time_field, id_field, prefix):
    rows.sort(key=lambda row: (row[time_field], row["customer_id"]))
    with open(path, "w", encoding="utf-8") as file:
        for number, row in enumerate(rows, 1):
            if id_field not in row:
                row = {id_field: f"{prefix}-{number:05d}", **row}
            file.write(json.dumps(row, separators=(",", ":")) + "\n")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=pathlib.Path, default=pathlib.Path(__file__).resolve().parent)
    out_directory = parser.parse_args().out

    rng = random.Random(SEED)
    stories = sorted(STORIES, key=lambda _: rng.random())
    customers = [Customer(number, kind, random.Random(SEED + number)) for number, kind in enumerate(stories, 1)]
    out = {"calls": [], "purchases": [], "complaints": []}
    for customer in customers:
        everyday(customer, out)
        story(customer, out)

    write(out_directory / "calls.ndjson", out["calls"], "started_at", "cdr_id", "cdr")
    write(out_directory / "purchases.ndjson", out["purchases"], "paid_at", "purchase_id", "pay")
    write(out_directory / "complaints.ndjson", out["complaints"], "opened_at", "case_id", "case")
    with open(out_directory / "truth.csv", "w", encoding="utf-8", newline="") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(["customer", "story", "left_on"])
        for customer in customers:
            left = "" if customer.leaves is None else text(customer.at(customer.leaves, 0))[:10]
            table.writerow([customer.id, customer.story, left])


if __name__ == "__main__":
    main()
