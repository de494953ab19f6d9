"""Typographic quotes."""
from kfp import dsl

NAME = “quoted”
