"""Every comparison with every type, constants on both sides."""
from kfp import dsl


@dsl.component(base_image="python:3.11-slim")
def values() -> str:
    return "x"


@dsl.component(base_image="python:3.11-slim")
def number() -> int:
    return 1


@dsl.component(base_image="python:3.11-slim")
def ratio() -> float:
    return 0.5


@dsl.component(base_image="python:3.11-slim")
def flag() -> bool:
    return True


@dsl.component(base_image="python:3.11-slim")
def show():
    pass


@dsl.pipeline(name="condition-operators")
def condition_operators(text: str = "x", count: int = 1, share: float = 0.5, on: bool = True):
    v, n, r, f = values(), number(), ratio(), flag()
    for condition in (
        v.output == "x",
        v.output != "it's \"quoted\" \\ and 🚀",
        v.output == "",
        v.output == text,
        v.output < "b",
        n.output == 1,
        n.output != -1,
        n.output < 10,
        n.output <= 10,
        n.output > 0,
        n.output >= count,
        1 < n.output,
        r.output > 0.25,
        r.output <= 1e-7,
        r.output < share,
        f.output == True,  # noqa: E712
        f.output == False,  # noqa: E712
        f.output != on,
        on == True,  # noqa: E712
    ):
        with dsl.If(condition):
            show()
