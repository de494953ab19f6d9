"""Retries with every combination of settings."""
from kfp import dsl


@dsl.component(base_image="python:3.11-slim")
def work() -> str:
    return ""


@dsl.pipeline(name="inner-retry")
def inner():
    work().set_retry(1)


@dsl.pipeline(name="task-retry")
def task_retry():
    work().set_retry(3)
    work().set_retry(num_retries=0)
    work().set_retry(5, backoff_duration="30s", backoff_factor=1.5, backoff_max_duration="3600s")
    work().set_retry(2, backoff_duration="90s")
    work().set_retry(2, backoff_factor=3.0)
    inner().set_retry(2, "10s")
