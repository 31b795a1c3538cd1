"""A real Prometheus on the loopback: it scrapes each second, and its rules are those of deploy/ with shorter times."""
import re

import requests

from harness import artefacts
from harness.artefacts import TOP
from harness.process import Process, free_ports, wait_until

RULES = TOP / "deploy" / "prometheus" / "ringfold.rules.yml"
START_SECONDS_MAX = 60
CONFIG = """\
global: {{ scrape_interval: 1s, scrape_timeout: 1s, evaluation_interval: 1s }}
rule_files: ["{rules}"]
scrape_configs:
  - job_name: ringfold
    static_configs: [{{ targets: ["{target}"] }}]
"""


def hasten(rules, lag_seconds):
    """The rules with minutes as seconds: a range of 5m becomes 5s, `for: 10m` two seconds."""
    rules = re.sub(r"\[(\d+)([mh])\]", lambda found: f"[{max(5, int(found[1]) * (1 if found[2] == 'm' else 60))}s]", rules)
    rules = re.sub(r"for: \d+m", "for: 2s", rules)
    return rules.replace("ringfold:input_lag_seconds:max > 300", f"ringfold:input_lag_seconds:max > {lag_seconds}")


class Prometheus(Process):
    def __init__(self, directory, target, lag_seconds):
        program = artefacts.prometheus()
        directory.mkdir(parents=True, exist_ok=True)
        (directory / "rules.yml").write_text(hasten(RULES.read_text(encoding="utf-8"), lag_seconds), encoding="utf-8")
        (directory / "prometheus.yml").write_text(CONFIG.format(rules=directory / "rules.yml", target=target),
                                                  encoding="utf-8")
        (port,) = free_ports(1)
        self.url = f"http://127.0.0.1:{port}"
        super().__init__([program, f"--config.file={directory / 'prometheus.yml'}", f"--storage.tsdb.path={directory / 'data'}",
                          f"--web.listen-address=127.0.0.1:{port}", "--log.level=warn"], directory / "prometheus.log",
                         cwd=directory)

    def start(self):
        super().start()

        def ready():
            assert self.running, self.tail()
            try:
                return requests.get(f"{self.url}/-/ready", timeout=5).status_code == 200
            except requests.ConnectionError:
                return False

        wait_until(ready, START_SECONDS_MAX, lambda: f"Prometheus is up\n{self.tail()}")
        return self

    def ask(self, path, **parameters):
        answer = requests.get(f"{self.url}/api/v1/{path}", params=parameters, timeout=20).json()
        assert answer["status"] == "success", f"{parameters}: {answer}"
        return answer["data"]

    def query(self, expression):
        return self.ask("query", query=expression)["result"]

    def firing(self):
        """Name → labels of one of the alerts that fire; but for the disk, which is the machine's and others fill it, too."""
        return {one["labels"]["alertname"]: one["labels"] for one in self.ask("alerts")["alerts"]
                if one["state"] == "firing" and one["labels"]["alertname"] != "RingfoldDiskWillFill"}

    def wait_firing(self, *names, seconds=60):
        wait_until(lambda: set(names) <= set(self.firing()), seconds, lambda: f"{names} fire: {self.firing()}", every=0.3)

    def wait_quiet(self, seconds=90):
        wait_until(lambda: not self.firing(), seconds, lambda: f"nothing fires: {self.firing()}", every=0.3)
