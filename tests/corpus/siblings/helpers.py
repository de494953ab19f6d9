"""Components and helpers beside the pipelines."""
from kfp import dsl


@dsl.component(base_image="python:3.11-slim")
def greet(text: str) -> str:
    return f"hello {text}"


def configure(task: dsl.PipelineTask) -> dsl.PipelineTask:
    return task.set_cpu_limit("1").set_memory_limit("1Gi")
