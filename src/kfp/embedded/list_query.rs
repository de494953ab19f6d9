//! The parameters of a list call: page, order, filter.

use super::answer::{Code, Refusal};
use super::dialect::Dialect;
use super::filter::{self, FilterError};
use super::store::{Field, Kind, Listable, Listed, Operand, Page, PageRequest, Start};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

/// Items in a page where nobody says how many, and the most there can be.
const PAGE: usize = 20;
const MAX_PAGE: usize = 200;

/// A list call's parameters as sent.
#[derive(Clone, Debug, Default)]
pub struct ListQuery {
    page_size: i64,
    page_token: String,
    sort_by: String,
    filter: String,
    /// The namespace asked for, empty in single-user mode.
    pub namespace: String,
}

impl ListQuery {
    /// Reads a query string.
    ///
    /// # Errors
    /// `page_size` is not a number.
    pub fn read(query: &str) -> Result<Self, Refusal> {
        let mut read = Self::default();
        for (name, value) in url::form_urlencoded::parse(query.as_bytes()) {
            match &*name {
                "page_size" | "pageSize" => {
                    read.page_size = value.parse::<i32>().map(i64::from).map_err(|_| {
                        Refusal::gateway(
                            Code::InvalidArgument,
                            format!("parsing field \"page_size\": strconv.ParseInt: parsing {value:?}: invalid syntax"),
                        )
                    })?;
                }
                "page_token" | "pageToken" => read.page_token = value.into_owned(),
                "sort_by" | "sortBy" => read.sort_by = value.into_owned(),
                "filter" => read.filter = value.into_owned(),
                "namespace" => read.namespace = value.into_owned(),
                _ => {}
            }
        }
        Ok(read)
    }

    /// What to list. `plural` is the server's name of the things in its messages.
    ///
    /// # Errors
    /// Any of the parameters cannot be followed; the words are those of the recording of 2.17.0
    /// (`versions_page_token_bad`, `versions_page_size_negative`, `versions_sort_by_unknown`, …).
    pub fn request<T: Listed>(
        &self,
        plural: &str,
        scope: Vec<(&'static str, String)>,
        dialect: &Dialect,
    ) -> Result<PageRequest, Refusal> {
        let context = || {
            format!(
                "Failed to list {plural} due invalid list options: pageToken: {}, pageSize: {}, sortBy: {}, filter: {}",
                self.page_token, self.page_size, self.sort_by, self.filter
            )
        };
        let invalid = |short: String| Refusal::chain(Code::InvalidArgument, &context(), short);
        let listable = &T::LISTABLE;

        let unfiltered = |error: FilterError| error.refusal(plural, &self.filter, &context(), dialect);
        let asked = self.read_filter(dialect).map_err(unfiltered)?;
        let size = match usize::try_from(self.page_size) {
            Err(_) => {
                // Older servers made a character of the number, which a negative one is not.
                let got = if dialect.new_page_tokens() {
                    self.page_size.to_string()
                } else {
                    "'\u{fffd}'".to_owned()
                };
                return Err(invalid(format!(
                    "The page size should be greater than 0. Got {got}"
                )));
            }
            Ok(0) => PAGE,
            Ok(size) => size.min(MAX_PAGE),
        };
        let order = self.order(listable, dialect).map_err(invalid)?;
        let token = if self.page_token.is_empty() {
            None
        } else {
            Some(Token::read(&self.page_token, listable))
        };
        let short = if dialect.new_page_tokens() {
            "Invalid page token"
        } else {
            "Invalid package token"
        };
        let token = token.transpose().map_err(|cause| Refusal::Status {
            code: Code::InvalidArgument,
            message: format!("{}: InvalidInputError: {short}: {cause}", context()),
            short: Some(short.to_owned()),
        })?;

        let (sort, descending, filter_json, start) = match token {
            None => (order.0, order.1, asked, None),
            Some(token) => {
                let same_order = self.sort_by.is_empty() || order == (token.sort, token.descending);
                let same_filter = self.filter.is_empty() || asked == token.filter;
                if !(same_order && same_filter) {
                    return Err(invalid(
                        "page token does not match the supplied sort by and/or filtering criteria. Either specify the \
                         same criteria or leave the latter empty if page token is specified"
                            .to_owned(),
                    ));
                }
                (token.sort, token.descending, token.filter, Some(token.start))
            }
        };
        let predicates = match &filter_json {
            None => Vec::new(),
            Some(json) => filter::predicates(json, listable, dialect).map_err(unfiltered)?,
        };
        Ok(PageRequest {
            scope,
            predicates,
            sort,
            descending,
            size,
            start,
            filter: filter_json,
        })
    }

    fn read_filter(&self, dialect: &Dialect) -> Result<Option<Value>, FilterError> {
        if self.filter.is_empty() {
            Ok(None)
        } else {
            filter::json_of(&self.filter, dialect).map(Some)
        }
    }

    fn order(&self, listable: &Listable, dialect: &Dialect) -> Result<(&'static Field, bool), String> {
        let lower = self.sort_by.to_lowercase();
        let words: Vec<&str> = lower.split_whitespace().collect();
        let (name, descending) = match words.as_slice() {
            [] => ("created_at", false),
            [name] | [name, "asc"] => (*name, false),
            [name, "desc"] => (*name, true),
            _ => {
                return Err(format!(
                    "Received invalid sort by format {:?}. Supported format: \"field_name\", \"field_name desc\", or \
                     \"field_name asc\"",
                    self.sort_by
                ));
            }
        };
        match listable.field(name, dialect) {
            Some(field) => Ok((field, descending)),
            None => Err(format!(
                "Invalid sorting field: \"{name}\" on listable type {}",
                listable.type_name
            )),
        }
    }
}

/// The token of the page after this one, in the server's own form (recording 2.17.0: `versions_page_1`).
#[must_use]
pub fn next_token<T: Listed>(request: &PageRequest, page: &Page<T>, dialect: &Dialect) -> Option<String> {
    let start = page.next.as_ref()?;
    let table = T::LISTABLE.model;
    let value = match &start.value {
        Operand::Text(text) => Value::String(text.clone()),
        Operand::Number(number) => (*number).into(),
    };
    let filter = request
        .filter
        .as_ref()
        .map(|json| json!({"FilterProto": json.to_string()}));
    // The order of members is the server's; clients must not look, but people do.
    let members = [
        ("SortByFieldName", json!(request.sort.model)),
        ("SortBySQLColumn", json!(request.sort.model)),
        ("SortByFieldValue", value),
        ("SortByFieldPrefix", json!(format!("{table}."))),
        ("KeyFieldName", json!("UUID")),
        ("KeyFieldValue", json!(start.id)),
        ("KeyFieldPrefix", json!(format!("{table}."))),
        ("IsDesc", json!(request.descending)),
        ("ModelName", json!(table)),
        ("Filter", json!(filter)),
    ];
    let members: Vec<String> = members
        .iter()
        .filter(|(name, _)| *name != "SortBySQLColumn" || dialect.new_page_tokens())
        .map(|(name, value)| format!("\"{name}\":{value}"))
        .collect();
    Some(STANDARD.encode(format!("{{{}}}", members.join(","))))
}

struct Token {
    sort: &'static Field,
    descending: bool,
    start: Start,
    filter: Option<Value>,
}

impl Token {
    fn read(text: &str, listable: &Listable) -> Result<Self, String> {
        let bytes = STANDARD.decode(text).map_err(|_| {
            let bad = text
                .bytes()
                .position(|byte| !(byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'=')));
            format!(
                "illegal base64 data at input byte {}",
                bad.unwrap_or(text.len() - text.len() % 4)
            )
        })?;
        let json: Value = serde_json::from_slice(&bytes).map_err(|error| error.to_string())?;
        let text = |name: &str| json[name].as_str();
        let sort = text("SortByFieldName")
            .filter(|_| text("ModelName") == Some(listable.model))
            .and_then(|name| listable.fields.iter().find(|field| field.model == name))
            .ok_or("the token belongs to another list")?;
        let value = match (sort.kind, &json["SortByFieldValue"]) {
            (Kind::Time, value) => value.as_i64().map(Operand::Number),
            (_, value) => value.as_str().map(|text| Operand::Text(text.to_owned())),
        };
        let filter = match json["Filter"]["FilterProto"].as_str() {
            Some(text) => Some(serde_json::from_str(text).map_err(|error| error.to_string())?),
            None => None,
        };
        Ok(Self {
            sort,
            descending: json["IsDesc"].as_bool().unwrap_or_default(),
            start: Start {
                value: value.ok_or("the token has no value to start from")?,
                id: text("KeyFieldValue")
                    .ok_or("the token has no id to start from")?
                    .to_owned(),
            },
            filter,
        })
    }
}
