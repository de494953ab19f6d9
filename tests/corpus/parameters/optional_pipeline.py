"""Optional parameters: with None, with a value, left out by the caller and given."""
from typing import Dict, List, Optional

from kfp import dsl


@dsl.component(base_image="python:3.11-slim")
def report(
    required: str,
    text: Optional[str] = None,
    number: Optional[int] = None,
    ratio: Optional[float] = None,
    flag: Optional[bool] = None,
    items: Optional[List[str]] = None,
    mapping: Optional[Dict[str, str]] = None,
    plain_none: str = None,
    with_value: Optional[str] = "value",
) -> str:
    return str(locals())


@dsl.pipeline(name="optional")
def optional(
    required: str,
    text: Optional[str] = None,
    number: Optional[int] = None,
    ratio: Optional[float] = 0.5,
    flag: Optional[bool] = None,
    items: Optional[List[str]] = None,
    mapping: Optional[dict] = None,
    plain_none: str = None,
):
    report(required=required)
    report(required=required, text=text, number=number, ratio=ratio, flag=flag, items=items, mapping=mapping)
    report(required="given", text="text", number=0, plain_none=plain_none)
