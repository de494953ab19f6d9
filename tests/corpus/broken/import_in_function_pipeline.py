"""A missing package imported by a function that the module calls."""
from kfp import dsl


def load():
    import surely_not_installed_anywhere as missing

    return missing


DATA = load()
