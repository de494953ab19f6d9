"""Types given as the strings that older components use."""
from kfp import dsl


@dsl.component(base_image="python:3.11-slim")
def aliases(
    a: "String",
    b: "Integer",
    c: "Float",
    d: "Boolean",
    e: "List",
    f: "Dict",
    g: "List[str]" = [],
    h: "Dict[str, int]" = {},
) -> "String":
    return a


@dsl.pipeline(name="type-aliases")
def type_aliases(a: "String" = "a", b: "Integer" = 1):
    aliases(a=a, b=b, c=0.5, d=True, e=[1], f={"k": 1})
