"""Components defined where their source is indented: in a function, in a class, in a condition."""
from kfp import dsl


def make(image: str):

    @dsl.component(base_image=image)
    def made(text: str) -> str:
        def inner():
            return text

        return inner()

    return made


class Steps:

    @dsl.component(base_image="python:3.11-slim")
    def step(text: str) -> str:
        return text


if True:

    @dsl.component(base_image="python:3.11-slim")
    def conditional(text: str) -> str:
        if text:
            return text
        return ""


@dsl.pipeline(name="indented")
def indented(text: str = "x"):
    slim, full = make("python:3.11-slim"), make("python:3.12")
    conditional(text=Steps.step(text=full(text=slim(text=text).output).output).output)
