"""The same input once more, without a daemon: what `replay` makes of each partition of a topic is what `run` has to have
made of it. The topic is JSON, its source names customer and time, and is the only one of its application."""
import dataclasses
import json

from harness import clients, ringfold


@dataclasses.dataclass
class Made:
    """Derived events, and customer → features and rules."""
    events: list
    customers: dict


def lines(kafka, topic, begin=None):
    """Partition → [(offset, line)] from offset `begin[partition]` on."""
    found = {partition: [] for partition in range(kafka.partition_count(topic))}
    for message in clients.read_all(kafka, topic):
        if message.offset >= (begin or {}).get(message.partition, 0):
            found[message.partition].append((message.offset, message.value.decode()))
    return found


def _placed(place, topic, partition, offsets):
    """A place in a file, whose lines count from 1, as the place in the topic that it was read from."""
    if place["topic"] == "timer":
        return place
    return {**place, "topic": topic, "partition": partition, "offset": offsets[place["offset"] - 1]}


def _derived(event, topic, partition, offsets):
    """As `run` tells it, but for the id."""
    found = {**event, "source": _placed(event["source"], topic, partition, offsets)}
    if "matched" in event:
        found["matched"] = [_placed(one, topic, partition, offsets) for one in event["matched"]]
    return found


def _has_same_id(event):
    """Ids are hashes of the places of the events that caused them: only what none caused has the same in a replay."""
    return event["source"]["topic"] == "timer" and "matched" not in event


def known(text):
    """The rows of --customers and of `customer --all`: customer → features and rules."""
    return {row["customer"]: {"features": row["features"], "rules": row["rules"]} for row in ringfold.rows(text)}


def fold(config, env, directory, topic, partitions, until):
    """What `replay` makes of `partitions`, each by itself, as those of `lines`. At `until` nothing may be left to fire."""
    directory.mkdir(parents=True, exist_ok=True)
    table = directory / "customers"
    made = Made([], {})
    for partition, rows in partitions.items():
        path = directory / f"{partition}.ndjson"
        path.write_text("".join(line + "\n" for _, line in rows), encoding="utf-8")
        done = ringfold.command("replay", "-q", "-c", config, "--customers", table, "--until", until, path, env=env)
        offsets = [offset for offset, _ in rows]
        made.events += [_derived(event, topic, partition, offsets) for event in ringfold.rows(done.stdout)]
        made.customers.update(known(table.read_text(encoding="utf-8")))
    return made


def told(kafka, topic, isolation="read_committed"):
    """The derived events of an output."""
    return [message.value for message in clients.read_all(kafka, topic, json.loads, isolation)]


def comparable(events):
    """In an order of their own, and without the ids that a replay has other ones for."""
    return sorted(json.dumps({name: value for name, value in event.items()
                              if name != "id" or _has_same_id(event)}, sort_keys=True)
                  for event in events)


def assert_same(found, expected, what):
    """Two lists of derived events, in whatever order."""
    found, expected = comparable(found), comparable(expected)
    if found == expected:
        return
    missing, extra = list(expected), []
    for one in found:
        if one in missing:
            missing.remove(one)
        else:
            extra.append(one)
    raise AssertionError(f"{what}: {len(found)} instead of {len(expected)}; missing {len(missing)}: {missing[:2]}; "
                         f"not expected {len(extra)}: {extra[:2]}")
