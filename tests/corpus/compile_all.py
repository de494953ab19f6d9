#!/usr/bin/env python3
"""Compiles every entry of manifest.json with the real KFP compiler, as `kfp dsl compile` would, but in one process.

    python compile_all.py OUTPUT_FOLDER [--manifest FILE] [--jobs N] [--only SUBSTRING] [--timeout SECONDS]

Run it with a Python that has `kfp` and `kfp-kubernetes`. The SDK is imported once, then each entry runs in a fork of its
own through the click command behind `kfp dsl compile`, so that modules of the same name, changed globals and crashes stay
apart. For an entry `a/b_pipeline.py` with the function `f` it writes, below OUTPUT_FOLDER:

    a/b_pipeline.f.yaml   what the compiler wrote      (`a/b_pipeline.yaml` for a null function)
    a/b_pipeline.f.out    what the entry printed to stdout
    a/b_pipeline.f.err    what it printed to stderr, with the error message if it failed

and `results.json`: a list of {"file", "function", "output", "code", "seconds"}, where `code` is the exit status, or minus
the signal number. Nothing else goes to stdout but one line per failure. The exit status is 1 if any entry failed.

Like the command line tool, it honours KFP_DISABLE_EXECUTION_CACHING_BY_DEFAULT of its own environment.
"""
import argparse
import json
import os
import pathlib
import signal
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:] = [entry for entry in sys.path if pathlib.Path(entry or ".").resolve() != HERE]
sys.dont_write_bytecode = True

from kfp import dsl  # noqa: E402
import kfp.kubernetes  # noqa: E402, F401  imported once here rather than in every fork
from kfp.cli.compile_ import compile_  # noqa: E402
from kfp.compiler import Compiler  # noqa: E402


def warm_up(folder: pathlib.Path):
    """Loads what the first compilation of a process loads lazily."""

    @dsl.component(base_image="python:3.11-slim")
    def nothing():
        pass

    @dsl.pipeline(name="warm-up")
    def pipeline():
        nothing()

    target = folder / f".warm-up-{os.getpid()}.yaml"
    Compiler().compile(pipeline, str(target))
    target.unlink()


def run_entry(source: pathlib.Path, function, target: pathlib.Path) -> int:
    """The child's part: the same steps as `kfp dsl compile --py source --output target`."""
    for descriptor, name in ((1, "out"), (2, "err")):
        file = os.open(target.with_suffix(f".{name}"), os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
        os.dup2(file, descriptor)
        os.close(file)
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 0)
    sys.argv = ["kfp", "dsl", "compile", "--py", str(source), "--output", str(target)]
    if function is not None:
        sys.argv += ["--function", function]
    try:
        compile_.main(args=sys.argv[3:], prog_name="kfp dsl compile", standalone_mode=False)
        code = 0
    except SystemExit as error:
        code = error.code if isinstance(error.code, int) else int(error.code is not None)
    except BaseException as error:  # the command line tool prints the message and no traceback
        print(error, file=sys.stderr)
        code = 1
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError):
            pass
    return code


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("output", type=pathlib.Path)
    parser.add_argument("--manifest", type=pathlib.Path, default=HERE / "manifest.json")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--only", default="", help="entries whose path contains this")
    parser.add_argument("--timeout", type=float, default=60)
    options = parser.parse_args()
    root, output = options.manifest.resolve().parent, options.output.resolve()
    queue = [
        (entry["file"], function)
        for entry in json.loads(options.manifest.read_text(encoding="utf-8"))
        for function in entry["functions"]
        if options.only in entry["file"]
    ][::-1]
    output.mkdir(parents=True, exist_ok=True)
    warm_up(output)
    running, results = {}, []
    while queue or running:
        while queue and len(running) < options.jobs:
            file, function = queue.pop()
            name = file.removesuffix(".py") + (f".{function}" if function else "") + ".yaml"
            target = output / name
            target.parent.mkdir(parents=True, exist_ok=True)
            target.unlink(missing_ok=True)
            child = os.fork()
            if child == 0:
                code = 70
                try:
                    code = run_entry(root / file, function, target)
                finally:
                    os._exit(code)
            running[child] = (file, function, name, time.monotonic())
        finished, status = os.waitpid(-1, os.WNOHANG)
        if not finished:
            for child, (*_, started) in running.items():
                if time.monotonic() - started > options.timeout:
                    os.kill(child, signal.SIGKILL)
            time.sleep(0.002)
            continue
        file, function, name, started = running.pop(finished)
        code = os.waitstatus_to_exitcode(status)
        results.append({"file": file, "function": function, "output": name, "code": code,
                        "seconds": round(time.monotonic() - started, 3)})
        if code:
            message = (output / name).with_suffix(".err").read_text(errors="replace").strip().splitlines()
            print(f"{file} {function or ''}: {code} {message[-1] if message else ''}")
    results.sort(key=lambda result: result["output"])
    (output / "results.json").write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    return int(any(result["code"] for result in results))


if __name__ == "__main__":
    sys.exit(main())
