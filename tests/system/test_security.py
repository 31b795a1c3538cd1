"""TLS and passwords: it works against a real broker and a real registry that ask for them; what is wrong is said, and no
secret with it."""
import ctypes

import pytest

from conftest import reachable
from harness import ringfold
from harness.orders import App, assert_exact, generate
from harness.process import wait_until
from harness.security import PASSWORD, USER, Authority, SecureKafka, TlsProxy, basic

REGISTRY_PASSWORD, TOKEN = "registry-password-7261", "bearer-token-9431"
SECRETS = [PASSWORD, REGISTRY_PASSWORD, TOKEN, "wrong-password-5512"]


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return reachable(lambda: Authority(tmp_path_factory.mktemp("authority")))


def secure_cluster(directory, authority, version=None):
    cluster = reachable(lambda: SecureKafka(directory, authority, version))
    cluster.format()
    cluster.start()
    return cluster


@pytest.fixture(scope="module")
def secure_kafka(tmp_path_factory, authority):
    cluster = secure_cluster(tmp_path_factory.mktemp("secure-kafka"), authority)
    yield cluster
    cluster.stop()


def librdkafka_does_scram():
    """Whether Kafka 4 takes the SCRAM of the library that ringfold is linked with."""
    library = ctypes.CDLL("librdkafka.so.1")
    number = library.rd_kafka_version() & 0xFFFFFFFF
    return number >= 0x020601FF


@pytest.fixture(scope="module")
def basic_proxy(registry, authority):
    proxy = TlsProxy(registry.url, authority.issue("registry"), basic("reader", REGISTRY_PASSWORD))
    yield proxy
    proxy.close()


@pytest.fixture(scope="module")
def token_proxy(registry, authority):
    proxy = TlsProxy(registry.url, authority.issue("registry-token"), f"Bearer {TOKEN}")
    yield proxy
    proxy.close()


@pytest.fixture
def secret(tmp_path):
    """A file with a secret and a line end, as an editor leaves it."""
    def write(text):
        path = tmp_path / f"secret-{abs(hash(text))}"
        path.write_text(text + "\n", encoding="utf-8")
        return {"file": str(path)}

    return write


def properties(kafka, authority, password, mechanism="PLAIN", **more):
    return {"bootstrap.servers": kafka.secure_bootstrap, "security.protocol": "sasl_ssl",
            "ssl.ca.location": str(authority.certificate), "sasl.mechanism": mechanism, "sasl.username": USER,
            "sasl.password": password, "session.timeout.ms": 6000, "heartbeat.interval.ms": 1000, **more}


def json_alone(app):
    """Settings of an application that needs no registry."""
    return {"features": {"pings": {"count": "ping"}}, "outputs": {"alert": {"topic": f"{app}.alerts", "format": "json"}},
            "rules": {"often": {"when": "pings >= 3", "emit": "alert"}},
            "sources": {"pings": {"topic": f"{app}.pings", "format": "json", "schema": "ping.avsc", "kind": "ping",
                                  "time": "event.at"}}}


def assert_no_secret(text):
    for one in SECRETS:
        assert one not in text, f"'{one}' was printed"


def refused(app, kafka, directory, settings):
    """What `topics check` says to these properties, which are wrong."""
    one = App(app, kafka, None, directory, **json_alone(app), kafka=settings)
    done = ringfold.command("topics", "check", "-c", one.config, env=one.env, status=1, seconds=60)
    assert_no_secret(done.stdout + done.stderr)
    return done.stderr


def fold_and_compare(orders, instances):
    instances.append(orders.instance().start())
    orders.produce(generate(17, 500))
    orders.wait_idle(instances)
    assert instances[-1].stop() == 0
    assert_exact(orders)
    assert_no_secret(instances[-1].output())
    assert_no_secret(ringfold.command("check", "-c", orders.config, env=orders.env).stdout)


@pytest.mark.parametrize("how", ["basic", "token"])
def test_it_runs_over_tls_with_passwords_from_files(how, app, secure_kafka, registry, authority, basic_proxy, token_proxy,
                                                     secret, tmp_path, instances):
    proxy = basic_proxy if how == "basic" else token_proxy
    who = {"user": "reader", "password": secret(REGISTRY_PASSWORD)} if how == "basic" else {"token": secret(TOKEN)}
    orders = App(app, secure_kafka, registry, tmp_path / app,
                 kafka=properties(secure_kafka, authority, secret(PASSWORD)),
                 schema_registry={"url": proxy.url, "ca_location": str(authority.certificate), **who},
                 log={"level": "debug"})
    orders.create_topics(partitions=2)

    fold_and_compare(orders, instances)

    assert proxy.refused == 0


def test_it_runs_with_scram(app, registry, authority, secret, tmp_path, instances):
    # Kafka 4 refuses the SCRAM of Debian 12's librdkafka; Kafka 3 takes it.
    kafka = secure_cluster(tmp_path / "kafka", authority, None if librdkafka_does_scram() else "3.9.1")
    try:
        orders = App(app, kafka, registry, tmp_path / app, log={"level": "debug"},
                     kafka=properties(kafka, authority, secret(PASSWORD), "SCRAM-SHA-512"))
        orders.create_topics(partitions=2)

        fold_and_compare(orders, instances)
    finally:
        kafka.stop()


def test_where_the_library_is_too_old_for_the_scram_of_the_broker_that_is_said(app, secure_kafka, authority, secret,
                                                                             tmp_path):
    settings = properties(secure_kafka, authority, secret(PASSWORD), "SCRAM-SHA-512")
    if librdkafka_does_scram():
        one = App(app, secure_kafka, None, tmp_path, **json_alone(app), kafka=settings)
        secure_kafka.create_topics(one.pings)
        ringfold.command("topics", "create", "-c", one.config, env=one.env)
        return

    said = refused(app, secure_kafka, tmp_path, settings)

    assert "Kafka 4 refuses the SCRAM of librdkafka before 2.6.1" in said and "PLAIN over TLS" in said, said


def test_a_wrong_password_is_told_as_such(app, secure_kafka, authority, secret, tmp_path):
    said = refused(app, secure_kafka, tmp_path, properties(secure_kafka, authority, secret("wrong-password-5512")))

    assert "no kafka broker answers" in said and "SASL authentication error" in said, said


def test_a_certificate_of_an_unknown_authority_is_told_as_such(app, secure_kafka, secret, tmp_path):
    other = Authority(tmp_path / "other", "another authority")

    said = refused(app, secure_kafka, tmp_path, properties(secure_kafka, other, secret(PASSWORD)))

    assert "certificate verify failed" in said, said


def test_a_broker_of_another_name_is_told_as_such(app, secure_kafka, authority, secret, tmp_path):
    address = secure_kafka.secure_bootstrap.replace("localhost", "127.0.0.1")

    said = refused(app, secure_kafka, tmp_path,
                   properties(secure_kafka, authority, secret(PASSWORD), **{"bootstrap.servers": address}))

    assert "certificate verify failed" in said and "not for the name" in said, said


def test_plain_words_to_a_tls_port_are_told_as_such(app, secure_kafka, secret, tmp_path):
    said = refused(app, secure_kafka, tmp_path, {"bootstrap.servers": secure_kafka.secure_bootstrap})

    assert "security.protocol" in said, said


def test_the_daemon_says_why_it_waits_and_no_secret(app, secure_kafka, authority, secret, tmp_path, instances):
    settings = properties(secure_kafka, authority, secret("wrong-password-5512"))
    orders = App(app, secure_kafka, None, tmp_path, **json_alone(app), kafka=settings)
    instances.append(orders.instance().start())

    wait_until(lambda: instances[0].said("waiting for kafka"), 30, instances[0].tail)
    assert instances[0].stop() == 0

    (first, *_) = instances[0].said("waiting for kafka")
    assert "uthentication" in first["error"], first
    assert_no_secret(instances[0].output())


@pytest.mark.parametrize("settings, words", [
    ({"ca_location": None}, "certificate"),
    ({"password": "wrong-password-5512"}, "401"),
    ({"url": "127.0.0.1"}, "127.0.0.1"),
])
def test_a_registry_that_cannot_be_trusted_or_does_not_trust_us_is_told_as_such(
        settings, words, app, secure_kafka, authority, basic_proxy, secret, tmp_path):
    url = basic_proxy.url.replace("localhost", settings.get("url", "localhost"))
    group = {"url": url, "user": "reader", "password": secret(settings.get("password", REGISTRY_PASSWORD)),
             "ca_location": str(authority.certificate)}
    if "ca_location" in settings:
        del group["ca_location"]
    orders = App(app, secure_kafka, None, tmp_path, schema_registry=group, kafka={"bootstrap.servers": secure_kafka.bootstrap})
    config = orders.config.read_text(encoding="utf-8").replace("    schema: order.avsc\n", "", 1)
    orders.config.write_text(config, encoding="utf-8")

    done = ringfold.command("check", "-c", orders.config, env=orders.env, status=2)

    assert words in done.stderr, done.stderr
    assert_no_secret(done.stdout + done.stderr)
