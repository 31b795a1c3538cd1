"""What HTTP clients cost the folding: the job of bench/job, alone and with abuse of the endpoint, in turns.

Folding is the CPU of all threads but those of HTTP, by event: it does not depend on how many cores are left, on which the
clients of this benchmark are, too; events/s does. Beside it, what the threads of HTTP take of one core.
"""
import argparse
import contextlib
import json
import multiprocessing
import pathlib
import random
import re
import resource
import socket
import statistics
import sys
import time

from harness.artefacts import TOP
from harness.process import wait_until
from stage import TICKS_PER_SECOND, Stage, ended, machine, memory_mib

OUT = TOP / "out" / "bench" / "http"
HTTP_THREADS = re.compile(r"^(http-|MHD-)")
SLOW = 60
ADDRESSES = 200  # from which connections are held
RENEWED_A_SECOND = 2000  # of those that were cut: without a limit this client would take the cores of what is measured
FILES_BESIDE = 500
TRICKS = [b"/../../etc/passwd", b"/customers/%c0%ae", b"/customers/%00", b"/%2e%2e/x", b"/customers/" + b"%41" * 900]


def arguments():
    parser = argparse.ArgumentParser(prog="bench/http/run.sh", description=__doc__)
    parser.add_argument("--events", type=int, default=3_000_000)
    parser.add_argument("--customers", type=int, default=300_000)
    parser.add_argument("--partitions", type=int, default=4)
    parser.add_argument("--seed", type=int, default=20260101)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--held", type=int, default=10_000, help="connections that say nothing, at once")
    parser.add_argument("--seconds-max", type=int, default=900)
    return parser.parse_args()


def thread_seconds(pid):
    """CPU of the threads of HTTP, and of all others."""
    http = others = 0
    for task in pathlib.Path(f"/proc/{pid}/task").iterdir():
        fields = (task / "stat").read_text(encoding="utf-8").rsplit(")", 1)[1].split()
        seconds = (int(fields[11]) + int(fields[12])) / TICKS_PER_SECOND
        if HTTP_THREADS.match((task / "comm").read_text(encoding="utf-8")):
            http += seconds
        else:
            others += seconds
    return http, others


def abuse(port, counted):
    """Slow clients, connections that say nothing, a megabyte of headers, path tricks, listeners that do not read, and
    honest questions; without a pause, from addresses of the loopback, until it is ended."""
    rng = random.Random(1)
    slow, silent = [], []

    def dial(address):
        one = socket.socket()
        one.settimeout(0.2)
        one.bind((address, 0))
        one.connect(("127.0.0.1", port))
        counted.value += 1
        return one

    while True:
        with contextlib.suppress(OSError):
            if len(slow) < SLOW:
                one = dial("127.0.0.2")
                one.sendall(b"GET /livez HTTP/1.1\r\nHost: localhost\r\n")
                slow.append(one)
        for one in list(slow):
            try:
                one.sendall(b"X")
            except OSError:
                slow.remove(one)
        for _ in range(20):
            with contextlib.suppress(OSError):
                silent.append(dial("127.0.0.3"))
        while len(silent) > 200:
            silent.pop(0).close()
        for request in (b"GET /livez HTTP/1.1\r\nHost: localhost\r\nX: " + b"a" * (1 << 20) + b"\r\n\r\n",
                        b"GET " + rng.choice(TRICKS) + b" HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
                        b"GET /customers/C%d HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n" % rng.randrange(10000),
                        b"GET /metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"):
            with contextlib.suppress(OSError), dial("127.0.0.4") as one:
                one.sendall(request)
                while one.recv(65536):
                    pass


def hold(port, count, counted, held):
    """`count` connections at once that say nothing, from many addresses; others for those that are cut."""
    resource.setrlimit(resource.RLIMIT_NOFILE, (count + FILES_BESIDE, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))
    connections = [None] * count

    def is_ended(one):
        try:
            return one.recv(1) == b""
        except BlockingIOError:
            return False
        except OSError:
            return True

    begin, renewed = time.monotonic(), 0
    while True:
        for index, one in enumerate(connections):
            if one is not None and not is_ended(one):
                continue
            if one is not None:
                if renewed > (time.monotonic() - begin) * RENEWED_A_SECOND:
                    time.sleep(0.01)
                    continue
                renewed += 1
                one.close()
            connections[index] = one = socket.socket()
            one.setblocking(False)
            one.bind((f"127.0.{1 + index % ADDRESSES}.1", 0))
            with contextlib.suppress(BlockingIOError):
                one.connect(("127.0.0.1", port))
            counted.value += 1
            held.value = max(held.value, index + 1)
        time.sleep(0.01)


def port_of(process):
    said = wait_until(lambda: re.search(r'"listening for http","address":"127.0.0.1:(\d+)"', process.output()), 30, "a port")
    return int(said[1])


def measure(stage, options, name, abused):
    app = f"bench-http-{name}"
    counted, fresh, held = (multiprocessing.Value("q", 0) for _ in range(3))
    with ended(stage.start_ringfold(app, stage.directory / app, "256MiB", options.workers,
                                    {"HTTP_LISTEN": "127.0.0.1:0"})) as process:
        port = port_of(process)
        clients = [multiprocessing.Process(target=abuse, args=(port, counted), daemon=True),
                   multiprocessing.Process(target=hold, args=(port, options.held, fresh, held), daemon=True)]
        begin = time.monotonic()
        for client in clients if abused else ():
            client.start()
        samples = stage.watch(process, app, options.seconds_max)
        seconds = time.monotonic() - begin
        http, others = thread_seconds(process.pid)
        peak = memory_mib(process.pid, "VmHWM")
        for client in clients if abused else ():
            client.kill()
            client.join()
    stage.delete_topics(app)
    if samples[-1].events < options.events:
        raise RuntimeError(f"{app}: not within {options.seconds_max} s")
    if abused and held.value < options.held:
        raise RuntimeError(f"{app}: {held.value} connections were held instead of {options.held}")
    first = next(one for one in samples if one.events > 0)
    return {"abused": abused, "folding_us": others / options.events * 1e6, "http_core_percent": http / seconds * 100,
            "events_per_second": (options.events - first.events) / max(samples[-1].seconds - first.seconds, 1e-9),
            "seconds": seconds, "connections": counted.value + fresh.value, "held": held.value, "peak_mib": peak}


def main():
    options = arguments()
    results = []
    with Stage(OUT / "stage", options.partitions) as stage:
        print(stage.load(options.events, options.customers, 0, options.seed))
        print(machine(), flush=True)
        print(f"{'':>8}  {'folding CPU us/event':>20}  {'events/s':>9}  {'HTTP % of a core':>16}  {'at once':>7}  {'connections':>11}  "
              f"{'peak MiB':>8}  {'seconds':>7}")
        for run in range(options.runs):
            for abused in (False, True) if run % 2 == 0 else (True, False):
                one = measure(stage, options, f"{run}{'b' if abused else 'a'}", abused)
                results.append(one)
                print(f"{'abused' if abused else 'alone':>8}  {one['folding_us']:>20.3f}  "
                      f"{one['events_per_second']:>9,.0f}  {one['http_core_percent']:>16.2f}  {one['held']:>7,}  "
                      f"{one['connections']:>11,}  {one['peak_mib']:>8.0f}  {one['seconds']:>7.1f}", flush=True)
    alone, under = (statistics.median(one["folding_us"] for one in results if one["abused"] == which) for which in (False, True))
    slower = (under / alone - 1) * 100
    print(f"folding by event: {under / alone:.3f} of alone, {slower:+.1f} % under abuse (medians of {options.runs})")
    OUT.mkdir(parents=True, exist_ok=True)
    (OUT / "results.json").write_text(json.dumps({"machine": machine(), "options": vars(options), "results": results,
                                                  "slower_percent": slower}) + "\n", encoding="utf-8")
    return 0 if slower < 5 else 1


if __name__ == "__main__":
    sys.exit(main())
