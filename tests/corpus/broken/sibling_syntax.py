"""A module with a syntax error."""


def work()
    pass
