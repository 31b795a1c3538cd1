"""The document of the output topics: AsyncAPI's own parser takes it, and it says what is written."""
import hashlib
import json
import shutil
import subprocess

import pytest
import yaml

from conftest import DEPLOY, TOP, need, run
from harness import artefacts

DOCUMENT = DEPLOY / "asyncapi.yaml"
LINTER = TOP / "tests" / "deploy" / "asyncapi"


@pytest.fixture(scope="module")
def linter():
    """The folder of the linter with its npm packages, fetched once."""
    need("node", "npm")
    digest = hashlib.sha256((LINTER / "package.json").read_bytes()).hexdigest()[:12]
    folder = artefacts.cache() / f"asyncapi-{digest}"
    if not (folder / "complete").exists():
        folder.mkdir(parents=True, exist_ok=True)
        shutil.copy(LINTER / "package.json", folder)
        try:
            done = subprocess.run(["npm", "install", "--no-audit", "--no-fund", "--loglevel=error"], cwd=folder, timeout=300,
                                  capture_output=True, text=True, check=False)
        except subprocess.TimeoutExpired:
            pytest.skip("unreachable: npm does not come to an end")
        if done.returncode != 0:
            pytest.skip(f"unreachable: {done.stderr.strip().splitlines()[-1:]}")
        (folder / "complete").touch()
    shutil.copy(LINTER / "lint.js", folder)
    return folder


def test_the_parser_finds_no_error_and_reads_the_schemas(linter):
    said = run("node", linter / "lint.js", DOCUMENT).stdout

    for name, schema in (("ChurnAlert", "churn_alert"), ("Offer", "offer")):
        fields = [field["name"] for field in json.loads((TOP / "schemas" / f"{schema}.avsc").read_text())["fields"]]
        assert f"message {name}: {' '.join(fields)}" in said.splitlines(), said


def test_the_headers_are_those_that_are_written():
    schemas = yaml.safe_load(DOCUMENT.read_text(encoding="utf-8"))["components"]["schemas"]
    written = (TOP / "src" / "core" / "codec" / "derived_print.c").read_text(encoding="utf-8")
    letters = "".join(path.read_text(encoding="utf-8") for path in (TOP / "src" / "edge" / "stream").glob("*.c"))

    for name in schemas["cloudEvent"]["required"]:
        assert f'{{"{name}"' in written, name
    for name in schemas["deadLetterHeaders"]["properties"]:
        assert f'"{name}"' in letters or f'HEADER_PREFIX "{name.removeprefix("ringfold-")}"' in letters, name
