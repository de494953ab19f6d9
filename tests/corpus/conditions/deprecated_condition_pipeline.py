"""dsl.Condition, which warns that it is deprecated."""
from kfp import dsl


@dsl.component(base_image="python:3.11-slim")
def flip() -> str:
    return "heads"


@dsl.component(base_image="python:3.11-slim")
def show(text: str):
    print(text)


@dsl.pipeline(name="condition-deprecated")
def condition_deprecated(flag: bool = True):
    coin = flip()
    with dsl.Condition(coin.output == "heads", "heads"):
        show(text="heads")
        with dsl.Condition(flag == True):  # noqa: E712
            show(text="flag")
