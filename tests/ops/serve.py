"""The real HTTP server over numbers that a test writes: tests/ops/serve.c."""
import json
import os
import pathlib
import subprocess

from harness.artefacts import TOP
from harness.process import die_with_parent


def binary():
    built = pathlib.Path(os.environ.get("RINGFOLD") or TOP / "build" / "ringfold").parent
    return built / "tests" / "ops" / "serve"


class Server:
    """`with Server(...) as server`: server.url, server.do("lag 0 12.5 100 3 lagging")."""

    def __init__(self, *arguments, log=None):
        self.log = open(log, "wb") if log is not None else subprocess.DEVNULL
        self.child = subprocess.Popen([str(binary()), *map(str, arguments)], stdin=subprocess.PIPE,
                                      stdout=subprocess.PIPE, stderr=self.log, text=True, preexec_fn=die_with_parent)
        line = self.child.stdout.readline()
        assert line, f"{binary()} did not start: status {self.child.wait(10)}"
        self.address = json.loads(line)["address"]
        self.scheme = "https" if "--certificate" in arguments else "http"

    @property
    def url(self):
        return f"{self.scheme}://{self.address}"

    @property
    def port(self):
        return int(self.address.rsplit(":", 1)[1])

    def do(self, *commands):
        for command in commands:
            self.child.stdin.write(command + "\n")
            self.child.stdin.flush()
            assert self.child.stdout.readline() == "ok\n", command

    def resident(self):
        """Bytes in RAM."""
        with open(f"/proc/{self.child.pid}/statm", encoding="ascii") as file:
            return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")

    def close(self):
        self.child.stdin.close()
        status = self.child.wait(30)
        assert status == 0, f"serve ended with status {status}"

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        if kind is None:
            self.close()
        else:
            self.child.kill()
            self.child.wait(30)
