#!/usr/bin/env python3
"""Times whole commands against what they replace, in the same run on the same machine, and prints a table.

Usage: python3 benches/figures.py [--binary target/release/kfp-gitops] [--python PYTHON_WITH_KFP] [--quick]

Without --python a virtual environment with kfp is made under `target/figures`. What is replaced is the usual
workflow: `kfp dsl compile` for each file, and the Python client for uploads.
"""
import argparse
import http.server
import json
import os
import pathlib
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
KFP = "2.17.0"

PIPELINE = '''from kfp import dsl


@dsl.component(base_image="python:3.11-slim", packages_to_install=["pandas==2.2.3"])
def load_{n}(rows: int) -> str:
    return str(rows * {n})


@dsl.component(base_image="python:3.11-slim")
def train_{n}(data: str, epochs: int = 3) -> float:
    return len(data) / epochs


@dsl.pipeline(name="bench-{n}")
def bench_{n}(rows: int = {n}, threshold: float = 0.5):
    loaded = load_{n}(rows=rows)
    with dsl.ParallelFor(items=[1, 2, 3]) as epochs:
        train_{n}(data=loaded.output, epochs=epochs)
'''


def environment(cache):
    keep = {name: value for name, value in os.environ.items() if not name.startswith(("KFP_", "KF_", "GITHUB_", "GITEA_", "CI"))}
    return {**keep, "XDG_CACHE_HOME": str(cache), "KFP_GITOPS_COLOR": "never"}


def timed(command, cwd, env, runs=1, before=None, ok=(0,)):
    """Median wall seconds of whole processes."""
    seconds = []
    for _ in range(runs):
        if before:
            before()
        start = time.perf_counter()
        done = subprocess.run(command, cwd=cwd, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        seconds.append(time.perf_counter() - start)
        if done.returncode not in ok:
            sys.exit(f"{command} ended with {done.returncode}:\n{done.stdout.decode()[-3000:]}")
    return statistics.median(seconds)


def in_turn(one, other, cwd, env, runs):
    """Medians of two commands that are run in turn, so that a machine that gets slower slows both."""
    seconds = [], []
    for _ in range(runs):
        for command, taken in zip((one, other), seconds):
            taken.append(timed(command, cwd, env))
    return statistics.median(seconds[0]), statistics.median(seconds[1])


def rss(pid):
    with open(f"/proc/{pid}/status") as status:
        for line in status:
            if line.startswith("VmRSS:"):
                return int(line.split()[1])
    return 0


def pss(pid):
    with open(f"/proc/{pid}/smaps_rollup") as rollup:
        for line in rollup:
            if line.startswith("Pss:"):
                return int(line.split()[1])
    return 0


def descendants(pid):
    found, waiting = [], [pid]
    while waiting:
        parent = waiting.pop()
        try:
            for task in os.listdir(f"/proc/{parent}/task"):
                with open(f"/proc/{parent}/task/{task}/children") as children:
                    for child in map(int, children.read().split()):
                        found.append(child)
                        waiting.append(child)
        except OSError:
            continue
    return found


def memory(command, cwd, env):
    """Peak megabytes: resident memory of the program, and proportional memory of all it started."""
    process = subprocess.Popen(command, cwd=cwd, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    peak = {"program": 0, "python": 0}
    done = threading.Event()

    def sample():
        while not done.is_set():
            try:
                peak["program"] = max(peak["program"], rss(process.pid))
                total = 0
                for child in descendants(process.pid):
                    try:
                        total += pss(child)
                    except OSError:
                        pass
                peak["python"] = max(peak["python"], total)
            except OSError:
                pass
            time.sleep(0.02)

    sampler = threading.Thread(target=sample)
    sampler.start()
    process.wait()
    done.set()
    sampler.join()
    return peak["program"] / 1024, peak["python"] / 1024


def with_kfp(work):
    venv = work / f"kfp-{KFP}"
    python = venv / "bin" / "python"
    if not (venv / ".complete").exists():
        subprocess.run([sys.executable, "-m", "venv", "--clear", venv], check=True)
        subprocess.run([python, "-m", "pip", "-q", "install", f"kfp=={KFP}", f"kfp-kubernetes=={KFP}"], check=True)
        (venv / ".complete").touch()
    return python


def write(folder, count):
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(1, count + 1):
        (folder / f"bench_{number:04}_pipeline.py").write_text(PIPELINE.format(n=number))
    return folder


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--binary", default=str(ROOT / "target" / "release" / "kfp-gitops"))
    parser.add_argument("--python")
    parser.add_argument("--quick", action="store_true", help="fewer pipelines, for a first look")
    options = parser.parse_args()
    binary = str(pathlib.Path(options.binary).resolve())
    work = ROOT / "target" / "figures"
    work.mkdir(parents=True, exist_ok=True)
    python = pathlib.Path(options.python) if options.python else with_kfp(work)
    compile_one = [str(python), "-c", "from kfp.cli.__main__ import main; main()", "dsl", "compile"]
    env = environment(work / "cache")
    hundred, many, sample = (20, 200, 5) if options.quick else (100, 1000, 20)
    rows = []

    def row(what, ours, theirs, bar):
        rows.append((what, ours, theirs, bar))
        print(f"{what}: {ours} against {theirs} ({bar})", file=sys.stderr)

    with tempfile.TemporaryDirectory() as scratch:
        scratch = pathlib.Path(scratch)
        ready = ["--python", str(python), "--kfp-version", KFP]
        one = write(scratch / "one", 1)
        source = one / "bench_0001_pipeline.py"
        ours, theirs = in_turn([binary, "compile", "--no-cache", *ready, "-o", str(scratch / "o1")],
                               [*compile_one, "--py", str(source), "--output", str(scratch / "o.yaml")], one, env, 11)
        row("one pipeline, kfp ready", f"{ours:.2f} s", f"{theirs:.2f} s", f"{theirs / ours:.1f} times, bar 3")

        folder = write(scratch / "hundred", hundred)
        files = sorted(folder.glob("*.py"))
        start = time.perf_counter()
        for file in files[:sample]:
            timed([*compile_one, "--py", str(file), "--output", str(scratch / "o.yaml")], folder, env)
        theirs = (time.perf_counter() - start) / sample * hundred
        ours = timed([binary, "compile", "--no-cache", *ready, "-o", str(scratch / "o2")], folder, env, runs=11)
        row(f"{hundred} pipelines against a loop of `kfp dsl compile`", f"{ours:.2f} s",
            f"{theirs:.1f} s ({sample} files timed)", f"{theirs / ours:.0f} times, bar 50")

        full, bare = in_turn([binary, "compile", "--no-cache", *ready, "-o", str(scratch / "o2")],
                             [binary, "compile", "--no-cache", "--sandbox", "off", *ready, "-o", str(scratch / "o2")], folder, env, 15)
        row(f"the sandbox, {hundred} pipelines", f"{full:.2f} s", f"{bare:.2f} s without", f"{(full / bare - 1) * 100:+.0f} %, bar 5 %")

        crowd = write(scratch / "many", many)
        plenty = timed([binary, "compile", "--no-cache", *ready, "-o", str(scratch / "o3")], crowd, env)
        row(f"{many} pipelines", f"{plenty:.2f} s", f"{ours * many / hundred:.2f} s would be linear",
            f"{plenty / (ours * many / hundred):.2f} of linear")
        program, children = memory([binary, "compile", "--no-cache", *ready, "-o", str(scratch / "o4")], crowd, env)
        row(f"memory at {many} pipelines", f"program {program:.0f} MB, Python {children:.0f} MB", "-", "bars 80 MB; import base and 40 MB per child")
        timed([binary, "apply", *ready], crowd, env)
        again = timed([binary, "apply", *ready], crowd, env, runs=3)
        row(f"{many} pipelines, nothing changed, cache warm", f"{again:.2f} s", "-", "bar 0.5 s")

        examples = scratch / "examples"
        shutil.copytree(ROOT / "examples", examples, ignore=shutil.ignore_patterns("__pycache__", ".kfp-gitops"))
        first = timed([binary, "apply", "--no-cache", *ready], examples, env)
        second = timed([binary, "apply", "--no-cache", *ready], examples, env, runs=5)
        warm = timed([binary, "apply", *ready], examples, env, runs=5)
        row("six examples, first apply, embedded registry", f"{first:.2f} s", "-", "-")
        row("six examples, second apply without cache", f"{second:.2f} s", "-", "bar 1 s")
        row("six examples, second apply, cache warm", f"{warm:.2f} s", "-", "-")

        reading(binary, scratch, ready, env, row, 60 if options.quick else 300)
        telling(binary, examples, ready, env, row)
        if not options.quick:
            fresh_job(binary, scratch, env, python, row)
    version = timed([binary, "version"], ROOT, env, runs=21)
    row("`kfp-gitops version`", f"{version * 1000:.1f} ms", "-", "bar 5 ms")
    row("release binary", f"{os.path.getsize(binary) / 1e6:.1f} MB", "-", "bar 12 MB")

    print(f"\nMeasured on {platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}, kfp {KFP}:\n")
    print("| what | kfp-gitops | what it replaces | ratio |\n|---|---|---|---|")
    for what, ours, theirs, bar in rows:
        print(f"| {what} | {ours} | {theirs} | {bar} |")
    (work / "figures.json").write_text(json.dumps(rows, indent=1))


class Served:
    """A registry of its own on a port of its own, so that everybody starts with an empty one."""

    def __init__(self, binary, folder, env):
        self.process = subprocess.Popen([binary, "serve", "--listen", "127.0.0.1:0", "--data", str(folder)], env=env,
                                        cwd=folder.parent, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        self.endpoint = self.process.stdout.readline().strip()

    def __enter__(self):
        return self.endpoint

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait()


OLD_LOOP = """for file in *_pipeline.py; do
  {bin}/kfp dsl compile --py "$file" --output "{scratch}/$file.yaml"
  {bin}/python -c "import sys; from kfp.client import Client; \\
Client(host=sys.argv[1]).upload_pipeline(sys.argv[2], pipeline_name=sys.argv[3])" {endpoint} "{scratch}/$file.yaml" "${{file%.py}}"
done
"""


def fresh_job(binary, scratch, env, python, row):
    """Jobs that start with empty caches and deploy six examples: everything is fetched, or kfp is installed."""
    examples = scratch / "fresh"
    shutil.copytree(ROOT / "examples", examples, ignore=shutil.ignore_patterns("__pycache__", ".kfp-gitops"))
    env = {**env, "NO_PROXY": "*"}

    def old(name, before, bin_folder):
        with Served(binary, scratch / f"served-{name}", env) as endpoint:
            script = scratch / f"{name}.sh"
            script.write_text("set -e\n" + before + OLD_LOOP.format(bin=bin_folder, scratch=scratch, endpoint=endpoint))
            return timed(["sh", str(script)], examples, {**env, "HOME": str(scratch)})

    def new(name, extra, *arguments):
        cache = scratch / f"cache-{name}"
        fresh = {**env, "XDG_CACHE_HOME": str(cache), "UV_NO_CACHE": "1", "PIP_NO_CACHE_DIR": "1", **extra}
        with Served(binary, scratch / f"served-{name}", env) as endpoint:
            return timed([binary, "apply", "--endpoint", endpoint, "--kfp-version", KFP, *arguments], examples, fresh)

    install = (f"python3 -m venv {scratch}/venv\n"
               f"{scratch}/venv/bin/pip -q install --no-cache-dir kfp=={KFP} kfp-kubernetes=={KFP}\n")
    theirs = statistics.median(old(f"old-{number}", f"rm -rf {scratch}/venv\n" + install, scratch / "venv/bin")
                               for number in range(2))
    for name, extra, bar in [("uv", {}, 12), ("pip", {"PATH": path_without_uv(scratch)}, 6)]:
        if name == "uv" and not shutil.which("uv"):
            continue
        ours = statistics.median(new(f"{name}-{number}", extra) for number in range(3))
        row(f"fresh job with empty caches, six examples, with {name}", f"{ours:.1f} s", f"{theirs:.1f} s",
            f"{theirs / ours:.1f} times, bar {bar}")
    theirs = old("old-installed", "", python.parent)
    ours = statistics.median(new(f"installed-{number}", {}, "--python", str(python)) for number in range(3))
    row("fresh job with empty caches, six examples, kfp installed", f"{ours:.2f} s", f"{theirs:.1f} s",
        f"{theirs / ours:.0f} times, bar 20")


MANY_TASKS = """from kfp import dsl


@dsl.component(base_image="python:3.11-slim")
def step(text: str, number: int) -> str:
    return text * number


@dsl.pipeline(name="many-tasks")
def many_tasks(text: str = "a"):
    last = text
    for number in range(500):
        task = step(text=last, number=number{edit})
        last = task.output if number % 5 else text
"""


def reading(binary, scratch, ready, env, row, count):
    """What the plan costs where there is much to read."""
    folder = scratch / "diff"
    for name, edit in (("before", ""), ("after", " + (number == 250)")):
        (folder / name).mkdir(parents=True)
        (folder / name / "many_pipeline.py").write_text(MANY_TASKS.format(edit=edit))
        timed([binary, "compile", *ready, "-o", "."], folder / name, env)
    both = [str(folder / name / "many_pipeline.yaml") for name in ("before", "after")]
    same = timed([binary, "diff", both[0], both[0]], folder, env, runs=11)
    ours = timed([binary, "diff", *both], folder, env, runs=11)
    row("`diff` of two files of 500 tasks, whole command", f"{ours * 1000:.0f} ms", f"{same * 1000:.0f} ms for equal files", "bar 20 ms beyond reading")
    crowd = write(scratch / "page", count)
    page = scratch / "page.html"
    plain = timed([binary, "plan", *ready], crowd, env)
    plain = timed([binary, "plan", *ready], crowd, env, runs=3)
    ours = timed([binary, "plan", *ready, "--html", str(page)], crowd, env, runs=3)
    row(f"the page of {count} new pipelines", f"{(ours - plain) * 1000:.0f} ms", "-", f"{page.stat().st_size / 1e6:.1f} MB, bars 2 s and 10 MB")


class Forge(http.server.BaseHTTPRequestHandler):
    """Answers as a forge, an ntfy server and a webhook would, each call after a while."""

    def answer(self):
        time.sleep(0.2)
        self.rfile.read(int(self.headers.get("content-length") or 0))
        found = [] if self.command == "GET" and "version" not in self.path else {"id": 1, "version": "1.25.0"}
        body = json.dumps(found).encode()
        self.send_response(200 if self.command == "GET" else 201)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_POST = do_PATCH = answer

    def log_message(self, *_):
        pass


def telling(binary, folder, ready, env, row):
    """What it adds to tell a forge, ntfy and a webhook that each answer after 200 ms."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Forge)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    url = f"http://127.0.0.1:{server.server_port}"
    event = folder.parent / "event.json"
    event.write_text(json.dumps({
        "pull_request": {"number": 7, "head": {"sha": "0" * 40, "repo": {"full_name": "ml/p"}}, "base": {"ref": "main", "repo": {"full_name": "ml/p"}}},
        "repository": {"full_name": "ml/p", "default_branch": "main"},
    }))
    job = {
        **env, "CI": "true", "GITEA_ACTIONS": "true", "GITHUB_ACTIONS": "true", "GITHUB_EVENT_NAME": "pull_request",
        "GITHUB_EVENT_PATH": str(event), "GITHUB_REPOSITORY": "ml/p", "GITHUB_SERVER_URL": url,
        "GITHUB_API_URL": f"{url}/api/v1", "GITHUB_SHA": "0" * 40, "GITHUB_RUN_ID": "5", "KFP_GITOPS_FORGE_TOKEN": "figures-token",
        "KFP_GITOPS_NTFY_URL": f"{url}/topic", "KFP_GITOPS_WEBHOOK_URL": f"{url}/hook", "NO_PROXY": "*",
    }
    command = [binary, "plan", "--endpoint", "embedded", "--registry", str(folder.parent / "told"), "--force", *ready]
    told = timed(command, folder, job, runs=5)
    quiet = {name: value for name, value in job.items() if "NTFY" not in name and "WEBHOOK" not in name and "TOKEN" not in name}
    alone = timed(command, folder, {**quiet, "CI": "", "GITEA_ACTIONS": "", "GITHUB_ACTIONS": ""}, runs=5)
    server.shutdown()
    row("telling a forge, ntfy and a webhook that answer after 200 ms each", f"{(told - alone) * 1000:.0f} ms more", "-",
        "comment: listed, then written; bar 300 ms beyond its answers")


def path_without_uv(scratch):
    """A PATH on which `uv` is not found and everything else is."""
    folder = scratch / "bin"
    folder.mkdir(exist_ok=True)
    for directory in os.environ["PATH"].split(os.pathsep):
        if os.path.isdir(directory):
            for name in os.listdir(directory):
                if name not in ("uv", "uvx") and not (folder / name).exists():
                    try:
                        (folder / name).symlink_to(os.path.join(directory, name))
                    except OSError:
                        pass
    return str(folder)


if __name__ == "__main__":
    main()
