"""Parameters without defaults, one of every type."""
from kfp import dsl


@dsl.component(base_image="python:3.11-slim")
def use(text: str, number: int, ratio: float, flag: bool, items: list, mapping: dict) -> str:
    return f"{text} {number} {ratio} {flag} {items} {mapping}"


@dsl.pipeline(name="required")
def required(text: str, number: int, ratio: float, flag: bool, items: list, mapping: dict):
    use(text=text, number=number, ratio=ratio, flag=flag, items=items, mapping=mapping)
