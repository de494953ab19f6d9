"""Fails with something that is no Exception."""


class Stop(BaseException):
    pass


raise Stop("stopped here")
