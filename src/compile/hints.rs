//! What to do about the mistakes people make most with KFP.

use super::answer::Error;
use super::releases;
use super::settings::EngineSettings;
use crate::discover::Source;

mod kept;

/// The next step for an error, where one is known.
pub(super) fn hint(
    settings: &EngineSettings,
    source: &Source,
    error: &Error,
    withheld: &[String],
) -> Option<String> {
    let stem = source.path.stem();
    let message = error.message.as_str();
    if let Some(name) = withheld.iter().find(|name| message.contains(name.as_str())) {
        return Some(format!(
            "`{name}` is set, but pipelines do not see it: add it to `compile.environment`"
        ));
    }
    let text = match error.kind.as_str() {
        "several-imported" | "several-components" => {
            format!("name the one to compile: `pipelines.{stem}.function` in the configuration")
        }
        "nothing" => {
            "decorate a function with `@dsl.pipeline`, or exclude the file with `discover.exclude`".to_owned()
        }
        "elsewhere" => format!("exclude `{}` with `discover.exclude`", source.path),
        "no-function" => format!("correct `pipelines.{stem}.function` in the configuration"),
        "packages" => {
            "require other versions of the packages that kfp uses, or leave them out of the requirements"
                .to_owned()
        }
        "exit" => "move it under `if __name__ == \"__main__\":`".to_owned(),
        "memory" => "load data in a component, not at the top level of the file".to_owned(),
        _ => return exception(settings, error, message),
    };
    Some(text)
}

fn exception(settings: &EngineSettings, error: &Error, message: &str) -> Option<String> {
    if let Some(missing) = &error.missing {
        return Some(import(missing, message));
    }
    if let Some(hint) = kept::hint(settings, error, message) {
        return Some(hint);
    }
    if error.class == "KeyError" && at_outputs(error) {
        return Some(format!(
            "the component has no output {message}: use a name it declares (`Output` for a plain return value)"
        ));
    }
    if let Some(hint) = of_kfp_1(message) {
        return Some(hint.to_owned());
    }
    if message.ends_with("object has no attribute 'image'") && line_of(error).contains("container_component")
    {
        return Some("a container component returns a `dsl.ContainerSpec(image=…)`".to_owned());
    }
    if let Some(name) = no_setter(message) {
        // kfp asks for names of its own, where it is given a task
        let is_own = line_of(error).contains(&format!(".{name}"));
        let name = if is_own { name } else { "…" };
        return Some(format!(
            "a task is not its output: use `task.output`, or `task.outputs[\"{name}\"]` where the component declares it"
        ));
    }
    if is_absent(message) {
        return Some(newer());
    }
    KNOWN
        .iter()
        .find(|(part, _)| message.contains(part))
        .map(|(_, hint)| (*hint).to_owned())
}

/// Parts of kfp's own messages (2.0 to 2.17), and what to do.
const KNOWN: [(&str, &str); 17] = [
    (
        "must be instantiated using keyword arguments",
        "name every argument: `component(text=value)`",
    ),
    (
        "issing type annotation",
        "annotate every parameter and output of the component: `def f(text: str) -> str`",
    ),
    (
        // and `2 required arguments`, where Python itself says `positional argument`
        " required argument",
        "pass each argument by name, or give it a default in the component",
    ),
    (
        "got an unexpected keyword argument",
        "correct the name of the argument: it must be a parameter of the component, or of this kfp's function",
    ),
    (
        "Task is missing from pipeline",
        "call at least one component in the pipeline function: a function is one with `@dsl.component`",
    ),
    (
        "has multiple outputs",
        "name the output: `task.outputs[\"name\"]`; a component without a return annotation or an `Output[…]` parameter has none",
    ),
    (
        "has no outputs",
        "the component returns nothing; give it a return annotation or an `Output[…]` parameter",
    ),
    (
        "Incompatible argument passed",
        "the types of the output and of the input it goes to differ: change one annotation, or convert in a component",
    ),
    (
        "Trying to access undefined output",
        "correct the name of the output; the message lists those there are",
    ),
    (
        "Artifacts must have both a schema_title",
        "annotate with `str`, `int`, `float`, `bool`, `list`, `dict`, or an artifact such as `Input[Dataset]`; several outputs with a `NamedTuple`",
    ),
    (
        "'PipelineParameterChannel' object has no attribute 'output",
        "this is no task: what was called is a plain function, which `@dsl.component` makes a component, or the output itself",
    ),
    (
        "PipelineParameterChannel",
        "parameters and outputs have no value while compiling: work with them in a component, put them into text with `f\"{…}\"`, and use `dsl.If` and `dsl.ParallelFor`",
    ),
    (
        "'InputValuePlaceholder'",
        "inputs have no value while compiling: join text with `dsl.ConcatPlaceholder([…])`, or make it an argument of its own",
    ),
    (
        "'PythonComponent' object has no attribute",
        "call the component, with its arguments by name: what is expected here is a task",
    ),
    (
        "bad argument type for built-in operation",
        "look for a default or a setting of another type than it must have, such as a number for a `str`",
    ),
    (
        "attempted relative import with no known parent package",
        "import it without the dot: the folder of the file is where imports begin",
    ),
    ("Recursion", "look for a pipeline or component that calls itself"),
];

/// What kfp 1 had, as it is asked for, and what takes its place.
fn of_kfp_1(message: &str) -> Option<&'static str> {
    const GONE: [(&str, &str); 19] = [
        (
            "has no attribute 'ContainerOp'",
            "`ContainerOp` is kfp 1; use `@dsl.container_component`",
        ),
        (
            "create_component_from_func",
            "`create_component_from_func` is kfp 1; use `@dsl.component` of kfp 2",
        ),
        (
            "func_to_container_op",
            "`func_to_container_op` is kfp 1; use `@dsl.component` of kfp 2",
        ),
        (
            "cannot import name 'ContainerOp'",
            "`ContainerOp` is kfp 1; use `@dsl.container_component`",
        ),
        (
            "'PipelineTask' object has no attribute 'apply'",
            "`.apply(…)` is kfp 1; use the functions of `kfp.kubernetes`, such as `kubernetes.mount_pvc(task, …)`",
        ),
        (
            "'PipelineTask' object has no attribute 'container'",
            "`.container` is kfp 1; call it on the task itself: `task.set_memory_limit(\"1G\")`",
        ),
        (
            "'PipelineTask' object has no attribute 'add_pvolumes'",
            "`.add_pvolumes` is kfp 1; use `kubernetes.mount_pvc(task, …)` of `kfp.kubernetes`",
        ),
        (
            "cannot import name 'onprem'",
            "`onprem` is kfp 1; use `kubernetes.mount_pvc(task, …)` of `kfp.kubernetes`",
        ),
        (
            "cannot import name 'gcp' from 'kfp'",
            "`kfp.gcp` is kfp 1; use the functions of `kfp.kubernetes`, such as `kubernetes.use_secret_as_volume(task, …)`",
        ),
        (
            "'kfp.aws'",
            "`kfp.aws` is kfp 1; use the functions of `kfp.kubernetes`, such as `kubernetes.use_secret_as_env(task, …)`",
        ),
        (
            "cannot import name 'InputPath' from 'kfp.components'",
            "import `InputPath` and `OutputPath` from `kfp.dsl`",
        ),
        (
            "cannot import name 'OutputPath' from 'kfp.components'",
            "import `InputPath` and `OutputPath` from `kfp.dsl`",
        ),
        (
            "compile() got an unexpected keyword argument 'mode'",
            "`mode` is kfp 1; the call is not needed at all: this program compiles the file",
        ),
        (
            "has no attribute 'VolumeOp'",
            "`VolumeOp` is kfp 1; use `kubernetes.CreatePVC` of `kfp.kubernetes`",
        ),
        (
            "has no attribute 'ResourceOp'",
            "`ResourceOp` is kfp 1; create the resource in a component, or with a function of `kfp.kubernetes`",
        ),
        (
            "has no attribute 'PipelineExecutionMode'",
            "`PipelineExecutionMode` is kfp 1; leave it out, and the call too: this program compiles the file",
        ),
        (
            "has no attribute 'get_pipeline_conf'",
            "`get_pipeline_conf` is kfp 1; use the task's own functions and `@dsl.pipeline(pipeline_config=…)`",
        ),
        (
            "has no attribute 'PipelineParam'",
            "`PipelineParam` is kfp 1; annotate the parameter with its type, such as `str`",
        ),
        (
            "has no attribute 'RUN_ID_PLACEHOLDER'",
            "`RUN_ID_PLACEHOLDER` is kfp 1; use `dsl.PIPELINE_JOB_ID_PLACEHOLDER`",
        ),
    ];
    GONE.iter()
        .find(|(part, _)| message.contains(part))
        .map(|(_, hint)| *hint)
}

/// Whether kfp itself is asked for something it does not have.
fn is_absent(message: &str) -> bool {
    let in_module = message.contains("module 'kfp") && message.contains("has no attribute");
    let in_task = message.contains("'PipelineTask' object has no attribute");
    let argument = message.contains("() got an unexpected keyword argument '")
        && [
            "pipeline(",
            "component(",
            "container_component(",
            "Compiler.",
            "PipelineTask.",
        ]
        .iter()
        .any(|function| message.contains(function));
    in_module || in_task || argument || is_kubernetes(message)
}

/// The attribute of a task that was asked for and is no setter: those are named alike.
fn no_setter(message: &str) -> Option<&str> {
    let (_, rest) = message.split_once("'PipelineTask' object has no attribute '")?;
    let (name, _) = rest.split_once('\'')?;
    let is_setter = ["set_", "add_", "with_", "ignore_"]
        .iter()
        .any(|start| name.starts_with(start));
    (!is_setter && name != "after").then_some(name)
}

/// A function of kfp.kubernetes, all of which are named alike, called with what only a newer one knows.
fn is_kubernetes(message: &str) -> bool {
    message
        .split_once("() got an unexpected keyword argument '")
        .is_some_and(|(function, _)| {
            ["use_", "mount_", "add_", "set_", "empty_dir_mount"]
                .iter()
                .any(|start| function.starts_with(start))
        })
}

/// What to do about a kfp that lacks something.
fn newer() -> String {
    let newest = releases::all()
        .last()
        .map_or(releases::DEFAULT, |release| release.version.clone());
    format!(
        "the kfp in use does not have it: check the spelling, or pin a kfp that does, such as `kfp=={newest}` in `requirements.txt`"
    )
}

/// Whether the line that failed reads an output of a task.
fn at_outputs(error: &Error) -> bool {
    line_of(error).contains(".outputs[")
}

/// The line that failed.
fn line_of(error: &Error) -> &str {
    let last = error.frames.last();
    last.and_then(|frame| frame.text.as_deref()).unwrap_or("")
}

/// What to do about a module that is not there.
fn import(missing: &str, message: &str) -> String {
    if missing == "kfp" && message.contains("'kubernetes'") || missing.starts_with("kfp.kubernetes") {
        return "install `kfp-kubernetes` beside kfp".to_owned();
    }
    if missing.starts_with("kfp.v2") || missing == "kfp.components.func_to_container_op" {
        return "`kfp.v2` is gone since kfp 2.0: import from `kfp` itself (`from kfp import dsl, compiler`)"
            .to_owned();
    }
    if let Some(hint) = of_kfp_1(message) {
        return hint.to_owned();
    }
    if missing.starts_with("kfp.") || message.contains("from 'kfp") {
        return newer();
    }
    let top = missing.split('.').next().unwrap_or(missing);
    format!("add `{top}` to `requirements.txt`, or import it inside the component that needs it")
}
