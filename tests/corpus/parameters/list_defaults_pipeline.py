"""Lists of every kind."""
from typing import Dict, List

from kfp import dsl


@dsl.component(base_image="python:3.11-slim")
def count(items: list) -> int:
    return len(items)


@dsl.pipeline(name="list-defaults")
def list_defaults(
    empty: list = [],
    strings: List[str] = ["a", "1e3", "null", "", "yes", " x "],
    integers: List[int] = [1, -2, 3_000_000_000],
    floats: List[float] = [0.1, 1.0, 1e-9],
    booleans: List[bool] = [True, False],
    mixed: list = ["a", 1, 2.5, True, [1, [2, [3]]], {"k": "v"}],
    dictionaries: List[Dict[str, int]] = [{"a": 1}, {"b": 2}],
    nested: List[List[str]] = [["a", "b"], [], ["c"]],
    long: List[int] = list(range(200)),
):
    count(items=empty)
    count(items=strings)
    count(items=mixed)
    count(items=["constant", 1, {"deep": [True, {"er": []}]}])
