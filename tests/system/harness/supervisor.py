"""The other end of sd_notify: a datagram socket that keeps what it hears, with the moment."""
import contextlib
import os
import socket
import threading
import time


class Supervisor:
    """What systemd would hear of a process that gets `env`. Messages are (moment, {name: value})."""

    def __init__(self, directory, watchdog_seconds=None, abstract=False):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.address = f"@ringfold-{os.getpid()}-{id(self)}" if abstract else str(directory / "notify")
        self.socket.bind(self.address.replace("@", "\0", 1))
        self.env = {"NOTIFY_SOCKET": self.address}
        if watchdog_seconds is not None:
            self.env["WATCHDOG_USEC"] = str(int(watchdog_seconds * 1e6))
        self.messages = []
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self):
        with contextlib.suppress(OSError):
            while True:
                text = self.socket.recv(4096).decode()
                self.messages.append((time.monotonic(), dict(line.split("=", 1) for line in text.splitlines())))

    def heard(self, name, since=0.0):
        """The values of one name, in order."""
        return [message[name] for moment, message in list(self.messages) if name in message and moment >= since]

    def close(self):
        self.socket.close()
