"""Spellings of list and dict annotations."""
import typing
from typing import Any, Dict, List

from kfp import dsl


@dsl.component(base_image="python:3.11-slim")
def typing_names(a: List, b: List[str], c: Dict, d: Dict[str, int], e: List[Dict[str, Any]]) -> Dict[str, List[int]]:
    return {}


@dsl.component(base_image="python:3.11-slim")
def builtins_(a: list, b: list[str], c: dict, d: dict[str, int], e: list[dict[str, list[float]]]) -> list[dict]:
    return []


@dsl.component(base_image="python:3.11-slim")
def dotted(a: typing.List[int], b: typing.Dict[str, typing.List[bool]]) -> typing.List[str]:
    return []


@dsl.pipeline(name="generics")
def generics(
    a: List = [],
    b: list[str] = ["x"],
    c: typing.Dict = {},
    d: dict[str, int] = {"one": 1},
    e: List[Dict[str, Any]] = [{"k": 1}],
):
    typing_names(a=a, b=b, c=c, d=d, e=e)
    builtins_(a=a, b=b, c=c, d=d, e=e)
    dotted(a=[1], b={"k": [True]})
