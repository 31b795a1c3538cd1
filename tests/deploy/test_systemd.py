"""The unit: systemd understands it, and what is left open to the service is little."""
import re

from conftest import DEPLOY, need, run

UNIT = DEPLOY / "systemd" / "ringfold.service"
EXPOSURE_MAX = 1.5  # of 10; "OK" ends at 4


def settings():
    lines = UNIT.read_text(encoding="utf-8").splitlines()
    return [tuple(line.split("=", 1)) for line in lines if "=" in line and not line.startswith("#")]


def test_systemd_finds_nothing_wrong_with_the_unit(tmp_path):
    need("systemd-analyze")
    # Neither the program nor the pages are installed here: they are not what is asked.
    text = UNIT.read_text(encoding="utf-8")
    text = text.replace("/usr/bin/ringfold ", "/bin/true ")
    text = re.sub(r"^Documentation=.*$", "Documentation=man:true(1)", text, flags=re.MULTILINE)
    copy = tmp_path / "ringfold.service"
    copy.write_text(text.replace("man:true(1)", "https://example.org/"), encoding="utf-8")

    done = run("systemd-analyze", "verify", copy)

    assert done.stderr.replace("\n", "") == "", done.stderr


def test_the_service_is_exposed_little():
    need("systemd-analyze")
    run("systemd-analyze", "security", "--offline=true", f"--threshold={int(EXPOSURE_MAX * 10)}", UNIT)


def test_a_wrong_configuration_is_not_started_again_and_again():
    unit = dict(settings())

    assert unit["Restart"] == "on-failure"
    assert unit["RestartPreventExitStatus"] == "2"  # RF_EXIT_USAGE
    header = (DEPLOY.parent / "src" / "cli" / "command.h").read_text(encoding="utf-8")
    assert re.search(r"#define RF_EXIT_USAGE +2\b", header)
