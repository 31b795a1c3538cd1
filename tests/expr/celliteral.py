"""CEL literals as Python values that compare as CEL's do: of the same type, and equal."""
import re

TOKEN = re.compile(r"""\s*(?:
    (?P<number>-?(?:0x[0-9a-fA-F]+u?|\d+\.\d*(?:[eE][+-]?\d+)?|\d+[eE][+-]?\d+|\d+u?))
  | (?P<text>b?"(?:[^"\\]|\\.)*"|b?'(?:[^'\\]|\\.)*')
  | (?P<name>[A-Za-z_][A-Za-z0-9_.]*)
  | (?P<mark>[\[\]{}(),:])
)""", re.X | re.S)
SIMPLE = {"a": 7, "b": 8, "f": 12, "n": 10, "r": 13, "t": 9, "v": 11, "\\": 92, "'": 39, '"': 34, "?": 63, "`": 96}
ESCAPE = re.compile(r"\\(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|([0-3][0-7]{2})|(.))", re.S)


def unescape(body, as_bytes):
    out = []
    at = 0
    for m in ESCAPE.finditer(body):
        out.append(body[at:m.start()])
        code = int(m[1] or m[2] or m[3] or "0", 16) if not (m[4] or m[5]) else int(m[4], 8) if m[4] else SIMPLE[m[5]]
        out.append(bytes([code]) if as_bytes else chr(code))
        at = m.end()
    out.append(body[at:])
    if as_bytes:
        return b"".join(o if isinstance(o, bytes) else o.encode() for o in out)
    return "".join(out)


class Reader:
    def __init__(self, text):
        self.tokens = []
        at = 0
        text = text.rstrip()
        while at < len(text):
            m = TOKEN.match(text, at)
            if not m:
                raise ValueError(f"not a literal: {text!r} at {at}")
            self.tokens.append((m.lastgroup, m[m.lastgroup]))
            at = m.end()
        self.at = 0

    def take(self):
        token = self.tokens[self.at]
        self.at += 1
        return token

    def take_mark(self, mark):
        if self.at < len(self.tokens) and self.tokens[self.at] == ("mark", mark):
            self.at += 1
            return True
        return False

    def items(self, close):
        out = []
        while not self.take_mark(close):
            out.append(self.value())
            self.take_mark(",")
        return out

    def value(self):
        kind, text = self.take()
        if kind == "number":
            if text.endswith("u"):
                return ("uint", int(text[:-1], 0))
            if re.fullmatch(r"-?(0x[0-9a-fA-F]+|\d+)", text):
                return ("int", int(text, 0))
            return number(float(text))
        if kind == "text":
            if text[0] == "b":
                return ("bytes", unescape(text[2:-1], True))
            return ("string", unescape(text[1:-1], False))
        if kind == "name":
            return self.name(text)
        if text == "[":
            return ("list", tuple(self.items("]")))
        if text == "{":
            entries = set()
            while not self.take_mark("}"):
                key = self.value()
                self.take_mark(":")
                entries.add((key, self.value()))
                self.take_mark(",")
            return ("map", frozenset(entries))
        raise ValueError(f"unexpected {text!r}")

    def name(self, name):
        if name in ("true", "false"):
            return ("bool", name == "true")
        if name == "null":
            return ("null", None)
        if not self.take_mark("("):
            return ("type", name)
        arguments = self.items(")")
        if name == "double":
            return number(float(arguments[0][1]))
        return (name, tuple(arguments))


def number(value):
    return ("double", "NaN" if value != value else value + 0.0)


def parse(text):
    reader = Reader(text)
    value = reader.value()
    if reader.at != len(reader.tokens):
        raise ValueError(f"more than a literal: {text!r}")
    return value
