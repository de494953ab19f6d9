"""vLLM inference parameter tuning: which engine arguments serve a model fastest on the GPU at hand.

Each candidate starts a vLLM server, a load generator sends it prompts with Poisson arrivals at several rates, and the one
with the most tokens per second within the latency goals wins. The winner is published for the serving deployment only
when it beats the arguments in use.
"""
from typing import List, NamedTuple

from kfp import dsl
from kfp import kubernetes
from kfp.dsl import Dataset, HTML, Input, Markdown, Metrics, Output
from shared_components import PYTHON_IMAGE, use_gpu, use_s3

VLLM_IMAGE = "vllm/vllm-openai:v0.6.6.post1"
BOTO3 = "boto3==1.35.99"
ACCELERATOR = "NVIDIA-L40S"  # the numbers hold for this GPU only


@dsl.component(base_image=PYTHON_IMAGE)
def plan_trials(grid: dict, baseline: dict, max_trials: int, seed: int) -> List[dict]:
    """Draws trials from the grid: the baseline first, then a random sample without repetition.

    Args:
        grid: Engine argument to the values to try.
        baseline: The arguments in use.
        max_trials: How many trials there may be, with the baseline.
        seed: Decides the sample.

    Returns:
        A dictionary of `name` and `args` per trial.
    """
    import itertools
    import random

    combinations = [dict(zip(grid, values)) for values in itertools.product(*grid.values())]
    combinations = [args for args in combinations if {**baseline, **args} != baseline]
    random.Random(seed).shuffle(combinations)
    chosen = [baseline] + [{**baseline, **args} for args in combinations[:max_trials - 1]]
    return [{"name": "baseline" if i == 0 else f"trial-{i:02}", "args": args} for i, args in enumerate(chosen)]


@dsl.component(base_image=PYTHON_IMAGE, packages_to_install=[BOTO3])
def sample_prompts(bucket: str, key: str, count: int, seed: int, prompts: Output[Dataset]):
    """Takes a sample of logged requests, so that the load has the real mix of lengths.

    Args:
        bucket: Bucket of the logs.
        key: JSON lines with `prompt` and `output_tokens`.
        count: How many requests to take.
        seed: Decides which.
        prompts: The sample.
    """
    import json
    import random

    import boto3

    rng, kept = random.Random(seed), []
    for seen, line in enumerate(boto3.client("s3").get_object(Bucket=bucket, Key=key)["Body"].iter_lines()):
        record = json.loads(line)
        request = {"prompt": record["prompt"], "max_tokens": min(max(int(record["output_tokens"]), 8), 1024)}
        if len(kept) < count:  # reservoir sampling: the log may be larger than memory
            kept.append(request)
        elif (slot := rng.randint(0, seen)) < count:
            kept[slot] = request
    if not kept:
        raise RuntimeError(f"s3://{bucket}/{key} is empty")
    rng.shuffle(kept)
    with open(prompts.path, "w", encoding="utf-8") as out:
        out.writelines(json.dumps(request) + "\n" for request in kept)


@dsl.component(base_image=VLLM_IMAGE)
def benchmark(
    trial: dict,
    model: str,
    prompts: Input[Dataset],
    request_rates: List[float],
    seconds_per_rate: int,
    results: Output[Dataset],
    metrics: Output[Metrics],
):
    """Serves the model with one set of arguments and measures it at each request rate.

    Args:
        trial: `name` and `args` of the trial.
        model: Hugging Face model.
        prompts: JSON lines with `prompt` and `max_tokens`.
        request_rates: Requests per second to try, rising.
        seconds_per_rate: How long each rate lasts.
        results: JSON with a row per rate, or the error if the engine did not start.
        metrics: Best throughput of the trial.
    """
    import asyncio
    import itertools
    import json
    import random
    import subprocess
    import sys
    import time
    import urllib.request

    import aiohttp
    import numpy as np

    flags = []
    for name, value in trial["args"].items():
        flag = "--" + name.replace("_", "-")
        if isinstance(value, bool):
            flags += [flag] if value else []
        else:  # a whole number comes back from the backend as a float
            flags += [flag, str(int(value) if isinstance(value, float) and value.is_integer() else value)]
    command = [sys.executable, "-m", "vllm.entrypoints.openai.api_server", "--model", model, "--port", "8000",
               "--disable-log-requests", *flags]
    print("running", " ".join(command), flush=True)
    outcome = {"name": trial["name"], "args": trial["args"], "rates": [], "error": None}
    server = subprocess.Popen(command)

    def wait_until_ready():
        deadline = time.monotonic() + 1200
        while time.monotonic() < deadline:
            if server.poll() is not None:
                raise RuntimeError(f"vLLM ended with {server.returncode}")
            try:
                urllib.request.urlopen("http://localhost:8000/health", timeout=5).close()
                return
            except OSError:
                time.sleep(3)
        raise RuntimeError("vLLM was not ready after 20 minutes")

    async def one(session, request, rows):
        started, first, tokens = time.perf_counter(), None, 0
        payload = {"model": model, "stream": True, "ignore_eos": True, "temperature": 0.0, **request,
                   "stream_options": {"include_usage": True}}
        async with session.post("http://localhost:8000/v1/completions", json=payload) as response:
            response.raise_for_status()
            async for line in response.content:
                if not line.startswith(b"data: ") or line.startswith(b"data: [DONE]"):
                    continue
                first = first or time.perf_counter()
                usage = json.loads(line[6:]).get("usage")
                tokens = usage["completion_tokens"] if usage else tokens
        ended = time.perf_counter()
        rows.append((first - started, (ended - first) / max(tokens - 1, 1), tokens))

    async def load(rate, requests):
        rng, rows, tasks = random.Random(7), [], []
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=600)) as session:
            started = time.perf_counter()
            while time.perf_counter() - started < seconds_per_rate:
                tasks.append(asyncio.create_task(one(session, next(requests), rows)))
                await asyncio.sleep(rng.expovariate(rate))
            failed = sum(isinstance(r, BaseException) for r in await asyncio.gather(*tasks, return_exceptions=True))
            elapsed = time.perf_counter() - started
        ttft, tpot, tokens = (np.array(column) for column in zip(*rows)) if rows else (np.array([np.inf]),) * 3
        return {
            "rate": rate,
            "requests": len(tasks),
            "failed": failed,
            "tokens_per_second": float(tokens.sum() / elapsed) if rows else 0.0,
            "ttft_p95_ms": float(np.percentile(ttft, 95) * 1000) if rows else None,
            "tpot_p95_ms": float(np.percentile(tpot, 95) * 1000) if rows else None,
        }

    try:
        wait_until_ready()
        with open(prompts.path, encoding="utf-8") as source:
            requests = itertools.cycle([json.loads(line) for line in source])
        asyncio.run(load(2.0, requests))  # warm up: CUDA graphs, prefix cache
        for rate in request_rates:
            outcome["rates"].append(asyncio.run(load(rate, requests)))
            print(outcome["rates"][-1], flush=True)
    except Exception as error:  # an argument that does not fit in memory is a result, not a failure
        outcome["error"] = f"{type(error).__name__}: {error}"
    finally:
        server.terminate()
        try:
            server.wait(60)
        except subprocess.TimeoutExpired:
            server.kill()
    with open(results.path, "w", encoding="utf-8") as out:
        json.dump(outcome, out)
    metrics.log_metric("tokens_per_second", max((r["tokens_per_second"] for r in outcome["rates"]), default=0.0))


@dsl.component(base_image=PYTHON_IMAGE, packages_to_install=["plotly==5.24.1"])
def choose(
    results: Input[List[Dataset]],
    max_ttft_ms: float,
    max_tpot_ms: float,
    report: Output[Markdown],
    chart: Output[HTML],
) -> NamedTuple("Choice", [("name", str), ("args", dict), ("gain", float)]):
    """Takes the trial with the most tokens per second at a rate where the latency goals hold.

    Args:
        results: What `benchmark` measured, per trial.
        max_ttft_ms: Goal for the 95th percentile of the time to the first token.
        max_tpot_ms: Goal for the 95th percentile of the time per further token.
        report: All trials, best first.
        chart: Throughput against time to the first token.
    """
    import json
    from collections import namedtuple

    import plotly.graph_objects as go

    trials = []
    for artifact in results:
        with open(artifact.path, encoding="utf-8") as source:
            trials.append(json.load(source))
    for trial in trials:
        within = [
            rate["tokens_per_second"]
            for rate in trial["rates"]
            if not rate["failed"] and rate["ttft_p95_ms"] <= max_ttft_ms and rate["tpot_p95_ms"] <= max_tpot_ms
        ]
        trial["goodput"] = max(within, default=0.0)
    trials.sort(key=lambda trial: -trial["goodput"])
    best = trials[0]
    baseline = next(trial for trial in trials if trial["name"] == "baseline")
    gain = best["goodput"] / baseline["goodput"] - 1 if baseline["goodput"] else float(best["goodput"] > 0)

    with open(report.path, "w", encoding="utf-8") as out:
        out.write(f"# {best['name']}: {gain:+.1%} against the baseline\n\n")
        out.write("| Trial | Tokens/s within the goals | Arguments | |\n|---|---:|---|---|\n")
        for trial in trials:
            args = ", ".join(f"{name}={value}" for name, value in trial["args"].items())
            out.write(f"| {trial['name']} | {trial['goodput']:.0f} | {args} | {trial['error'] or ''} |\n")
    figure = go.Figure()
    for trial in trials:
        measured = [rate for rate in trial["rates"] if rate["ttft_p95_ms"] is not None]
        figure.add_scatter(x=[rate["tokens_per_second"] for rate in measured],
                           y=[rate["ttft_p95_ms"] for rate in measured],
                           mode="lines+markers", name=trial["name"])
    figure.add_hline(y=max_ttft_ms, line_dash="dash")
    figure.update_layout(xaxis_title="tokens per second", yaxis_title="time to first token, p95 (ms)")
    figure.write_html(chart.path, include_plotlyjs="cdn")
    return namedtuple("Choice", ["name", "args", "gain"])(best["name"], best["args"], gain)


@dsl.component(base_image=PYTHON_IMAGE, packages_to_install=[BOTO3])
def publish_arguments(model: str, accelerator: str, args: dict, gain: float, bucket: str, key: str) -> str:
    """Writes the winning arguments where the serving deployment reads them at its next rollout.

    Args:
        model: Hugging Face model.
        accelerator: GPU that they were measured on.
        args: Engine arguments.
        gain: Gain against the baseline.
        bucket: Bucket of the serving configuration.
        key: Key of the configuration.

    Returns:
        Its address.
    """
    import json

    import boto3

    body = {"model": model, "accelerator": accelerator, "engine_args": args, "measured_gain": round(gain, 4)}
    boto3.client("s3").put_object(
        Bucket=bucket, Key=key, Body=json.dumps(body, indent=2).encode(), ContentType="application/json")
    return f"s3://{bucket}/{key}"


@dsl.pipeline(name="vllm-tuning", description="Finds the vLLM engine arguments with the most throughput in the goals.")
def vllm_tuning(
    model: str = "Qwen/Qwen2.5-7B-Instruct",
    grid: dict = {
        "max_num_seqs": [64, 128, 256],
        "max_num_batched_tokens": [2048, 4096, 8192],
        "gpu_memory_utilization": [0.85, 0.92],
        "enable_chunked_prefill": [True, False],
        "enable_prefix_caching": [True, False],
        "kv_cache_dtype": ["auto", "fp8"],
    },
    baseline: dict = {"max_model_len": 8192, "max_num_seqs": 256, "gpu_memory_utilization": 0.9},
    max_trials: int = 16,
    request_rates: List[float] = [1.0, 2.0, 4.0, 8.0, 16.0],
    seconds_per_rate: int = 90,
    prompt_bucket: str = "observability",
    prompt_key: str = "llm-requests/sample.jsonl",
    prompt_count: int = 2000,
    max_ttft_ms: float = 800.0,
    max_tpot_ms: float = 60.0,
    min_gain: float = 0.05,
    seed: int = 11,
    config_bucket: str = "serving",
    config_key: str = "vllm/qwen2.5-7b-instruct.json",
):
    trials = plan_trials(grid=grid, baseline=baseline, max_trials=max_trials, seed=seed)
    prompts = use_s3(sample_prompts(bucket=prompt_bucket, key=prompt_key, count=prompt_count, seed=seed))
    with dsl.ParallelFor(trials.output, name="trials", parallelism=1) as trial:
        measured = benchmark(
            trial=trial,
            model=model,
            prompts=prompts.outputs["prompts"],
            request_rates=request_rates,
            seconds_per_rate=seconds_per_rate,
        )
        use_gpu(measured, cpu="8", memory="48Gi", shm="16Gi").set_retry(1, backoff_duration="120s")
        kubernetes.add_node_selector(measured, "nvidia.com/gpu.product", ACCELERATOR)
        kubernetes.use_secret_as_env(measured, "huggingface", {"token": "HF_TOKEN"}, optional=True)
        kubernetes.mount_pvc(measured, pvc_name="huggingface-cache", mount_path="/root/.cache/huggingface")
        kubernetes.set_timeout(measured, 2 * 3600)
        # measured afresh every time: drivers and nodes change, and a cached latency says nothing
        measured.set_caching_options(False)
    best = choose(
        results=dsl.Collected(measured.outputs["results"]), max_ttft_ms=max_ttft_ms, max_tpot_ms=max_tpot_ms)
    with dsl.If(best.outputs["gain"] >= min_gain, name="faster"):
        use_s3(publish_arguments(
            model=model,
            accelerator=ACCELERATOR,
            args=best.outputs["args"],
            gain=best.outputs["gain"],
            bucket=config_bucket,
            key=config_key,
        )).set_retry(2)
