"""Components and task helpers that several pipelines in this folder share.

The file name does not match `*_pipeline.py`, so it is not a pipeline itself. Pipelines use it as a sibling module::

    import shared_components as shared            # also brings the `read_pdfs` sub-pipeline
    from shared_components import notify, use_s3  # components and helpers only

Import the module, rather than the name, to call `read_pdfs`: `kfp dsl compile` counts every pipeline object it finds
among the names of a file, and expects exactly one.
"""
from typing import List

from kfp import dsl
from kfp import kubernetes
from kfp.dsl import Dataset, Input, Output

PYTHON_IMAGE = "python:3.11.11-slim-bookworm"
TORCH_IMAGE = "pytorch/pytorch:2.5.1-cuda12.4-cudnn9-runtime"

S3_ENDPOINT = "http://minio.storage.svc.cluster.local:9000"
S3_SECRET = "s3-credentials"


def use_s3(task: dsl.PipelineTask) -> dsl.PipelineTask:
    """Gives a task the object store's address and keys; `boto3.client("s3")` needs no arguments then."""
    task.set_env_variable("AWS_ENDPOINT_URL_S3", S3_ENDPOINT)
    task.set_env_variable("AWS_DEFAULT_REGION", "us-east-1")
    return kubernetes.use_secret_as_env(
        task,
        secret_name=S3_SECRET,
        secret_key_to_env={
            "accesskey": "AWS_ACCESS_KEY_ID",
            "secretkey": "AWS_SECRET_ACCESS_KEY",
        },
    )


def use_gpu(task: dsl.PipelineTask, *, cpu: str, memory: str, shm: str = "8Gi") -> dsl.PipelineTask:
    """One NVIDIA GPU on a tainted GPU node, with the shared memory that PyTorch's data loaders need."""
    task.set_accelerator_type("nvidia.com/gpu").set_accelerator_limit(1)
    task.set_cpu_request(cpu).set_cpu_limit(cpu).set_memory_request(memory).set_memory_limit(memory)
    kubernetes.add_toleration(task, key="nvidia.com/gpu", operator="Exists", effect="NoSchedule")
    kubernetes.add_node_selector(task, "nvidia.com/gpu.present", "true")
    return kubernetes.empty_dir_mount(task, "shm", "/dev/shm", medium="Memory", size_limit=shm)


@dsl.component(base_image=PYTHON_IMAGE)
def notify(pipeline: str, topic_url: str, status: dsl.PipelineTaskFinalStatus):
    """Publishes how a run ended to an ntfy topic. Never fails: a lost message must not change the run's state.

    Args:
        pipeline: Name to show in the title.
        topic_url: ntfy topic, such as `http://ntfy.observability.svc.cluster.local/ml-runs`. Empty to stay silent.
        status: Filled in by the backend.
    """
    import urllib.request

    if not topic_url:
        return
    ok = status.state == "SUCCEEDED"
    request = urllib.request.Request(
        topic_url,
        data=(status.error_message or f"run {status.pipeline_job_resource_name}").encode(),
        headers={
            "Title": f"{pipeline}: {status.state.lower()}",
            "Priority": "default" if ok else "high",
            "Tags": "white_check_mark" if ok else "rotating_light",
        },
    )
    try:
        urllib.request.urlopen(request, timeout=10).close()
    except OSError as error:
        print(f"could not notify {topic_url}: {error}")


@dsl.component(base_image=PYTHON_IMAGE, packages_to_install=["boto3==1.35.99"])
def list_shards(bucket: str, prefix: str, suffix: str, shard_size: int) -> List[List[str]]:
    """Lists the objects under a prefix, in shards small enough for one task each.

    Args:
        bucket: Bucket to list.
        prefix: Key prefix.
        suffix: Only keys that end so, in any case.
        shard_size: Objects per shard.

    Returns:
        Lists of keys.
    """
    import boto3

    pages = boto3.client("s3").get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
    keys = sorted(
        entry["Key"]
        for page in pages
        for entry in page.get("Contents", [])
        if entry["Size"] > 0 and entry["Key"].lower().endswith(suffix.lower())
    )
    if not keys:
        raise RuntimeError(f"no *{suffix} objects under s3://{bucket}/{prefix}")
    print(f"{len(keys)} objects")
    return [keys[start:start + shard_size] for start in range(0, len(keys), shard_size)]


@dsl.component(base_image=PYTHON_IMAGE, packages_to_install=["boto3==1.35.99", "pypdf==5.1.0"])
def extract_pdf_text(bucket: str, keys: List[str], pages: Output[Dataset]):
    """Reads PDFs from the object store and writes one JSON line per page that has text.

    Args:
        bucket: Bucket of the PDFs.
        keys: Their keys.
        pages: JSON lines with `source`, `page` and `text`.
    """
    import io
    import json
    import re

    import boto3
    from pypdf import PdfReader
    from pypdf.errors import PdfReadError

    s3 = boto3.client("s3")
    count, unreadable = 0, []
    with open(pages.path, "w", encoding="utf-8") as out:
        for key in keys:
            body = s3.get_object(Bucket=bucket, Key=key)["Body"].read()
            try:
                reader = PdfReader(io.BytesIO(body))
                texts = [page.extract_text() or "" for page in reader.pages]
            except (PdfReadError, ValueError) as error:
                print(f"skipped {key}: {error}")
                unreadable.append(key)
                continue
            for number, text in enumerate(texts, start=1):
                text = re.sub(r"(\w)-\n(\w)", r"\1\2", text)  # words hyphenated at a line's end
                text = re.sub(r"[ \t]+", " ", text).strip()
                if text:
                    out.write(json.dumps({"source": key, "page": number, "text": text}) + "\n")
                    count += 1
    pages.metadata["pages"] = count
    pages.metadata["unreadable"] = unreadable


@dsl.component(base_image=PYTHON_IMAGE)
def merge_jsonl(parts: Input[List[Dataset]], merged: Output[Dataset]):
    """Concatenates JSON lines files in the order given.

    Args:
        parts: Files to concatenate.
        merged: The whole.
    """
    import shutil

    with open(merged.path, "wb") as out:
        for part in parts:
            with open(part.path, "rb") as source:
                shutil.copyfileobj(source, out)
        size = out.tell()
    if not size:
        raise RuntimeError("no text in any document; scanned PDFs need OCR first")
    merged.metadata["bytes"] = size


@dsl.pipeline(name="read-pdfs", description="Text of every PDF under a prefix, as one JSON lines dataset.")
def read_pdfs(bucket: str, prefix: str, shard_size: int = 50) -> Dataset:
    """Text of every PDF under a prefix, read in parallel shards."""
    shards = use_s3(list_shards(bucket=bucket, prefix=prefix, suffix=".pdf", shard_size=shard_size))
    shards.set_caching_options(False)  # what is in the bucket changes
    with dsl.ParallelFor(shards.output, name="shards", parallelism=4) as keys:
        pages = use_s3(extract_pdf_text(bucket=bucket, keys=keys))
        pages.set_cpu_request("500m").set_memory_limit("2Gi").set_retry(2, backoff_duration="30s")
    return merge_jsonl(parts=dsl.Collected(pages.outputs["pages"])).outputs["merged"]
