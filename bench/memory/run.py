"""ringfold's resident memory over a run with many customers and a hot one, against what its configuration allows."""
import argparse
import json
import re
import sys

from harness.artefacts import TOP
from stage import Stage, ended, machine, memory_mib

OUT = TOP / "out" / "bench" / "memory"
APP = "bench-memory"
ALLOWANCE_MIB = 150  # what is not state: code, the Kafka clients' queues and buffers, threads
ROWS = 40


def arguments():
    parser = argparse.ArgumentParser(prog="bench/memory/run.sh", description=__doc__)
    parser.add_argument("--events", type=int, default=6_000_000)
    parser.add_argument("--customers", type=int, default=2_000_000)
    parser.add_argument("--partitions", type=int, default=4)
    parser.add_argument("--hot", type=int, default=20, metavar="PERCENT", help="of the events, to one customer")
    parser.add_argument("--seed", type=int, default=20260101)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--memory", default="256MiB", help="state.memory, in MiB")
    parser.add_argument("--seconds-max", type=int, default=1800)
    options = parser.parse_args()
    if not re.fullmatch(r"\d+MiB", options.memory):
        parser.error("--memory is a number and MiB")
    return options


def print_timeline(samples, events):
    print(f"{'seconds':>8}  {'events':>11}  {'resident MiB':>12}")
    step = max(1, len(samples) // ROWS)
    for sample in samples[::step] + ([] if (len(samples) - 1) % step == 0 else samples[-1:]):
        print(f"{sample.seconds:>8.1f}  {sample.events:>11,}  {sample.resident_mib:>12.0f}")
    if samples[-1].events < events:
        print(f"ended before it was done: {events - samples[-1].events:,} events are left")


def main():
    options = arguments()
    with Stage(OUT / "stage", options.partitions) as stage:
        words = stage.load(options.events, options.customers, options.hot, options.seed)
        print(f"{words}, {options.customers} customers, {options.partitions} partitions, {options.hot} % to one customer")
        print(machine(), flush=True)
        with ended(stage.start_ringfold(APP, stage.directory / APP, options.memory, options.workers)) as process:
            samples = stage.watch(process, APP, options.seconds_max)
            peak_mib = memory_mib(process.pid, "VmHWM")
    print_timeline(samples, options.events)
    allowed_mib = int(options.memory.removesuffix("MiB")) + ALLOWANCE_MIB
    verdict = "within" if peak_mib <= allowed_mib else "OVER"
    print(f"peak {peak_mib:.0f} MiB, {verdict} state.memory + {ALLOWANCE_MIB} MiB = {allowed_mib} MiB")
    result = {"machine": machine(), "options": vars(options), "peak_mib": peak_mib, "allowed_mib": allowed_mib,
              "samples": [vars(sample) for sample in samples]}
    (OUT / "results.json").write_text(json.dumps(result) + "\n", encoding="utf-8")
    return 0 if peak_mib <= allowed_mib and samples[-1].events == options.events else 1


sys.exit(main())
