"""A docstring that does not end."""
from kfp import dsl

TEXT = """
no end
