"""What is said of a running application's customers and state: customer --explain, plan."""
import pytest

from harness import ringfold
from harness.artefacts import TOP
from harness.orders import App, START_MS, rfc3339


def order(customer, number, amount=100.0):
    return "order", {"customer_id": customer, "at": START_MS + number * 60_000, "number": number, "amount": amount,
                     "note": ""}


@pytest.fixture(name="orders")
def folded(app, kafka, registry, tmp_path, instances):
    orders = App(app, kafka, registry, tmp_path)
    orders.create_topics(partitions=2)
    orders.produce([order("anna", number) for number in range(9)] + [order("bert", number, 995.0) for number in range(3)])
    instances.append(orders.instance().start())
    orders.wait_idle(instances)
    return orders


def test_customers_are_explained_and_a_change_is_planned_from_what_is_in_kafka(orders, tmp_path):
    done = ringfold.command("customer", "-c", orders.config, "--explain", "--json", "anna", "bert", env=orders.env)
    anna, bert = (row["explain"]["rules"] for row in ringfold.rows(done.stdout))
    tenth = anna["every-tenth"]
    assert tenth["standing"] == "condition" and tenth["fired"] == 0
    assert [part["holds"] for part in tenth["when"]["all"]] == [True, False]
    assert tenth["when"]["all"][1]["reads"] == {"orders": 9}
    assert anna["large"]["standing"] == "condition"
    large = bert["large"]
    assert large["standing"] == "cooldown" and large["fired"] == 1
    assert large["last_fired"] == rfc3339(START_MS)
    # as of where the clock of the partition stands, not of what the customer did last
    assert ringfold.rows(done.stdout)[1]["explain"]["now"] >= rfc3339(START_MS + 2 * 60_000)

    text = orders.config.read_text(encoding="utf-8")
    changed = text.replace("sum: event.amount", "sum: event.amount * 2.0").replace("  days:", "  count_of_days:")
    assert changed != text
    (tmp_path / "next.yaml").write_text(changed, encoding="utf-8")
    row, = ringfold.rows(ringfold.command("plan", "-c", tmp_path / "next.yaml", "--json", env=orders.env).stdout)
    kinds = {part["name"]: part["change"] for part in row["features"] if part["change"] != "keep"}
    assert kinds == {"total": "redefined", "count_of_days": "new", "days": "drop"}
    row, = ringfold.rows(ringfold.command("plan", "-c", orders.config, "--json", env=orders.env).stdout)
    assert {part["change"] for part in row["features"]} == {"keep"}
    assert row["plan"] == row["against"]


def test_a_plan_without_a_broker_says_what_else_can_be_asked():
    done = ringfold.command("plan", "-c", TOP / "seeds" / "telco" / "ringfold.yaml", status=1,
                            env={"KAFKA_BOOTSTRAP": "127.0.0.1:1"})
    assert done.stdout == ""
    assert "--against FILE" in done.stderr
