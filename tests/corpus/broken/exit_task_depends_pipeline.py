"""An exit task that depends on another task."""
from kfp import dsl


@dsl.component(base_image="python:3.11-slim")
def work(text: str = "") -> str:
    return text


@dsl.pipeline(name="exit-task-depends")
def exit_task_depends():
    first = work()
    with dsl.ExitHandler(work(text=first.output)):
        work()
