"""A module that is embedded into a component."""


def label(prefix: str) -> str:
    return f"{prefix}-label"
