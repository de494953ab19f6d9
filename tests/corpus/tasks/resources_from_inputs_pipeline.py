"""Resources, accelerators and images that come from parameters and outputs."""
from typing import NamedTuple

from kfp import dsl


@dsl.component(base_image="python:3.11-slim")
def choose() -> NamedTuple("Choice", cpu=str, memory=str, accelerator=str, count=str, image=str):
    return ("1", "1Gi", "nvidia.com/gpu", "1", "python:3.12-slim")


@dsl.component(base_image="python:3.11-slim")
def work(text: str = ""):
    pass


@dsl.pipeline(name="task-resources-from-inputs")
def task_resources_from_inputs(
    cpu: str = "500m",
    memory: str = "1Gi",
    accelerator: str = "nvidia.com/gpu",
    count: int = 1,
    image: str = "python:3.12-slim",
):
    task = work().set_cpu_request(cpu).set_cpu_limit(cpu).set_memory_request(memory).set_memory_limit(memory)
    task.set_accelerator_type(accelerator).set_accelerator_limit(count).set_container_image(image)
    chosen = choose()
    task = work(text="from a task")
    task.set_cpu_limit(chosen.outputs["cpu"]).set_memory_limit(chosen.outputs["memory"])
    task.set_accelerator_type(chosen.outputs["accelerator"]).set_accelerator_limit(chosen.outputs["count"])
    task.set_container_image(chosen.outputs["image"])
    with dsl.ParallelFor(["1", "2"]) as item:
        work(text="in a loop").set_cpu_limit(item).set_memory_limit(memory)
