"""Parameter names that are words with a meaning in YAML, or that differ only by case and underscores."""
from kfp import dsl


@dsl.component(base_image="python:3.11-slim")
def use(y: str, n: str, on: str, off: str, yes: str, no: str, true: str, null: str) -> str:
    return y


@dsl.pipeline(name="awkward-names")
def awkward_names(
    y: str = "y",
    n: str = "n",
    on: str = "on",
    off: str = "off",
    yes: str = "yes",
    no: str = "no",
    true: str = "true",
    null: str = "null",
    camelCase: str = "camel",
    camelcase: str = "flat",
    camel_case: str = "snake",
    UPPER: str = "upper",
    trailing_: str = "t",
    a1: int = 1,
    a_1: int = 2,
    x: int = 3,
    self: str = "self",
    cls: str = "cls",
    name: str = "name",
    type: str = "type",
    uri: str = "uri",
):
    use(y=y, n=n, on=on, off=off, yes=yes, no=no, true=true, null=null)
