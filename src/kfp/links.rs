//! Links to the server's UI.

use crate::ids::{PipelineId, VersionId};
use url::Url;

/// Makes links to pipelines and versions.
#[derive(Clone, Debug)]
pub struct Links {
    base: String,
}

impl Links {
    /// Links below `ui`, or below the endpoint where no address of the UI is known: the gateway in
    /// front of a multi-user server serves both under one prefix (`https://host/pipeline`).
    #[must_use]
    pub fn new(ui: Option<&Url>, endpoint: &Url) -> Self {
        let mut base = ui.unwrap_or(endpoint).clone();
        let _ = base.set_username("");
        let _ = base.set_password(None);
        base.set_query(None);
        base.set_fragment(None);
        Self {
            base: base.as_str().trim_end_matches('/').to_owned(),
        }
    }

    /// The page of a pipeline.
    #[must_use]
    pub fn pipeline(&self, id: &PipelineId) -> String {
        format!("{}/#/pipelines/details/{}", self.base, segment(id.as_str()))
    }

    /// The page of a version.
    #[must_use]
    pub fn version(&self, pipeline: &PipelineId, version: &VersionId) -> String {
        format!(
            "{}/version/{}",
            self.pipeline(pipeline),
            segment(version.as_str())
        )
    }
}

/// Ids are UUIDs; anything else is escaped so that a link never breaks out of a Markdown table.
fn segment(id: &str) -> String {
    url::form_urlencoded::byte_serialize(id.as_bytes()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_follow_the_ui_or_the_endpoint() {
        let endpoint = Url::parse("https://u:p@host/pipeline/?x=1").unwrap();
        let (pipeline, version) = (PipelineId::new("p-1"), VersionId::new("v-1"));
        assert_eq!(
            Links::new(None, &endpoint).version(&pipeline, &version),
            "https://host/pipeline/#/pipelines/details/p-1/version/v-1"
        );
        let ui = Url::parse("https://ui.example").unwrap();
        assert_eq!(
            Links::new(Some(&ui), &endpoint).pipeline(&PipelineId::new("a b|c")),
            "https://ui.example/#/pipelines/details/a+b%7Cc"
        );
    }
}
