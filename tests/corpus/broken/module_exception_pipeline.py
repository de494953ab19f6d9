"""An exception at module level."""
from kfp import dsl

CONFIG = {"image": "python:3.11-slim"}
TAG = CONFIG["tag"]
