"""The HTTP endpoint as others use it: Prometheus, a client made from the OpenAPI document, TLS clients."""
import json
import os
import re
import shutil
import subprocess
import sys

import pytest
import requests

from serve import Server

SEED = int(os.environ.get("SCHEMATHESIS_SEED", "20260301"))


def get(url, path, **options):
    return requests.get(url + path, timeout=10, allow_redirects=False, **options)


def busy(server):
    for partition in range(8):
        server.do(f"lag {partition} {partition * 3} {partition * 1000} 55.5 ok")
    server.do("commit 0.02 100", "commit 45 1", "restore 3 1000 2.5", "letter late telco.calls too late",
              "alert win-back low C1 for a reason")


NAMES = """input_lag_records input_lag_seconds event_time_delay_seconds late_events_total restore_remaining_records
restored_records_total restore_eta_seconds transactions_total commit_duration_seconds producer_reinits_total records_total
alerts_total dead_letters_total poll_idle_ratio store_bytes store_keys_estimate store_memory_bytes store_errors_total
store_last_checkpoint_timestamp_seconds schema_registry_requests_total task_state rebalances_total build_info"""


def test_the_metrics_that_dashboards_are_made_of_are_all_there(server):
    kinds = dict(line.split()[2:] for line in get(server.url, "/metrics").text.splitlines()
                 if line.startswith("# TYPE "))

    assert {f"ringfold_{name}" for name in NAMES.split()} <= kinds.keys()
    assert all(kind in ("counter", "histogram") for name, kind in kinds.items() if name.endswith("_total"))


def test_promtool_finds_nothing_wrong_with_the_metrics(promtool):
    with Server("--aliases") as server:
        busy(server)
        text = get(server.url, "/metrics")

        assert text.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
        done = subprocess.run([str(promtool), "check", "metrics"], input=text.content, capture_output=True, check=False,
                              timeout=60)
        assert (done.returncode, done.stdout + done.stderr) == (0, b"")
        server.do("detach")
        done = subprocess.run([str(promtool), "check", "metrics"], input=get(server.url, "/metrics").content,
                              capture_output=True, check=False, timeout=60)
        assert (done.returncode, done.stdout + done.stderr) == (0, b"")
        server.do("attach")


def test_promtool_would_find_something(promtool):
    done = subprocess.run([str(promtool), "check", "metrics"], input=b"# TYPE a_count counter\na_count 1\n",
                          capture_output=True, check=False, timeout=60)
    assert done.returncode != 0


def test_histograms_add_up(server):
    busy(server)
    text = get(server.url, "/metrics").text
    buckets = [int(value) for value in re.findall(r"ringfold_commit_duration_seconds_bucket\{.*\} (\d+)", text)]

    assert buckets == sorted(buckets)
    assert buckets[-1] == 101 == int(re.search(r"ringfold_commit_duration_seconds_count (\d+)", text)[1])
    assert float(re.search(r"ringfold_commit_duration_seconds_sum ([\d.]+)", text)[1]) == pytest.approx(47.0)


@pytest.mark.parametrize("restoring", [False, True])
def test_a_client_made_from_the_openapi_document_finds_no_difference(server, tmp_path, restoring):
    """Generated requests, good ones and bad ones; each answer is held against the document. To replay: the same seed."""
    checks = ["--checks", "all"]
    if restoring:
        busy(server)
        checks += ["--exclude-checks", "not_a_server_error"]  # /readyz is 503 then, as the document says
    done = subprocess.run(
        [sys.executable, "-m", "schemathesis.cli", "run", f"{server.url}/openapi.json", "--seed", str(SEED), *checks,
         "--max-examples", "200", "--exclude-path", "/events", "--no-color"],
        cwd=tmp_path, capture_output=True, text=True, check=False, timeout=600)
    assert done.returncode == 0, f"seed {SEED}\n{done.stdout[-6000:]}{done.stderr[-2000:]}"


def test_health_says_why(server):
    assert get(server.url, "/readyz").json()["state"] == "ready"
    server.do("restore 1 5000 12")
    answer = get(server.url, "/readyz")
    assert answer.status_code == 503
    assert (answer.json()["state"], answer.json()["eta_seconds"]) == ("restoring", 12)
    assert int(answer.headers["Retry-After"]) > 0
    server.do("detach")
    assert get(server.url, "/readyz").json() == {**get(server.url, "/readyz").json(), "state": "starting",
                                                 "reason": "waiting for kafka"}
    assert get(server.url, "/livez").status_code == 200
    server.do("attach")
    server.do("leave")
    answer = get(server.url, "/readyz")
    assert (answer.status_code, answer.json()["state"]) == (503, "stopping")
    assert get(server.url, "/livez").status_code == 200
    server.do("detach")
    assert get(server.url, "/readyz").json()["state"] == "stopping"


def test_an_id_is_never_in_the_log(tmp_path):
    tokens = tmp_path / "tokens"
    tokens.write_text("grafana:0123456789abcdef0123\n", encoding="utf-8")
    with Server("--token-file", tokens, log=tmp_path / "log") as server:
        for name in ("C-found", "C-secret-49151", "C-elsewhere"):
            get(server.url, f"/customers/{name}", headers={"Authorization": "Bearer 0123456789abcdef0123"})
            get(server.url, f"/customers/{name}", headers={"Authorization": "Bearer wrong-wrong-wrong-wrong"})
    lines = [json.loads(line) for line in (tmp_path / "log").read_text(encoding="utf-8").splitlines()]
    reads = [line for line in lines if line["msg"] == "customer read"]

    assert [line["status"] for line in reads] == [200, 401, 404, 401, 307, 401]
    assert [line["who"] for line in reads] == ["grafana", ""] * 3
    assert all(line["address"] == "127.0.0.1" and re.fullmatch("c-[0-9a-f]{16}", line["customer"]) for line in reads)
    text = (tmp_path / "log").read_text(encoding="utf-8")
    assert not any(word in text for word in ("C-found", "49151", "elsewhere", "0123456789", "wrong-wrong"))


def openssl(directory, *arguments):
    subprocess.run(["openssl", *arguments], cwd=directory, capture_output=True, check=True, timeout=60)


@pytest.fixture(scope="module")
def certificates(tmp_path_factory):
    if shutil.which("openssl") is None:
        pytest.skip("unreachable: there is no openssl")
    directory = tmp_path_factory.mktemp("certificates")
    for ca in ("ours", "theirs"):
        openssl(directory, "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
                "-keyout", f"{ca}.key", "-out", f"{ca}.pem", "-subj", f"/CN={ca}")
    for name, ca in (("server", "ours"), ("grafana", "ours"), ("stranger", "theirs")):
        openssl(directory, "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout",
                f"{name}.key", "-out", f"{name}.csr", "-subj", f"/CN={name}", "-addext", "subjectAltName=IP:127.0.0.1")
        openssl(directory, "x509", "-req", "-in", f"{name}.csr", "-CA", f"{ca}.pem", "-CAkey", f"{ca}.key", "-days", "2",
                "-out", f"{name}.pem", "-copy_extensions", "copy")
    return directory


def test_a_client_certificate_of_ours_is_let_in_and_no_other(certificates, tmp_path):
    ours = certificates
    with Server("--certificate", ours / "server.pem", "--key", ours / "server.key", "--client-ca", ours / "ours.pem",
                log=tmp_path / "log") as server:
        def ask(path, name=None):
            pair = (str(ours / f"{name}.pem"), str(ours / f"{name}.key")) if name else None
            try:
                return get(server.url, path, verify=str(ours / "ours.pem"), cert=pair).status_code
            except (requests.exceptions.SSLError, requests.exceptions.ConnectionError):
                return None

        assert ask("/metrics") == 200
        assert ask("/customers/C-found", "grafana") == 200
        assert ask("/customers/C-found") == 401
        assert ask("/customers/C-found", "stranger") in (401, None)
        assert ask("/customers/C-elsewhere", "grafana") == 307
    reads = [json.loads(line) for line in (tmp_path / "log").read_text(encoding="utf-8").splitlines() if "read" in line]
    assert reads[0]["who"] == "grafana"


@pytest.mark.parametrize("arguments, words", [
    (["--listen", "0.0.0.0:0"], "http.token_file"),
    (["--token-file", "nothing/here"], "nothing/here"),
    (["--certificate", "README.md", "--key", "README.md"], "http.tls.certificate and http.tls.key cannot be used"),
])
def test_what_cannot_be_opened_says_what_to_do(arguments, words, tmp_path):
    (tmp_path / "README.md").write_text("no certificate", encoding="utf-8")
    from serve import binary
    done = subprocess.run([str(binary()), *arguments], cwd=tmp_path, capture_output=True, text=True, check=False, timeout=30)
    assert done.returncode == 2
    assert words in done.stderr
