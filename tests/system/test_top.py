"""`ringfold top`: a running instance on a terminal, and as plain text."""
import contextlib
import fcntl
import http.server
import json
import os
import pty
import re
import select
import signal
import struct
import termios
import threading
import time

import pytest

from harness import clients, ringfold
from harness.orders import START_MS, App, rfc3339
from harness.process import free_ports, wait_until

TICK = {
    "ready": True, "state": "ready", "reason": None, "tasks": 4, "tasks_ready": 4, "eta": 0,
    "at": "2026-11-24T22:00:01Z", "app": "shop", "instance": "a", "plan_version": "0123456789abcdef",
    "lags": [{"source": "calls", "partition": p, "status": status, "records": records, "seconds": seconds, "rate": 1500.0}
             for p, status, records, seconds in ((0, "lagging", 123456, 75.0), (1, "ok", 0, 0), (2, "ok", 7, 0.4))],
    "lag_count": 3, "lag_records": 123463, "lag_seconds": 75.0, "rate": 4500.0, "restore": [],
    "commits": {"committed": 100, "aborted": 0, "bounds": [0.005, 0.01, 0.05], "counts": [0, 50, 99, 100]},
    "rules": [{"rule": "service-failure", "severity": "high", "raised": 42, "errors": 0}], "dead_letters": 3,
}
ALERT = {"rule": "service-failure", "customer": "C0042", "severity": "high", "status": "RAISED",
         "because": "complained\x1b[31m, and 3 dropped calls", "occurred_at": "2026-11-24T21:59:59Z"}


class Stream(http.server.ThreadingHTTPServer):
    """An instance that says what it is told to: a tick every tenth of a second, and whatever is in `events`."""

    def __init__(self, tick=None, token=None):
        self.tick, self.token, self.events, self.last_ids = dict(tick or TICK), token, [], []
        super().__init__(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server_address[1]}"
        threading.Thread(target=self.serve_forever, daemon=True).start()


class Handler(http.server.BaseHTTPRequestHandler):
    def log_message(self, *_):
        pass

    def do_GET(self):
        if self.server.token and self.headers["Authorization"] != f"Bearer {self.server.token}":
            self.send_error(401)
            return
        self.send_response(200 if self.path == "/events" else 404)
        self.send_header("Content-Type", "text/event-stream")
        self.end_headers()
        self.server.last_ids.append(self.headers["Last-Event-ID"])
        given = 0
        with contextlib.suppress(OSError):
            while True:
                for number, (name, event) in enumerate(self.server.events[given:], given):
                    self.say(name, {"sequence": number, "event": event}, f"id: 7-{number}\n")
                given = len(self.server.events)
                self.server.tick["commits"] = {**self.server.tick["commits"],
                                               "committed": self.server.tick["commits"]["committed"] + 9}
                self.say("tick", self.server.tick)
                time.sleep(0.1)

    def say(self, name, event, more=""):
        self.wfile.write(f": a comment\nevent: {name}\n{more}data: {json.dumps(event)}\n\n".encode())


@pytest.fixture
def stream():
    one = Stream()
    yield one
    one.shutdown()
    one.server_close()


def top(*arguments, status=0, env=None):
    return ringfold.command("top", *arguments, status=status, env=env)


def test_as_plain_text_it_is_shown_once(stream):
    stream.events.append(("derived", ALERT))

    text = top("--url", stream.url).stdout

    assert "ringfold shop  instance a  plan 0123456789abcdef  2026-11-24T22:00:01" in text
    assert "ready  4 of 4 tasks ready" in text
    assert re.search(r"behind 123k records, 75s   folding 4.5k/s   commits \d+/s p50 0 ms p99 0 ms   dead letters 3", text)
    assert re.search(r"calls 0 +\[#{24}\] +123k +75s +1.5k/s  lagging", text)
    assert re.search(r"calls 1 +\[\.{24}\] +0 +0.0s", text) and re.search(r"calls 2 +\[#\.{23}\] +7 ", text)
    assert re.search(r"service-failure +high +42", text)
    assert "2026-11-24T21:59:59  high     C0042  service-failure: complained.[31m, and 3 dropped calls" in text
    assert "\033" not in text


def test_commit_latency_is_that_of_the_last_second(stream):
    said = iter([[0, 0, 0, 0], [0, 50, 99, 100]])
    stream.tick["commits"] = {**TICK["commits"], "counts": next(said)}
    original = Handler.say

    def say(handler, name, event, more=""):
        original(handler, name, event, more)
        if name == "tick":
            stream.tick["commits"] = {**stream.tick["commits"], "counts": [0, 50, 99, 100]}

    Handler.say = say
    try:
        assert "p50 10 ms p99 50 ms" in top("--url", stream.url).stdout
    finally:
        Handler.say = original


def test_what_restores_is_shown_with_how_far_it_is(stream):
    stream.tick.update(state="restoring", ready=False, reason="2 tasks restore", tasks_ready=2,
                       restore=[{"partition": 3, "state": "restoring", "blocked": None, "remaining": 250_000,
                                 "target": 1_000_000, "eta": 12.0}])

    text = top("--url", stream.url).stdout

    assert "restoring: 2 tasks restore  2 of 4 tasks ready" in text
    assert re.search(r"task 3 +restoring +\[#######\.\.\.\] 250k left, 12s", text)


def test_nobody_there_and_a_wrong_token_say_so(tmp_path):
    (port,) = free_ports(1)
    assert f"127.0.0.1:{port}" in top("--url", f"http://127.0.0.1:{port}", status=1).stderr
    assert "is no address like" in top("--url", "127.0.0.1:1", status=2).stderr
    guarded = Stream(token="0123456789abcdef-token")
    (tmp_path / "wrong").write_text("ops:another-token-0123456789\n", encoding="utf-8")
    (tmp_path / "right").write_text("# mine\nops:0123456789abcdef-token\n", encoding="utf-8")
    assert "--token-file" in top("--url", guarded.url, status=2).stderr
    assert "--token-file" in top("--url", guarded.url, "--token-file", tmp_path / "wrong", status=2).stderr
    assert "ready" in top("--url", guarded.url, "--token-file", tmp_path / "right").stdout
    guarded.shutdown()


class Screen:
    """A terminal with `ringfold top` on it."""

    def __init__(self, url, rows=24, columns=80, env=None):
        self.seen = ""
        self.pid, self.terminal = pty.fork()
        if self.pid == 0:
            os.execvpe(ringfold.binary(), ["ringfold", "top", "--url", url],
                       {**os.environ, "TERM": "xterm", "NO_COLOR": "", **(env or {})})
        self.resize(rows, columns)

    def resize(self, rows, columns):
        fcntl.ioctl(self.terminal, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def read(self):
        while select.select([self.terminal], [], [], 0.05)[0]:
            try:
                self.seen += os.read(self.terminal, 65536).decode("utf-8", "replace")
            except OSError:
                break
        return self.seen

    def wait_for(self, text):
        wait_until(lambda: text in self.read(), 15, lambda: f"{text!r} on the screen: {self.seen[-2000:]!r}")

    def frame(self):
        """The lines of the last whole picture, without what steers the terminal."""
        self.read()
        pictures = self.seen.split("\033[H")
        return [re.sub(r"\033\[[0-9;?]*[A-Za-z]", "", line) for line in pictures[-2].split("\r\n")]

    def end(self):
        status = os.waitpid(self.pid, 0)[1]
        self.read()
        os.close(self.terminal)
        return os.waitstatus_to_exitcode(status)


def test_on_a_terminal_it_is_live_fits_follows_the_size_and_q_leaves_it_as_it_was(stream):
    stream.tick["lags"] = [{**TICK["lags"][0], "partition": p} for p in range(64)]
    stream.tick["lag_count"] = 200
    screen = Screen(stream.url, rows=24, columns=60)
    screen.wait_for("service-failure")
    assert screen.seen.startswith("\033[?1049h") and "\033[33m" in screen.seen
    screen.wait_for("and 193 more")
    frame = screen.frame()
    assert len(frame) <= 24 and max(map(len, frame)) <= 60
    assert any(line.endswith("lagging") for line in frame)

    stream.events.append(("derived", {**ALERT, "customer": "LATE"}))
    screen.wait_for("LATE")
    screen.resize(12, 200)
    screen.wait_for("[" + "#" * 24 + "]")
    wait_until(lambda: len(screen.frame()) <= 12, 5, "it fits into twelve rows")

    os.write(screen.terminal, b"q")
    assert screen.end() == 0
    assert screen.seen.endswith("\033[?25h\033[?1049l")


def test_no_color_is_heeded(stream):
    screen = Screen(stream.url, env={"NO_COLOR": "1"})
    screen.wait_for("service-failure")
    os.write(screen.terminal, b"q")
    assert screen.end() == 0
    assert not re.search(r"\033\[[1-9][0-9]*m", screen.seen)


def test_a_connection_that_is_lost_is_told_and_made_again(stream):
    stream.events += [("derived", ALERT), ("derived", {**ALERT, "customer": "C0043"})]
    screen = Screen(stream.url)
    screen.wait_for("C0043")
    port = stream.server_address[1]
    stream.shutdown()
    stream.server_close()
    del stream.tick["rules"]  # the threads that still serve come to their end
    stream.tick["commits"] = None
    screen.wait_for("trying again")

    class Reusing(Stream):
        allow_reuse_address = True

    again = http.server.ThreadingHTTPServer.__new__(Reusing)
    again.tick, again.token, again.events, again.last_ids = {**TICK, "instance": "back-again"}, None, [], []
    http.server.ThreadingHTTPServer.__init__(again, ("127.0.0.1", port), Handler)
    threading.Thread(target=again.serve_forever, daemon=True).start()
    screen.wait_for("back-again")
    assert again.last_ids[0] == "7-1"  # what it has already is not asked for again
    wait_until(lambda: any("C0042" in line for line in screen.frame()), 5, "the alerts it had are still shown")

    os.kill(screen.pid, signal.SIGINT)
    assert screen.end() == 0
    again.shutdown()


def test_a_real_instance_is_shown_as_it_is(app, kafka, tmp_path, instances):
    (port,) = free_ports(1)
    one = App(app, kafka, None, tmp_path / app,
              sources={"pings": {"topic": f"{app}.pings", "format": "json", "schema": "ping.avsc", "kind": "ping",
                                 "time": "event.at"}},
              features={"pings": {"count": "ping"}},
              rules={"often": {"when": "pings == 3", "emit": "alert", "because": "'three times'"}},
              outputs={"alert": {"topic": f"{app}.alerts", "format": "json"}})
    one.sources = [one.pings]
    one.create_topics(partitions=2)
    instances.append(one.instance(env={"HTTP_LISTEN": f"127.0.0.1:{port}"}).start())
    clients.produce(kafka, one.pings, [
        (b"C1", json.dumps({"customer_id": "C1", "at": rfc3339(START_MS + 1000 * n)}).encode()) for n in range(5)])
    one.wait_idle(instances)
    env = {**one.env, "HTTP_LISTEN": f"127.0.0.1:{port}"}

    wait_until(lambda: "three times" in top("-c", one.config, env=env).stdout, 20, "the alert is shown")
    text = top("--url", f"http://127.0.0.1:{port}").stdout

    assert f"ringfold {app}  instance a" in text and "2 of 2 tasks ready" in text
    assert re.search(r"pings 0 .* ok\n", text) and re.search(r"pings 1 .* ok\n", text)
    assert re.search(r"often +medium +1 +0\n", text)
    assert "C1  often: three times" in text
