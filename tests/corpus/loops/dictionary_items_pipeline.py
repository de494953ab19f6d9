"""Loops over dictionaries whose fields are used one by one."""
from typing import Dict, List

from kfp import dsl


@dsl.component(base_image="python:3.11-slim")
def plan() -> List[Dict[str, str]]:
    return [{"zone": "a", "size": "1"}]


@dsl.component(base_image="python:3.11-slim")
def run(name: str, size: str, rest: dict = {}):
    pass


@dsl.pipeline(name="loop-dictionary-items")
def loop_dictionary_items(configs: List[Dict[str, str]] = [{"zone": "x", "size": "9"}]):
    with dsl.ParallelFor([{"size": "small", "zone": "1"}, {"size": "large", "zone": "2"}]) as item:
        run(name=item.zone, size=item.size)
        run(name=f"{item.zone}-{item.size}", size=item.size, rest=item)
    with dsl.ParallelFor(configs) as item:
        run(name=item.zone, size=item.size)
    planned = plan()
    with dsl.ParallelFor(planned.output, parallelism=3) as item:
        run(name=item.zone, size=item.size)
        with dsl.If(item.size == "1"):
            run(name="one", size=item.size)
