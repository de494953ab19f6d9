//! The reads: what the server holds.

use super::{Client, PAGE};
use crate::ids::{PipelineId, PipelineName, VersionId, VersionName};
use crate::kfp::error::{ApiError, ErrorKind};
use crate::kfp::model::{self, Page, Pipeline, Version};

impl Client {
    /// Pipelines of that name. Databases compare without case, so `demo` may come for `DEMO`: what the
    /// server returns is returned.
    ///
    /// Names are looked up by list and filter because 2.0.5 answers 500 to `…/names/{name}`, and a name
    /// with `/` is 404 there on every server.
    ///
    /// # Errors
    /// Any trouble that outlasts the repeats.
    pub async fn find_pipelines(&self, name: &PipelineName) -> Result<Vec<Pipeline>, ApiError> {
        let mut found = Vec::new();
        let mut token = None;
        loop {
            let page = self.pipelines_page(Some(name), PAGE, token.as_deref()).await?;
            found.extend(page.items);
            match page.next {
                Some(next) => token = Some(next),
                None => return Ok(found),
            }
        }
    }

    /// One page of pipelines, oldest first, of the namespace in force.
    ///
    /// # Errors
    /// Any trouble that outlasts the repeats.
    pub async fn pipelines_page(
        &self,
        name: Option<&PipelineName>,
        size: usize,
        token: Option<&str>,
    ) -> Result<Page<Pipeline>, ApiError> {
        let mut url = self.url(&["pipelines"]);
        {
            let mut query = url.query_pairs_mut();
            if let Some(namespace) = self.namespace() {
                query.append_pair("namespace", namespace);
            }
            query.append_pair("page_size", &size.to_string());
            if let Some(name) = name {
                query.append_pair("filter", &filter(name.as_str()));
            }
            if let Some(token) = token {
                query.append_pair("page_token", token);
            }
        }
        let call = format!("GET {}", url.path());
        onward(self.read(url, model::pipelines).await?, token, &call)
    }

    /// A pipeline by id; `None` when there is none.
    ///
    /// # Errors
    /// Any trouble that outlasts the repeats.
    pub async fn pipeline(&self, id: &PipelineId) -> Result<Option<Pipeline>, ApiError> {
        absent(
            self.read(self.url(&["pipelines", id.as_str()]), model::pipeline)
                .await,
        )
    }

    /// A version by id, as the server stores it; `None` when there is none.
    ///
    /// # Errors
    /// Any trouble that outlasts the repeats.
    pub async fn version(&self, pipeline: &PipelineId, id: &VersionId) -> Result<Option<Version>, ApiError> {
        let url = self.url(&["pipelines", pipeline.as_str(), "versions", id.as_str()]);
        absent(self.read(url, model::version).await)
    }

    /// The newest version, or `None` for an empty pipeline.
    ///
    /// # Errors
    /// Any trouble that outlasts the repeats.
    pub async fn newest_version(&self, pipeline: &PipelineId) -> Result<Option<Version>, ApiError> {
        Ok(self
            .versions_page(pipeline, 1, None)
            .await?
            .items
            .into_iter()
            .next())
    }

    /// One page of versions, newest first. Every item carries its whole spec: ask for few.
    ///
    /// # Errors
    /// Any trouble that outlasts the repeats.
    pub async fn versions_page(
        &self,
        pipeline: &PipelineId,
        size: usize,
        token: Option<&str>,
    ) -> Result<Page<Version>, ApiError> {
        let mut url = self.url(&["pipelines", pipeline.as_str(), "versions"]);
        {
            let mut query = url.query_pairs_mut();
            query.append_pair("page_size", &size.to_string());
            query.append_pair("sort_by", "created_at desc");
            if let Some(token) = token {
                query.append_pair("page_token", token);
            }
        }
        let call = format!("GET {}", url.path());
        onward(self.read(url, model::versions).await?, token, &call)
    }

    /// The newest versions, newest first, at most `limit` of them. Pages are followed.
    ///
    /// # Errors
    /// Any trouble that outlasts the repeats.
    pub async fn versions(&self, pipeline: &PipelineId, limit: usize) -> Result<Vec<Version>, ApiError> {
        let mut found: Vec<Version> = Vec::new();
        let mut token = None;
        while found.len() < limit {
            let size = (limit - found.len()).min(PAGE);
            let page = self.versions_page(pipeline, size, token.as_deref()).await?;
            found.extend(page.items);
            match page.next {
                Some(next) => token = Some(next),
                None => break,
            }
        }
        found.truncate(limit);
        Ok(found)
    }

    /// The version of that name: the one with exactly this name, else one that differs in case only.
    ///
    /// # Errors
    /// Any trouble that outlasts the repeats.
    pub async fn find_version(
        &self,
        pipeline: &PipelineId,
        name: &VersionName,
    ) -> Result<Option<Version>, ApiError> {
        let mut url = self.url(&["pipelines", pipeline.as_str(), "versions"]);
        url.query_pairs_mut()
            .append_pair("page_size", "5")
            .append_pair("filter", &filter(name.as_str()));
        let mut found = self.read(url, model::versions).await?.items;
        let exact = found
            .iter()
            .position(|version| version.name == *name)
            .unwrap_or(0);
        Ok((!found.is_empty()).then(|| found.swap_remove(exact)))
    }
}

/// The page, unless it is said to be followed by itself: such a list has no end, and following it would ask the
/// server the same question until the run's time is up.
fn onward<T>(page: Page<T>, token: Option<&str>, call: &str) -> Result<Page<T>, ApiError> {
    if token.is_some() && page.next.as_deref() == token {
        let text = "the list has no end: a page names itself as the one that follows";
        return Err(ApiError::new(ErrorKind::Unreadable, call, text));
    }
    Ok(page)
}

/// 404 of a read by id means that there is none.
fn absent<T>(result: Result<T, ApiError>) -> Result<Option<T>, ApiError> {
    match result {
        Ok(found) => Ok(Some(found)),
        Err(error) if error.kind == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// A filter for the identity, encoded once; the query encodes it again. The server decodes twice, so a
/// name with `%` or `+` is only found so.
fn filter(name: &str) -> String {
    let filter = serde_json::json!({
        "predicates": [{"operation": "EQUALS", "key": "name", "string_value": name}]
    });
    // `+` for a space would be right too, but `%20` cannot be misread by anything in between.
    url::form_urlencoded::byte_serialize(filter.to_string().as_bytes())
        .collect::<String>()
        .replace('+', "%20")
}
