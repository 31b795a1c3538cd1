"""The manifests, against Kubernetes' own schemas (there is no cluster in the tests), and what they promise."""
import pathlib
import re
import sys

import pytest
import yaml

from conftest import DEPLOY, build, need, run

FOLDER = DEPLOY / "kubernetes"
BASE = FOLDER / "base"
BIN = pathlib.Path(sys.executable).parent
MANIFESTS = [path for path in sorted(BASE.glob("*.yaml")) if path.name not in ("kustomization.yaml", "ringfold.yaml")]


def load(path):
    return yaml.safe_load(path.read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    need("kubectl")
    path = tmp_path_factory.mktemp("built") / "all.yaml"
    path.write_text(run("kubectl", "kustomize", FOLDER / "monitoring").stdout, encoding="utf-8")
    return [one for one in yaml.safe_load_all(path.read_text(encoding="utf-8")) if one is not None]


@pytest.mark.parametrize("path", MANIFESTS, ids=lambda path: path.stem)
def test_it_is_what_kubernetes_takes(path, tmp_path):
    manifest = load(path)
    if manifest["kind"] == "StatefulSet":  # kustomize adds the labels
        labels = {"app.kubernetes.io/name": "ringfold"}
        manifest["spec"]["selector"] = {"matchLabels": labels}
        manifest["spec"]["template"]["metadata"]["labels"] = labels
    (tmp_path / path.name).write_text(yaml.safe_dump(manifest), encoding="utf-8")

    run(BIN / "kubernetes-validate", "--strict", tmp_path / path.name)


def test_what_kustomize_makes_is_whole(built, tmp_path):
    kinds = {one["kind"]: one for one in built}
    assert set(kinds) == {"ServiceAccount", "ConfigMap", "Service", "StatefulSet", "PodDisruptionBudget", "ServiceMonitor",
                          "PrometheusRule"}
    config = kinds["ConfigMap"]
    assert re.fullmatch(r"ringfold-config-[a-z0-9]+", config["metadata"]["name"]), "another configuration has another name"
    volumes = kinds["StatefulSet"]["spec"]["template"]["spec"]["volumes"]
    assert {"name": "config", "configMap": {"name": config["metadata"]["name"]}} in volumes
    assert set(config["data"]) == {"ringfold.yaml", "order.avsc"}
    for one in built:
        if "monitoring" not in one["apiVersion"]:
            (tmp_path / "one.yaml").write_text(yaml.safe_dump(one), encoding="utf-8")
            run(BIN / "kubernetes-validate", "--strict", tmp_path / "one.yaml")


def test_a_pod_keeps_its_name_and_its_state_and_others_do_not_wait_for_it():
    spec = load(BASE / "statefulset.yaml")["spec"]
    (container,) = spec["template"]["spec"]["containers"]

    assert spec["podManagementPolicy"] == "Parallel"
    assert container["env"][0]["valueFrom"]["fieldRef"]["fieldPath"] == "metadata.name"
    assert "instance: ${%s}" % container["env"][0]["name"] in (BASE / "ringfold.yaml").read_text(encoding="utf-8")
    service = load(BASE / "service.yaml")["spec"]
    assert service["clusterIP"] == "None" and service["publishNotReadyAddresses"]
    mounts = {mount["name"]: mount["mountPath"] for mount in container["volumeMounts"]}
    assert spec["volumeClaimTemplates"][0]["metadata"]["name"] == "state" and mounts["state"] == "/var/lib/ringfold"


def test_it_runs_as_nobody_and_probes_ask_what_they_are_for():
    pod = load(BASE / "statefulset.yaml")["spec"]["template"]["spec"]
    (container,) = pod["containers"]

    assert pod["securityContext"]["runAsNonRoot"] and pod["securityContext"]["runAsUser"] == 65532
    assert container["securityContext"] == {"allowPrivilegeEscalation": False, "readOnlyRootFilesystem": True,
                                            "capabilities": {"drop": ["ALL"]}}
    asked = {name: container[name]["httpGet"]["path"] for name in ("startupProbe", "livenessProbe", "readinessProbe")}
    assert asked == {"startupProbe": "/livez", "livenessProbe": "/livez", "readinessProbe": "/readyz"}


def test_the_rules_of_the_operator_are_the_rules():
    assert load(FOLDER / "monitoring" / "prometheusrule.yaml")["spec"] == load(DEPLOY / "prometheus" / "ringfold.rules.yml")


def test_its_configuration_is_fine(tmp_path):
    for name in ("kafka-password", "http-tokens"):
        (tmp_path / name).write_text("me:" + "0123456789abcdef" * 3 + "\n", encoding="utf-8")
        (tmp_path / name).chmod(0o600)
    text = (BASE / "ringfold.yaml").read_text(encoding="utf-8").replace("/run/secrets/ringfold", str(tmp_path))
    (tmp_path / "ringfold.yaml").write_text(text, encoding="utf-8")
    (tmp_path / "order.avsc").write_text((BASE / "order.avsc").read_text(encoding="utf-8"), encoding="utf-8")

    run(build() / "ringfold", "check", "--offline", "-c", tmp_path / "ringfold.yaml", env={"POD_NAME": "ringfold-0"})
