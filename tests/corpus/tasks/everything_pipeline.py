"""Every setting of a task on one task."""
from kfp import dsl


@dsl.component(base_image="python:3.11-slim")
def work(text: str) -> str:
    return text


@dsl.pipeline(name="task-everything")
def task_everything(text: str = "x"):
    first = work(text="first")
    (
        work(text=text)
        .set_display_name("Everything")
        .set_caching_options(False)
        .set_retry(3, backoff_duration="60s", backoff_factor=2.0, backoff_max_duration="3600s")
        .set_cpu_request("500m")
        .set_cpu_limit("1")
        .set_memory_request("512Mi")
        .set_memory_limit("1Gi")
        .set_accelerator_type("nvidia.com/gpu")
        .set_accelerator_limit(1)
        .set_env_variable("A", "1")
        .set_container_image("python:3.12-slim")
        .after(first)
        .ignore_upstream_failure()
    )
