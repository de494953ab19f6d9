//! Which release of the server a document asks for.

use super::schema::{EVER, Kind, Message, PARAMETER_TYPES, PIPELINE_SPEC, PLATFORM_SPEC, TASK_CONFIG_SINCE};
use super::{Release, camel_case};
use serde_json::{Map, Value};

/// A member that not every release knows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Need {
    /// The member's name, or the parameter type.
    pub name: String,
    /// Where it stands, such as `root.inputDefinitions.parameters.a.literals`.
    pub place: String,
    /// The first release that knows it.
    pub since: Release,
    /// The first release that knows it no more.
    pub until: Release,
}

/// What a document asks for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Needs {
    /// Members that not every release knows, in the document's order.
    pub members: Vec<Need>,
    /// Places of members that no release knows, up to the newest that this program knows.
    pub unknown: Vec<String>,
}

/// What a pipeline spec asks for: a server that does not know one of its members refuses it.
pub fn needs_of_pipeline(document: &Map<String, Value>) -> Needs {
    let mut needs = Needs::default();
    needs.message(document, &PIPELINE_SPEC, "");
    needs
}

/// What a platform spec asks for: a server that does not know one of its members drops all of it in silence.
pub fn needs_of_platform(document: &Map<String, Value>) -> Needs {
    let mut needs = Needs::default();
    needs.message(document, &PLATFORM_SPEC, "");
    needs
}

impl Needs {
    fn message(&mut self, object: &Map<String, Value>, message: &Message, place: &str) {
        for (name, value) in object {
            let place = join(place, name);
            let known = message
                .0
                .iter()
                .find(|member| member.name == name || camel_case(name) == member.name);
            let Some(member) = known else {
                self.unknown.push(place);
                continue;
            };
            if member.since > (0, 0) || member.until < EVER {
                self.members.push(Need {
                    name: member.name.to_owned(),
                    place: place.clone(),
                    since: member.since,
                    until: member.until,
                });
            }
            self.value(value, &member.kind, &place);
        }
    }

    fn value(&mut self, value: &Value, kind: &Kind, place: &str) {
        match (kind, value) {
            (Kind::Message(message), Value::Object(object)) => self.message(object, message, place),
            (Kind::List(kind), Value::Array(list)) => {
                for (index, value) in list.iter().enumerate() {
                    self.value(value, kind, &format!("{place}[{index}]"));
                }
            }
            (Kind::Map(kind), Value::Object(map)) => {
                for (name, value) in map {
                    self.value(value, kind, &join(place, name));
                }
            }
            (Kind::ParameterType, Value::String(name)) if PARAMETER_TYPES.last() == Some(&name.as_str()) => {
                self.members.push(Need {
                    name: name.clone(),
                    place: place.to_owned(),
                    since: TASK_CONFIG_SINCE,
                    until: EVER,
                });
            }
            _ => {}
        }
    }
}

fn join(place: &str, name: &str) -> String {
    if place.is_empty() {
        name.to_owned()
    } else {
        format!("{place}.{name}")
    }
}

#[cfg(test)]
mod tests {
    use super::super::pipeline_spec;
    use super::*;
    use serde_json::json;

    fn needs(document: &Value) -> Needs {
        needs_of_pipeline(document.as_object().unwrap())
    }

    #[test]
    fn what_is_needed_is_what_the_registry_refuses_without() {
        let document = json!({
            "pipelineInfo": {"name": "p"},
            "root": {"inputDefinitions": {"parameters": {
                "a": {"parameterType": "STRING", "literals": ["x"]},
                "b": {"parameterType": "TASK_CONFIG"},
            }}},
        });
        let needs = needs(&document);
        let told: Vec<(&str, Release)> = needs
            .members
            .iter()
            .map(|need| (need.place.as_str(), need.since))
            .collect();
        assert_eq!(
            told,
            [
                ("root.inputDefinitions.parameters.a.literals", (16, 0)),
                ("root.inputDefinitions.parameters.b.parameterType", (15, 0)),
            ]
        );
        let newest = needs.members.iter().map(|need| need.since).max().unwrap();
        assert!(pipeline_spec(document.as_object().unwrap(), newest).is_some());
        assert!(pipeline_spec(document.as_object().unwrap(), (newest.0 - 1, 9)).is_none());
    }

    #[test]
    fn renamed_and_unknown_members_are_told() {
        let platform = json!({"platforms": {"kubernetes": {"pipelineConfig": {"resourceTtl": 60}}}});
        let needs = needs_of_platform(platform.as_object().unwrap());
        let ttl = needs
            .members
            .iter()
            .find(|need| need.name == "resourceTtl")
            .unwrap();
        assert_eq!((ttl.since, ttl.until), ((5, 0), (17, 0)));
        let new = needs_of_pipeline(
            json!({"root": {"dag": {"tasks": {"t": {"new": 1}}}}})
                .as_object()
                .unwrap(),
        );
        assert_eq!(new.unknown, ["root.dag.tasks.t.new"]);
        assert!(new.members.is_empty());
    }
}
