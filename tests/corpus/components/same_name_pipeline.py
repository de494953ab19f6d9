"""Two different components with one name, and one component whose image the pipeline changes."""
from kfp import dsl


def first():

    @dsl.component(base_image="python:3.11-slim")
    def step(text: str) -> str:
        return text

    return step


def second():

    @dsl.component(base_image="python:3.12-slim")
    def step(text: str) -> str:
        return text + "!"

    return step


step = first()
other = second()


@dsl.pipeline(name="same-name")
def same_name(text: str = "x"):
    a = step(text=text)
    b = other(text=a.output)
    c = step(text=b.output)
    other(text=c.output).set_env_variable("A", "1")
    step(text=text).set_env_variable("A", "2")
