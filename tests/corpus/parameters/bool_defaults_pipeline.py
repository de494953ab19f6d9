"""Booleans as defaults, constants and component defaults."""
from kfp import dsl


@dsl.component(base_image="python:3.11-slim")
def check(flag: bool, other: bool = True, third: bool = False) -> bool:
    return flag and other and third


@dsl.pipeline(name="bool-defaults")
def bool_defaults(yes: bool = True, no: bool = False):
    task = check(flag=yes, other=no)
    check(flag=task.output, third=True)
    check(flag=False)
