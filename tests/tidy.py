#!/usr/bin/env python3
"""The house rules that a compiler does not know. Run by ctest as `tidy`; prints file:line: reason.

usage: tidy.py SRC [ROOM=ARCHIVE]...
"""
import os
import re
import subprocess
import sys

# A room may include itself, the rooms named here, and the foreign headers named here. Nothing else.
ROOMS = {
    "core/base":     ([], ["xxhash.h"]),
    "core/expr":     (["core/base"], ["pcre2.h"]),
    "core/model":    (["core/base", "core/expr"], []),
    "core/engine":   (["core/base", "core/expr", "core/model"], []),
    "core/codec":    (["core/base", "core/expr", "core/model"], []),
    "core/task":     (["core/base", "core/expr", "core/model", "core/engine", "core/codec"], []),
    "edge/sys":      (["core/base"], ["pthread.h"]),
    "edge/zones":    (["core/base", "core/expr", "edge/sys"], ["glib.h"]),
    "edge/formats":  (["core/base", "core/expr", "core/model", "core/codec", "edge/sys"], ["avro.h", "jansson.h", "snappy-c.h", "zlib.h", "zstd.h"]),
    "edge/config":   (["core/base", "core/expr", "core/model", "core/codec", "edge/sys", "edge/formats"],
                      ["libfyaml.h"]),
    "edge/registry": (["core/base", "core/expr", "core/model", "core/codec", "edge/sys", "edge/formats"],
                      ["curl/curl.h", "jansson.h"]),
    "edge/store":    (["core/base", "core/task", "edge/sys"], ["rocksdb/c.h"]),
    "edge/stream":   (["core/base", "core/expr", "core/model", "core/codec", "core/task", "edge/sys"],
                      ["librdkafka/rdkafka.h", "librdkafka/rdkafka_mock.h"]),
    "edge/replay":   (["core/base", "core/expr", "core/model", "core/engine", "core/codec", "core/task", "edge/sys",
                       "edge/formats"], []),
    "edge/ops":      (["core/base", "core/expr", "core/model", "core/codec", "core/task", "edge/sys"],
                      ["microhttpd.h", "gnutls/gnutls.h", "gnutls/x509.h"]),
}
# The one file of a core room that may name its foreign header.
ONLY_IN = {"xxhash.h": "core/base/hash.c", "pcre2.h": "core/expr/regex.c"}
PURE_C = {"assert", "ctype", "float", "inttypes", "limits", "math", "stdalign", "stdarg", "stdbool",
          "stddef", "stdint", "stdio", "stdlib", "string"}
# On the edge POSIX is for anyone, but a foreign library, and a thread, have one room.
FOREIGN = re.compile(r"^(librdkafka/|rocksdb/|avro|jansson|curl/|microhttpd|gnutls|libfyaml|glib|pcre2|xxhash|pthread)")
BANNED = (r"\b(strcpy|strcat|sprintf|vsprintf|gets|strtok|alloca|atoi|atof|strtod|rand|localtime|gmtime|setlocale|tolower"
          r"|toupper|rd_kafka_consumer_group_metadata_new|rd_kafka_consume_batch|rd_kafka_consume_batch_queue)\s*\(")
# What a core room may ask of libc: functions of their arguments alone, and exact ones: exp, log and pow
# are not the same on every processor (core/base/math.h).
PURE_SYMBOLS = re.compile(r"^(rf_\w+|mem(cpy|move|set|cmp|chr|rchr|mem)|str(len|nlen|cmp|ncmp|chr|ncpy|str)|v?snprintf"
                          r"|malloc|calloc|realloc|free|qsort|abort|fprintf|fputc|fwrite|fputs|putc|stderr|__stack_chk_fail"
                          r"|_GLOBAL_OFFSET_TABLE_|__tls_get_addr|__\w+_chk|__(a|t|ub)san_\w+|floor|ceil|trunc|round|rint|fabs|sqrt|fmod"
                          r"|pcre2_\w+_8)$")
LINES_MAX, FUNCTION_MAX = 800, 70
found = []


def complain(path, line, reason):
    found.append(f"{path}:{line}: {reason}")


def check_include(path, number, room, header):
    foreign = ROOMS[room][1]
    if header in foreign:
        if header in ONLY_IN and not path.endswith(ONLY_IN[header]):
            complain(path, number, f"<{header}> is for {ONLY_IN[header]} alone")
    elif room.startswith("core/") and header.removesuffix(".h") not in PURE_C:
        complain(path, number, f"{room} is pure: <{header}> is not for it")
    elif FOREIGN.match(header):
        complain(path, number, f"{room} may not use <{header}>")


def check_source(root, room, name):
    path = os.path.join(root, room, name)
    with open(path, encoding="utf-8") as file:
        lines = file.read().split("\n")
    rooms = ROOMS[room][0] if room in ROOMS else None
    if len(lines) > LINES_MAX:
        complain(path, len(lines), f"longer than {LINES_MAX} lines")
    start = 0
    for number, line in enumerate(lines, 1):
        if rooms is not None and (m := re.match(r'\s*#\s*include\s+"([^"]+)"', line)):
            target = os.path.dirname(m[1])
            if target != room and target not in rooms:
                complain(path, number, f"{room} may not look into {target or m[1]}")
        elif rooms is not None and (m := re.match(r"\s*#\s*include\s+<([^>]+)>", line)):
            check_include(path, number, room, m[1])
        if m := re.search(BANNED, line):
            complain(path, number, f"{m[1]} is banned")
        if line == "{":
            start = number
        elif line.startswith("}") and start:
            if number - start - 1 > FUNCTION_MAX:
                complain(path, start, f"function of {number - start - 1} lines, {FUNCTION_MAX} is the limit")
            start = 0


def check_symbols(objects):
    for room, archive in objects.items():
        own = set()
        asked = []
        for line in subprocess.run(["nm", "-A", archive], capture_output=True, text=True).stdout.splitlines():
            m = re.match(r"(\S+):\s*[0-9a-f]*\s+(\w)\s+(\S+)", line)
            if not m:
                continue
            where, kind, symbol = m.groups()
            if kind == "U":
                asked.append((where, symbol))
            elif kind in "TDBRC":
                own.add(symbol)
                if not symbol.startswith(("rf_", "__odr_asan", "__asan_")):
                    complain(where, 0, f"{symbol} is exported without rf_")
        if room.startswith("core/"):
            for where, symbol in asked:
                if symbol not in own and not PURE_SYMBOLS.match(symbol):
                    complain(where, 0, f"{room} is pure: it calls {symbol}")


def main():
    root = sys.argv[1]
    folders = list(ROOMS) + ["cli"]
    for level in ("core", "edge"):
        for room in sorted(os.listdir(os.path.join(root, level)) if os.path.isdir(os.path.join(root, level)) else []):
            if f"{level}/{room}" not in ROOMS:
                complain(os.path.join(root, level, room), 0, "a room that tidy.py does not know")
    for room in folders:
        if os.path.isdir(os.path.join(root, room)):
            for name in sorted(os.listdir(os.path.join(root, room))):
                if name.endswith((".c", ".h")):
                    check_source(root, room, name)
    check_symbols(dict(a.split("=", 1) for a in sys.argv[2:]))
    if found:
        print("\n".join(found))
    return 1 if found else 0


sys.exit(main())
