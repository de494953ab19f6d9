//! The writes. Each is sent exactly once: whether it may be sent again is for [`crate::apply`] to decide,
//! after it has asked the server what happened.

use super::client::{Client, name_of};
use super::error::ApiError;
use super::model::{self, Pipeline, Version};
use super::multipart;
use super::transport::{Request, Response};
use crate::ids::{PipelineId, PipelineName, VersionId, VersionName};
use bytes::Bytes;
use http::Method;
use http::header::{CONTENT_TYPE, HeaderValue, IF_MATCH, IF_NONE_MATCH};
use serde_json::json;
use std::collections::BTreeMap;

/// A pipeline to create, without any version.
#[derive(Clone, Debug)]
pub struct NewPipeline {
    /// Its identity.
    pub name: PipelineName,
    /// What the UI shows instead, where the server has both (2.14.0 on).
    pub display_name: Option<String>,
    /// The description, or empty.
    pub description: String,
    /// Tags; dropped before 2.17.0.
    pub tags: BTreeMap<String, String>,
}

/// A version to upload.
#[derive(Clone, Debug)]
pub struct NewVersion {
    /// The pipeline it belongs to.
    pub pipeline_id: PipelineId,
    /// Its identity within the pipeline.
    pub name: VersionName,
    /// What the UI shows instead, where the server has both (2.14.0 on).
    pub display_name: Option<String>,
    /// The description, or empty.
    pub description: String,
    /// Tags; dropped before 2.17.0.
    pub tags: BTreeMap<String, String>,
    /// The documents as the server's parser reads them.
    pub document: Bytes,
    /// The version that must still be the newest, for servers that can see to it; `None` is a pipeline
    /// without versions.
    pub after: Option<VersionId>,
}

impl Client {
    /// Creates a pipeline without versions, in the namespace in force.
    ///
    /// # Errors
    /// Sent once; [`ApiError::effect`] says whether it may have been carried out all the same.
    pub async fn create_pipeline(&self, new: &NewPipeline) -> Result<Pipeline, ApiError> {
        let can = self.capabilities();
        let mut body = serde_json::Map::new();
        let shown = new
            .display_name
            .as_deref()
            .filter(|_| can.name_field)
            .unwrap_or(new.name.as_str());
        body.insert("display_name".to_owned(), json!(shown));
        if can.name_field {
            // Members a server does not know are refused from 2.14.0 on and dropped before.
            body.insert("name".to_owned(), json!(new.name));
        }
        if !new.description.is_empty() {
            body.insert("description".to_owned(), json!(new.description));
        }
        if let Some(namespace) = self.namespace() {
            body.insert("namespace".to_owned(), json!(namespace));
        }
        if can.tags && !new.tags.is_empty() {
            body.insert("tags".to_owned(), json!(new.tags));
        }
        let mut request = Request::new(Method::POST, self.url(&["pipelines"]));
        request
            .headers
            .insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        request.body = Bytes::from(serde_json::Value::Object(body).to_string());
        self.write(request, model::pipeline).await
    }

    /// Uploads a version.
    ///
    /// # Errors
    /// Sent once; [`ApiError::effect`] says whether it may have been carried out all the same.
    pub async fn upload_version(&self, new: &NewVersion) -> Result<Version, ApiError> {
        let can = self.capabilities();
        let mut url = self.url(&["pipelines", "upload_version"]);
        {
            let mut query = url.query_pairs_mut();
            query.append_pair("name", new.name.as_str());
            if let Some(display_name) = new.display_name.as_deref().filter(|_| can.name_field) {
                query.append_pair("display_name", display_name);
            }
            // One word, unlike everywhere else.
            query.append_pair("pipelineid", new.pipeline_id.as_str());
            if !new.description.is_empty() {
                query.append_pair("description", &new.description);
            }
            if can.tags && !new.tags.is_empty() {
                query.append_pair("tags", &json!(new.tags).to_string());
            }
        }
        let (content_type, body) = multipart::encode(&new.document);
        let mut request = Request::new(Method::POST, url);
        if can.conditional_uploads {
            let (name, value) = match &new.after {
                Some(id) => (IF_MATCH, HeaderValue::from_str(&format!("\"{id}\"")).ok()),
                None => (IF_NONE_MATCH, Some(HeaderValue::from_static("*"))),
            };
            request.headers.extend(value.map(|value| (name, value)));
        }
        if let Ok(value) = HeaderValue::from_str(&content_type) {
            request.headers.insert(CONTENT_TYPE, value);
        }
        request.body = body;
        self.write(request, model::version).await
    }

    /// Deletes a version. One that is not there (any more) is a success.
    ///
    /// # Errors
    /// Sent once; deleting again does no harm.
    pub async fn delete_version(&self, pipeline: &PipelineId, version: &VersionId) -> Result<(), ApiError> {
        let url = self.url(&["pipelines", pipeline.as_str(), "versions", version.as_str()]);
        self.delete(url).await
    }

    /// Deletes a pipeline without versions. One that is not there (any more) is a success.
    ///
    /// # Errors
    /// Sent once; deleting again does no harm. A pipeline with versions is refused by the server.
    pub async fn delete_pipeline(&self, pipeline: &PipelineId) -> Result<(), ApiError> {
        let url = self.url(&["pipelines", pipeline.as_str()]);
        self.delete(url).await
    }

    async fn delete(&self, url: url::Url) -> Result<(), ApiError> {
        let request = Request::new(Method::DELETE, url);
        match self.write(request, |_| Ok(())).await {
            Err(error) if error.kind == super::ErrorKind::NotFound => Ok(()),
            other => other,
        }
    }

    async fn write<T>(
        &self,
        request: Request,
        parse: impl Fn(&[u8]) -> Result<T, String>,
    ) -> Result<T, ApiError> {
        let call = name_of(&request);
        let (result, login) = self.send(request).await;
        let response: Response = match result {
            Ok(response) => response,
            Err(mut error) => {
                if error.credentials_refused() {
                    // The next call, which asks what happened, should be logged in. A failure to log in
                    // says more than this call's refusal.
                    error.renewed = self.renew(&call, login).await?;
                }
                return Err(error);
            }
        };
        parse(&response.body).map_err(|cause| ApiError::unreadable(&call, &response, &cause))
    }
}
