//! The two upload endpoints, which are not part of the gateway and refuse in their own way.

use super::super::answer::{Answer, Refusal, json_answer};
use super::super::model::{ApiPipeline, ApiVersion};
use super::super::names::{self, MAX_PIPELINE_NAME, MAX_VERSION_NAME};
use super::super::package::{self, MAX_FILE};
use super::super::store::{NewPipeline, NewVersion, StoreError, Tags};
use super::super::tags;
use super::super::template::{self, TemplateError};
use super::Registry;
use super::pipelines::refuse_four_bytes;
use axum::extract::{FromRequest, Multipart, RawQuery, Request, State};
use axum::http::StatusCode;

/// What both endpoints say when they do not want to say more.
const PIPELINE_FAILED: &str = "Failed to create a pipeline and a pipeline version";
const VERSION_FAILED: &str = "Failed to create a pipeline version";

/// `POST /pipelines/upload`: a pipeline and its first version, both under one name.
pub async fn pipeline(
    State(registry): State<Registry>,
    RawQuery(query): RawQuery,
    request: Request,
) -> Answer {
    let file = UploadedFile::receive(request)
        .await
        .ok_or_else(|| Refusal::early_upload("Failed to read pipeline from file"))?;
    let query = UploadQuery::read(query.as_deref().unwrap_or_default());
    let (name, display_name) = query.names(&file.name);
    let spec = file
        .spec()
        .map_err(|()| Refusal::early_upload("Failed to read a pipeline spec file"))?;
    let tags = query.tags()?;
    if name.len() > MAX_PIPELINE_NAME {
        return Err(too_long("Pipeline.Name", MAX_PIPELINE_NAME));
    }

    let spec = read_spec(&spec, PIPELINE_FAILED)?;
    tags::check(&tags).map_err(bad_request)?;
    let new = NewPipeline {
        namespace: String::new(),
        name: name.clone(),
        display_name: display_name.clone(),
        description: query.description.clone(),
        tags,
    };
    refuse_four_bytes(&new).map_err(|_| trouble(PIPELINE_FAILED))?;
    let version = NewVersion {
        name,
        display_name,
        description: query.description,
        spec,
        ..NewVersion::default()
    };
    match registry.store.create_pipeline_with_version(new, version).await {
        Ok(pipeline) => Ok(json_answer(&ApiPipeline::from(&pipeline))),
        Err(error) => Err(not_stored(&error, PIPELINE_FAILED)),
    }
}

/// `POST /pipelines/upload_version`: a version of the pipeline `pipelineid`.
pub async fn version(
    State(registry): State<Registry>,
    RawQuery(query): RawQuery,
    request: Request,
) -> Answer {
    let early = || Refusal::early_upload(VERSION_FAILED);
    let file = UploadedFile::receive(request).await.ok_or_else(early)?;
    let query = UploadQuery::read(query.as_deref().unwrap_or_default());
    let (name, display_name) = query.names(&file.name);
    let spec = file.spec().map_err(|()| early())?;
    if query.pipeline_id.is_empty() {
        return Err(early());
    }
    if name.len() > MAX_VERSION_NAME {
        return Err(too_long("PipelineVersion.Name", MAX_VERSION_NAME));
    }
    match registry.store.pipeline(&query.pipeline_id).await {
        Ok(Some(_)) => {}
        Ok(None) => return Err(early()),
        Err(error) => return Err(not_stored(&error, VERSION_FAILED)),
    }
    let tags = query.tags()?;

    tags::check(&tags).map_err(bad_request)?;
    let spec = read_spec(&spec, VERSION_FAILED)?;
    if names::has_four_byte_character(&name) || names::has_four_byte_character(&display_name) {
        return Err(trouble(VERSION_FAILED));
    }
    let new = NewVersion {
        pipeline_id: query.pipeline_id,
        name,
        display_name,
        description: query.description,
        tags,
        spec,
    };
    match registry.store.create_version(new).await {
        Ok(version) => Ok(json_answer(&ApiVersion::from(&version))),
        Err(error) => Err(not_stored(&error, VERSION_FAILED)),
    }
}

fn bad_request(words: String) -> Refusal {
    Refusal::upload(StatusCode::BAD_REQUEST, words)
}

fn trouble(words: &str) -> Refusal {
    Refusal::upload(StatusCode::INTERNAL_SERVER_ERROR, words)
}

fn too_long(member: &str, most: usize) -> Refusal {
    let message = format!("Invalid input error: {member} length cannot exceed {most}");
    Refusal::Plain {
        status: StatusCode::BAD_REQUEST,
        message,
    }
}

fn not_stored(error: &StoreError, words: &str) -> Refusal {
    match error {
        StoreError::Duplicate => Refusal::upload(StatusCode::CONFLICT, words),
        StoreError::Missing => Refusal::early_upload(words),
        error => {
            tracing::warn!(%error, "the registry's store failed");
            trouble(words)
        }
    }
}

fn read_spec(bytes: &[u8], words: &str) -> Result<Option<Box<serde_json::value::RawValue>>, Refusal> {
    template::read(bytes, (17, 0)).map_err(|error| match error {
        TemplateError::Empty => trouble(words),
        TemplateError::Invalid(words) => bad_request(words),
    })
}

/// The query of an upload.
#[derive(Debug, Default)]
struct UploadQuery {
    name: String,
    display_name: String,
    description: String,
    pipeline_id: String,
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
    fn names(&self, file_name: &str) -> (String, String) {
        let name = [self.name.as_str(), &self.display_name, file_name]
            .into_iter()
            .find(|text| !text.is_empty());
        let name = name.unwrap_or_default().to_owned();
        let display_name = if self.display_name.is_empty() {
            name.clone()
        } else {
            self.display_name.clone()
        };
        (name, display_name)
    }

    fn tags(&self) -> Result<Tags, Refusal> {
        if self.tags.is_empty() {
            return Ok(Tags::new());
        }
        serde_json::from_str(&self.tags).map_err(|_| {
            Refusal::early_upload(
                "Failed to parse tags query parameter. Expected JSON object with string keys and values",
            )
        })
    }
}

/// The file in the field `uploadfile`.
struct UploadedFile {
    name: String,
    /// `None` where it is larger than the server reads.
    bytes: Option<Vec<u8>>,
}

impl UploadedFile {
    /// The file, or `None` where the request holds none.
    async fn receive(request: Request) -> Option<Self> {
        let mut form = Multipart::from_request(request, &()).await.ok()?;
        while let Some(mut field) = form.next_field().await.ok()? {
            if field.name() != Some("uploadfile") || field.file_name().is_none() {
                continue;
            }
            // The server knows files by their last part only.
            let name = field.file_name().unwrap_or_default();
            let name = name.rsplit('/').next().unwrap_or_default().to_owned();
            let mut bytes = Some(Vec::new());
            // What is too large is read to its end and dropped, so that the client hears the answer.
            while let Some(chunk) = field.chunk().await.ok()? {
                if let Some(kept) = &mut bytes {
                    kept.extend_from_slice(&chunk);
                    if kept.len() > MAX_FILE {
                        bytes = None;
                    }
                }
            }
            return Some(Self { name, bytes });
        }
        None
    }

    fn spec(self) -> Result<Vec<u8>, ()> {
        let bytes = self.bytes.ok_or(())?;
        package::spec_bytes(&self.name, bytes)
            .map_err(|error| tracing::debug!(%error, "an upload was refused"))
    }
}
