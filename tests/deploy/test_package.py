"""The Debian package: installed, used, removed and purged on an overlay of this machine's root, which keeps nothing."""
import os

import pytest

from conftest import TOP, need, run

# What is left of this machine is below; everything that is written goes to a tmpfs that ends with the namespace.
STAGE = """
set -e
mount -t tmpfs tmpfs {stage}
mkdir {stage}/upper {stage}/work {stage}/root
mount -t overlay overlay -o lowerdir=/,upperdir={stage}/upper,workdir={stage}/work {stage}/root
mount -t proc proc {stage}/root/proc
cp {package} {stage}/root/ringfold.deb
cp {script} {stage}/root/script
exec chroot {stage}/root /usr/bin/env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C.UTF-8 DEBIAN_FRONTEND=noninteractive \
    sh -e /script
"""
FILES = ["/usr/bin/ringfold", "/lib/systemd/system/ringfold.service", "/etc/ringfold/ringfold.yaml",
         "/usr/share/man/man1/ringfold.1.gz", "/usr/share/man/man5/ringfold.yaml.5.gz",
         "/usr/share/bash-completion/completions/ringfold", "/usr/share/doc/ringfold/copyright",
         "/usr/share/ringfold/RUNBOOK.md", "/usr/share/ringfold/examples/order.avsc",
         "/usr/share/ringfold/grafana/ringfold.json", "/usr/share/ringfold/prometheus/ringfold.rules.yml",
         "/usr/share/ringfold/schemas/call.avsc", "/usr/share/ringfold/seeds/telco/ringfold.yaml"]


@pytest.fixture
def stage(package, tmp_path):
    """Runs a script as root in the overlay."""
    need("unshare", "dpkg")
    if os.geteuid() != 0 or run("unshare", "-m", "true", status=None).returncode != 0:
        pytest.skip("only root can install a package, in a mount namespace of its own")
    mount = tmp_path / "stage"
    mount.mkdir()

    def go(script):
        (tmp_path / "script").write_text(script, encoding="utf-8")
        return run("unshare", "-m", "sh", "-c",
                   STAGE.format(stage=mount, package=package, script=tmp_path / "script")).stdout

    return go


def test_what_it_needs_is_found_in_the_program(package):
    fields = run("dpkg-deb", "-f", package, "Depends", "Architecture", "Version").stdout

    for library in ("librdkafka1", "librocksdb7.8", "libfyaml0", "libjansson4", "libcurl4", "libc6 (>="):
        assert library in fields, fields


def test_lintian_finds_no_error(package):
    need("lintian")
    done = run("lintian", "--allow-root", "--fail-on", "error,warning", package, status=None)

    assert done.returncode == 0, done.stdout + done.stderr


def test_installed_it_works_and_purged_nothing_is_left(stage):
    said = stage(f"""
        before=$(getent passwd ringfold || true)
        test -z "$before"
        dpkg -i /ringfold.deb >/dev/null
        ls {' '.join(FILES)}
        stat -c '%n %U %a' /var/lib/ringfold /etc/ringfold/ringfold.yaml
        test "$(dpkg-query -W -f '${{Conffiles}}' ringfold | wc -w)" = 2
        ringfold --version
        man ringfold | grep -c 'ringfold(1)\\|RINGFOLD(1)' >/dev/null
        man 5 ringfold.yaml | grep -q 'SETTINGS'
        ringfold check --offline -c /etc/ringfold/ringfold.yaml
        ringfold demo --once | tail -n 1
        echo '# of mine' >>/etc/ringfold/ringfold.yaml
        touch /var/lib/ringfold/store
        dpkg -r ringfold >/dev/null
        test ! -e /usr/bin/ringfold
        tail -n 1 /etc/ringfold/ringfold.yaml
        test -e /var/lib/ringfold/store
        dpkg -i /ringfold.deb >/dev/null 2>&1 </dev/null
        tail -n 1 /etc/ringfold/ringfold.yaml
        dpkg -P ringfold >/dev/null 2>&1
        for left in /usr/share/ringfold /etc/ringfold /var/lib/ringfold /usr/share/doc/ringfold /usr/bin/ringfold; do
            test ! -e $left || echo "left: $left"
        done
        getent passwd ringfold || true
        getent group ringfold || true
        dpkg -l ringfold 2>/dev/null | grep '^[a-z]' || true
        echo end
        """)
    lines = said.splitlines()

    assert lines[:len(FILES)] == sorted(FILES)
    assert "/var/lib/ringfold ringfold 700" in lines
    assert "/etc/ringfold/ringfold.yaml root 644" in lines
    assert any(line.startswith("ringfold 0.") for line in lines)
    assert "/etc/ringfold/ringfold.yaml: fine" in lines
    assert lines.count("# of mine") == 2, "what the operator wrote survives removal and a new installation"
    assert not [line for line in lines if line.startswith("left: ")], said
    assert lines[-2:] == ["# of mine", "end"], said  # no user, group, or package


def test_the_configuration_of_the_package_is_that_of_the_examples(package, tmp_path):
    run("dpkg-deb", "-x", package, tmp_path)

    conffile = (tmp_path / "etc" / "ringfold" / "ringfold.yaml").read_text(encoding="utf-8")
    assert conffile == (TOP / "deploy" / "etc" / "ringfold.yaml").read_text(encoding="utf-8")
