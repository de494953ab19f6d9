"""Fails with GeneratorExit."""
raise GeneratorExit("odd")
