"""Runs a program at import."""
import subprocess
import sys

from kfp import dsl

VERSION = subprocess.run([sys.executable, "-c", "print('1.2.3')"], check=True, capture_output=True, text=True).stdout.strip()


@dsl.component(base_image="python:3.11-slim")
def work(version: str):
    pass


@dsl.pipeline(name="isolation-subprocess")
def subprocess_():
    work(version=VERSION)
