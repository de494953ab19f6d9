"""An exit handler inside a sub-pipeline."""
from kfp import dsl


@dsl.component(base_image="python:3.11-slim")
def notify(text: str, status: dsl.PipelineTaskFinalStatus):
    pass


@dsl.component(base_image="python:3.11-slim")
def work(text: str) -> str:
    return text


@dsl.pipeline(name="guarded")
def guarded(text: str):
    with dsl.ExitHandler(notify(text=text)):
        work(text=text)


@dsl.pipeline(name="exit-in-sub-pipeline")
def exit_in_sub_pipeline(text: str = "x"):
    first = guarded(text=text)
    work(text="after").after(first)
