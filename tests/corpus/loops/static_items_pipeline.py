"""dsl.ParallelFor over constants of every type."""
from kfp import dsl


@dsl.component(base_image="python:3.11-slim")
def text(value: str) -> str:
    return value


@dsl.component(base_image="python:3.11-slim")
def number(value: int) -> int:
    return value


@dsl.component(base_image="python:3.11-slim")
def ratio(value: float):
    pass


@dsl.component(base_image="python:3.11-slim")
def flag(value: bool):
    pass


@dsl.component(base_image="python:3.11-slim")
def mapping(value: dict):
    pass


@dsl.component(base_image="python:3.11-slim")
def items(value: list):
    pass


@dsl.pipeline(name="loop-static-items")
def loop_static_items():
    with dsl.ParallelFor(["a", "1e3", "null", "", "🚀", "two\nlines"]) as item:
        text(value=item)
        text(value=f"<{item}>")
    with dsl.ParallelFor([1, 2, 3], name="numbers", parallelism=1) as item:
        number(value=item)
    with dsl.ParallelFor([0.5, 1.5], parallelism=2) as item:
        ratio(value=item)
    with dsl.ParallelFor([True, False]) as item:
        flag(value=item)
    with dsl.ParallelFor(({"a": 1}, {"a": 2})) as item:
        mapping(value=item)
    with dsl.ParallelFor([[1, 2], [3]]) as item:
        items(value=item)
    with dsl.ParallelFor(items=["only"]) as item:
        text(value=item)
