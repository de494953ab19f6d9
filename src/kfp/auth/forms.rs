//! Reads the forms and links of a login page: just enough HTML for the pages of oauth2-proxy and Dex.

/// A form as far as a login needs it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Form {
    /// Whether it is sent with POST.
    pub post: bool,
    /// Where it goes, as written; empty means the page itself.
    pub action: String,
    /// Its inputs: name, value, whether it is a password.
    pub inputs: Vec<Input>,
}

/// An input of a form.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Input {
    pub name: String,
    pub value: String,
    pub is_password: bool,
}

impl Form {
    /// The input of that name.
    pub fn input(&self, name: &str) -> Option<&Input> {
        self.inputs.iter().find(|input| input.name == name)
    }

    /// Whether it asks for a password.
    pub fn asks_for_password(&self) -> bool {
        self.inputs.iter().any(|input| input.is_password)
    }
}

/// The forms of a page.
pub fn forms(page: &str) -> Vec<Form> {
    let mut forms: Vec<Form> = Vec::new();
    let mut open = false;
    for tag in tags(page) {
        match tag.name.as_str() {
            "form" => {
                open = true;
                forms.push(Form {
                    post: tag.attribute("method").eq_ignore_ascii_case("post"),
                    action: tag.attribute("action"),
                    inputs: Vec::new(),
                });
            }
            "/form" => open = false,
            "input" if open => {
                if let Some(form) = forms.last_mut() {
                    form.inputs.push(Input {
                        name: tag.attribute("name"),
                        value: tag.attribute("value"),
                        is_password: tag.attribute("type").eq_ignore_ascii_case("password"),
                    });
                }
            }
            _ => {}
        }
    }
    forms
}

/// The targets of a page's links.
pub fn links(page: &str) -> Vec<String> {
    tags(page)
        .filter(|tag| tag.name == "a")
        .map(|tag| tag.attribute("href"))
        .filter(|target| !target.is_empty())
        .collect()
}

struct Tag {
    name: String,
    attributes: Vec<(String, String)>,
}

impl Tag {
    fn attribute(&self, name: &str) -> String {
        self.attributes
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.clone())
            .unwrap_or_default()
    }
}

fn tags(page: &str) -> impl Iterator<Item = Tag> + '_ {
    let mut rest = page;
    std::iter::from_fn(move || {
        loop {
            let start = rest.find('<')?;
            rest = &rest[start + 1..];
            if let Some(comment) = rest.strip_prefix("!--") {
                rest = comment.find("-->").map_or("", |end| &comment[end + 3..]);
                continue;
            }
            let (tag, left) = tag(rest);
            rest = left;
            return Some(tag);
        }
    })
}

/// Reads a tag after its `<`, and returns what follows it.
fn tag(text: &str) -> (Tag, &str) {
    let end = text
        .find(|character: char| character.is_whitespace() || character == '>')
        .unwrap_or(text.len());
    let name = text[..end].trim_end_matches('/').to_ascii_lowercase();
    let mut rest = &text[end..];
    let mut attributes = Vec::new();
    loop {
        rest = rest.trim_start_matches(|character: char| character.is_whitespace() || character == '/');
        if rest.is_empty() {
            return (Tag { name, attributes }, rest);
        }
        if let Some(left) = rest.strip_prefix('>') {
            return (Tag { name, attributes }, left);
        }
        let end = rest
            .find(|character: char| character.is_whitespace() || matches!(character, '=' | '>'))
            .unwrap_or(rest.len());
        // A stray `=` would otherwise never be passed.
        let end = if end == 0 {
            rest.chars().next().map_or(0, char::len_utf8)
        } else {
            end
        };
        let key = rest[..end].to_ascii_lowercase();
        rest = rest[end..].trim_start();
        let mut value = String::new();
        if let Some(after) = rest.strip_prefix('=') {
            (value, rest) = attribute_value(after.trim_start());
        }
        attributes.push((key, value));
    }
}

fn attribute_value(text: &str) -> (String, &str) {
    for quote in ['"', '\''] {
        if let Some(inner) = text.strip_prefix(quote) {
            return match inner.find(quote) {
                Some(end) => (unescape(&inner[..end]), &inner[end + 1..]),
                None => (unescape(inner), ""),
            };
        }
    }
    let end = text
        .find(|character: char| character.is_whitespace() || character == '>')
        .unwrap_or(text.len());
    (unescape(&text[..end]), &text[end..])
}

/// The character references that Go's templates and browsers write into attributes.
fn unescape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find('&') {
        out.push_str(&rest[..start]);
        rest = &rest[start..];
        let end = rest.find(';').filter(|end| *end <= 10);
        let character = end.and_then(|end| reference(&rest[1..end]));
        match (character, end) {
            (Some(character), Some(end)) => {
                out.push(character);
                rest = &rest[end + 1..];
            }
            _ => {
                out.push('&');
                rest = &rest[1..];
            }
        }
    }
    out.push_str(rest);
    out
}

fn reference(name: &str) -> Option<char> {
    match name {
        "amp" => Some('&'),
        "lt" => Some('<'),
        "gt" => Some('>'),
        "quot" => Some('"'),
        "apos" => Some('\''),
        _ => {
            let number = name.strip_prefix('#')?;
            let code = match number.strip_prefix(['x', 'X']) {
                Some(hex) => u32::from_str_radix(hex, 16).ok()?,
                None => number.parse().ok()?,
            };
            char::from_u32(code)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn recorded() -> Vec<(String, Vec<Form>)> {
        let path = concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/tests/recordings/kfp/login-dex-oauth2-proxy.json"
        );
        let file: serde_json::Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
        let exchanges = file["exchanges"].as_array().unwrap();
        let page = |exchange: &serde_json::Value| {
            let parts = exchange["response"]["forms"].as_array()?;
            Some(
                parts
                    .iter()
                    .map(|form| form.as_str().unwrap())
                    .collect::<Vec<_>>()
                    .join("\n"),
            )
        };
        exchanges
            .iter()
            .filter_map(|exchange| {
                Some((
                    exchange["name"].as_str().unwrap().to_owned(),
                    forms(&page(exchange)?),
                ))
            })
            .collect()
    }

    #[test]
    fn the_recorded_forms_are_read() {
        let all = recorded();
        let named = |name: &str| all.iter().find(|(other, _)| other == name).unwrap().1.clone();
        let start = &named("not_logged_in")[0];
        assert!(!start.post && start.action == "/oauth2/start");
        assert_eq!(
            start.input("rd").unwrap().value,
            "/apis/v2beta1/pipelines?namespace=team-a"
        );
        let login = &named("follow_2")[0];
        assert!(login.post && login.asks_for_password());
        assert_eq!(
            login.action,
            "/dex/auth/local/login?back=&state=hdfkjmpwtbdswbgj7rz2c7bu5"
        );
        let approval = named("after_password_1");
        assert_eq!(approval.len(), 2);
        assert_eq!(
            (
                approval[0].action.as_str(),
                approval[0].input("approval").unwrap().value.as_str()
            ),
            ("", "approve")
        );
    }

    #[test]
    fn links_and_references_are_read() {
        let page = "<a class=x href='/dex/auth/local?a=1&amp;b=&#43;&#x41;&bogus;'>Log in</a><!-- <a href=no> --><a>";
        assert_eq!(links(page), ["/dex/auth/local?a=1&b=+A&bogus;"]);
    }

    proptest::proptest! {
        #[test]
        fn no_page_makes_the_reader_panic_or_hang(page in "[<>=/'\"& a-z!-]{0,200}|\\PC*") {
            let _ = (forms(&page), links(&page));
        }
    }
}
