"""Two hundred parameters, made from a signature rather than written out."""
import inspect

from kfp import dsl


@dsl.component(base_image="python:3.11-slim")
def sum_up(values: list) -> int:
    return sum(values)


def body(**values):
    sum_up(values=[values[f"p{number:03}"] for number in range(0, 200, 20)])


body.__signature__ = inspect.Signature([
    inspect.Parameter(f"p{number:03}", inspect.Parameter.KEYWORD_ONLY, default=number, annotation=int)
    for number in range(200)
])


def many(*values):
    body(**{f"p{number:03}": value for number, value in enumerate(values)})


many.__signature__ = body.__signature__
many = dsl.pipeline(many, name="many-parameters")
