//! What the page shows, as the JSON value inside it. Every text passes [`visible`].

use super::super::cut::ellipsis_chars;
use super::super::diff::Entry;
use super::super::diff::words::{Word, counted, headline, sentence, visible, visible_block};
use super::super::graph::layout::layout;
use super::super::graph::svg::path;
use crate::ir::graph::{Graph, Mark, Node, NodeKind};
use crate::ir::{Pipeline, Spec, canonical};
use crate::plan::diff::{Aspect, Change, Class, Status, Subject, Verb};
use serde::Serialize;
use std::collections::{HashMap, HashSet};

/// A report to be rendered.
#[derive(Clone, Debug, Default)]
pub struct HtmlReport<'a> {
    /// Above everything, such as `Plan for production`.
    pub title: &'a str,
    /// Below it: endpoint, commit, time, short phrases.
    pub facts: Vec<String>,
    /// The pipelines.
    pub pipelines: Vec<HtmlPipeline<'a>>,
}

/// A pipeline in the report.
#[derive(Clone, Debug)]
pub struct HtmlPipeline<'a> {
    /// Its name, file, difference and graph.
    pub entry: Entry<'a>,
    /// What was compiled, for its parameters, images and packages.
    pub spec: Option<&'a Spec>,
    /// What was or would be done: `create`, `updated`, ….
    pub action: Option<&'a str>,
    /// Link to it on the server; only http(s) is shown.
    pub url: Option<&'a str>,
    /// Versions known, newest first.
    pub versions: Vec<Version>,
    /// What was found wrong or worth knowing.
    pub findings: Vec<String>,
}

/// A version of a pipeline.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Version {
    /// Its name.
    pub name: String,
    /// When it was created, as the server says.
    pub created: String,
    /// The commit it was made from.
    pub commit: Option<String>,
    /// Digest of its content.
    pub digest: Option<String>,
    /// Who uploaded it.
    pub by: Option<String>,
}

/// Most changes of one pipeline that the page holds.
const CHANGES: usize = 500;
/// Most bytes of code differences of one pipeline.
const CODE: usize = 400_000;
/// Longest name, in characters.
const NAME: usize = 300;
/// Longest path of a task through its frames, in characters.
const PATH: usize = 2_000;
/// Longest description, in characters.
const DESCRIPTION: usize = 10_000;
/// Most parameters, images and packages that the page holds of one pipeline.
const LISTED: usize = 1_000;
/// Most nodes that are drawn.
const NODES: usize = 2_000;

#[derive(Serialize)]
pub(super) struct Page {
    pub(super) title: String,
    pub(super) headline: String,
    facts: Vec<String>,
    pub(super) pipelines: Vec<PagePipeline>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct PagePipeline {
    id: String,
    pub(super) name: String,
    file: String,
    action: String,
    url: Option<String>,
    status: Status,
    step: &'static str,
    pub(super) headline: String,
    breaking: bool,
    sdk: String,
    digest: String,
    description: String,
    search: String,
    findings: Vec<String>,
    changes: Vec<PageChange>,
    more_changes: usize,
    parameters: Vec<PageParameter>,
    images: Vec<String>,
    packages: Vec<String>,
    versions: Vec<Version>,
    graph: Option<PageGraph>,
}

#[derive(Serialize)]
struct PageChange {
    class: Class,
    verb: Verb,
    /// Pairs of "ours" and text.
    words: Vec<(bool, String)>,
    patch: Option<String>,
    /// The task in the graph that it is about.
    task: Option<String>,
}

#[derive(Serialize)]
struct PageParameter {
    name: String,
    kind: String,
    default: Option<String>,
    optional: bool,
    description: String,
}

#[derive(Serialize)]
struct PageGraph {
    width: f64,
    height: f64,
    truncated: bool,
    nodes: Vec<PageNode>,
    edges: Vec<PageEdge>,
}

#[derive(Serialize)]
struct PageNode {
    path: String,
    label: String,
    title: String,
    kind: NodeKind,
    frame: bool,
    mark: Option<Mark>,
    caching: bool,
    inputs: Vec<(String, String)>,
    outputs: Vec<(String, String)>,
    x: f64,
    y: f64,
    w: f64,
    h: f64,
}

#[derive(Serialize)]
struct PageEdge {
    d: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    outputs: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    mark: Option<Mark>,
}

impl Page {
    pub(super) fn of(report: &HtmlReport<'_>) -> Self {
        let mut ids = HashSet::new();
        let mut alike: HashMap<String, usize> = HashMap::new();
        let count = |wanted: fn(Status) -> bool| {
            report
                .pipelines
                .iter()
                .filter(|one| wanted(one.entry.difference.status))
                .count()
        };
        let breaking = report
            .pipelines
            .iter()
            .filter(|one| one.entry.difference.is_breaking())
            .count();
        let mut headline = format!(
            "{} to create, {} to update, {} unchanged",
            count(|status| status == Status::Created),
            count(|status| matches!(status, Status::Changed | Status::Unreadable)),
            count(|status| status == Status::Unchanged),
        );
        if breaking > 0 {
            headline.push_str(&format!("; callers of {} break", counted(breaking, "pipeline")));
        }
        Self {
            title: visible(report.title),
            headline,
            facts: report.facts.iter().map(|fact| visible(fact)).collect(),
            pipelines: report
                .pipelines
                .iter()
                .map(|one| {
                    let name = cut(one.entry.name, NAME);
                    let before = alike.entry(name.clone()).or_default();
                    let mut id = name.clone();
                    while !ids.insert(id.clone()) {
                        *before += 1;
                        id = format!("{name}'{before}");
                    }
                    pipeline(id, one)
                })
                .collect(),
        }
    }
}

fn pipeline(id: String, one: &HtmlPipeline<'_>) -> PagePipeline {
    let difference = one.entry.difference;
    let form = one.spec.and_then(|spec| canonical(spec).ok());
    let view = form.as_ref().map(Pipeline::of);
    let texts = |texts: Vec<&str>| {
        texts
            .into_iter()
            .take(LISTED)
            .map(|text| cut(text, NAME))
            .collect::<Vec<_>>()
    };
    let images = texts(view.as_ref().map(Pipeline::images).unwrap_or_default());
    let packages = texts(view.as_ref().map(Pipeline::packages).unwrap_or_default());
    let name = cut(one.entry.name, NAME);
    let file = one.entry.file.map(|file| cut(file, NAME)).unwrap_or_default();
    let mut code = 0;
    let changes: Vec<PageChange> = difference
        .changes
        .iter()
        .take(CHANGES)
        .map(|change| page_change(change, &mut code))
        .collect();
    PagePipeline {
        search: [name.as_str(), file.as_str()]
            .into_iter()
            .chain(images.iter().map(String::as_str))
            .chain(packages.iter().map(String::as_str))
            .collect::<Vec<_>>()
            .join("\n")
            .to_lowercase(),
        id,
        name,
        file,
        action: one.action.map(visible).unwrap_or_default(),
        url: one
            .url
            .filter(|url| url.starts_with("https://") || url.starts_with("http://"))
            .map(str::to_owned),
        status: difference.status,
        step: difference.step.as_str(),
        headline: headline(difference),
        breaking: difference.is_breaking(),
        sdk: view
            .as_ref()
            .map(|view| cut(view.sdk_version, NAME))
            .unwrap_or_default(),
        digest: difference
            .after
            .digest
            .map(|digest| format!("sha256:{}…", &digest.hex()[..12]))
            .unwrap_or_default(),
        description: view
            .as_ref()
            .map(|view| visible_block(&ellipsis_chars(view.description, DESCRIPTION)))
            .unwrap_or_default(),
        findings: one
            .findings
            .iter()
            .map(|finding| cut(finding, DESCRIPTION))
            .collect(),
        more_changes: difference.changes.len().saturating_sub(CHANGES),
        changes,
        parameters: view.as_ref().map(parameters).unwrap_or_default(),
        images,
        packages,
        versions: one
            .versions
            .iter()
            .map(|version| Version {
                name: visible(&version.name),
                created: visible(&version.created),
                commit: version.commit.as_deref().map(visible),
                digest: version.digest.as_deref().map(visible),
                by: version.by.as_deref().map(visible),
            })
            .collect(),
        graph: one.entry.graph.map(graph),
    }
}

fn parameters(view: &Pipeline<'_>) -> Vec<PageParameter> {
    view.root
        .parameters
        .iter()
        .take(LISTED)
        .map(|parameter| PageParameter {
            name: cut(parameter.name, NAME),
            kind: cut(parameter.python_type(), NAME),
            default: parameter.default.map(|default| cut(&default.to_string(), 300)),
            optional: parameter.optional,
            description: cut(parameter.description, 1_000),
        })
        .collect()
}

fn cut(text: &str, most: usize) -> String {
    visible(&ellipsis_chars(text, most))
}

fn page_change(change: &Change, code: &mut usize) -> PageChange {
    let patch = change.patch.as_deref().filter(|patch| {
        *code += patch.len();
        *code <= CODE
    });
    PageChange {
        class: change.class,
        verb: change.verb,
        words: sentence(change)
            .into_iter()
            .map(|word| match word {
                Word::Plain(text) => (true, text.into_owned()),
                Word::Code(text) => (false, text),
            })
            .collect(),
        patch: patch.map(visible_block),
        task: match (&change.subject, change.aspect, change.verb) {
            (Subject::Task(_), Aspect::Itself, Verb::Moved) => change.after.as_deref().map(visible),
            (Subject::Task(path), ..) => Some(cut(path, PATH)),
            _ => None,
        },
    }
}

fn graph(graph: &Graph) -> PageGraph {
    if graph.nodes.len() > NODES {
        return PageGraph {
            width: 0.0,
            height: 0.0,
            truncated: true,
            nodes: Vec::new(),
            edges: Vec::new(),
        };
    }
    let layout = layout(graph);
    PageGraph {
        width: layout.width,
        height: layout.height,
        truncated: graph.truncated,
        nodes: graph
            .nodes
            .iter()
            .zip(&layout.nodes)
            .map(|(node, place)| PageNode {
                path: cut(&node.path, PATH),
                label: cut(&node.label, 120),
                title: title(node),
                kind: node.kind,
                frame: node.kind.is_frame(),
                mark: node.mark,
                caching: node.caching,
                inputs: pairs(&node.inputs),
                outputs: pairs(&node.outputs),
                x: place.x,
                y: place.y,
                w: place.width,
                h: place.height,
            })
            .collect(),
        edges: graph
            .edges
            .iter()
            .zip(&layout.edges)
            .map(|(edge, points)| PageEdge {
                d: path(points),
                outputs: cut(&edge.outputs.join(", "), 300),
                mark: edge.mark,
            })
            .collect(),
    }
}

/// The second line of a node, or the head of a frame.
fn title(node: &Node) -> String {
    match (&node.detail, &node.image, node.kind) {
        (Some(items), _, NodeKind::Loop) => cut(&format!("for {items}"), 300),
        (Some(condition), _, _) => cut(&format!("if {condition}"), 300),
        (None, Some(image), _) => cut(image, 300),
        (None, None, NodeKind::Importer) => "importer".to_owned(),
        (None, None, _) if node.kind.is_frame() => cut(&node.label, 120),
        (None, None, _) => String::new(),
    }
}

fn pairs(pairs: &[(String, String)]) -> Vec<(String, String)> {
    pairs
        .iter()
        .map(|(name, text)| (cut(name, 200), cut(text, 400)))
        .collect()
}
