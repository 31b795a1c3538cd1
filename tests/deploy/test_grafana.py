"""The dashboard: whole, and every query is one that Prometheus parses. tests/system/test_monitoring.py runs the queries."""
import json
import re

import pytest
import yaml

from conftest import DEPLOY, TOP, reachable, run
from harness import artefacts
from harness.dashboard import queries

DASHBOARD = DEPLOY / "grafana" / "ringfold.json"


def test_every_query_is_one(tmp_path):
    promtool = reachable(artefacts.prometheus, "promtool")
    found = queries(DASHBOARD)
    rules = {"groups": [{"name": "dashboard", "rules": [{"record": f"panel:{index}", "expr": query}
                                                        for index, (_, query) in enumerate(found)]}]}
    (tmp_path / "queries.yml").write_text(yaml.safe_dump(rules), encoding="utf-8")

    assert len(found) >= 30
    run(promtool, "check", "rules", tmp_path / "queries.yml")


def test_every_metric_is_one_that_ringfold_has():
    source = (TOP / "src" / "edge" / "ops" / "metrics.c").read_text(encoding="utf-8")
    for title, query in queries(DASHBOARD):
        for name in re.findall(r"\b(?:ringfold|process)_[a-z0-9_]+", query):
            family = re.sub(r"_(bucket|sum|count)$", "", name.removeprefix("ringfold_"))
            assert f'"{family}"' in source or f"{name} " in source, f"{title}: {name}"


@pytest.mark.parametrize("title", ["Lag", "Transactions", "Restore", "Store", "Dead letters", "Registry and HTTP"])
def test_it_has_the_row(title):
    panels = json.loads(DASHBOARD.read_text(encoding="utf-8"))["panels"]
    assert title in [panel["title"] for panel in panels if panel["type"] == "row"]


def test_it_asks_the_data_source_that_is_chosen():
    dashboard = json.loads(DASHBOARD.read_text(encoding="utf-8"))
    for panel in dashboard["panels"]:
        for target in panel.get("targets", []):
            assert target["datasource"]["uid"] == "${datasource}", panel["title"]
    assert len({panel["id"] for panel in dashboard["panels"]}) == len(dashboard["panels"])
