"""The plainest components: chained, fanned out, called again and again."""
from kfp import dsl


@dsl.component(base_image="python:3.11-slim")
def load() -> int:
    return 1


@dsl.component(base_image="python:3.11-slim")
def double(number: int) -> int:
    return number * 2


@dsl.component(base_image="python:3.11-slim")
def add(a: int, b: int) -> int:
    return a + b


@dsl.pipeline(name="lightweight")
def lightweight(start: int = 1):
    loaded = load()
    left, right = double(number=loaded.output), double(number=start)
    total = add(a=left.output, b=right.output)
    for _ in range(12):
        total = double(number=total.output)
