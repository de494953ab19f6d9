"""Tasks that run after an exit handler."""
from kfp import dsl


@dsl.component(base_image="python:3.11-slim")
def notify(status: dsl.PipelineTaskFinalStatus):
    pass


@dsl.component(base_image="python:3.11-slim")
def work(text: str) -> str:
    return text


@dsl.pipeline(name="exit-handler-after")
def exit_handler_after():
    with dsl.ExitHandler(notify(), name="guarded") as group:
        work(text="inside")
    work(text="after the group").after(group)
