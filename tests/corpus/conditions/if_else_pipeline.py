"""dsl.If with Else, and with any number of Elif."""
from kfp import dsl


@dsl.component(base_image="python:3.11-slim")
def roll() -> int:
    return 4


@dsl.component(base_image="python:3.11-slim")
def show(text: str) -> str:
    return text


@dsl.pipeline(name="condition-if-else")
def condition_if_else(limit: int = 3):
    dice = roll()
    with dsl.If(dice.output > limit, name="high"):
        show(text="high")
    with dsl.Else(name="low"):
        show(text="low")
    with dsl.If(dice.output == 1):
        show(text="one")
    with dsl.Elif(dice.output == 2):
        show(text="two")
    with dsl.Elif(dice.output == 3, name="three"):
        show(text="three")
    with dsl.Else():
        show(text="more")
    with dsl.If(dice.output == 5):
        show(text="five")
    with dsl.Elif(limit == 6):
        show(text="limit is six")
