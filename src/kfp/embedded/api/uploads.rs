//! The two upload endpoints, which are not part of the gateway and refuse in their own way.

use super::super::access::Call;
use super::super::answer::{Answer, Refusal, json_answer};
use super::super::model::{ApiPipeline, ApiVersion};
use super::super::names::{MAX_NAMESPACE, MAX_PIPELINE_NAME, MAX_VERSION_NAME};
use super::super::package::{self, MAX_FILE};
use super::super::store::{Condition, NewPipeline, NewVersion, StoreError, Tags};
use super::super::{tags, template};
use super::Registry;
use super::pipelines::asking;
use super::upload_refusals::{Endpoint, UploadProblem};
use axum::extract::{FromRequest, Multipart, RawQuery, Request, State};
use axum::http::header::{IF_MATCH, IF_NONE_MATCH};
use axum::http::{HeaderMap, StatusCode};

/// `POST /pipelines/upload`: a pipeline and its first version, both under one name.
pub async fn pipeline(
    State(registry): State<Registry>,
    RawQuery(query): RawQuery,
    request: Request,
) -> Answer {
    let dialect = &*registry.dialect;
    let refuse = |problem| Endpoint::Pipeline.refuse(problem, dialect);
    let headers = request.headers().clone();
    let file = UploadedFile::receive(request).await.map_err(refuse)?;
    let query = UploadQuery::read(query.as_deref().unwrap_or_default());
    let (name, display_name) = query.names(&file.name, dialect.has_names());
    let spec = file.spec().map_err(refuse)?;
    if dialect.checks_lengths() && query.namespace.len() > MAX_NAMESPACE {
        return Err(too_long("Pipeline.Namespace", MAX_NAMESPACE));
    }
    let namespace = dialect.namespace(&query.namespace);
    let call = Call {
        verb: "create",
        ..asking(&namespace)
    };
    registry
        .authorize(&headers, call, "")
        .map_err(|_| refuse(UploadProblem::Denied))?;
    let tags = if dialect.has_tags() {
        query.tags().map_err(refuse)?
    } else {
        Tags::new()
    };
    if dialect.checks_lengths() && name.len() > MAX_PIPELINE_NAME {
        return Err(too_long("Pipeline.Name", MAX_PIPELINE_NAME));
    }

    let spec = template::read(&spec, dialect).map_err(|error| refuse(UploadProblem::Template(error)))?;
    tags::check(&tags).map_err(|words| refuse(UploadProblem::Tags(words)))?;
    let checked = dialect.check_resource_name("pipeline", &name);
    checked.map_err(|words| refuse(UploadProblem::ResourceName(words)))?;
    if let Some(words) = dialect.refuses_to_store(&display_name, &name) {
        return Err(refuse(UploadProblem::Trouble(words)));
    }
    let new = NewPipeline {
        namespace: namespace.clone(),
        name: name.clone(),
        display_name: display_name.clone(),
        description: query.description.clone(),
        tags,
    };
    let version = NewVersion {
        resource: dialect.version_resource(&namespace, &name, &name, true),
        name: name.clone(),
        display_name,
        description: query.description,
        spec,
        ..NewVersion::default()
    };
    match registry.store.create_pipeline_with_version(new, version).await {
        Ok(pipeline) => Ok(json_answer(&ApiPipeline::new(&pipeline, dialect))),
        Err(error) => Err(refuse(not_stored(&error, name))),
    }
}

/// `POST /pipelines/upload_version`: a version of the pipeline `pipelineid`.
pub async fn version(
    State(registry): State<Registry>,
    RawQuery(query): RawQuery,
    request: Request,
) -> Answer {
    let dialect = &*registry.dialect;
    let refuse = |problem| Endpoint::Version.refuse(problem, dialect);
    let headers = request.headers().clone();
    let file = UploadedFile::receive(request).await.map_err(refuse)?;
    let query = UploadQuery::read(query.as_deref().unwrap_or_default());
    let (name, display_name) = query.names(&file.name, dialect.has_names());
    let spec = file.spec().map_err(refuse)?;
    if query.pipeline_id.is_empty() {
        return Err(refuse(UploadProblem::NoPipelineId));
    }
    if dialect.checks_lengths() && name.len() > MAX_VERSION_NAME {
        return Err(too_long("PipelineVersion.Name", MAX_VERSION_NAME));
    }
    let pipeline = match registry.store.pipeline(&query.pipeline_id).await {
        Ok(Some(pipeline)) => pipeline,
        Ok(None) => return Err(refuse(UploadProblem::UnknownPipeline(query.pipeline_id))),
        Err(error) => return Err(refuse(not_stored(&error, name))),
    };
    let allowed = registry.authorize_pipeline(&headers, &pipeline, "create", "");
    allowed.map_err(|_| refuse(UploadProblem::Denied))?;
    let tags = if dialect.has_tags() {
        query.tags().map_err(refuse)?
    } else {
        Tags::new()
    };

    tags::check(&tags).map_err(|words| refuse(UploadProblem::Tags(words)))?;
    let spec = template::read(&spec, dialect).map_err(|error| refuse(UploadProblem::Template(error)))?;
    let checked = dialect.check_resource_name("pipeline version", &name);
    checked.map_err(|words| refuse(UploadProblem::ResourceName(words)))?;
    if let Some(words) = dialect.refuses_to_store(&display_name, &name) {
        return Err(refuse(UploadProblem::Trouble(words)));
    }
    let new = NewVersion {
        resource: dialect.version_resource(&pipeline.namespace, &pipeline.name, &name, false),
        pipeline_id: pipeline.id,
        name: name.clone(),
        display_name,
        description: query.description,
        tags,
        spec,
        condition: condition(&headers).filter(|_| dialect.takes_conditions()),
    };
    match registry.store.create_version(new).await {
        Ok(version) => Ok(json_answer(&ApiVersion::new(&version, dialect))),
        Err(StoreError::Moved) => Err(Refusal::Plain {
            status: StatusCode::PRECONDITION_FAILED,
            message: StoreError::Moved.to_string(),
        }),
        Err(error) => Err(refuse(not_stored(&error, name))),
    }
}

/// What must hold of the pipeline when the version is stored: `If-Match` names its newest version,
/// `If-None-Match: *` says that it has none.
fn condition(headers: &HeaderMap) -> Option<Condition> {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
    if let Some(id) = text(IF_MATCH) {
        return Some(Condition::Newest(id.trim().trim_matches('"').to_owned()));
    }
    (text(IF_NONE_MATCH)?.trim() == "*").then_some(Condition::None)
}

fn too_long(member: &str, most: usize) -> Refusal {
    let message = format!("Invalid input error: {member} length cannot exceed {most}");
    Refusal::Plain {
        status: StatusCode::BAD_REQUEST,
        message,
    }
}

fn not_stored(error: &StoreError, name: String) -> UploadProblem {
    match error {
        StoreError::Duplicate => UploadProblem::Taken(name),
        error => {
            tracing::warn!(%error, "the registry's store failed");
            UploadProblem::Trouble(error.to_string())
        }
    }
}

/// The query of an upload.
#[derive(Debug, Default)]
struct UploadQuery {
    name: String,
    display_name: String,
    description: String,
    pipeline_id: String,
    namespace: String,
    tags: String,
}

impl UploadQuery {
    fn read(query: &str) -> Self {
        let mut read = Self::default();
        for (name, value) in url::form_urlencoded::parse(query.as_bytes()) {
            let member = match &*name {
                "name" => &mut read.name,
                "display_name" => &mut read.display_name,
                "description" => &mut read.description,
                "pipelineid" => &mut read.pipeline_id,
                "namespace" => &mut read.namespace,
                "tags" => &mut read.tags,
                _ => continue,
            };
            if member.is_empty() {
                *member = value.into_owned();
            }
        }
        read
    }

    /// Name and display name: what is not given is taken from the other, or is the file's name with its suffix.
    fn names(&self, file_name: &str, has_display_names: bool) -> (String, String) {
        let display_name = if has_display_names {
            self.display_name.as_str()
        } else {
            ""
        };
        let name = [self.name.as_str(), display_name, file_name]
            .into_iter()
            .find(|text| !text.is_empty());
        let name = name.unwrap_or_default();
        let display_name = if display_name.is_empty() {
            name
        } else {
            display_name
        };
        (name.to_owned(), display_name.to_owned())
    }

    fn tags(&self) -> Result<Tags, UploadProblem> {
        if self.tags.is_empty() {
            return Ok(Tags::new());
        }
        serde_json::from_str(&self.tags).map_err(|_| UploadProblem::UnreadableTags)
    }
}

/// The file in the field `uploadfile`.
struct UploadedFile {
    name: String,
    /// `None` where it is larger than the server reads.
    bytes: Option<Vec<u8>>,
}

impl UploadedFile {
    /// The file, where the request holds one.
    async fn receive(request: Request) -> Result<Self, UploadProblem> {
        let damaged = |_| UploadProblem::NoFile("multipart: NextPart: EOF");
        let mut form = Multipart::from_request(request, &())
            .await
            .map_err(|_| UploadProblem::NoFile("request Content-Type isn't multipart/form-data"))?;
        while let Some(mut field) = form.next_field().await.map_err(damaged)? {
            if field.name() != Some("uploadfile") || field.file_name().is_none() {
                continue;
            }
            // The server knows files by their last part only.
            let name = field.file_name().unwrap_or_default();
            let name = name.rsplit('/').next().unwrap_or_default().to_owned();
            let mut bytes = Some(Vec::new());
            // What is too large is read to its end and dropped, so that the client hears the answer.
            while let Some(chunk) = field.chunk().await.map_err(damaged)? {
                if let Some(kept) = &mut bytes {
                    kept.extend_from_slice(&chunk);
                    if kept.len() > MAX_FILE {
                        bytes = None;
                    }
                }
            }
            return Ok(Self { name, bytes });
        }
        Err(UploadProblem::NoFile("http: no such file"))
    }

    fn spec(self) -> Result<Vec<u8>, UploadProblem> {
        let Some(bytes) = self.bytes else {
            return Err(UploadProblem::Unreadable(format!(
                "Error read pipeline file: Invalid input error: File size too large. Maximum supported size: {MAX_FILE}"
            )));
        };
        package::spec_bytes(&self.name, bytes).map_err(|error| UploadProblem::Unreadable(error.to_string()))
    }
}
