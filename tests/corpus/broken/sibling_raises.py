"""A module that fails when it is imported."""
from kfp import dsl


def check(version: str):
    if version != "2":
        raise ValueError(f"unsupported version {version}")


check("1")
