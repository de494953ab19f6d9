"""A task with a final status that is no exit task but ignores failures upstream."""
from kfp import dsl


@dsl.component(base_image="python:3.11-slim")
def work() -> str:
    return ""


@dsl.component(base_image="python:3.11-slim")
def report(status: dsl.PipelineTaskFinalStatus, text: str = "none"):
    print(status)


@dsl.pipeline(name="task-final-status")
def task_final_status():
    worked = work()
    report(text=worked.output).ignore_upstream_failure()
