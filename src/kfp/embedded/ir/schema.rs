//! The members of the IR as far as the server reads them.
//!
//! The source is the protobuf description in the package `kfp-pipeline-spec` (0.2.2, 0.3.0, 0.6.0, 2.14.0,
//! 2.16.0 and 2.17.3 compared): a server knows exactly the members of its release, and one unknown member makes
//! the whole document "unknown template format". Everything under `deploymentSpec` is free-form to the server.

/// A release of the server: minor and patch of `2.minor.patch`.
pub type Release = (u16, u16);

/// What a member holds.
#[derive(Debug)]
pub enum Kind {
    /// Text.
    Text,
    /// True or false.
    Bool,
    /// A whole number that JSON holds as a number.
    Int32,
    /// A whole number that protobuf's JSON holds as text.
    Int64,
    /// A number.
    Double,
    /// One of these names, the first being what is left out.
    Enum(&'static [&'static str]),
    /// One of [`PARAMETER_TYPES`], of which the last is known from 2.15 on only.
    ParameterType,
    /// Seconds as text: `3600s`.
    Duration,
    /// Any JSON object.
    Struct,
    /// Any JSON value.
    Value,
    /// A message of its own.
    Message(&'static Message),
    /// Several of them.
    List(&'static Kind),
    /// Several of them by name.
    Map(&'static Kind),
}

/// A message: its members.
#[derive(Debug)]
pub struct Message(pub &'static [Member]);

/// A member of a message.
#[derive(Debug)]
pub struct Member {
    /// Its name in JSON.
    pub name: &'static str,
    pub kind: Kind,
    /// The group of which only one member may be there, or empty. Such a member is kept even when it is empty.
    pub one_of: &'static str,
    /// The first release that knows it.
    pub since: Release,
    /// The first release that knows it no more.
    pub until: Release,
}

/// Of members that every later release knows as well.
pub const EVER: Release = (u16::MAX, 0);

const fn member(name: &'static str, kind: Kind) -> Member {
    Member {
        name,
        kind,
        one_of: "",
        since: (0, 0),
        until: EVER,
    }
}

impl Member {
    const fn since(mut self, minor: u16) -> Self {
        self.since = (minor, 0);
        self
    }

    const fn until(mut self, minor: u16) -> Self {
        self.until = (minor, 0);
        self
    }

    const fn one_of(mut self, group: &'static str) -> Self {
        self.one_of = group;
        self
    }
}

use Kind::{Bool, Double, Duration, Enum, Int32, Int64, List, Map, Struct, Text, Value};

const fn message(message: &'static Message) -> Kind {
    Kind::Message(message)
}

/// A pipeline spec.
pub static PIPELINE_SPEC: Message = Message(&[
    member("pipelineInfo", message(&PIPELINE_INFO)),
    member("deploymentSpec", Struct),
    member("schemaVersion", Text),
    member("sdkVersion", Text),
    member("components", Map(&message(&COMPONENT_SPEC))),
    member("root", message(&COMPONENT_SPEC)),
    member("defaultPipelineRoot", Text),
]);

static PIPELINE_INFO: Message = Message(&[
    member("name", Text),
    member("displayName", Text),
    member("description", Text),
]);

static COMPONENT_SPEC: Message = Message(&[
    member("inputDefinitions", message(&COMPONENT_INPUTS)),
    member("outputDefinitions", message(&COMPONENT_OUTPUTS)),
    member("dag", message(&DAG_SPEC)).one_of("implementation"),
    member("executorLabel", Text).one_of("implementation"),
    member("singlePlatformSpecs", List(&message(&SINGLE_PLATFORM_SPEC))).since(4),
    member("taskConfigPassthroughs", List(&message(&TASK_CONFIG_PASSTHROUGH))).since(15),
]);

static COMPONENT_INPUTS: Message = Message(&[
    member("artifacts", Map(&message(&INPUT_ARTIFACT))),
    member("parameters", Map(&message(&INPUT_PARAMETER))),
]);

static INPUT_ARTIFACT: Message = Message(&[
    member("artifactType", message(&ARTIFACT_TYPE)),
    member("isArtifactList", Bool),
    member("isOptional", Bool),
    member("description", Text),
]);

static ARTIFACT_TYPE: Message = Message(&[
    member("schemaTitle", Text).one_of("kind"),
    member("schemaUri", Text).one_of("kind"),
    member("instanceSchema", Text).one_of("kind"),
    member("schemaVersion", Text),
]);

static INPUT_PARAMETER: Message = Message(&[
    member("type", Enum(PRIMITIVE_TYPES)),
    member("parameterType", Kind::ParameterType),
    member("defaultValue", Value),
    member("isOptional", Bool),
    member("description", Text),
    member("literals", List(&Value)).since(16),
]);

const PRIMITIVE_TYPES: &[&str] = &["PRIMITIVE_TYPE_UNSPECIFIED", "INT", "DOUBLE", "STRING"];

/// The first release that knows the last of [`PARAMETER_TYPES`].
pub const TASK_CONFIG_SINCE: Release = (15, 0);

/// The types of parameters.
pub const PARAMETER_TYPES: &[&str] = &[
    "PARAMETER_TYPE_ENUM_UNSPECIFIED",
    "NUMBER_DOUBLE",
    "NUMBER_INTEGER",
    "STRING",
    "BOOLEAN",
    "LIST",
    "STRUCT",
    "TASK_FINAL_STATUS",
    "TASK_CONFIG",
];

static COMPONENT_OUTPUTS: Message = Message(&[
    member("artifacts", Map(&message(&OUTPUT_ARTIFACT))),
    member("parameters", Map(&message(&OUTPUT_PARAMETER))),
]);

static OUTPUT_ARTIFACT: Message = Message(&[
    member("artifactType", message(&ARTIFACT_TYPE)),
    member("properties", Map(&message(&VALUE_OR_PARAMETER))),
    member("customProperties", Map(&message(&VALUE_OR_PARAMETER))),
    member("metadata", Struct),
    member("isArtifactList", Bool),
    member("description", Text),
]);

static OUTPUT_PARAMETER: Message = Message(&[
    member("type", Enum(PRIMITIVE_TYPES)),
    member("parameterType", Kind::ParameterType),
    member("description", Text),
]);

static VALUE_OR_PARAMETER: Message = Message(&[
    member("constantValue", message(&OLD_VALUE)).one_of("value"),
    member("runtimeParameter", Text).one_of("value"),
    member("constant", Value).one_of("value"),
]);

static OLD_VALUE: Message = Message(&[
    member("intValue", Int64).one_of("value"),
    member("doubleValue", Double).one_of("value"),
    member("stringValue", Text).one_of("value"),
]);

static DAG_SPEC: Message = Message(&[
    member("tasks", Map(&message(&TASK_SPEC))),
    member("outputs", message(&DAG_OUTPUTS)),
]);

static TASK_SPEC: Message = Message(&[
    member("taskInfo", message(&NAMED)),
    member("inputs", message(&TASK_INPUTS)),
    member("dependentTasks", List(&Text)),
    member("cachingOptions", message(&CACHING_OPTIONS)),
    member("componentRef", message(&NAMED)),
    member("triggerPolicy", message(&TRIGGER_POLICY)),
    member("artifactIterator", message(&ARTIFACT_ITERATOR)).one_of("iterator"),
    member("parameterIterator", message(&PARAMETER_ITERATOR)).one_of("iterator"),
    member("retryPolicy", message(&RETRY_POLICY)),
    member("iteratorPolicy", message(&ITERATOR_POLICY)),
]);

static NAMED: Message = Message(&[member("name", Text)]);

static TASK_INPUTS: Message = Message(&[
    member("parameters", Map(&message(&TASK_PARAMETER))),
    member("artifacts", Map(&message(&TASK_ARTIFACT))),
]);

static TASK_PARAMETER: Message = Message(&[
    member("taskOutputParameter", message(&TASK_OUTPUT_PARAMETER)).one_of("kind"),
    member("runtimeValue", message(&VALUE_OR_PARAMETER)).one_of("kind"),
    member("componentInputParameter", Text).one_of("kind"),
    member("taskFinalStatus", message(&PRODUCER)).one_of("kind"),
    member("parameterExpressionSelector", Text),
]);

static TASK_OUTPUT_PARAMETER: Message =
    Message(&[member("producerTask", Text), member("outputParameterKey", Text)]);

static PRODUCER: Message = Message(&[member("producerTask", Text)]);

static TASK_ARTIFACT: Message = Message(&[
    member("taskOutputArtifact", message(&TASK_OUTPUT_ARTIFACT)).one_of("kind"),
    member("componentInputArtifact", Text).one_of("kind"),
]);

static TASK_OUTPUT_ARTIFACT: Message =
    Message(&[member("producerTask", Text), member("outputArtifactKey", Text)]);

static CACHING_OPTIONS: Message = Message(&[member("enableCache", Bool), member("cacheKey", Text).since(4)]);

static TRIGGER_POLICY: Message = Message(&[
    member("condition", Text),
    member(
        "strategy",
        Enum(&[
            "TRIGGER_STRATEGY_UNSPECIFIED",
            "ALL_UPSTREAM_TASKS_SUCCEEDED",
            "ALL_UPSTREAM_TASKS_COMPLETED",
        ]),
    ),
]);

static ARTIFACT_ITERATOR: Message = Message(&[
    member("items", message(&ARTIFACT_ITEMS)),
    member("itemInput", Text),
]);

static ARTIFACT_ITEMS: Message = Message(&[member("inputArtifact", Text)]);

static PARAMETER_ITERATOR: Message = Message(&[
    member("items", message(&PARAMETER_ITEMS)),
    member("itemInput", Text),
]);

static PARAMETER_ITEMS: Message = Message(&[
    member("raw", Text).one_of("kind"),
    member("inputParameter", Text).one_of("kind"),
]);

static RETRY_POLICY: Message = Message(&[
    member("maxRetryCount", Int32),
    member("backoffDuration", Duration),
    member("backoffFactor", Double),
    member("backoffMaxDuration", Duration),
]);

static ITERATOR_POLICY: Message = Message(&[member("parallelismLimit", Int32)]);

static DAG_OUTPUTS: Message = Message(&[
    member("artifacts", Map(&message(&DAG_OUTPUT_ARTIFACT))),
    member("parameters", Map(&message(&DAG_OUTPUT_PARAMETER))),
]);

static DAG_OUTPUT_ARTIFACT: Message =
    Message(&[member("artifactSelectors", List(&message(&ARTIFACT_SELECTOR)))]);

static ARTIFACT_SELECTOR: Message =
    Message(&[member("producerSubtask", Text), member("outputArtifactKey", Text)]);

static DAG_OUTPUT_PARAMETER: Message = Message(&[
    member("valueFromParameter", message(&PARAMETER_SELECTOR)).one_of("kind"),
    member("valueFromOneof", message(&PARAMETER_SELECTORS)).one_of("kind"),
]);

static PARAMETER_SELECTOR: Message = Message(&[
    member("producerSubtask", Text),
    member("outputParameterKey", Text),
]);

static PARAMETER_SELECTORS: Message =
    Message(&[member("parameterSelectors", List(&message(&PARAMETER_SELECTOR)))]);

static TASK_CONFIG_PASSTHROUGH: Message = Message(&[
    member(
        "field",
        Enum(&[
            "NONE",
            "RESOURCES",
            "ENV",
            "KUBERNETES_AFFINITY",
            "KUBERNETES_TOLERATIONS",
            "KUBERNETES_NODE_SELECTOR",
            "KUBERNETES_VOLUMES",
        ]),
    ),
    member("applyToTask", Bool),
]);

/// A platform spec.
pub static PLATFORM_SPEC: Message = Message(&[member("platforms", Map(&message(&SINGLE_PLATFORM_SPEC)))]);

static SINGLE_PLATFORM_SPEC: Message = Message(&[
    member("deploymentSpec", message(&PLATFORM_DEPLOYMENT)),
    member("platform", Text).since(4),
    member("config", Struct).since(4),
    member("pipelineConfig", message(&PIPELINE_CONFIG)).since(4),
]);

static PLATFORM_DEPLOYMENT: Message = Message(&[member("executors", Map(&Struct))]);

static PIPELINE_CONFIG: Message = Message(&[
    member("semaphoreKey", Text).since(5).until(15),
    member("mutexName", Text).since(5).until(15),
    member("resourceTtl", Int32).since(5).until(17),
    member("workspace", message(&WORKSPACE)).since(14),
    member("resourceTtlOnCompletion", Int32).since(17),
    member("resourceTtlOnSuccess", Int32).since(17),
    member("resourceTtlOnFailure", Int32).since(17),
    member("activeDeadlineSeconds", Int32).since(17),
]);

static WORKSPACE: Message = Message(&[
    member("size", Text),
    member("kubernetes", message(&KUBERNETES_WORKSPACE)),
]);

static KUBERNETES_WORKSPACE: Message = Message(&[member("pvcSpecPatch", Struct)]);
