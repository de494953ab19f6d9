"""Calls itself until the interpreter gives up."""


def again(number: int) -> int:
    return again(number + 1)


again(0)
