"""Cases for the comparison with Flink CEP: a pattern and the events of a few customers, out of order, by a seed.

As text, for FlinkPatterns.java:

    case NAME LATENESS WITHIN SKIP          milliseconds, 0: no such limit; past_last or none
    take KIND LEVEL TIMES WITHIN            a step; level -1: any
    not KIND LEVEL FOR                      a `not`; those in a row are one
    event CUSTOMER TIME KIND LEVEL NUMBER   in the order of arrival
"""
import collections
import dataclasses
import random

KINDS = ["call", "complaint", "purchase"]
Take = collections.namedtuple("Take", "kind level times within")
Not = collections.namedtuple("Not", "kind level silence")
Event = collections.namedtuple("Event", "customer time kind level number")


@dataclasses.dataclass
class Case:
    name: str
    lateness: int
    within: int
    skip: str
    steps: list
    events: list

    def text(self):
        lines = [("case", self.name, self.lateness, self.within, self.skip)]
        lines += [("take" if isinstance(step, Take) else "not", *step) for step in self.steps]
        lines += [("event", *event) for event in self.events]
        return "".join(" ".join(map(str, line)) + "\n" for line in lines)


def _condition(rng):
    """Often the same for several steps, so that one event is of more than one."""
    return rng.choice([*KINDS, KINDS[0]]), rng.choice([-1, -1, -1, 0, 1])


def _nots(rng, silence=0):
    nots = [Not(*_condition(rng), 0) for _ in range(rng.choice([1, 1, 1, 2]))]
    return [*nots[:-1], nots[-1]._replace(silence=silence)]


def _steps(rng, within):
    steps = []
    for i in range(rng.choice([1, 2, 2, 3, 3, 4])):
        if i > 0 and rng.random() < 0.35:
            steps += _nots(rng)
        times = rng.choice([1, 1, 1, 2, 3])
        close = rng.choice([0, 0, rng.randint(2, 40)]) if i > 0 and times == 1 else 0
        steps.append(Take(*_condition(rng), times, min(close, within) if within else close))
    if rng.random() < 0.45 or sum(step.times for step in steps if isinstance(step, Take)) == 1:
        steps += _nots(rng, 0 if within else rng.randint(1, 30))
    return steps


def _merge(queues):
    """As `replay` merges files: whose first event is the earliest goes on; of equals the first."""
    queues = [collections.deque(queue) for queue in queues]
    while any(queues):
        queue = min((queue for queue in queues if queue), key=lambda queue: queue[0].time)
        yield queue.popleft()


def _events(rng, lateness):
    """Most arrive as they happen, some later, a few of them too late to be taken. Many at the same time."""
    arriving = []
    time = rng.randint(0, 20)
    customers = [f"c{i}" for i in range(rng.randint(1, 4))]
    for i in range(rng.randint(20, 90)):
        time += rng.choice([0, 0, 1, 1, 2, 3, 5, 8, rng.randint(5, 25)])
        delay = rng.randint(0, lateness + lateness // 5) if rng.random() < 0.6 else 0
        arriving.append((time + delay, i, Event(rng.choice(customers), time, rng.choice([*KINDS, KINDS[0]]),
                                                rng.choice([0, 1]), 0)))
    arrived = [event for _, _, event in sorted(arriving)]
    merged = _merge([[event for event in arrived if event.kind == kind] for kind in KINDS])
    return [event._replace(number=number) for number, event in enumerate(merged)]


def generate(count, seed):
    for i in range(count):
        rng = random.Random(f"{seed}/{i}")
        within = rng.choice([0, 0, rng.randint(3, 80)])
        lateness = rng.choice([0, 5, 15, 30])
        yield Case(f"{seed}-{i}", lateness, within, rng.choice(["past_last", "none"]), _steps(rng, within),
                   _events(rng, lateness))
