"""Fails as if somebody had pressed Ctrl-C."""
raise KeyboardInterrupt("not from a keyboard")
