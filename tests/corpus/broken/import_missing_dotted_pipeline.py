"""Imports a module missing from a package that is there."""
from kfp import dsl
import kfp.no_such_module
