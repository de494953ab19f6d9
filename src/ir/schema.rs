//! Which fields of the IR lose their default value on the way through the server.
//!
//! Every released server reads an upload with `protojson`, and keeps what `protojson` writes
//! (`template.V2Spec.Bytes`, `EmitUnpopulated` off): a proto3 scalar without presence that holds
//! its default, an empty list and an empty map are absent afterwards, while messages, members of a
//! `oneof`, and everything inside `google.protobuf.Struct` and `Value` stay as they are. The
//! protobuf JSON that Python writes does the same, so for compiled specs this changes nothing; it
//! matters for specs written by hand. The tables follow `pipeline_spec.proto` of kfp 2.17.0.
//! A field that is not in them is kept as it stands, so that nothing newer than this is hidden.

use serde_json::Value;

/// How one field takes part in the canonical form.
#[derive(Clone, Copy)]
pub(super) enum Kind {
    /// A scalar without presence: its default means the same as its absence.
    Scalar,
    /// An enum without presence: the named zero value means the same as its absence.
    Enum(&'static str),
    /// A scalar with presence, a `Struct` or a `Duration`: any value but null has a meaning.
    Present,
    /// A `google.protobuf.Value`: any value has a meaning, null too.
    Value,
    /// A message: present even when empty.
    Message(Fields),
    /// A map: absent when empty, while its entries stay whatever they hold.
    Map(&'static Kind),
    /// A list: absent when empty, while its elements stay whatever they hold.
    List(&'static Kind),
}

/// The fields of a message.
pub(super) type Fields = &'static [(&'static str, Kind)];

impl Kind {
    /// Whether a field of this kind with this value is the same as no field at all.
    pub(super) fn is_absent(self, value: &Value) -> bool {
        match (self, value) {
            (Self::Value, _) => false,
            (_, Value::Null) => true,
            (Self::Scalar, Value::String(text)) => text.is_empty(),
            (Self::Scalar | Self::Enum(_), Value::Number(number)) => number.as_f64() == Some(0.0),
            (Self::Scalar, Value::Bool(flag)) => !flag,
            (Self::Enum(zero), Value::String(text)) => text == zero,
            (Self::Map(_), Value::Object(entries)) => entries.is_empty(),
            (Self::List(_), Value::Array(elements)) => elements.is_empty(),
            _ => false,
        }
    }

    /// The kind of the field `name` of a message, or of any entry of a map.
    pub(super) fn member(self, name: &str) -> Option<Self> {
        match self {
            Self::Message(fields) => fields
                .iter()
                .find(|(field, _)| *field == name)
                .map(|(_, kind)| *kind),
            Self::Map(entry) => Some(*entry),
            _ => None,
        }
    }

    /// The kind of the elements of a list.
    pub(super) fn element(self) -> Option<Self> {
        match self {
            Self::List(element) => Some(*element),
            _ => None,
        }
    }
}

use Kind::{Enum, List, Map, Message, Present, Scalar, Value as AnyValue};

/// `ml_pipelines.PipelineSpec`.
pub(super) const PIPELINE: Kind = Message(&[
    ("pipelineInfo", Message(PIPELINE_INFO)),
    ("deploymentSpec", Present),
    ("sdkVersion", Scalar),
    ("schemaVersion", Scalar),
    ("components", Map(&Message(COMPONENT))),
    ("root", Message(COMPONENT)),
    ("defaultPipelineRoot", Scalar),
]);

/// `ml_pipelines.PlatformSpec`.
pub(super) const PLATFORM: Kind = Message(&[("platforms", Map(&Message(SINGLE_PLATFORM)))]);

const PIPELINE_INFO: Fields = &[("name", Scalar), ("displayName", Scalar), ("description", Scalar)];

const COMPONENT: Fields = &[
    ("inputDefinitions", Message(COMPONENT_INPUTS)),
    ("outputDefinitions", Message(COMPONENT_OUTPUTS)),
    ("dag", Message(DAG)),
    ("executorLabel", Present),
    ("singlePlatformSpecs", List(&Message(SINGLE_PLATFORM))),
    ("taskConfigPassthroughs", List(&Message(TASK_CONFIG_PASSTHROUGH))),
];

const TASK_CONFIG_PASSTHROUGH: Fields = &[("field", Enum("NONE")), ("applyToTask", Scalar)];

const PARAMETER_TYPE: Kind = Enum("PARAMETER_TYPE_ENUM_UNSPECIFIED");
const PRIMITIVE_TYPE: Kind = Enum("PRIMITIVE_TYPE_UNSPECIFIED");

const ARTIFACT_TYPE: Fields = &[
    ("schemaTitle", Present),
    ("schemaUri", Present),
    ("instanceSchema", Present),
    ("schemaVersion", Scalar),
];

const COMPONENT_INPUTS: Fields = &[
    (
        "artifacts",
        Map(&Message(&[
            ("artifactType", Message(ARTIFACT_TYPE)),
            ("isArtifactList", Scalar),
            ("isOptional", Scalar),
            ("description", Scalar),
        ])),
    ),
    (
        "parameters",
        Map(&Message(&[
            ("type", PRIMITIVE_TYPE),
            ("parameterType", PARAMETER_TYPE),
            ("defaultValue", AnyValue),
            ("isOptional", Scalar),
            ("description", Scalar),
            ("literals", List(&AnyValue)),
        ])),
    ),
];

const COMPONENT_OUTPUTS: Fields = &[
    (
        "artifacts",
        Map(&Message(&[
            ("artifactType", Message(ARTIFACT_TYPE)),
            ("properties", VALUES),
            ("customProperties", VALUES),
            ("metadata", Present),
            ("isArtifactList", Scalar),
            ("description", Scalar),
        ])),
    ),
    (
        "parameters",
        Map(&Message(&[
            ("type", PRIMITIVE_TYPE),
            ("parameterType", PARAMETER_TYPE),
            ("description", Scalar),
        ])),
    ),
];

/// `map<string, ValueOrRuntimeParameter>`.
const VALUES: Kind = Map(&Message(VALUE_OR_RUNTIME_PARAMETER));
const VALUE_OR_RUNTIME_PARAMETER: Fields = &[
    ("constantValue", Present),
    ("runtimeParameter", Present),
    ("constant", AnyValue),
];

const DAG: Fields = &[
    ("tasks", Map(&Message(TASK))),
    (
        "outputs",
        Message(&[
            (
                "artifacts",
                Map(&Message(&[(
                    "artifactSelectors",
                    List(&Message(ARTIFACT_SELECTOR)),
                )])),
            ),
            (
                "parameters",
                Map(&Message(&[
                    ("valueFromParameter", Message(PARAMETER_SELECTOR)),
                    (
                        "valueFromOneof",
                        Message(&[("parameterSelectors", List(&Message(PARAMETER_SELECTOR)))]),
                    ),
                ])),
            ),
        ]),
    ),
];

const ARTIFACT_SELECTOR: Fields = &[("producerSubtask", Scalar), ("outputArtifactKey", Scalar)];
const PARAMETER_SELECTOR: Fields = &[("producerSubtask", Scalar), ("outputParameterKey", Scalar)];

const TASK: Fields = &[
    ("taskInfo", Message(&[("name", Scalar)])),
    ("inputs", Message(TASK_INPUTS)),
    ("dependentTasks", List(&Present)),
    (
        "cachingOptions",
        Message(&[("enableCache", Scalar), ("cacheKey", Scalar)]),
    ),
    ("componentRef", Message(&[("name", Scalar)])),
    (
        "triggerPolicy",
        Message(&[
            ("condition", Scalar),
            ("strategy", Enum("TRIGGER_STRATEGY_UNSPECIFIED")),
        ]),
    ),
    (
        "artifactIterator",
        Message(&[
            ("items", Message(&[("inputArtifact", Scalar)])),
            ("itemInput", Scalar),
        ]),
    ),
    (
        "parameterIterator",
        Message(&[
            ("items", Message(&[("raw", Present), ("inputParameter", Present)])),
            ("itemInput", Scalar),
        ]),
    ),
    (
        "retryPolicy",
        Message(&[
            ("maxRetryCount", Scalar),
            ("backoffDuration", Present),
            ("backoffFactor", Scalar),
            ("backoffMaxDuration", Present),
        ]),
    ),
    ("iteratorPolicy", Message(&[("parallelismLimit", Scalar)])),
];

const TASK_INPUTS: Fields = &[
    (
        "parameters",
        Map(&Message(&[
            (
                "taskOutputParameter",
                Message(&[("producerTask", Scalar), ("outputParameterKey", Scalar)]),
            ),
            ("runtimeValue", Message(VALUE_OR_RUNTIME_PARAMETER)),
            ("componentInputParameter", Present),
            ("taskFinalStatus", Message(&[("producerTask", Scalar)])),
            ("parameterExpressionSelector", Scalar),
        ])),
    ),
    (
        "artifacts",
        Map(&Message(&[
            (
                "taskOutputArtifact",
                Message(&[("producerTask", Scalar), ("outputArtifactKey", Scalar)]),
            ),
            ("componentInputArtifact", Present),
        ])),
    ),
];

const SINGLE_PLATFORM: Fields = &[
    ("deploymentSpec", Message(&[("executors", Map(&Present))])),
    ("platform", Scalar),
    ("config", Present),
    (
        "pipelineConfig",
        Message(&[
            ("resourceTtlOnCompletion", Scalar),
            (
                "workspace",
                Message(&[
                    ("size", Scalar),
                    ("kubernetes", Message(&[("pvcSpecPatch", Present)])),
                ]),
            ),
            ("resourceTtlOnSuccess", Scalar),
            ("resourceTtlOnFailure", Scalar),
            ("activeDeadlineSeconds", Scalar),
        ]),
    ),
];
