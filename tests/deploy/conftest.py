"""What the tests of deploy/ share. A tool that is not there makes its tests skipped, by name; with CI=true that fails."""
import os
import pathlib
import shutil
import subprocess

import pytest

from harness import artefacts

TOP = pathlib.Path(__file__).resolve().parents[2]
DEPLOY = TOP / "deploy"


def build():
    return pathlib.Path(os.environ.get("RINGFOLD_BUILD") or TOP / "build")


def reachable(get, *arguments):
    """What get() returns; where it cannot be had the test is skipped, by name."""
    try:
        return get(*arguments)
    except artefacts.Unreachable as error:
        pytest.skip(f"unreachable: {error}")


def need(*tools):
    missing = [tool for tool in tools if shutil.which(tool) is None]
    if missing:
        pytest.skip(f"not installed: {', '.join(missing)}")


def run(*command, status=0, seconds=120, **options):
    """Runs to the end; the exit status must be `status`, None for any."""
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True, timeout=seconds, check=False,
                          **options)
    if status is not None and done.returncode != status:
        raise AssertionError(f"{' '.join(map(str, command))}: exit status {done.returncode} instead of {status}\n"
                             f"{done.stdout[-4000:]}{done.stderr[-4000:]}")
    return done


@pytest.fixture(scope="session")
def package(tmp_path_factory):
    """The Debian package, of the preset release."""
    need("cpack", "dpkg-shlibdeps")
    directory = tmp_path_factory.mktemp("package")
    if not (build() / "CPackConfig.cmake").exists():
        pytest.skip("there is no build of the preset release")
    run("cpack", "-G", "DEB", "--config", build() / "CPackConfig.cmake", "-B", directory, cwd=TOP, seconds=300)
    (found,) = directory.glob("ringfold_*.deb")
    return found
