//! Links to the server's UI.

use crate::ids::{PipelineId, VersionId};
use url::Url;

/// Makes links to pipelines and versions.
#[derive(Clone, Debug)]
pub struct Links {
    /// `None` where no browser would find anything.
    base: Option<String>,
}

impl Links {
    /// Links below `ui`, or below the endpoint where no address of the UI is known: the gateway in
    /// front of a multi-user server serves both under one prefix (`https://host/pipeline`). A service inside a
    /// cluster is the API alone, and no browser outside reaches it.
    #[must_use]
    pub fn new(ui: Option<&Url>, endpoint: &Url) -> Self {
        if ui.is_none()
            && endpoint
                .host_str()
                .is_some_and(|host| host == "ml-pipeline" || is_service(host))
        {
            return Self { base: None };
        }
        let mut base = ui.unwrap_or(endpoint).clone();
        let _ = base.set_username("");
        let _ = base.set_password(None);
        base.set_query(None);
        base.set_fragment(None);
        Self {
            base: Some(base.as_str().trim_end_matches('/').to_owned()),
        }
    }

    /// The page of a pipeline.
    #[must_use]
    pub fn pipeline(&self, id: &PipelineId) -> Option<String> {
        let base = self.base.as_ref()?;
        Some(format!("{base}/#/pipelines/details/{}", segment(id.as_str())))
    }

    /// The page of a version.
    #[must_use]
    pub fn version(&self, pipeline: &PipelineId, version: &VersionId) -> Option<String> {
        let pipeline = self.pipeline(pipeline)?;
        Some(format!("{pipeline}/version/{}", segment(version.as_str())))
    }
}

/// Whether a host is a service's full name inside a cluster: `ml-pipeline.kubeflow.svc`, with
/// `.cluster.local` or another domain after it.
#[must_use]
pub fn is_service(host: &str) -> bool {
    host.ends_with(".svc") || host.contains(".svc.")
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
            Some("https://host/pipeline/#/pipelines/details/p-1/version/v-1".to_owned())
        );
        for inside in [
            "http://ml-pipeline.kubeflow.svc.cluster.local:8888",
            "http://ml-pipeline:8888",
        ] {
            let inside = Url::parse(inside).unwrap();
            assert_eq!(Links::new(None, &inside).pipeline(&pipeline), None);
        }
        let ui = Url::parse("https://ui.example").unwrap();
        assert_eq!(
            Links::new(Some(&ui), &endpoint).pipeline(&PipelineId::new("a b|c")),
            Some("https://ui.example/#/pipelines/details/a+b%7Cc".to_owned())
        );
    }
}
