"""dsl.OneOf of parameters and of artifacts, used by a task and returned."""
from typing import NamedTuple

from kfp import dsl
from kfp.dsl import Input, Model, Output


@dsl.component(base_image="python:3.11-slim")
def flip() -> str:
    return "heads"


@dsl.component(base_image="python:3.11-slim")
def train(kind: str, model: Output[Model]) -> float:
    return 0.5


@dsl.component(base_image="python:3.11-slim")
def use(model: Input[Model], loss: float):
    pass


class Result(NamedTuple):
    model: Model
    loss: float


@dsl.pipeline(name="condition-one-of")
def condition_one_of() -> Result:
    coin = flip()
    with dsl.If(coin.output == "heads", name="heads"):
        a = train(kind="a")
    with dsl.Elif(coin.output == "tails", name="tails"):
        b = train(kind="b")
    with dsl.Else(name="edge"):
        c = train(kind="c")
    model = dsl.OneOf(a.outputs["model"], b.outputs["model"], c.outputs["model"])
    loss = dsl.OneOf(a.outputs["Output"], b.outputs["Output"], c.outputs["Output"])
    use(model=model, loss=loss)
    return Result(model=model, loss=loss)
