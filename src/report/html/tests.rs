use super::*;
use crate::ir::Spec;
use crate::ir::fixtures::{NAMES, fixture, value};
use crate::ir::graph::Graph;
use crate::plan::diff::{Difference, diff_drawn};
use crate::report::diff::Entry;

fn page(differences: &[(String, Difference, Graph, Spec)]) -> String {
    render(&HtmlReport {
        title: "Plan",
        facts: vec!["embedded".to_owned()],
        pipelines: differences
            .iter()
            .map(|(name, difference, graph, spec)| HtmlPipeline {
                entry: Entry {
                    name,
                    file: Some("a_pipeline.py"),
                    difference,
                    graph: Some(graph),
                },
                spec: Some(spec),
                action: Some("update"),
                url: Some("javascript:alert(1)"),
                versions: Vec::new(),
                findings: Vec::new(),
            })
            .collect(),
    })
}

fn embedded_json(page: &str) -> serde_json::Value {
    let start = page.find("id=\"data\">").unwrap() + "id=\"data\">".len();
    let end = start + page[start..].find("</script>").unwrap();
    serde_json::from_str(&page[start..end]).unwrap()
}

#[test]
fn one_file_that_fetches_nothing() {
    let (difference, graph) = diff_drawn(Some(&fixture("one-of")), &fixture("in-loops"), 1000);
    let page = page(&[("one".to_owned(), difference, graph, fixture("in-loops"))]);
    assert!(page.contains("default-src 'none'"));
    // The only address is the name of the SVG namespace.
    let shell: String = page
        .split("<script type=\"application/json\"")
        .next()
        .unwrap()
        .to_owned()
        + SCRIPT;
    assert_eq!(
        shell.matches("http://").count() + shell.matches("https://").count(),
        1
    );
    for tag in [
        " src=",
        "@import",
        "url(http",
        "<link",
        "innerHTML",
        "outerHTML",
        "insertAdjacent",
        "document.write",
        "eval(",
    ] {
        assert!(!page.contains(tag), "{tag}");
    }
    let json = embedded_json(&page);
    assert_eq!(
        json["pipelines"][0]["url"],
        serde_json::Value::Null,
        "only http addresses are links"
    );
    assert!(json["pipelines"][0]["graph"]["nodes"].as_array().unwrap().len() > 3);
}

#[test]
fn the_policy_allows_exactly_the_script_and_the_style() {
    let page = page(&[]);
    for text in [SCRIPT, STYLE] {
        assert!(page.contains(&source_hash(text)));
        assert!(page.contains(text), "stands in the page as it was hashed");
    }
    assert_eq!(page.matches("<script").count(), 2);
    assert_eq!(page.matches("</script>").count(), 2);
}

#[test]
fn nothing_from_a_spec_becomes_markup() {
    let evil = "</script><script>alert(1)</script><img src=x onerror=alert(1)>\u{202e}\u{2028}\"'&";
    let mut changed = value("packages");
    let text = changed.to_string();
    changed = serde_json::from_str(&text).unwrap();
    changed["pipeline_spec"]["pipelineInfo"]["description"] = evil.into();
    let tasks = changed["pipeline_spec"]["root"]["dag"]["tasks"]
        .as_object_mut()
        .unwrap();
    let task = tasks.remove("one").unwrap();
    tasks.insert(evil.to_owned(), task);
    let spec = Spec::from_server(&changed).unwrap();
    let (difference, graph) = diff_drawn(Some(&fixture("packages")), &spec, 1000);
    let page = page(&[(evil.to_owned(), difference, graph, spec)]);
    assert_eq!(page.matches("<script").count(), 2);
    assert_eq!(page.matches("</script>").count(), 2);
    assert!(!page.contains("<img") && !page.contains('\u{202e}') && !page.contains('\u{2028}'));
    let json = embedded_json(&page);
    assert!(
        json["pipelines"][0]["name"]
            .as_str()
            .unwrap()
            .starts_with("</script><script>alert(1)")
    );
}

#[test]
fn three_hundred_pipelines_stay_small() {
    let some: Vec<_> = NAMES
        .iter()
        .map(|name| {
            let (difference, graph) = diff_drawn(Some(&fixture("venv")), &fixture(name), 1000);
            ((*name).to_owned(), difference, graph, fixture(name))
        })
        .collect();
    let many: Vec<_> = some.iter().cycle().take(300).cloned().collect();
    let page = page(&many);
    assert!(page.len() < 10 << 20, "{}", page.len());
    let json = embedded_json(&page);
    let ids: std::collections::BTreeSet<_> = json["pipelines"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["id"].to_string())
        .collect();
    assert_eq!(ids.len(), 300, "every pipeline has an address of its own");
}
