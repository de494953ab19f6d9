"""dsl.ExitHandler with a status, with a name, and tasks outside of it."""
from kfp import dsl


@dsl.component(base_image="python:3.11-slim")
def notify(text: str, status: dsl.PipelineTaskFinalStatus):
    print(text, status.state, status.error_message)


@dsl.component(base_image="python:3.11-slim")
def clean_up():
    pass


@dsl.component(base_image="python:3.11-slim")
def work(text: str) -> str:
    return text


@dsl.pipeline(name="exit-handler")
def exit_handler(text: str = "x"):
    before = work(text="before")
    done = notify(text=text)
    with dsl.ExitHandler(done, name="first group"):
        one = work(text=text)
        work(text=one.output).after(before)
        with dsl.ParallelFor(["a", "b"]) as item:
            work(text=item)
        with dsl.If(one.output == "x"):
            work(text="x")
    with dsl.ExitHandler(exit_task=clean_up()):
        work(text="second group")
    work(text="outside")
