"""A rule that is tried in shadow tells nobody; one that is taken out of service leaves no alert open."""
import time

import pytest

from harness.process import wait_until
from test_http_instances import get, url
from test_reload import READ_AGAIN, alerts, ping, reload, wait_alerts
from test_silence import Silent

NAMES = ["C00", "C01", "C02"]
GONE = "the rule is gone, and alerts of it that are open stay so"


def rules(mode):
    return {"many": {"when": "pings % 4 == 2", "clear_when": "pings >= 100", "emit": "alert", "mode": mode},
            "other": {"when": "pings == 50", "emit": "alert"}}


@pytest.fixture
def moody(app, kafka, tmp_path):
    one = Silent(app, kafka, tmp_path / app, 3600)
    one.configure(features={"pings": {"count": "ping"}}, http={"listen": "127.0.0.1:0"})
    return one


def rule_of(instance, name):
    return next(one for one in get(url(instance), "/rules").json()["rules"] if one["rule"] == name)


def test_a_rule_that_is_switched_off_clears_what_it_has_raised_with_no_event(moody, instances):
    moody.configure(rules=rules("live"))
    instances.append(moody.instance().start())
    ping(moody, instances, 2, NAMES)
    raised = wait_alerts(moody, 3)
    assert {one["status"] for one in raised} == {"RAISED"}

    moody.configure(rules={"other": rules("live")["other"]})  # out of the file by mistake
    reload(instances[0], READ_AGAIN)
    assert instances[0].said(GONE + " until it comes back: with `mode: off` it clears them")[0]["rule"] == "many"
    ping(moody, instances, 1, ["C00"])  # its record is written without the rule
    assert len(alerts(moody)) == 3

    moody.configure(rules=rules("off"))
    reload(instances[0], READ_AGAIN, times=2)
    wait_alerts(moody, 6)
    for name, told in moody.told().items():
        assert name in NAMES
        assert [one["status"] for one in told] == ["RAISED", "CLEARED"]
        assert told[0]["episode_id"] == told[1]["episode_id"]
        assert told[1]["source"]["topic"] == "timer"
    assert rule_of(instances[0], "many")["mode"] == "off"
    ping(moody, instances, 6, NAMES)
    instances[0].kill()
    instances[0].start()
    ping(moody, instances, 1, NAMES)
    assert len(alerts(moody)) == 6, "off is off, and what is cleared is cleared once"


def test_a_rule_in_shadow_is_counted_and_tells_nobody_until_it_is_live(moody, instances):
    moody.configure(rules=rules("shadow"))
    instances.append(moody.instance().start())
    ping(moody, instances, 2, NAMES)
    wait_until(lambda: rule_of(instances[0], "many")["held"]["shadow"] == 3, 10, "three would have been raised")
    seen = rule_of(instances[0], "many")
    assert (seen["mode"], seen["raised"]) == ("shadow", 0)

    moody.configure(rules=rules("live"))
    reload(instances[0], READ_AGAIN)
    ping(moody, instances, 3, NAMES)
    time.sleep(1)
    assert not alerts(moody), "what it has raised in shadow is of no account"
    ping(moody, instances, 1, NAMES)
    told = wait_alerts(moody, 3)
    assert sorted((one["customer"], one["status"]) for one in told) == [(name, "RAISED") for name in NAMES]
