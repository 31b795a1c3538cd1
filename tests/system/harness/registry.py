"""Schema registries: Apicurio with its Confluent API, and one that fails as it is told to."""
import http.server
import json
import pathlib
import threading
import time

import requests

from harness import artefacts
from harness.process import Process, free_ports, wait_until

START_SECONDS_MAX = 60


class Registry(Process):
    """The real thing. Keeps its port, but not its schemas, over kill and start."""

    def __init__(self, directory):
        directory = pathlib.Path(directory)
        directory.mkdir(parents=True, exist_ok=True)
        (port,) = free_ports(1)
        self.root = f"http://127.0.0.1:{port}"
        self.url = f"{self.root}/apis/ccompat/v7"
        super().__init__([artefacts.java(), "-Xmx256m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1",
                          f"-Dquarkus.http.port={port}", "-Dquarkus.http.host=127.0.0.1",
                          "-Dquarkus.log.level=WARN", "-cp", artefacts.registry_classpath(),
                          "io.quarkus.runner.GeneratedMain"], directory / "registry.log", cwd=directory)

    def start(self):
        super().start()
        self.wait_ready()
        return self

    def wait_ready(self):
        def ready():
            if not self.running:
                raise RuntimeError(f"the registry ended with status {self.status}\n{self.tail()}")
            try:
                return requests.get(f"{self.url}/subjects", timeout=20).status_code == 200
            except requests.ConnectionError:
                return False

        wait_until(ready, START_SECONDS_MAX, lambda: f"the registry is up\n{self.tail()}")

    def register(self, subject, schema_text):
        """The schema's id."""
        answer = requests.post(f"{self.url}/subjects/{subject}/versions", timeout=10,
                               json={"schema": schema_text, "schemaType": "AVRO"})
        answer.raise_for_status()
        return answer.json()["id"]


class FakeRegistry:
    """A registry that holds what it is given and misbehaves on command.

    `behaviour` is "answer", "slow" (answers after `delay` seconds), "missing" (404, 40403), "broken" (500),
    "garbage" (200 and no JSON), or "hang" (takes the request and says nothing). down() closes the port, up()
    opens it again. `requests` counts by path.
    """

    def __init__(self):
        self.schemas = {}
        self.subjects = {}
        self.behaviour = "answer"
        self.delay = 0.0
        self.requests = {}
        (self.port,) = free_ports(1)
        self.url = f"http://127.0.0.1:{self.port}"
        self.server = None
        self.ending = threading.Event()

    def put(self, schema_id, schema_text, subject=None):
        self.schemas[schema_id] = schema_text
        if subject is not None:
            self.subjects[subject] = schema_id

    def up(self):
        assert self.server is None
        self.ending.clear()
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", self.port), self._handler())
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def down(self):
        if self.server is not None:
            self.ending.set()
            self.server.shutdown()
            self.server.server_close()
            self.server = None

    def answer(self, method, path, body):
        """Status and reply to one request, by the Confluent API."""
        parts = path.split("?")[0].strip("/").split("/")
        if self.behaviour == "missing":
            return 404, {"error_code": 40403, "message": "Schema not found"}
        if self.behaviour == "broken":
            return 500, {"error_code": 50001, "message": "Error in the backend data store"}
        if method == "GET" and parts[:2] == ["schemas", "ids"] and int(parts[2]) in self.schemas:
            return 200, {"schema": self.schemas[int(parts[2])]}
        if method == "GET" and parts == ["subjects"]:
            return 200, sorted(self.subjects)
        if method == "POST" and parts[0] == "subjects":
            return self._post_subject(parts, json.loads(body)["schema"])
        return 404, {"error_code": 40403, "message": "Schema not found"}

    def _post_subject(self, parts, schema_text):
        same = [number for number, text in self.schemas.items() if json.loads(text) == json.loads(schema_text)]
        if not same and parts[-1] != "versions":
            return 404, {"error_code": 40403, "message": "Schema not found"}
        number = same[0] if same else max(self.schemas, default=0) + 1
        self.put(number, schema_text, parts[1])
        return 200, {"id": number, "subject": parts[1], "version": 1, "schema": schema_text}

    def _handler(self):
        registry = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                self.reply("GET")

            def do_POST(self):
                self.reply("POST")

            def reply(self, method):
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                registry.requests[self.path] = registry.requests.get(self.path, 0) + 1
                if registry.behaviour == "hang":
                    registry.ending.wait(120)
                    self.close_connection = True
                    return
                if registry.behaviour == "slow":
                    time.sleep(registry.delay)
                status, found = registry.answer(method, self.path, body)
                text = b"<html>" if registry.behaviour == "garbage" else json.dumps(found).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/vnd.schemaregistry.v1+json")
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)

            def log_message(self, *_):
                pass

        return Handler
