"""Imports a name that the SDK does not have."""
from kfp.dsl import NoSuchThing
