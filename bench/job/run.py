"""The whole job, by ringfold and by others, over the same topic: events per second, CPU time, memory, alerts.

What the figures mean is in bench/README.md.
"""
import argparse
import collections
import io
import json
import statistics
import sys
import time

import fastavro

from harness.artefacts import TOP
from harness.clients import read_all
from peers import PEERS
from stage import Stage, ended, machine, memory_mib

OUT = TOP / "out" / "bench" / "job"
# Title, width, and how a number is written.
COLUMNS = [("peer", 13, "s"), ("run", 3, "d"), ("events/s", 9, ",.0f"), ("CPU µs/event", 12, ".2f"),
           ("whole process", 13, ".2f"), ("broker µs/event", 15, ".2f"), ("peak MiB", 8, ",.0f"), ("seconds", 7, ".1f"),
           ("alerts", 7, "d")]


def arguments():
    parser = argparse.ArgumentParser(prog="bench/job/run.sh", description=__doc__.splitlines()[0])
    parser.add_argument("--events", type=int, default=5_000_000)
    parser.add_argument("--customers", type=int, default=1_000_000)
    parser.add_argument("--partitions", type=int, default=4)
    parser.add_argument("--hot", type=int, default=0, metavar="PERCENT", help="of the events, to one customer")
    parser.add_argument("--seed", type=int, default=20260101)
    parser.add_argument("--peers", default="raw,ringfold,streams,streams-tuned", help="of " + ", ".join(PEERS))
    parser.add_argument("--runs", type=int, default=1, help="of each peer, in turn")
    parser.add_argument("--workers", type=int, default=2, help="threads of ringfold and of streams-tuned")
    parser.add_argument("--memory", default="512MiB", help="ringfold's state.memory")
    parser.add_argument("--seconds-max", type=int, default=1800, help="for one run")
    options = parser.parse_args()
    options.peers = options.peers.split(",")
    for name in options.peers:
        if name not in PEERS:
            parser.error(f"no peer is called '{name}': there are {', '.join(PEERS)}")
    return options


def figures(samples):
    """From the first commit seen to the last. `whole` is since the process was started, start-up included."""
    last = samples[-1]
    if last.events == 0:
        raise RuntimeError(f"nothing was committed in {last.seconds:.0f} s")
    first = next(sample for sample in samples if sample.events > 0)
    if first is last:
        first = samples[0]  # too short to leave the start-up out
    done = last.events - first.events
    return {"events/s": done / (last.seconds - first.seconds),
            "CPU µs/event": (last.cpu - first.cpu) / done * 1e6,
            "whole process": last.cpu / last.events * 1e6,
            "broker µs/event": (last.broker_cpu - first.broker_cpu) / done * 1e6,
            "seconds": last.seconds, "events": last.events}


def decode_alert(schema):
    return lambda value: fastavro.schemaless_reader(io.BytesIO(value[5:]), schema, None)


def read_alerts(stage, peer, schema):
    """How often each (customer, event time) was alerted."""
    found = read_all(stage.kafka, peer.alerts, decode_alert(schema))
    return collections.Counter((one.key.decode(), one.value["occurred_at"]) for one in found)


def measure(stage, name, run, options, schema):
    peer = PEERS[name](stage, name, run, options)
    with ended(peer.start()) as process:
        samples = stage.watch(process, peer.group, options.seconds_max)
        row = {"peer": name, "run": run, **figures(samples),
               "peak MiB": memory_mib(process.pid, "VmHWM")}
        time.sleep(0.3)  # what the last transaction wrote becomes readable
    alerts = None
    if row["events"] < stage.events:
        print(f"{name} was ended after {row['events']:,} events: its time was up, and its alerts are not compared")
    elif peer.alerts is not None:
        alerts = read_alerts(stage, peer, schema)
    row["alerts"] = sum(alerts.values()) if alerts is not None else None
    stage.delete_topics(peer.group)
    return row, alerts


def print_head():
    print("  ".join(title.rjust(width) for title, width, _ in COLUMNS), flush=True)


def print_row(row):
    cells = [("-" if row[title] is None else format(row[title], form)).rjust(width) for title, width, form in COLUMNS]
    print("  ".join(cells), flush=True)


def print_medians(rows, peers):
    print("medians")
    for name in peers:
        own = [row for row in rows if row["peer"] == name]
        middle = {title: statistics.median(row[title] for row in own) for title, _, _ in COLUMNS
                  if title not in ("peer", "run", "alerts")}
        print_row({"peer": name, "run": len(own), "alerts": own[0]["alerts"], **middle})


def compare_alerts(alerts):
    """True where every peer of every run alerted the same customers at the same event times."""
    if not alerts:
        return True
    (first_name, first_run), first = next(iter(alerts.items()))
    equal = True
    for (name, run), found in list(alerts.items())[1:]:
        missing, more = first - found, found - first
        if missing or more:
            equal = False
            print(f"alerts differ: {name} run {run} lacks {sum(missing.values())} of {first_name} run {first_run} and has "
                  f"{sum(more.values())} others; for example {sorted(missing)[:3]} and {sorted(more)[:3]}")
    if equal and len(alerts) > 1:
        customers = len({customer for customer, _ in first})
        print(f"alerts are equal in all {len(alerts)} runs with alerts: {sum(first.values())} alerts of {customers} customers, "
              "compared by customer and event time")
    return equal


def main():
    options = arguments()
    schema = fastavro.parse_schema(json.loads((TOP / "schemas" / "churn_alert.avsc").read_text(encoding="utf-8")))
    rows, alerts = [], {}
    with Stage(OUT / "stage", options.partitions) as stage:
        words = stage.load(options.events, options.customers, options.hot, options.seed)
        print(f"{words}, {options.customers} customers, {options.partitions} partitions, {options.hot} % to one customer")
        print(machine(), flush=True)
        print_head()
        for run in range(1, options.runs + 1):
            for name in options.peers:
                row, found = measure(stage, name, run, options, schema)
                rows.append(row)
                if found is not None:
                    alerts[name, run] = found
                print_row(row)
    if options.runs > 1:
        print_medians(rows, options.peers)
    equal = compare_alerts(alerts)
    finished = all(row["events"] == options.events for row in rows)
    result = {"machine": machine(), "options": vars(options), "rows": rows, "alerts_equal": equal,
              "finished": finished}
    (OUT / "results.json").write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    return 0 if equal and finished else 1


sys.exit(main())
