# What the system tests need, for the scripts that source this after deploy/debian.sh: `top` and `program` are set.
# Kafka, the registry and lifetimes are fetched by the tests themselves (harness/artefacts.py).

system_packages="python3-venv kcat maven default-jdk-headless|openjdk-17-jdk-headless|openjdk-21-jdk-headless"
ops_packages="python3-venv chromium openssl"
deploy_packages="python3-venv systemd lintian dpkg-dev gzip man-db"
cache=${XDG_CACHE_HOME:-$HOME/.cache}/ringfold-tests

# use_requirements FILE: which Python packages, and so which environment.
use_requirements() {
    requirements=$1
    venv=$cache/python-$(cksum <"$requirements" | cut -d' ' -f1)
}
use_requirements "$top/tests/system/requirements.txt"

# Makes `venv`, once for each content of the file.
make_venv() {
    if [ -f "$venv/complete" ]; then
        return 0
    fi
    say "Python packages of ${requirements#"$top"/}"
    rm -rf "$venv"
    mkdir -p "$cache"
    python3 -m venv "$venv" >&2 &&
        "$venv/bin/pip" install -q --disable-pip-version-check -r "$requirements" >&2 &&
        : >"$venv/complete"
}
