//! What to do about the mistakes people make most with KFP.

use super::answer::Error;
use super::settings::{EngineSettings, NetworkMode};
use crate::discover::Source;

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
    let network = ["Connection", "URLError", "gaierror", "NameResolution", "MaxRetry"];
    if settings.network == NetworkMode::Deny
        && (network
            .iter()
            .any(|part| error.class.contains(part) || message.contains(part))
            || message.contains("Temporary failure in name resolution"))
    {
        return Some(
            "compiling has no network: keep a copy of the component in the repository, or set `compile.network: allow`"
                .to_owned(),
        );
    }
    let known: [(&str, &str); 12] = [
        (
            "must be instantiated using keyword arguments",
            "name every argument: `component(text=value)`",
        ),
        (
            "Missing type annotation",
            "annotate every parameter and output of the component: `def f(text: str) -> str`",
        ),
        (
            "missing type annotation",
            "annotate every parameter and output of the component: `def f(text: str) -> str`",
        ),
        (
            "missing 1 required argument",
            "pass the argument by name, or give it a default in the component",
        ),
        (
            "Task is missing from pipeline",
            "call at least one component in the pipeline function",
        ),
        (
            "has multiple outputs",
            "name the output: `task.outputs[\"name\"]`",
        ),
        (
            "has no outputs",
            "the component returns nothing; give it a return annotation or an `Output[…]` parameter",
        ),
        (
            "has no attribute 'ContainerOp'",
            "`ContainerOp` is kfp 1; use `@dsl.container_component`",
        ),
        (
            "has no attribute 'create_component_from_func'",
            "`create_component_from_func` is kfp 1; use `@dsl.component`",
        ),
        (
            "has no attribute 'func_to_container_op'",
            "`func_to_container_op` is kfp 1; use `@dsl.component`",
        ),
        (
            "Incompatible argument passed",
            "the types of the output and of the input it goes to differ",
        ),
        (
            "Trying to access undefined output",
            "correct the name of the output; the message lists those there are",
        ),
    ];
    known
        .iter()
        .find(|(part, _)| message.contains(part))
        .map(|(_, hint)| (*hint).to_owned())
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
    if [
        "create_component_from_func",
        "func_to_container_op",
        "ContainerOp",
    ]
    .iter()
    .any(|name| message.contains(name))
    {
        return "this is kfp 1; use `@dsl.component` of kfp 2".to_owned();
    }
    if missing.starts_with("kfp.") || message.contains("from 'kfp") {
        return "this kfp does not have it: pin the kfp version that does, such as `kfp==2.17.0` in `requirements.txt`"
            .to_owned();
    }
    let top = missing.split('.').next().unwrap_or(missing);
    format!("add `{top}` to `requirements.txt`, or import it inside the component that needs it")
}
