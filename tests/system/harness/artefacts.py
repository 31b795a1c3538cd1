"""What has to be fetched once: Kafka, the registry and Flink by Maven, lifetimes by pip. Kept under the test cache."""
import fcntl
import functools
import hashlib
import os
import pathlib
import shutil
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
TOP = HERE.parents[2]
FETCH_SECONDS_MAX = 900


class Unreachable(Exception):
    """Something that a test needs cannot be had here: the test is skipped, by name."""


def cache():
    default = pathlib.Path(os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache") / "ringfold-tests"
    return pathlib.Path(os.environ.get("RINGFOLD_TEST_CACHE") or default)


def _fetch_once(directory, fetch):
    """Calls fetch(directory) unless an earlier run finished it; two runs at the same time take turns."""
    directory.parent.mkdir(parents=True, exist_ok=True)
    with open(f"{directory}.lock", "w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (directory / "complete").exists():
            shutil.rmtree(directory, ignore_errors=True)
            fetch(directory)
            (directory / "complete").touch()
    return directory


def _run(command, what):
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=FETCH_SECONDS_MAX, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise Unreachable(f"{what}: {error}") from error
    if done.returncode != 0:
        lines = [line for line in (done.stdout + done.stderr).splitlines() if line.strip()]
        raise Unreachable(f"{what}: {lines[-1] if lines else 'exit status ' + str(done.returncode)}")


def _digest(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()[:12]


@functools.cache
def java():
    path = shutil.which("java")
    if path is None:
        raise Unreachable("there is no java")
    return path


@functools.cache
def _maven(kafka_version=None):
    """With the broker that the pom names, or another."""
    pom = HERE / "pom.xml"
    version = [] if kafka_version is None else [f"-Dkafka.version={kafka_version}"]

    def fetch(directory):
        if shutil.which("mvn") is None:
            raise Unreachable("there is no mvn")
        _run(["mvn", "-q", "-B", "-f", str(pom), f"-Ddestination={directory}", *version, "package"], "Maven artefacts")

    return _fetch_once(cache() / "-".join(filter(None, ("java", kafka_version, _digest(pom)))), fetch)


def kafka_classpath(version=None):
    return str(_maven(version) / "kafka" / "*")


def registry_classpath():
    registry = _maven() / "registry"
    return ":".join([*map(str, registry.glob("*-runner.jar")), str(registry / "lib" / "*")])


@functools.cache
def flink_classpath():
    """Flink with its CEP library, and FlinkPatterns compiled against it."""
    sources = HERE.parent / "patterns"
    pom, program = sources / "pom.xml", sources / "FlinkPatterns.java"

    def fetch(directory):
        if shutil.which("mvn") is None or shutil.which("javac") is None:
            raise Unreachable("there is no mvn or no javac")
        _run(["mvn", "-q", "-B", "-f", str(pom), f"-Ddestination={directory}", "package"], "Maven artefacts of Flink")
        _run(["javac", "-nowarn", "-cp", str(directory / "flink" / "*"), "-d", str(directory / "classes"), str(program)],
             "FlinkPatterns.java")

    directory = _fetch_once(cache() / f"flink-{_digest(pom)}-{_digest(program)}", fetch)
    return f"{directory / 'classes'}:{directory / 'flink'}/*"


@functools.cache
def prometheus(program="prometheus"):
    """prometheus or promtool: the machine's, or out of Debian's package, which is not installed: it would start a service."""
    found = shutil.which(program)
    if found is not None:
        return found

    def fetch(directory):
        directory.mkdir(parents=True)
        try:
            done = subprocess.run(["apt-get", "-q", "download", "prometheus"], cwd=directory, capture_output=True,
                                  text=True, timeout=FETCH_SECONDS_MAX, check=False)
        except (OSError, subprocess.TimeoutExpired) as error:
            raise Unreachable(f"prometheus: {error}") from error
        packages = list(directory.glob("prometheus_*.deb"))
        if done.returncode != 0 or not packages:
            raise Unreachable(f"prometheus: {done.stderr.strip().splitlines()[-1:] or 'no package'}")
        _run(["dpkg", "-x", str(packages[0]), str(directory)], "prometheus")

    return str(_fetch_once(cache() / "prometheus", fetch) / "usr" / "bin" / program)


@functools.cache
def lifetimes_python():
    """The interpreter of an environment that has lifetimes."""
    requirements = HERE.parent / "requirements-lifetimes.txt"

    def fetch(directory):
        base = shutil.which("python3.11") or sys.executable
        _run([base, "-m", "venv", str(directory)], "environment for lifetimes")
        _run([str(directory / "bin" / "pip"), "install", "-q", "-r", str(requirements)], "lifetimes")

    return _fetch_once(cache() / f"lifetimes-{_digest(requirements)}", fetch) / "bin" / "python"
