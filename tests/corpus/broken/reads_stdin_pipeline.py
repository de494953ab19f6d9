"""Asks a question."""
answer = input("Deploy to production? ")
