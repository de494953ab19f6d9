"""Has a value that fails when it is asked for its class, and then is a good pipeline."""
from kfp import dsl


class Hostile:

    @property
    def __class__(self):
        raise RuntimeError("do not look at me")


hostile = Hostile()


@dsl.component(base_image="python:3.11-slim")
def work():
    pass


@dsl.pipeline(name="hostile-attribute")
def hostile_attribute():
    work()
