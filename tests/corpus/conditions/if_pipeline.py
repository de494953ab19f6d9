"""dsl.If on outputs and parameters, named and unnamed, in a row and nested."""
from kfp import dsl


@dsl.component(base_image="python:3.11-slim")
def flip() -> str:
    return "heads"


@dsl.component(base_image="python:3.11-slim")
def show(text: str) -> str:
    return text


@dsl.pipeline(name="condition-if")
def condition_if(text: str = "go", number: int = 3):
    coin = flip()
    with dsl.If(coin.output == "heads"):
        show(text="heads")
    with dsl.If(coin.output == "tails", name="it is tails"):
        first = show(text="tails")
        with dsl.If(text == "go", name="nested: go"):
            second = show(text=first.output)
            with dsl.If(number > 2):
                show(text=f"{second.output} {coin.output} {text}")
    with dsl.If(text != coin.output):
        show(text=text)
