"""Fails with an exception that fails when it is printed."""


class Unprintable(Exception):

    def __str__(self):
        raise RuntimeError("cannot be printed")

    __repr__ = __str__


raise Unprintable()
