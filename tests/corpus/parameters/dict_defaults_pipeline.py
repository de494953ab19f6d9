"""Dictionaries, nested ones and those with awkward keys."""
from typing import Any, Dict, List

from kfp import dsl


@dsl.component(base_image="python:3.11-slim")
def keys(mapping: dict) -> list:
    return sorted(mapping)


@dsl.pipeline(name="dict-defaults")
def dict_defaults(
    empty: dict = {},
    flat: Dict[str, str] = {"b": "2", "a": "1", "c": "3", "yes": "no", "null": "~"},
    numbers: Dict[str, float] = {"one": 1, "tenth": 0.1, "big": 1e20},
    nested: Dict[str, Any] = {
        "model": {"name": "resnet", "layers": [18, 34, 50], "pretrained": True},
        "optimizer": {"name": "adam", "betas": [0.9, 0.999], "schedule": ""},
        "tags": [],
    },
    awkward: dict = {"": "empty key", "with space": 1, "with.dot": 2, "1": "digit", "-": "dash", "ümlaut": "ä", "🚀": 1,
                     "line\nbreak": "x", "true": False, "quote'": '"'},
    lists: Dict[str, List[int]] = {"z": [3, 2, 1], "a": []},
):
    keys(mapping=empty)
    keys(mapping=nested)
    keys(mapping={"constant": {"x": [1, 2, {"y": False}]}, "n": 1.5})
