"""The HTTP endpoint while the configuration changes under it: one address, nobody turned away, every answer the old
configuration's, the new one's, or a reason why there is none right now."""
import contextlib
import http.client
import json
import signal
import threading
import time

import pytest

from harness.process import wait_until
from test_http_instances import Listener, get, ready, url
from test_reload import NOT_TAKEN, READ_AGAIN, alerts, ping, wait_alerts
from test_silence import Silent

PATHS = ["/metrics", "/livez", "/readyz", "/lag", "/tasks", "/rules", "/customers/C00"]
EVERY_SECONDS = 0.03


class Poller(threading.Thread):
    """Asks for one path over and over, each time over a connection of its own, and keeps what it got."""

    def __init__(self, address, path):
        super().__init__(daemon=True)
        self.host, self.path = address.removeprefix("http://"), path
        self.answers = []  # (asked, answered, status, body)
        self.failed = []
        self.ending = threading.Event()

    def run(self):
        while not self.ending.wait(EVERY_SECONDS):
            asked = time.monotonic()
            try:
                with contextlib.closing(http.client.HTTPConnection(self.host, timeout=30)) as connection:
                    connection.request("GET", self.path)
                    reply = connection.getresponse()
                    self.answers.append((asked, time.monotonic(), reply.status, reply.read().decode()))
            except (OSError, http.client.HTTPException) as error:
                self.failed.append(repr(error))

    def answered(self, since):
        """A question that was asked after `since` is answered with what there is."""
        return any(asked > since and status == 200 for asked, _, status, _ in list(self.answers))

    def documents(self):
        return [json.loads(body) for _, _, status, body in self.answers if status == 200]


class Served:
    """An instance that is asked for everything all the time, by pollers and by who listens to /events."""

    def __init__(self, one, instance):
        self.one, self.instance, self.url = one, instance, url(instance)
        wait_until(lambda: ready(self.url), 60, instance.tail)
        self.pollers = {path: Poller(self.url, path) for path in PATHS}
        self.listeners = []

    def watch(self):
        self.listeners.append(Listener(self.url))
        for poller in self.pollers.values():
            poller.start()
        self.wait_answered()

    def wait_answered(self):
        """By all, anew."""
        now = time.monotonic()
        wait_until(lambda: all(poller.answered(now) for poller in self.pollers.values()), 60,
                   lambda: f"all answer; they have {[(p.path, p.answers[-1:]) for p in self.pollers.values()]}")

    def wait_heard(self, alert):
        """By who listens, and comes again where it was cut off."""
        def heard():
            if not self.listeners[-1].is_alive():
                self.listeners.append(Listener(self.url))
            return any(alert["id"] in listener.seen for listener in self.listeners)

        wait_until(heard, 30, lambda: f"/events tells of {alert}")

    def rules(self):
        return standing(get(self.url, "/rules").json())

    def change(self, said):
        """Tells it to read its file, waits until it has `said` so once more. Returns when that began and ended."""
        before, begun = len(self.instance.said(said)), time.monotonic()
        self.instance.signal(signal.SIGHUP)
        wait_until(lambda: len(self.instance.said(said)) > before, 30,
                   lambda: f"'{said}' is in the log\n{self.instance.tail()}")
        self.wait_answered()
        return begun, time.monotonic()

    def end(self):
        for poller in self.pollers.values():
            poller.ending.set()
        for poller in self.pollers.values():
            poller.join(60)
        assert {path: poller.failed for path, poller in self.pollers.items() if poller.failed} == {}
        assert len(self.instance.said("listening for http")) == 1 and url(self.instance) == self.url


def standing(rules):
    """What /rules says but for its counters."""
    return rules["plan_version"], [(rule["rule"], rule["version"]) for rule in rules["rules"]]


def ranks(documents, standings):
    """Of each, its number among `standings`."""
    return [standings.index(standing(document)) for document in documents]


@pytest.fixture
def served(app, kafka, tmp_path, instances):
    one = Silent(app, kafka, tmp_path / app, 3600)
    one.configure(features={"pings": {"count": "ping"}}, rules={"many": {"when": "pings == 2", "emit": "alert"}})
    instances.append(one.instance({"HTTP_LISTEN": "127.0.0.1:0"}).start())
    found = Served(one, instances[0])
    ping(one, instances, 2, ["C00"])
    found.watch()
    found.wait_heard(wait_alerts(one, 1)[0])
    return found


def test_nobody_is_turned_away_while_the_rules_change(served, instances):
    standings = [served.rules()]
    during = []
    for number in (3, 4, 5):
        served.one.configure(rules={"many": {"when": f"pings == {number}", "emit": "alert"},
                                    f"new-{number}": {"when": f"pings == {number}", "emit": "alert"}})
        during.append(served.change(READ_AGAIN))

        standings.append(served.rules())
        plan, rules = standings[-1]
        assert plan == served.instance.said(READ_AGAIN)[-1]["plan"]
        assert [rule for rule, _ in rules] == ["many", f"new-{number}"]
        ping(served.one, instances, 1, ["C00"])
        told = wait_alerts(served.one, 2 * number - 3)[-2:]
        assert sorted((alert["rule"], alert["rule_version"]) for alert in told) == sorted(rules)
        for alert in told:
            served.wait_heard(alert)
    served.wait_answered()
    served.end()

    assert len({dict(rules)["many"] for _, rules in standings}) == len(standings), "each change has a version"
    found = ranks(served.pollers["/rules"].documents(), standings)
    assert found == sorted(found) and set(found) == {0, 1, 2, 3}, "all old, then all new"
    events = [document["record"]["features"]["pings"] for document in served.pollers["/customers/C00"].documents()
              if not document["as_of"]["restoring"]]
    assert events == sorted(events) and events[-1] == 5
    for path, poller in served.pollers.items():
        for asked, _, status, body in poller.answers:
            assert status == 200 or (status == 503 and path not in ("/metrics", "/livez")), (path, status, body)
            assert status == 200 or json.loads(body).get("reason") or json.loads(body).get("detail"), (path, body)
    meanwhile = [status for poller in served.pollers.values() for asked, answered, status, _ in poller.answers
                 if any(answered > begun and asked < ended for begun, ended in during)]
    assert meanwhile
    print(f"{sum(len(poller.answers) for poller in served.pollers.values())} answers, {len(meanwhile)} during a change, "
          f"of which {meanwhile.count(503)} say why not; {len(served.listeners) - 1} cuts of /events")


def test_nothing_that_is_said_changes_by_a_file_with_errors(served, instances):
    before, customer = served.rules(), get(served.url, "/customers/C00").json()["record"]
    said = len(served.pollers["/rules"].answers)
    good = served.one.config.read_text(encoding="utf-8")

    served.one.config.write_text(good.replace("pings == 2", "pings == 3 &&"), encoding="utf-8")
    served.change(f"{NOT_TAKEN}: it has errors; the old one goes on")
    served.wait_answered()

    assert served.rules() == before
    assert get(served.url, "/customers/C00").json()["record"] == customer
    ping(served.one, instances, 2, ["C01"])
    told = wait_alerts(served.one, 2)[-1]
    served.wait_heard(told)
    served.end()
    assert (told["customer"], told["rule"], told["rule_version"]) == ("C01", *before[1][0])
    assert len(alerts(served.one)) == 2
    assert len(served.listeners) == 1, "who listens is not cut off"
    assert {standing(document) == before for document in served.pollers["/rules"].documents()} == {True}
    assert len(served.pollers["/rules"].answers) > said
    assert [(path, status) for path, poller in served.pollers.items()
            for _, _, status, _ in poller.answers if status != 200] == []
