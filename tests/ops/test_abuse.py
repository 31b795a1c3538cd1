"""What an HTTP client can do to us, from this machine, within limits of number and time: it goes on, and stays small.

Clients come from 127.0.0.2, so that those who behave, from 127.0.0.1, are others to the limit for each address.
"""
import contextlib
import re
import resource
import socket
import threading
import time

import pytest
import requests

from harness.process import wait_until
from serve import Server

MEMORY_MAX = 64 << 20
HEAD = b"GET /livez HTTP/1.1\r\nHost: localhost\r\n"


def dial(server, address="127.0.0.2", seconds=5):
    one = socket.socket()
    one.settimeout(seconds)
    one.bind((address, 0))
    one.connect(("127.0.0.1", server.port))
    return one


def hear(connection):
    """All that comes until the other end closes, or nothing does for a while."""
    heard = b""
    with contextlib.suppress(TimeoutError, ConnectionError):
        while part := connection.recv(65536):
            heard += part
    return heard


def assert_alive(server):
    answer = requests.get(server.url + "/livez", timeout=5)
    assert answer.status_code == 200
    assert server.child.poll() is None
    assert server.resident() < MEMORY_MAX, f"{server.resident() >> 20} MiB"


RAW = [
    b"\r\n\r\n\r\n",
    b"GET\r\n\r\n",
    b"GET /livez\r\n\r\n",
    b"GET /livez HTTP/9.9\r\nHost: localhost\r\n\r\n",
    b"GET  /livez  HTTP/1.1\r\nHost: localhost\r\n\r\n",
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(200),
    bytes(range(256)) * 8,
    b"GET /livez\x00/x HTTP/1.1\r\nHost: localhost\r\n\r\n",
    b"GET /../../../../etc/passwd HTTP/1.1\r\nHost: localhost\r\n\r\n",
    b"GET /..%2f..%2f..%2fetc%2fpasswd HTTP/1.1\r\nHost: localhost\r\n\r\n",
    b"GET /%2e%2e/%2e%2e/etc/passwd HTTP/1.1\r\nHost: localhost\r\n\r\n",
    b"GET \\..\\..\\etc\\passwd HTTP/1.1\r\nHost: localhost\r\n\r\n",
    b"GET file:///etc/passwd HTTP/1.1\r\nHost: localhost\r\n\r\n",
    b"GET http://169.254.169.254/ HTTP/1.1\r\nHost: localhost\r\n\r\n",
    b"CONNECT 127.0.0.1:9092 HTTP/1.1\r\nHost: localhost\r\n\r\n",
    b"GET /customers/%c0%ae%c0%ae HTTP/1.1\r\nHost: localhost\r\n\r\n",
    b"GET /customers/\xff\xfe HTTP/1.1\r\nHost: localhost\r\n\r\n",
    b"GET /customers/%u0041 HTTP/1.1\r\nHost: localhost\r\n\r\n",
    b"GET /customers/a%0d%0aX-Injected:%201 HTTP/1.1\r\nHost: localhost\r\n\r\n",
    b"GET /customers/" + b"%41" * 2000 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n",
    b"GET /" + b"a" * 12000 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n",
    b"GET /livez?" + b"&" * 9000 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n",
    b"A" * 100000 + b" / HTTP/1.1\r\n\r\n",
    b"GET /livez HTTP/1.1\r\nHost: localhost\r\n" + b"X: y\r\n" * 5000 + b"\r\n",
    b"GET /livez HTTP/1.1\r\nHost: localhost\r\nX: " + b"a" * (1 << 20) + b"\r\n\r\n",
    b"GET /livez HTTP/1.1\r\nHost: localhost\r\n folded: header\r\n\r\n",
    b"GET /livez HTTP/1.1\r\nHost: localhost\r\nContent-Length: -1\r\n\r\n",
    b"GET /livez HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99999999999999999999\r\n\r\n",
    b"GET /livez HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /",
    b"GET /livez HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\n",
    b"POST /livez HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\nContent-Length: 1000000\r\n\r\n",
    b"GET /livez HTTP/1.1\r\nHost: localhost\r\nUpgrade: h2c\r\nConnection: Upgrade, HTTP2-Settings\r\n\r\n",
    b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    b"GET /events HTTP/1.1\r\nHost: localhost\r\nLast-Event-ID: 99999999999999999999999\r\n\r\n",
    b"GET /lag HTTP/1.1\r\nHost: localhost\r\nHost: evil.example\r\n\r\n",
    b"GET /lag HTTP/1.1\r\nHost: localhost\r\nRange: bytes=0-18446744073709551615\r\n\r\n",
]


@pytest.mark.parametrize("index", range(len(RAW)))
def test_what_is_no_request_is_refused(server, index):
    with dial(server, seconds=0.7) as connection:
        with contextlib.suppress(ConnectionError, TimeoutError):
            connection.sendall(RAW[index])
        heard = hear(connection)

    assert b"root:" not in heard and b"X-Injected" not in heard.split(b"\r\n\r\n")[0]
    if heard.startswith(b"HTTP/1.1 5"):
        assert heard.startswith((b"HTTP/1.1 505", b"HTTP/1.1 501")), heard[:200]
    assert_alive(server)


def test_many_requests_at_once_are_answered_in_order(server):
    paths = [b"/livez" if i % 3 else b"/customers/C%d" % i for i in range(600)]
    with dial(server, seconds=20) as connection:
        burst = b"".join(b"GET " + path + b" HTTP/1.1\r\nHost: localhost\r\n\r\n" for path in paths[:-1])
        sender = threading.Thread(target=connection.sendall, args=(
            burst + b"GET /nothing HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",))
        sender.start()
        heard = hear(connection)
        sender.join()

    statuses = [int(part[:3]) for part in heard.split(b"HTTP/1.1 ")[1:]]
    assert statuses == [200 if i % 3 else 404 for i in range(599)] + [404]
    assert_alive(server)


def test_a_request_that_comes_byte_by_byte_is_cut_while_others_are_answered(server):
    """Slowloris: every byte would start libmicrohttpd's timeout anew. Here a request has ten seconds."""
    slow = [dial(server) for _ in range(60)]
    for connection in slow:
        connection.sendall(HEAD)
    begin = time.monotonic()
    left = list(slow)
    while left and time.monotonic() - begin < 20:
        for connection in list(left):
            try:
                connection.sendall(b"X")
            except OSError:
                left.remove(connection)
        answer = time.monotonic()
        assert_alive(server)
        assert time.monotonic() - answer < 2
        time.sleep(0.5)

    assert not left, f"{len(left)} of 60 are still open after {time.monotonic() - begin:.0f} s"
    assert time.monotonic() - begin > 8, "they were cut at once: that would cut slow clients, too"
    for connection in slow:
        connection.close()
    assert "ringfold_http_cut_total 60" in requests.get(server.url + "/metrics", timeout=5).text


class Silent(threading.Thread):
    """Holds `each` connections from each address that say nothing, and opens others for those that are cut, until it is
    ended."""

    def __init__(self, server, addresses, each):
        super().__init__()
        self.server, self.each = server, each
        self.held = {address: [] for address in addresses}
        self.opened = 0
        self.ending = threading.Event()

    def renew(self, address):
        held = self.held[address]
        for one in list(held):
            with contextlib.suppress(BlockingIOError, InterruptedError):
                with contextlib.suppress(ConnectionError):
                    one.recv(1)
                one.close()
                held.remove(one)
        while len(held) < self.each:
            one = socket.socket()
            one.setblocking(False)
            one.bind((address, 0))
            with contextlib.suppress(BlockingIOError):
                one.connect(("127.0.0.1", self.server.port))
            held.append(one)
            self.opened += 1

    def run(self):
        while not self.ending.wait(0.02):
            for address in self.held:
                self.renew(address)

    def __enter__(self):
        self.start()
        wait_until(lambda: self.opened >= len(self.held) * self.each, 30, "all connections")
        return self

    def __exit__(self, *_):
        self.ending.set()
        self.join()
        for held in self.held.values():
            for one in held:
                one.close()


def assert_answers_throughout(server, times):
    for _ in range(times):
        begin = time.monotonic()
        assert_alive(server)
        assert time.monotonic() - begin < 2
        time.sleep(0.3)


def made_room(server):
    text = requests.get(server.url + "/metrics", timeout=5).text
    return int(re.search(r"^ringfold_http_made_room_total (\d+)$", text, re.MULTILINE)[1])


def test_a_few_silent_addresses_keep_nobody_out(tmp_path):
    """Where others can connect: ten addresses, with more connections each than an address may have."""
    tokens = tmp_path / "tokens"
    tokens.write_text("ops:0123456789abcdef0123\n", encoding="utf-8")
    tokens.chmod(0o600)
    with Server("--listen", "0.0.0.0:0", "--token-file", tokens, log=tmp_path / "log") as server:
        with Silent(server, [f"127.0.1.{i}" for i in range(1, 11)], 20):
            assert_answers_throughout(server, 12)
            assert made_room(server) > 0


def test_silent_connections_of_an_address_make_room_for_its_own(server):
    with Silent(server, ["127.0.0.1"], 80):
        assert_answers_throughout(server, 12)
        assert made_room(server) > 0


def test_who_is_served_stays_while_silent_connections_come_and_go(server):
    """A listener, and one that takes its answers slowly, from the address from which the silent ones come."""
    listener = dial(server, seconds=20)
    listener.sendall(b"GET /events HTTP/1.1\r\nHost: localhost\r\n\r\n")
    slow = socket.socket()
    slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    slow.settimeout(20)
    slow.bind(("127.0.0.2", 0))
    slow.connect(("127.0.0.1", server.port))
    slow.sendall(b"GET /openapi.json HTTP/1.1\r\nHost: localhost\r\n\r\n" * 39 +
                 b"GET /openapi.json HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")

    taken, ticks = b"", b""
    with Silent(server, ["127.0.0.2", "127.0.0.3"], 100):
        before = made_room(server)
        wait_until(lambda: made_room(server) > before + 200, 20, "room for 200")
        while part := slow.recv(4096):
            taken += part
            time.sleep(0.001)
        while ticks.count(b"event: tick") < 4:
            ticks += listener.recv(65536)

    one = requests.get(server.url + "/openapi.json", timeout=5).content
    assert taken.count(b"HTTP/1.1 200") == 40 and taken.endswith(one)
    slow.close()
    listener.close()


def test_ten_thousand_connections_at_once_cost_little(server):
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < 10500:
        pytest.skip(f"no more than {hard} files may be open here")
    before = server.resident()
    resource.setrlimit(resource.RLIMIT_NOFILE, (10500, hard))
    try:
        with contextlib.ExitStack() as held:
            for i in range(10000):
                one = held.enter_context(socket.socket())
                one.setblocking(False)
                one.bind((f"127.0.{1 + i % 200}.1", 0))
                with contextlib.suppress(BlockingIOError):
                    one.connect(("127.0.0.1", server.port))
                if i % 1000 == 0:
                    assert_alive(server)
            for _ in range(10):
                assert_alive(server)
                time.sleep(0.2)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))

    assert server.resident() - before < 16 << 20
    wait_until(lambda: "ringfold_http_connections 1\n" in requests.get(server.url + "/metrics", timeout=5).text, 20,
               "all of them to be gone")
    assert_answers_throughout(server, 3)


def test_listeners_that_do_not_read_are_dropped_and_cost_no_more_than_their_queues(server):
    idle = []
    for _ in range(20):
        one = dial(server)
        one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        one.sendall(b"GET /events HTTP/1.1\r\nHost: localhost\r\n\r\n")
        idle.append(one)
    reader = requests.get(server.url + "/events", stream=True, timeout=20)
    lines = reader.iter_lines()
    for _ in range(40):
        server.do(*["alert service-failure high C1 " + "because " * 60] * 100)
        time.sleep(0.1)

    end = time.monotonic() + 30
    newest = 0
    while newest < 4000 and time.monotonic() < end:
        line = next(lines)
        if line.startswith(b"id: "):
            newest = int(line.rsplit(b"-", 1)[1])
    assert newest == 4000, "who reads gets the newest"
    reader.close()
    assert_alive(server)
    for one in idle:
        one.close()


def test_answers_that_nobody_takes_are_cut(server):
    slow = []
    for _ in range(40):
        one = dial(server)
        one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1024)
        with contextlib.suppress(TimeoutError, ConnectionError):
            one.sendall(b"GET /openapi.json HTTP/1.1\r\nHost: localhost\r\n\r\n" * 200)
        slow.append(one)
    assert_alive(server)
    for one in slow:
        one.close()
    assert_alive(server)
