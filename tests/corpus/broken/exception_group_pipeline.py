"""Fails with a group of exceptions."""
raise ExceptionGroup("several", [ValueError("first"), TypeError("second")])
