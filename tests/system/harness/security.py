"""Certificates made by openssl, a broker that wants TLS and a password, and a registry behind TLS."""
import base64
import contextlib
import http.client
import http.server
import pathlib
import shutil
import ssl
import subprocess
import threading
import urllib.parse
import uuid

from harness import artefacts
from harness.kafka import Kafka
from harness.process import free_ports

USER, PASSWORD = "ringfold-user", "correct-horse-battery-staple"


def _openssl(*arguments):
    if shutil.which("openssl") is None:
        raise artefacts.Unreachable("there is no openssl")
    subprocess.run(["openssl", *map(str, arguments)], check=True, capture_output=True, timeout=60)


class Authority:
    """A certificate authority of our own, in a folder."""

    def __init__(self, directory, name="test authority"):
        self.directory = pathlib.Path(directory)
        self.directory.mkdir(parents=True, exist_ok=True)
        self.key, self.certificate = self.directory / "ca.key", self.directory / "ca.pem"
        _openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", f"/CN={name}",
                 "-keyout", self.key, "-out", self.certificate)

    def issue(self, name, alternatives="DNS:localhost"):
        """One file with the key and the certificate of a server that is called `alternatives`."""
        key, request, extensions = (self.directory / f"{name}.{end}" for end in ("key", "csr", "ext"))
        certificate, both = self.directory / f"{name}.pem", self.directory / f"{name}-both.pem"
        extensions.write_text(f"subjectAltName={alternatives}\n", encoding="utf-8")
        _openssl("req", "-newkey", "rsa:2048", "-nodes", "-subj", f"/CN={name}", "-keyout", key, "-out", request)
        _openssl("x509", "-req", "-in", request, "-CA", self.certificate, "-CAkey", self.key, "-CAcreateserial",
                 "-days", "2", "-extfile", extensions, "-out", certificate)
        both.write_text(key.read_text(encoding="utf-8") + certificate.read_text(encoding="utf-8"), encoding="utf-8")
        return both


class SecureKafka(Kafka):
    """One broker that also listens where TLS and a password (PLAIN, SCRAM-SHA-512) are asked for. Its certificate names
    localhost alone."""

    def __init__(self, directory, authority, version=None):
        (self.secure_port,) = free_ports(1)
        super().__init__(directory, version=version)
        self.secure_bootstrap = f"localhost:{self.secure_port}"
        keys = authority.issue("broker")
        (broker,) = self.brokers
        text = broker.properties.read_text(encoding="utf-8")
        text = text.replace(f"listeners=PLAINTEXT://127.0.0.1:{broker.port}",
                            f"listeners=SECURE://127.0.0.1:{self.secure_port},PLAINTEXT://127.0.0.1:{broker.port}", 1)
        text = text.replace("advertised.listeners=", f"advertised.listeners=SECURE://localhost:{self.secure_port},", 1)
        text = text.replace("listener.security.protocol.map=", "listener.security.protocol.map=SECURE:SASL_SSL,", 1)
        broker.properties.write_text(text + f"""\
sasl.enabled.mechanisms=PLAIN,SCRAM-SHA-512
listener.name.secure.plain.sasl.jaas.config=org.apache.kafka.common.security.plain.PlainLoginModule required \\
  user_{USER}="{PASSWORD}";
listener.name.secure.scram-sha-512.sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required;
listener.name.secure.ssl.keystore.type=PEM
listener.name.secure.ssl.keystore.location={keys}
""", encoding="utf-8")

    def format(self):
        (broker,) = self.brokers
        self.java("kafka.tools.StorageTool", "format", "-t", str(uuid.uuid4()), "-c", str(broker.properties),
                  "--add-scram", f"SCRAM-SHA-512=[name={USER},password={PASSWORD}]")


class TlsProxy:
    """HTTPS in front of a server that speaks HTTP: asks for `authorization` and passes on what has it."""

    def __init__(self, target, keys, authorization):
        address = urllib.parse.urlsplit(target)
        self.refused = 0
        proxy = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def handle_any(self):
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                if self.headers.get("Authorization") != authorization:
                    proxy.refused += 1
                    self.answer(401, b'{"error_code":401,"message":"who are you?"}', "application/json")
                    return
                inner = http.client.HTTPConnection(address.hostname, address.port, timeout=30)
                with contextlib.closing(inner):
                    headers = {name: self.headers[name] for name in ("Accept", "Content-Type") if name in self.headers}
                    inner.request(self.command, self.path, body, headers)
                    reply = inner.getresponse()
                    self.answer(reply.status, reply.read(), reply.headers.get("Content-Type"))

            do_GET = do_POST = do_PUT = handle_any

            def answer(self, status, text, kind):
                self.send_response(status)
                self.send_header("Content-Type", kind or "application/json")
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)

            def log_message(self, *_):
                pass

        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(keys)
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.handle_error = lambda *_: None  # a client that does not trust us hangs up
        self.server.socket = context.wrap_socket(self.server.socket, server_side=True, do_handshake_on_connect=False)
        self.server.daemon_threads = True
        self.port = self.server.socket.getsockname()[1]
        self.url = f"https://localhost:{self.port}{address.path}"
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()


def basic(user, password):
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()
