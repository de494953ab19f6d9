"""Fails with a message of five megabytes."""
raise ValueError("start " + "größe 🚀 " * 400_000 + " end")
