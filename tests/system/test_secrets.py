"""No secret is ever said: one planted in every setting that can hold one, every command made to fail, every output read."""
import concurrent.futures
import itertools
import json
import re
import signal
import socket
import subprocess
import threading

import pytest
import yaml

from harness import ringfold
from harness.artefacts import TOP
from harness.orders import PING
from harness.process import Process, free_ports

RUN_SECONDS = 6
numbers = itertools.count(1)


def secret(what):
    """A text that is nowhere else."""
    return f"PLANTED-{re.sub('[^a-z]', '', what)}-{next(numbers)}-9f3a"


# What librdkafka takes that nobody else may see. A value that it refuses is refused without being shown.
PROPERTIES = ["sasl.password", "ssl.key.password", "ssl.keystore.password", "ssl.key.pem", "sasl.oauthbearer.config",
              "sasl.oauthbearer.client.secret"]
SETTINGS = ["schema_registry.password", "schema_registry.token"]


def test_every_setting_for_a_secret_is_planted_here():
    text = (TOP / "src" / "edge" / "config" / "settings.c").read_text(encoding="utf-8")
    rows = re.findall(r'\{"([\w.*]*)", "(\w+)", RF_SETTING_SECRET', text)
    assert sorted(f"{group}.{name}" for group, name in rows) == sorted(SETTINGS)


class Refuser:
    """A broker and a registry in one: takes a connection, reads what comes, and says nothing that makes sense."""

    def __enter__(self):
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]
        threading.Thread(target=self.serve, daemon=True).start()
        return self

    def serve(self):
        while True:
            try:
                connection, _ = self.socket.accept()
                connection.settimeout(0.5)
                connection.recv(4096)
                connection.sendall(b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 9\r\n\r\ngo away!\n")
                connection.close()
            except TimeoutError:
                connection.close()
            except OSError:
                return

    def __exit__(self, *_):
        self.socket.close()


def base(port, protocol, registry):
    return {
        "app": "secret",
        "kafka": {"bootstrap.servers": f"127.0.0.1:{port}", "security.protocol": protocol, "sasl.mechanism": "PLAIN",
                  "sasl.username": "somebody", "debug": "all", "reconnect.backoff.max.ms": 500},
        "schema_registry": {"url": f"http://127.0.0.1:{port}", "user": "somebody", "timeout": "500ms", **registry},
        "state": {"dir": "state", "memory": "64MiB"},
        "http": {"listen": "off"}, "log": {"level": "debug"},
        "sources": {"pings": {"topic": "pings", "format": "json", "schema": "ping.avsc", "kind": "ping",
                              "customer": "event.customer_id", "time": "event.at"},
                    "erasures": {"topic": "erasures", "format": "json", "schema": str(TOP / "schemas" / "erasure.avsc"),
                                 "kind": "erase", "time": "event.requested_at"}},
        "features": {"pings": {"count": "ping"}},
        "rules": {"often": {"when": "pings >= 3", "emit": "alert"}},
        "outputs": {"alert": {"topic": "alerts", "schema": str(TOP / "schemas" / "churn_alert.avsc")}},
    }


COMMANDS = [("check",), ("check", "--json"), ("check", "--offline"), ("topics", "create"), ("topics", "check"),
            ("customer", "C1"), ("lag", "--json"), ("tail", "-n", "1"), ("dlq", "list"), ("dlq", "retry", "--all"),
            ("dlq", "show"), ("dlq", "discard", "0:0"), ("erase", "C1"), ("erase", "--compact"), ("plan",), ("top", "--once"),
            ("replay", "pings=pings.ndjson"), ("run",)]


def outputs(folder, config, env, arguments):
    """Everything that one command writes; `run` is asked to stop after a while."""
    log = folder / f"log-{next(numbers)}"
    child = Process([ringfold.binary(), arguments[0], "-c", config, *arguments[1:]], log, env=env, cwd=folder).start()
    try:
        child.child.wait(RUN_SECONDS if arguments[0] == "run" else 60)
    except subprocess.TimeoutExpired:
        child.signal(signal.SIGTERM)
        child.signal(signal.SIGTERM)
        child.child.wait(20)
    return child.output()


def assert_silent(folder, config, planted, env=None):
    """Runs every command and reads what it says: something, and none of the secrets."""
    (folder / "ping.avsc").write_text(PING, encoding="utf-8")
    (folder / "pings.ndjson").write_text('{"customer_id": "C1", "at": 1}\n', encoding="utf-8")
    ringfold.write_config(folder / "ringfold.yaml", config)
    with concurrent.futures.ThreadPoolExecutor(len(COMMANDS)) as pool:
        said = list(pool.map(lambda arguments: outputs(folder, "ringfold.yaml", env or {}, arguments), COMMANDS))
    for arguments, text in zip(COMMANDS, said):
        for what, one in planted.items():
            assert one not in text, f"{' '.join(arguments)} says {what}: {text[max(0, text.index(one) - 300):][:600]}"
    for path in (folder / "state").rglob("*") if (folder / "state").exists() else []:
        if path.is_file():
            for what, one in planted.items():
                assert one.encode() not in path.read_bytes(), f"{path} holds {what}"
    return dict(zip(COMMANDS, said))


def refused(how, answers):
    """A case: the password of a broker and a secret of a registry, given in one way, and what all commands make of them."""
    def run(folder):
        planted = {"sasl.password": secret("sasl"), "registry": secret("registry")}
        env = {f"SECRET_{n}": value for n, value in enumerate(planted.values())}
        values = []
        for n, value in enumerate(planted.values()):
            (folder / f"secret-{n}").write_text(value + "\n", encoding="utf-8")
            values.append({"clear": value, "file": {"file": f"secret-{n}"}, "env": {"env": f"SECRET_{n}"},
                           "variable": "${SECRET_%d}" % n}[how])
        with Refuser() as refuser:
            port = refuser.port if answers == "nonsense" else free_ports(1)[0]
            name = "token" if how in ("file", "clear") else "password"
            config = base(port, "sasl_plaintext", {name: values[1]})
            if name == "token":
                del config["schema_registry"]["user"]
            config["kafka"]["sasl.password"] = values[0]
            said = assert_silent(folder, config, planted, env)
        assert "kafka" in said["run",] or "registry" in said["run",]
        assert said["lag", "--json"]
    return run


def planted_as(name):
    """A case: a property of librdkafka that is a secret."""
    def run(folder):
        planted = {name: secret(name)}
        with Refuser() as refuser:
            config = base(refuser.port, "sasl_ssl" if name.startswith("sasl") else "ssl", {})
            del config["schema_registry"]  # not to wait for it
            del config["outputs"]["alert"]["schema"]
            if name.startswith("sasl.oauth"):
                config["kafka"]["sasl.mechanism"] = "OAUTHBEARER"
            config["kafka"][name] = planted[name]
            if name == "ssl.key.password":
                (folder / "key.pem").write_text("no key", encoding="utf-8")
                config["kafka"]["ssl.key.location"] = str(folder / "key.pem")
            assert_silent(folder, config, planted)
    return run


WAYS = {"clear": "nonsense", "file": "nobody", "env": "nonsense", "variable": "nobody"}
CASES = {how: refused(how, answers) for how, answers in WAYS.items()} | {name: planted_as(name) for name in PROPERTIES}


@pytest.fixture(scope="module")
def cases(tmp_path_factory):
    """What becomes of each case. They wait for brokers that do not answer, half a minute each, so they do it together."""
    with concurrent.futures.ThreadPoolExecutor(len(CASES)) as pool:
        yield {name: pool.submit(run, tmp_path_factory.mktemp("case")) for name, run in CASES.items()}


@pytest.mark.parametrize("how", WAYS)
def test_a_broker_and_a_registry_that_refuse_make_nothing_known(cases, how):
    cases[how].result()


@pytest.mark.parametrize("name", PROPERTIES)
def test_a_property_of_librdkafka_that_is_a_secret_stays_one(cases, name):
    cases[name].result()


def test_the_password_in_an_address_is_refused_and_not_shown(tmp_path):
    planted = {"url": secret("url")}
    config = base(free_ports(1)[0], "plaintext", {})
    config["schema_registry"] = {"url": f"http://somebody:{planted['url']}@127.0.0.1:1"}
    said = assert_silent(tmp_path, config, planted)
    assert "'url' carries credentials" in said["check",] and "127.0.0.1:1" in said["check",]


def test_a_secret_in_the_wrong_place_is_not_shown_with_its_line(tmp_path):
    planted = {what: secret(what) for what in ("list", "typo", "map", "pem", "registry")}
    config = base(free_ports(1)[0], "sasl_ssl", {"token": [planted["registry"]]})
    config["kafka"].update({"sasl.password": [planted["list"]], "sasl.pasword": planted["typo"],
                            "ssl.keystore.password": {"fil": planted["map"]},
                            "ssl.key.pem": f"-----BEGIN PRIVATE KEY-----\n{planted['pem']}\n-----END PRIVATE KEY-----\n"})
    (tmp_path / "ping.avsc").write_text(PING, encoding="utf-8")
    for style in (None, True):
        text = yaml.safe_dump(config, default_flow_style=style, width=10_000)
        (tmp_path / "ringfold.yaml").write_text(text, encoding="utf-8")
        for more in ([], ["--json"]):
            done = ringfold.command("check", "-c", tmp_path / "ringfold.yaml", *more, status=2)
            for what, one in planted.items():
                assert one not in done.stdout + done.stderr, (what, done.stdout + done.stderr)


def test_tokens_of_the_http_endpoint_are_in_no_output(tmp_path):
    planted = {"token": secret("http")}
    (tmp_path / "tokens").write_text(f"retention:{planted['token']}\n", encoding="utf-8")
    config = base(free_ports(1)[0], "plaintext", {})
    config["http"] = {"listen": "127.0.0.1:0", "token_file": "tokens"}
    assert_silent(tmp_path, config, planted)
    (tmp_path / "tokens").write_text(planted["token"] + "\n", encoding="utf-8")  # it has no name
    assert_silent(tmp_path, config, planted)


def test_the_file_that_holds_a_secret_is_named_and_not_shown(tmp_path):
    planted = {"broken": secret("broken")}
    (tmp_path / "secret").write_bytes(planted["broken"].encode() + b"\0")
    config = base(free_ports(1)[0], "sasl_plaintext", {})
    config["kafka"]["sasl.password"] = {"file": "secret"}
    said = assert_silent(tmp_path, config, planted)
    assert "secret is not a text" in said["check",] and json.loads(said["check", "--json"].splitlines()[0])
