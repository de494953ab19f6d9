"""Components loaded from text in the older format, with every placeholder it has."""
from kfp import components
from kfp import dsl

produce = components.load_component_from_text("""
name: Produce data
description: Writes some data, and says how much
inputs:
- {name: Rows, type: Integer, default: '10', description: How many rows}
- {name: Prefix, type: String, default: row}
- {name: Ratio, type: Float, default: '0.5'}
- {name: Flag, type: Boolean, default: 'True'}
- {name: Options, type: JsonObject, default: '{"a": [1, 2]}'}
- {name: Extra, type: String, optional: true}
outputs:
- {name: Data, type: Dataset, description: The data}
- {name: Count, type: Integer}
- {name: Thing}
implementation:
  container:
    image: alpine:3.20
    command:
    - produce
    - --rows
    - {inputValue: Rows}
    - {concat: ['--prefix=', {inputValue: Prefix}]}
    args:
    - --data
    - {outputPath: Data}
    - --count
    - {outputPath: Count}
    - --uri
    - {outputUri: Data}
    - --thing
    - {outputPath: Thing}
    - if:
        cond: {isPresent: Extra}
        then: [--extra, {inputValue: Extra}]
        else: [--no-extra]
    env:
      KEY: value
""")

consume = components.load_component_from_text("""
name: Consume data
inputs:
- {name: data, type: Dataset}
- {name: count, type: Integer}
implementation:
  container:
    image: alpine:3.20
    command: [sh, -c, 'cat "$0"', {inputPath: data}, {inputUri: data}, {inputValue: count}]
""")


@dsl.pipeline(name="yaml-from-text")
def yaml_from_text(rows: int = 3):
    produced = produce(rows=rows, prefix="x")
    consume(data=produced.outputs["data"], count=produced.outputs["count"])
    produce()
