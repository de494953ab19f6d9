"""Loads a component from text that is not YAML."""
from kfp import components

op = components.load_component_from_text("name: x\n  implementation: [")
