#!/bin/sh
# Compares the names in docs/python.md with what Python 3.13's modules list in __all__. PYTHON names the interpreter.
set -eu
cd "$(dirname "$0")/.."
exec "${PYTHON:-python3.13}" - <<'END'
import importlib, re, sys

if sys.version_info[:2] != (3, 13):
    sys.exit("python-names: this is Python %d.%d, and the page is about 3.13" % sys.version_info[:2])
page, bad = open("docs/python.md").read(), False
for name in "threading", "queue", "multiprocessing", "concurrent.futures", "asyncio":
    section = page.split("\n## %s\n" % name)[1].split("\n## ")[0]
    have = set(re.findall(r"^\| `([^`]+)`", section, re.M))
    want = set(importlib.import_module(name).__all__)
    print("%-20s %3d names" % (name, len(want)))
    for what, names in ("missing", want - have), ("not Python's", have - want):
        for n in sorted(names):
            print("python-names: %s.%s is %s" % (name, n, what))
            bad = True
sys.exit(bad)
END
