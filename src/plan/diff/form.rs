//! A spec in the form in which it is compared: canonical, both documents under one root, embedded
//! archives written as lines for people.

use super::Side;
use crate::ids::Digest;
use crate::ir::{Canonical, Pipeline, Spec, SpecError, archive, canonical};
use serde_json::{Map, Value};

/// `{"pipeline": …, "platform": …}`; without a platform spec the latter is `{}`.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Form {
    pub(super) root: Value,
    /// Digest of the spec it was made of.
    pub(super) digest: Digest,
}

impl Form {
    pub(super) fn of(spec: &Spec) -> Result<Self, SpecError> {
        let canonical = canonical(spec)?;
        let digest = spec.digest_with(&canonical);
        let Canonical {
            mut pipeline,
            platform,
        } = canonical;
        if !pipeline.is_object() {
            return Err(SpecError::NotAPipeline {
                found: "no object".to_owned(),
            });
        }
        let executors = pipeline
            .pointer_mut("/deploymentSpec/executors")
            .and_then(Value::as_object_mut);
        for executor in executors.into_iter().flat_map(|executors| executors.values_mut()) {
            for list in ["/container/command", "/container/args"] {
                for text in executor
                    .pointer_mut(list)
                    .and_then(Value::as_array_mut)
                    .into_iter()
                    .flatten()
                {
                    if let Value::String(text) = text
                        && let std::borrow::Cow::Owned(described) = archive::described(text)
                    {
                        *text = described;
                    }
                }
            }
        }
        // Moved into place; `json!` would copy both documents.
        let mut root = Map::new();
        root.insert("pipeline".to_owned(), pipeline);
        root.insert(
            "platform".to_owned(),
            platform.unwrap_or_else(|| Value::Object(Map::new())),
        );
        Ok(Self {
            root: Value::Object(root),
            digest,
        })
    }

    pub(super) fn pipeline(&self) -> &Value {
        &self.root["pipeline"]
    }

    /// A typed view; `form` keeps the values it borrows.
    pub(super) fn view(&self) -> Pipeline<'_> {
        Pipeline::of_documents(self.pipeline(), Some(&self.root["platform"]))
    }

    pub(super) fn name(&self) -> &str {
        self.pipeline()
            .pointer("/pipelineInfo/name")
            .and_then(Value::as_str)
            .unwrap_or_default()
    }

    fn sdk(&self) -> Option<&str> {
        self.pipeline().get("sdkVersion").and_then(Value::as_str)
    }

    pub(super) fn side(&self) -> Side {
        Side {
            digest: Some(self.digest),
            sdk: self.sdk().map(str::to_owned),
        }
    }
}
