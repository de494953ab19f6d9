"""Fails with a message that looks like commands of a workflow, colours a terminal, and is no valid text."""
raise ValueError("line one\n::error file=x::injected\n::add-mask::x\n\x1b[31mred\x1b[0m \x00 \udcff <b>|`markdown`|</b> %0A")
