"""Bytes that are no UTF-8."""
from kfp import dsl

NAME = "größe"
