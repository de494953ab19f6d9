"""A module that holds nothing but one component loaded from text."""
from kfp import components

only = components.load_component_from_text("""
name: Only
inputs:
- {name: text, type: String, default: hello}
outputs:
- {name: result, type: String}
implementation:
  container:
    image: alpine:3.20
    command: [sh, -c, 'echo "$0" > "$1"', {inputValue: text}, {outputPath: result}]
""")
