"""What the tests of the HTTP endpoint share. What cannot be had makes the tests that need it skipped, by name."""
import pathlib
import shutil
import subprocess

import pytest

from harness import artefacts
from serve import Server


@pytest.fixture
def server(tmp_path):
    with Server(log=tmp_path / "log") as one:
        yield one


def unpack_prometheus(directory):
    """Debian's package unpacked, not installed: installed it would be a service that runs."""
    # pylint: disable=protected-access
    if shutil.which("apt-get") is None or shutil.which("dpkg-deb") is None:
        raise artefacts.Unreachable("there is no promtool, and this is not Debian")
    directory.mkdir(parents=True)
    done = subprocess.run(["apt-get", "-q", "download", "prometheus"], cwd=directory, capture_output=True, text=True,
                          check=False, timeout=300)
    if done.returncode != 0:
        raise artefacts.Unreachable(f"prometheus: {(done.stderr.splitlines() or ['apt-get failed'])[-1]}")
    for package in directory.glob("*.deb"):
        subprocess.run(["dpkg-deb", "-x", str(package), str(directory)], check=True, timeout=60)
        package.unlink()


@pytest.fixture(scope="session")
def promtool():
    found = shutil.which("promtool")
    if found is not None:
        return pathlib.Path(found)
    try:
        # pylint: disable=protected-access
        directory = artefacts._fetch_once(artefacts.cache() / "prometheus", unpack_prometheus)
    except artefacts.Unreachable as error:
        pytest.skip(f"unreachable: {error}")
    return directory / "usr" / "bin" / "promtool"
