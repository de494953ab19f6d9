"""Pipelines inside branches, loops and exit handlers, with control flow of their own."""
from kfp import dsl


@dsl.component(base_image="python:3.11-slim")
def flip() -> str:
    return "heads"


@dsl.component(base_image="python:3.11-slim")
def step(text: str) -> str:
    return text


@dsl.component(base_image="python:3.11-slim")
def done():
    pass


@dsl.pipeline(name="choose")
def choose(text: str) -> str:
    coin = flip()
    with dsl.If(coin.output == "heads"):
        a = step(text=text)
    with dsl.Else():
        b = step(text="tails")
    return dsl.OneOf(a.output, b.output)


@dsl.pipeline(name="nested-control-flow")
def nested_control_flow(text: str = "x"):
    with dsl.ExitHandler(done()):
        chosen = choose(text=text)
        with dsl.ParallelFor(["a", "b"], parallelism=1) as item:
            with dsl.If(chosen.output == "x"):
                choose(text=item)
