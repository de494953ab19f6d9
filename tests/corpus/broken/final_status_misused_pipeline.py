"""A final status in a task that is no exit task."""
from kfp import dsl


@dsl.component(base_image="python:3.11-slim")
def work(status: dsl.PipelineTaskFinalStatus):
    pass


@dsl.pipeline(name="final-status-misused")
def final_status_misused():
    work()
