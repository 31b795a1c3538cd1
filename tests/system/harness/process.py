"""Child processes: started in a session of their own, their output in a file, ended by their id."""
import atexit
import contextlib
import ctypes
import os
import signal
import socket
import subprocess
import time


PR_SET_PDEATHSIG = 1
libc = ctypes.CDLL(None, use_errno=True)


def die_with_parent():
    """In the child: whatever ends the tests ends it too."""
    libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def free_ports(count):
    """Ports of the loopback that nobody has right now."""
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]


def wait_until(condition, seconds, what, every=0.05):
    """Calls condition() until it is true and returns what it said; TimeoutError names `what`."""
    end = time.monotonic() + seconds
    while True:
        found = condition()
        if found:
            return found
        if time.monotonic() > end:
            raise TimeoutError(f"not within {seconds} s: {what() if callable(what) else what}")
        time.sleep(every)


class Process:
    """One program, which may be started again after it ended."""

    def __init__(self, command, log, env=None, cwd=None, stdout=None):
        self.command = [str(part) for part in command]
        self.log = log  # standard error, and standard output unless `stdout` says where
        self.env = {**os.environ, **(env or {})}
        self.cwd = cwd
        self.stdout = stdout
        self.child = None
        atexit.register(self.kill)

    def start(self):
        assert not self.running, self.command
        with open(self.log, "ab") as log, contextlib.ExitStack() as stack:
            out = log if self.stdout is None else stack.enter_context(open(self.stdout, "ab"))
            self.child = subprocess.Popen(self.command, stdin=subprocess.DEVNULL, stdout=out, stderr=log,
                                          env=self.env, cwd=self.cwd, start_new_session=True,
                                          preexec_fn=die_with_parent)
        return self

    @property
    def pid(self):
        return self.child.pid

    @property
    def running(self):
        return self.child is not None and self.child.poll() is None

    @property
    def status(self):
        """Exit status, negative for a signal; None while it runs."""
        return self.child.poll()

    def signal(self, number):
        if self.running:
            self.child.send_signal(number)

    def pause(self):
        self.signal(signal.SIGSTOP)

    def resume(self):
        self.signal(signal.SIGCONT)

    def kill(self):
        """As `kill -9`: nothing of it is left to run."""
        if self.child is not None:
            self.signal(signal.SIGKILL)
            self.child.wait(30)

    def stop(self, seconds=30):
        """SIGTERM, and time to end by itself. Returns the exit status."""
        if self.child is None:
            return None
        self.resume()
        self.signal(signal.SIGTERM)
        try:
            return self.child.wait(seconds)
        except subprocess.TimeoutExpired:
            self.kill()
            raise TimeoutError(f"{self.command[0]} did not end within {seconds} s of SIGTERM\n{self.tail()}") from None

    def output(self):
        if not os.path.exists(self.log):
            return ""
        with open(self.log, encoding="utf-8", errors="replace") as file:
            return file.read()

    def tail(self, lines=30):
        return "\n".join(self.output().splitlines()[-lines:])
