"""Everything a component may return."""
import collections
import typing
from typing import Dict, List, NamedTuple

from kfp import dsl
from kfp.dsl import Dataset, Model


class Result(NamedTuple):
    text: str
    number: int
    items: List[str]
    mapping: Dict[str, float]


@dsl.component(base_image="python:3.11-slim")
def text() -> str:
    return ""


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
def items() -> list:
    return []


@dsl.component(base_image="python:3.11-slim")
def mapping() -> dict:
    return {}


@dsl.component(base_image="python:3.11-slim")
def nothing() -> None:
    return None


@dsl.component(base_image="python:3.11-slim")
def functional() -> NamedTuple("Outputs", [("a", str), ("b", int), ("c", Dataset)]):
    return ("a", 1, None)


@dsl.component(base_image="python:3.11-slim")
def keyword() -> typing.NamedTuple("Outputs", a=str, model=Model, yes=bool, null=float):
    return ("a", None, True, 0.5)


@dsl.component(base_image="python:3.11-slim")
def class_based() -> Result:
    return ("", 1, [], {})


@dsl.component(base_image="python:3.11-slim")
def artifact() -> Dataset:
    return dsl.Dataset(uri=dsl.get_uri())


@dsl.component(base_image="python:3.11-slim")
def use(a: str, b: int, c: float, d: bool, e: list, f: dict):
    pass


@dsl.pipeline(name="return-types")
def return_types():
    nothing()
    f, k, c = functional(), keyword(), class_based()
    artifact()
    use(a=text().output, b=number().output, c=ratio().output, d=flag().output, e=items().output, f=mapping().output)
    use(a=f.outputs["a"], b=f.outputs["b"], c=k.outputs["null"], d=k.outputs["yes"], e=c.outputs["items"],
        f=c.outputs["mapping"])
