#!/usr/bin/env python3
"""The Avro decode program against fastavro: random writer schemas, evolved reader schemas, random data.

usage: differential.py DECODER [CASES [SEED]]

Exit 77 where fastavro cannot be imported. What both have to agree on is the value that a reader sees, or that
there is none. Where the two differ by intent, the generator keeps away (see EVOLUTION below).
"""
import io
import json
import math
import random
import subprocess
import sys

try:
    import fastavro
except ImportError:
    print("fastavro is not installed")
    sys.exit(77)

PRIMITIVES = ["null", "boolean", "int", "long", "float", "double", "bytes", "string"]
PROMOTIONS = {"int": ["long", "float", "double"], "long": ["float", "double"], "float": ["double"],
              "string": ["bytes"], "bytes": ["string"]}


class Maker:
    def __init__(self, random_):
        self.r = random_
        self.names = 0

    def name(self, prefix):
        self.names += 1
        return f"{prefix}{self.names}"

    # -- writer schemas

    def schema(self, depth):
        r = self.r
        kind = r.choice(PRIMITIVES * 2 + ["enum", "fixed"] + (["record", "array", "map", "union", "union"] if depth > 0 else []))
        if kind in PRIMITIVES:
            return kind
        if kind == "enum":
            return {"type": "enum", "name": self.name("E"), "symbols": [f"S{i}" for i in range(r.randint(1, 5))]}
        if kind == "fixed":
            return {"type": "fixed", "name": self.name("F"), "size": r.randint(0, 9)}
        if kind == "record":
            return self.record(depth - 1)
        if kind == "array":
            return {"type": "array", "items": self.schema(depth - 1)}
        if kind == "map":
            return {"type": "map", "values": self.schema(depth - 1)}
        branches, seen = [], set()
        for _ in range(r.randint(1, 4)):
            branch = self.schema(depth - 1)
            tag = branch if isinstance(branch, str) else "union" if isinstance(branch, list) else \
                branch.get("name", branch["type"])
            # one branch a family: between int and long, or string and bytes, the choice is each reader's own
            family = {"int": "number", "long": "number", "float": "number", "double": "number",
                      "string": "text", "bytes": "text"}.get(tag, tag)
            if family == "union" or family in seen or isinstance(branch, dict) and branch["type"] in seen:
                continue
            seen.add(family)
            if isinstance(branch, dict):
                seen.add(branch["type"])
            branches.append(branch)
        return branches or ["null"]

    def record(self, depth):
        return {"type": "record", "name": self.name("R"),
                "fields": [{"name": self.name("f"), "type": self.schema(depth)} for _ in range(self.r.randint(0, 5))]}

    # -- data

    def datum(self, schema):
        r = self.r
        if isinstance(schema, list):
            branch = r.choice(schema)
            value = self.datum(branch)
            name = branch if isinstance(branch, str) else branch.get("name", branch["type"])
            return (name, value) if isinstance(branch, dict) and branch["type"] == "record" else value
        kind = schema if isinstance(schema, str) else schema["type"]
        if kind == "null":
            return None
        if kind == "boolean":
            return r.random() < 0.5
        if kind == "int":
            return r.choice([0, 1, -1, 63, 64, -64, -65, 2**31 - 1, -2**31, r.randint(-2**31, 2**31 - 1)])
        if kind == "long":
            return r.choice([0, -1, 2**62, -2**63, 2**63 - 1, r.randint(-2**63, 2**63 - 1), r.randint(-10**6, 10**6)])
        if kind == "float":
            return r.choice([0.0, 1.5, -0.25, float(r.randint(-2**20, 2**20)) / 64])
        if kind == "double":
            return r.choice([0.0, 0.1, -1e300, 5e-324, r.uniform(-1e6, 1e6)])
        if kind == "bytes":
            # also readable as text, for the promotion
            return "".join(r.choice("ab\u00fc\u20ac\0") for _ in range(r.randint(0, 20))).encode()
        if kind == "string":
            return "".join(r.choice("ab\"\\\n\u00fc\u20ac\U0001f600") for _ in range(r.randint(0, 20)))
        if kind == "enum":
            return r.choice(schema["symbols"])
        if kind == "fixed":
            return r.randbytes(schema["size"])
        if kind == "array":
            return [self.datum(schema["items"]) for _ in range(r.randint(0, 4))]
        if kind == "map":
            return {f"k{i}": self.datum(schema["values"]) for i in range(r.randint(0, 4))}
        return {field["name"]: self.datum(field["type"]) for field in schema["fields"]}

    # -- reader schemas: what may happen to a schema in its life, and now and then what may not (EVOLUTION).
    # What may not is done to the outermost record's fields only: of a record in a list fastavro finds out when the
    # list has an item, the decode program when it is compiled.

    def evolve(self, schema):
        r = self.r
        if isinstance(schema, list):
            if r.random() < 0.15 and schema != ["null"]:
                branches = [b for b in schema if r.random() < 0.7] or schema[:1]
                return [self.evolve_branch(b) for b in branches]
            branches = [self.evolve_branch(b) for b in schema]
            r.shuffle(branches)
            return branches
        if isinstance(schema, str):
            if r.random() < 0.25 and schema in PROMOTIONS:
                return r.choice(PROMOTIONS[schema])
            if r.random() < 0.1 and schema != "null":
                return ["null", schema]
            return schema
        return self.evolve_complex(schema)

    def evolve_branch(self, schema):
        return self.evolve_complex(schema) if isinstance(schema, dict) else schema

    def evolve_complex(self, schema):
        r = self.r
        kind = schema["type"]
        if kind == "enum":
            made = dict(schema, symbols=r.sample(schema["symbols"], len(schema["symbols"])))
            if r.random() < 0.3 and len(made["symbols"]) > 1:
                made["symbols"] = made["symbols"][:-1]
                if r.random() < 0.7:
                    made["default"] = made["symbols"][0]
            return made
        if kind == "array":
            return dict(schema, items=self.evolve(schema["items"]))
        if kind == "map":
            return dict(schema, values=self.evolve(schema["values"]))
        if kind == "record":
            return self.evolve_record(schema)
        return schema

    def evolve_record(self, schema, outermost=False):
        r = self.r
        fields = []
        for field in schema["fields"]:
            what = r.random()
            if what < 0.15:
                continue
            evolved = {"name": field["name"], "type": self.evolve(field["type"])}
            if outermost and r.random() < 0.02:
                evolved["type"] = r.choice(PRIMITIVES)
            if what < 0.25:
                evolved["aliases"] = [field["name"]]
                evolved["name"] = self.name("g")
            fields.append(evolved)
        for _ in range(r.choice([0, 0, 1, 2])):
            kind, default = r.choice([("int", 7), ("string", "d\u00fc"), (["null", "long"], None), ("double", 0.5),
                                      ({"type": "array", "items": "int"}, [1, 2]), ("boolean", True),
                                      ({"type": "map", "values": "string"}, {"k": "v"}), ("bytes", "\u00ff"),
                                      (["string", "null"], "x")])
            added = {"name": self.name("n"), "type": kind}
            if not outermost or r.random() < 0.95:
                added["default"] = default
            fields.append(added)
        r.shuffle(fields)
        return {"type": "record", "name": schema["name"], "fields": fields}


def names_once(schema, seen):
    """A named type is written out once; a copy of it would be a second definition."""
    if isinstance(schema, list):
        return [names_once(branch, seen) for branch in schema]
    if isinstance(schema, str):
        return schema
    made = dict(schema)
    for key in ("items", "values"):
        if key in made:
            made[key] = names_once(made[key], seen)
    if "fields" in made:
        made["fields"] = [dict(field, type=names_once(field["type"], seen)) for field in made["fields"]]
    return made


def plain(value, schema):
    """fastavro's value in the form in which the decoder prints it."""
    if isinstance(value, bytes):
        return value.decode("latin-1")
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {key: plain(item, None) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item, None) for item in value]
    return value


def same(ours, theirs):
    if isinstance(ours, bool) or isinstance(theirs, bool):
        return ours is theirs
    if isinstance(ours, (int, float)) and isinstance(theirs, (int, float)):
        return ours == theirs or float(ours) == float(theirs)
    if isinstance(ours, dict) and isinstance(theirs, dict):
        return ours.keys() == theirs.keys() and all(same(ours[k], theirs[k]) for k in ours)
    if isinstance(ours, list) and isinstance(theirs, list):
        return len(ours) == len(theirs) and all(same(a, b) for a, b in zip(ours, theirs))
    return type(ours) is type(theirs) and ours == theirs


def expected(writer, reader, body):
    try:
        value = fastavro.schemaless_reader(io.BytesIO(body), fastavro.parse_schema(writer),
                                           fastavro.parse_schema(reader))
        return plain(value, reader)
    except Exception as error:  # any: what is asked is only whether there is a value
        return {"!": f"{type(error).__name__}: {error}"}


def main():
    decoder = sys.argv[1]
    count = int(sys.argv[2]) if len(sys.argv) > 2 else 6000
    seed = int(sys.argv[3]) if len(sys.argv) > 3 else 1
    maker = Maker(random.Random(seed))
    cases = []
    while len(cases) < count:
        writer = maker.record(3)
        out = io.BytesIO()
        fastavro.schemaless_writer(out, fastavro.parse_schema(writer), maker.datum(writer))
        for _ in range(2):
            cases.append((writer, maker.evolve_record(writer, True), out.getvalue()))
    lines = "".join(json.dumps({"writer": w, "reader": r, "body": b.hex()}) + "\n" for w, r, b in cases)
    done = subprocess.run([decoder], input=lines, capture_output=True, text=True, encoding="utf-8")
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    if done.returncode != 0 or len(answers) != len(cases):
        print(f"{decoder}: exit {done.returncode} after {len(answers)} of {len(cases)} answers\n{done.stderr}")
        return 1
    differ = rejected = 0
    for (writer, reader, body), ours in zip(cases, answers):
        theirs = expected(writer, reader, body)
        if "!" in ours and "!" in theirs:
            rejected += 1
        elif "!" in ours or "!" in theirs or not same(ours, theirs):
            differ += 1
            if differ <= 5:
                print(f"writer {json.dumps(writer)}\nreader {json.dumps(reader)}\nbody   {body.hex()}\n"
                      f"ours   {json.dumps(ours)}\ntheirs {json.dumps(theirs)}\n")
    print(f"{count} cases, seed {seed}: {differ} differ, {rejected} rejected by both")
    return 1 if differ else 0


sys.exit(main())
