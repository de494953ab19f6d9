"""Pipelines kept in a list, a dictionary and a class do not count; the one at module level does."""
from kfp import dsl


@dsl.component(base_image="python:3.11-slim")
def work(text: str = ""):
    pass


def make(name: str):

    @dsl.pipeline(name=name)
    def made(text: str = "x"):
        work(text=text)

    return made


listed = [make("hidden-a"), make("hidden-b")]
mapped = {"c": make("hidden-c")}


class Holder:
    held = make("hidden-d")


@dsl.pipeline(name="hidden-in-container")
def visible():
    listed[0](text="a")
    mapped["c"]()
    Holder.held()
