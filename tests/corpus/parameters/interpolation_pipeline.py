"""Parameters and outputs inside strings, lists and dictionaries."""
from kfp import dsl


@dsl.component(base_image="python:3.11-slim")
def join(text: str) -> str:
    return text


@dsl.component(base_image="python:3.11-slim")
def collect(items: list, mapping: dict) -> int:
    return len(items) + len(mapping)


@dsl.pipeline(name="interpolation")
def interpolation(first: str = "a", second: str = "b", number: int = 3, ratio: float = 0.5, flag: bool = True):
    one = join(text=f"{first}-{second}")
    two = join(text=f"{one.output}/{first}/{number}/{ratio}/{flag}/{{literal braces}}")
    join(text=f"{one.output}{two.output}{one.output}")
    join(text="prefix " + str(first) + " suffix")
    collect(
        items=[first, one.output, f"x-{two.output}", number, [second, [one.output]]],
        mapping={"a": first, "b": {"c": two.output, "d": [number, ratio]}, f"key-{second}": flag},
    )
