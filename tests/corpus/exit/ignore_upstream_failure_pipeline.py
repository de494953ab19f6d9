"""Tasks that run although what they wait for failed."""
from kfp import dsl


@dsl.component(base_image="python:3.11-slim")
def work(text: str = "default") -> str:
    return text


@dsl.component(base_image="python:3.11-slim")
def report(text: str = "nothing", status: dsl.PipelineTaskFinalStatus = None):
    pass


@dsl.pipeline(name="inner-work")
def inner(text: str = "x") -> str:
    return work(text=text).output


@dsl.pipeline(name="ignore-upstream-failure")
def ignore_upstream_failure(text: str = "x"):
    first = work(text=text)
    work(text=first.output).ignore_upstream_failure()
    work(text="constant").after(first).ignore_upstream_failure()
    nested = inner(text=text)
    work(text=nested.output).ignore_upstream_failure()
    inner(text=first.output).ignore_upstream_failure()
    report(text=first.output).ignore_upstream_failure()
