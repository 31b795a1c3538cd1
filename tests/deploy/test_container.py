"""The image and the compose file, by their linters: there is no docker engine in the tests. The configuration is checked by
ringfold itself."""
import pathlib
import re
import sys

import yaml

from conftest import DEPLOY, TOP, build, run

FOLDER = DEPLOY / "container"
BIN = pathlib.Path(sys.executable).parent


def test_hadolint_finds_nothing():
    run(BIN / "hadolint", FOLDER / "Dockerfile")


def test_the_image_is_built_of_what_there_is_and_with_the_packages_that_the_build_needs():
    text = (FOLDER / "Dockerfile").read_text(encoding="utf-8")
    for sources in re.findall(r"^COPY (.*) \S+$", text, re.MULTILINE):
        for source in sources.split():
            assert (TOP / source).exists(), source
    wanted = re.search(r'^build_packages="([^"]*)"', (DEPLOY / "debian.sh").read_text(encoding="utf-8"), re.MULTILINE)
    for alternatives in wanted[1].split():
        assert any(re.search(rf"(?<![\w-]){re.escape(name)}(?![\w-])", text) for name in alternatives.split("|")), alternatives
    assert re.search(r"^USER 65532:65532$", text, re.MULTILINE)


def test_the_compose_file_is_one():
    run(BIN / "check-jsonschema", "--builtin-schema", "vendor.compose-spec", FOLDER / "compose.yaml")


def test_what_the_compose_file_names_is_there_and_what_runs_on_has_a_health_check():
    compose = yaml.safe_load((FOLDER / "compose.yaml").read_text(encoding="utf-8"))
    dockerfile = (FOLDER / "Dockerfile").read_text(encoding="utf-8")
    for name, service in compose["services"].items():
        for volume in service.get("volumes", []):
            source = volume.split(":")[0]
            assert source in compose["volumes"] or (FOLDER / source).resolve().exists(), f"{name}: {source}"
        once = service.get("restart") == "no"
        assert once or "healthcheck" in service or ("build" in service and "HEALTHCHECK" in dockerfile), name
        for port in service.get("ports", []):
            assert port.startswith("127.0.0.1:"), f"{name} is published beyond this machine: {port}"
        for other, how in service.get("depends_on", {}).items():
            assert other in compose["services"], other
            ends = compose["services"][other].get("restart") == "no"
            assert how["condition"] == ("service_completed_successfully" if ends else "service_healthy"), (name, other)


def test_its_configuration_is_fine(tmp_path):
    text = (FOLDER / "ringfold.yaml").read_text(encoding="utf-8")
    (tmp_path / "http-tokens").write_text("me:" + "0123456789abcdef" * 3 + "\n", encoding="utf-8")
    (tmp_path / "http-tokens").chmod(0o600)
    text = text.replace("/run/secrets/http-tokens", str(tmp_path / "http-tokens"))
    text = text.replace("/usr/share/ringfold/examples", str(DEPLOY / "etc"))
    text = text.replace("/usr/share/ringfold/schemas", str(TOP / "schemas"))
    (tmp_path / "ringfold.yaml").write_text(text, encoding="utf-8")

    run(build() / "ringfold", "check", "--offline", "-c", tmp_path / "ringfold.yaml")
