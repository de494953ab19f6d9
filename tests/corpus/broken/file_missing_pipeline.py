"""Reads a file that is not there."""
from kfp import components

op = components.load_component_from_file("no/such/component.yaml")
