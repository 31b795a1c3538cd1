"""Who of the CDNOW sample is alive by BG/NBD and MBG/NBD, and when that becomes unlikely, against lifetimes; and its
summary once more, by the kinds of features that are made for it."""
import bisect
import json

import pytest

from harness import ringfold
from harness.artefacts import TOP
from test_cdnow import CUSTOMERS, events, instant, lifetimes, summary  # noqa: F401  fixtures

DAYS = ["1997-09-30", "1998-06-30"]  # the end of the calibration in the literature, and of the sample
TOLERANCE = 1e-12
HALF = 0.5
MODELS = {"bg": "p_alive", "mbg": "p_alive_mbg"}


def config(parameters):
    """The unit of time is a day, as in the summary; the age goes on by the second."""
    day = "date(event.time)"
    made = {
        "last_at": {"last": "event.time", "on": "purchase"},
        "first_at": {"first": "event.time", "on": "purchase"},
        "by_day": {"count_by": day, "on": "purchase"},
        "repeat_days": {"expr": "by_day.size() > 0 ? by_day.size() - 1 : 0"},
        # From the first purchase of a day to that of the next: what there is before it is as it was then.
        "rhythm": {"interval": "purchase", "where": f"last_at == null || {day} != date(last_at)"},
        "repeat_mean": {"mean": "event.amount", "on": "purchase", "where": f"first_at != null && {day} != date(first_at)"},
        "tenure_days": {"expr": "days_between(customer.first_seen, now)"},
        "recency": {"expr": "first_at == null || last_at == null ? 0.0 : double(days_between(first_at, last_at))"},
    }
    for model, function in MODELS.items():
        age = "double((now - first_at).getSeconds()) / 86400.0"
        made[model] = {"expr": f"{function}(repeat_days, recency, first_at == null ? 0.0 : {age}, "
                               f"{', '.join(map(repr, parameters[model]))})"}
    return {
        "app": "alive",
        "sources": {"purchases": {"topic": "purchases", "format": "json", "kind": "purchase",
                                  "schema": str(TOP / "seeds" / "cdnow" / "purchase.avsc"),
                                  "customer": "event.customer_id", "time": "event.occurred_at"}},
        "features": made,
        "rules": {f"lost-{model}": {"when": f"{model} < {HALF}", "clear_when": f"{model} >= {HALF}", "emit": "alert"}
                  for model in MODELS},
        "outputs": {"alert": {"topic": "alerts", "format": "json"}},
    }


class Judged:
    """What lifetimes and `replay` say of the sample as it was known on a day."""

    def __init__(self, lifetimes, events, day, directory):
        self.until, self.lifetimes = f"{day}T00:00:00Z", lifetimes
        self.parameters, *rows = lifetimes("alive", day)
        self.alive = {row["customer"]: row for row in rows}
        self.events = [event for event in events if event["occurred_at"] <= self.until]
        purchases, table = directory / "purchases.ndjson", directory / "customers.ndjson"
        purchases.write_text("".join(json.dumps(event) + "\n" for event in self.events), encoding="utf-8")
        file = ringfold.write_config(directory / "ringfold.yaml", config(self.parameters))
        done = ringfold.command("replay", "-q", "-c", file, "--customers", table, "--until", self.until, purchases)
        self.alerts = ringfold.rows(done.stdout)
        self.features = ringfold.customers(table.read_text(encoding="utf-8"))

    def purchase_days(self):
        """customer → the days on which it bought, in order."""
        found = {}
        for event in self.events:
            days = found.setdefault(event["customer_id"], [])
            if not days or days[-1] != instant(event["occurred_at"]):
                days.append(instant(event["occurred_at"]))
        return found

    def open_alerts(self, model):
        last = {alert["customer"]: alert["status"] for alert in self.alerts if alert["rule"] == f"lost-{model}"}
        return {customer for customer, status in last.items() if status == "RAISED"}


@pytest.fixture(scope="module", params=DAYS)
def judged(request, lifetimes, events, tmp_path_factory):  # noqa: F811
    return Judged(lifetimes, events, request.param, tmp_path_factory.mktemp("alive"))


def test_everybody_is_as_probably_alive_as_lifetimes_says(judged):
    assert len(judged.alive) == CUSTOMERS and judged.features.keys() == judged.alive.keys()
    for model in MODELS:
        different = {customer: (features[model], judged.alive[customer][model])
                     for customer, features in judged.features.items()
                     if features[model] != pytest.approx(judged.alive[customer][model], rel=TOLERANCE, abs=0)}
        assert not different, f"{len(different)} differ, for example {list(different.items())[:3]}"
        assert len({features[model] for features in judged.features.values()}) > 500, "they are not all the same"


def test_the_moment_at_which_a_customer_is_given_up_is_the_first_that_lifetimes_has(judged):
    """Of every alert by a timer: by lifetimes it is below the half then, and was not a second before."""
    purchases, asked = judged.purchase_days(), []
    raised = [alert for alert in judged.alerts if alert["status"] == "RAISED"]
    for alert in raised:
        assert alert["source"]["topic"] == "timer", "at a purchase all are likely alive"
        days, moment = purchases[alert["customer"]], instant(alert["occurred_at"])
        bought = bisect.bisect_left(days, moment)
        model = alert["rule"].removeprefix("lost-")
        age = (moment - days[0]).total_seconds()
        asked += [{"model": model, "parameters": judged.parameters[model], "x": bought - 1,
                   "t_x": (days[bought - 1] - days[0]).days, "T": seconds / 86400} for seconds in (age, age - 1)]
    answers = judged.lifetimes("probabilities", about="".join(json.dumps(one) + "\n" for one in asked))

    assert len(answers) == 2 * len(raised) and {alert["rule"] for alert in raised} == {"lost-bg", "lost-mbg"}
    for alert, after, before in zip(raised, answers[::2], answers[1::2]):
        assert after < HALF <= before, f"{alert}: {before} before, {after} then"
    for model in MODELS:
        lost = {customer for customer, row in judged.alive.items() if row[model] < HALF}
        assert 100 < len(lost) < CUSTOMERS and judged.open_alerts(model) == lost
    print(f"{judged.until}: {len(raised)} alerts")


def test_the_summary_of_lifetimes_by_other_features(lifetimes, summary, events, tmp_path):  # noqa: F811
    """Frequency by what is counted by day, recency by the interval between days, the mean as such."""
    found = Judged(lifetimes, events, DAYS[-1], tmp_path)
    once_a_day = {customer for customer in summary} - {
        two["customer_id"] for one, two in zip(found.events, found.events[1:])
        if one["customer_id"] == two["customer_id"] and one["occurred_at"] == two["occurred_at"]}

    for customer, features in found.features.items():
        expected = summary[customer]
        assert features["repeat_days"] == expected["repeat_days"]
        assert features["tenure_days"] == expected["tenure_days"]
        assert features["recency"] == expected["recency_days"]
        between = 0.0 if features["rhythm"] is None else float(features["rhythm"].removesuffix("s"))
        assert between * features["repeat_days"] / 86400 == pytest.approx(expected["recency_days"], abs=1e-6)
        if customer in once_a_day:
            assert (features["repeat_mean"] or 0.0) == pytest.approx(expected["spend"], rel=1e-12)
    assert found.features.keys() == summary.keys() and len(once_a_day) > 2000
