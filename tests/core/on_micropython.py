"""Run test functions of one module under MicroPython: on_micropython.py MODULE NAME...; a JSON line for each.

MICROPYPATH tells where the module and its imports are. What a test prints goes out as it is; the lines of
results begin with "@@" to be told from it.
"""

import io
import json
import sys


def run(module: str, names: list):
    """Import `module` and run its functions `names` in that order."""
    try:
        functions = __import__(module)
    except Exception as error:  # whatever it raises is its result
        for name in names:
            report(name, error)
        return
    for name in names:
        try:
            getattr(functions, name)()
            report(name, None)
        except Exception as error:
            report(name, error)


def report(name: str, error):
    """Print the result of one test."""
    text = ""
    if error is not None:
        buffer = io.StringIO()
        sys.print_exception(error, buffer)
        text = buffer.getvalue()
    print("@@" + json.dumps({"name": name, "error": text}))


run(sys.argv[1], sys.argv[2:])
