"""An output that the task does not have."""
from kfp import dsl


@dsl.component(base_image="python:3.11-slim")
def work() -> str:
    return ""


@dsl.pipeline(name="wrong-output")
def wrong_output():
    task = work()
    work().after(task)
    print(task.outputs["no_such_output"])
