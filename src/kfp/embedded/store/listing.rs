//! Pages: filter, sort and continue, as one query and one count.

use super::{StoreError, fold};
use crate::kfp::embedded::dialect::Dialect;
use rusqlite::types::Value;
use rusqlite::{Connection, Row, params_from_iter};

/// A field of a listed thing: its names in the API, in page tokens, and in our tables.
#[derive(Debug, PartialEq, Eq)]
pub struct Field {
    /// Names in `sort_by` and in filter predicates.
    pub api: &'static [&'static str],
    /// The server's name, seen in page tokens (recording 2.17.0: `versions_page_1`).
    pub model: &'static str,
    /// The column with the value itself.
    pub column: &'static str,
    /// The column that is compared and sorted by.
    pub compared: &'static str,
    /// What `compared` holds.
    pub kind: Kind,
}

/// What a field holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Text compared without case.
    Folded,
    /// Text compared as it is.
    Exact,
    /// Seconds since 1970.
    Time,
}

/// A kind of thing that can be listed.
#[derive(Debug)]
pub struct Listable {
    /// Our table.
    pub table: &'static str,
    /// The server's name of it in page tokens.
    pub model: &'static str,
    /// The server's type name in messages.
    pub type_name: &'static str,
    /// The fields; the first one is the default order.
    pub fields: &'static [Field],
    /// Whether `tags.<key>` can be filtered on.
    pub tagged: bool,
    /// Everything `from_row` reads, in its order.
    pub columns: &'static str,
}

impl Listable {
    /// The field of that name in the API. Where things have one name only, `display_name` is that one.
    pub fn field(&self, name: &str, dialect: &Dialect) -> Option<&'static Field> {
        let name = if name == "display_name" && !dialect.has_names() {
            "name"
        } else {
            name
        };
        self.fields.iter().find(|field| field.api.contains(&name))
    }
}

/// A thing that can be listed.
pub trait Listed: Sized {
    /// What is known about its kind.
    const LISTABLE: Listable;

    /// Reads a row of [`Listable::columns`].
    fn from_row(row: &Row<'_>) -> rusqlite::Result<Self>;

    /// Its id.
    fn id(&self) -> &str;
}

/// How a predicate compares.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operation {
    Equals,
    NotEquals,
    GreaterThan,
    GreaterThanEquals,
    LessThan,
    LessThanEquals,
    In,
    IsSubstring,
}

/// What a predicate is about.
#[derive(Clone, Debug)]
pub enum Subject {
    /// A field.
    Field(&'static Field),
    /// The tag of that key.
    Tag(String),
}

/// One condition of a filter; all of a filter's conditions must hold.
#[derive(Clone, Debug)]
pub struct Predicate {
    pub subject: Subject,
    pub operation: Operation,
    /// One value, or several for `In`.
    pub values: Vec<Operand>,
}

/// A value in a predicate.
#[derive(Clone, Debug)]
pub enum Operand {
    Text(String),
    Number(i64),
}

/// The first item of a page that is not the first page.
#[derive(Clone, Debug)]
pub struct Start {
    pub value: Operand,
    pub id: String,
}

/// What to list.
#[derive(Clone, Debug)]
pub struct PageRequest {
    /// Columns that must hold these texts: the pipeline of its versions, the namespace.
    pub scope: Vec<(&'static str, String)>,
    pub predicates: Vec<Predicate>,
    pub sort: &'static Field,
    pub descending: bool,
    /// Most items in the page.
    pub size: usize,
    pub start: Option<Start>,
    /// What `predicates` were read from, for the token of the next page.
    pub filter: Option<serde_json::Value>,
}

/// What was listed.
#[derive(Debug)]
pub struct Page<T> {
    pub items: Vec<T>,
    /// How many match, without regard to pages.
    pub total: i64,
    /// Where the next page starts, if there is one.
    pub next: Option<Start>,
}

/// Lists one page.
pub fn list<T: Listed>(connection: &mut Connection, request: &PageRequest) -> Result<Page<T>, StoreError> {
    let listable = &T::LISTABLE;
    let mut condition = Condition::default();
    for (column, text) in &request.scope {
        condition.add(format!("{column} = ?"), [Value::Text(text.clone())]);
    }
    for predicate in &request.predicates {
        condition.predicate(predicate);
    }

    // One snapshot for both, so that the count fits the page.
    let transaction = connection.transaction()?;
    let total = transaction
        .prepare_cached(&format!(
            "SELECT count(*) FROM {}{}",
            listable.table,
            condition.sql()
        ))?
        .query_row(params_from_iter(&condition.values), |row| row.get(0))?;

    let sort = request.sort;
    let direction = if request.descending { "DESC" } else { "ASC" };
    if let Some(start) = &request.start {
        let beyond = if request.descending { "<" } else { ">" };
        condition.add(
            format!("({0}, id) {beyond}= (?, ?)", sort.compared),
            [operand(&start.value, sort.kind), Value::Text(start.id.clone())],
        );
    }
    let query = format!(
        "SELECT {}, {} FROM {}{} ORDER BY {} {direction}, id {direction} LIMIT {}",
        listable.columns,
        sort.column,
        listable.table,
        condition.sql(),
        sort.compared,
        request.size.saturating_add(1),
    );
    let mut items = Vec::new();
    let mut next = None;
    {
        let mut statement = transaction.prepare_cached(&query)?;
        let last_column = statement.column_count() - 1;
        let mut rows = statement.query(params_from_iter(&condition.values))?;
        while let Some(row) = rows.next()? {
            let item = T::from_row(row)?;
            if items.len() == request.size {
                let value = match sort.kind {
                    Kind::Time => Operand::Number(row.get(last_column)?),
                    Kind::Folded | Kind::Exact => Operand::Text(row.get(last_column)?),
                };
                next = Some(Start {
                    value,
                    id: item.id().to_owned(),
                });
                break;
            }
            items.push(item);
        }
    }
    transaction.commit()?;
    Ok(Page { items, total, next })
}

/// A `WHERE` clause being written, with its values.
#[derive(Default)]
struct Condition {
    terms: Vec<String>,
    values: Vec<Value>,
}

impl Condition {
    fn add(&mut self, term: String, values: impl IntoIterator<Item = Value>) {
        self.terms.push(term);
        self.values.extend(values);
    }

    fn sql(&self) -> String {
        if self.terms.is_empty() {
            String::new()
        } else {
            format!(" WHERE {}", self.terms.join(" AND "))
        }
    }

    fn predicate(&mut self, predicate: &Predicate) {
        let (column, kind) = match &predicate.subject {
            Subject::Field(field) => (field.compared, field.kind),
            Subject::Tag(key) => {
                // The server knows only `EQUALS` here, which the filter's reader has made sure of.
                let values = predicate.values.iter().map(|value| operand(value, Kind::Exact));
                self.add(
                    "EXISTS (SELECT 1 FROM json_each(tags) AS tag WHERE tag.key = ? AND tag.value = ?)"
                        .to_owned(),
                    std::iter::once(Value::Text(key.clone())).chain(values),
                );
                return;
            }
        };
        let values: Vec<Value> = predicate
            .values
            .iter()
            .map(|value| operand(value, kind))
            .collect();
        let term = match predicate.operation {
            Operation::Equals => format!("{column} = ?"),
            Operation::NotEquals => format!("{column} <> ?"),
            Operation::GreaterThan => format!("{column} > ?"),
            Operation::GreaterThanEquals => format!("{column} >= ?"),
            Operation::LessThan => format!("{column} < ?"),
            Operation::LessThanEquals => format!("{column} <= ?"),
            Operation::In => format!("{column} IN ({})", vec!["?"; values.len()].join(", ")),
            Operation::IsSubstring => format!("instr({column}, ?) > 0"),
        };
        self.add(term, values);
    }
}

fn operand(value: &Operand, kind: Kind) -> Value {
    match (value, kind) {
        (Operand::Text(text), Kind::Folded) => Value::Text(fold(text)),
        (Operand::Text(text), Kind::Exact) => Value::Text(text.clone()),
        (Operand::Text(text), Kind::Time) => text
            .parse()
            .map_or_else(|_| Value::Text(text.clone()), Value::Integer),
        (Operand::Number(number), Kind::Time) => Value::Integer(*number),
        (Operand::Number(number), Kind::Folded | Kind::Exact) => Value::Text(number.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kfp::embedded::store::{Pipeline, Version, schema};

    /// How SQLite means to find the rows of a list.
    fn plan(table: &str, condition: &str, order: &str) -> String {
        let mut connection = Connection::open_in_memory().unwrap();
        schema::migrate(&mut connection).unwrap();
        let query =
            format!("EXPLAIN QUERY PLAN SELECT * FROM {table} WHERE {condition} ORDER BY {order} LIMIT 2");
        let mut statement = connection.prepare(&query).unwrap();
        let rows = statement.query_map([], |row| row.get::<_, String>(3)).unwrap();
        rows.map(Result::unwrap).collect::<Vec<_>>().join("; ")
    }

    #[test]
    fn the_calls_of_every_plan_are_answered_from_an_index() {
        let newest = plan(
            Version::LISTABLE.table,
            "pipeline_id = 'p'",
            "created_at DESC, id DESC",
        );
        assert!(
            newest.contains("USING INDEX versions_by_time (pipeline_id=?)"),
            "{newest}"
        );
        assert!(!newest.contains("TEMP B-TREE"), "sorted by hand: {newest}");
        let next = plan(
            Version::LISTABLE.table,
            "pipeline_id = 'p' AND (created_at, id) <= (1, 'x')",
            "created_at DESC, id DESC",
        );
        assert!(
            next.contains("USING INDEX versions_by_time (pipeline_id=? AND (created_at,id)<(?,?))"),
            "{next}"
        );
        let named = plan(
            Pipeline::LISTABLE.table,
            "namespace = '' AND name_key = 'n'",
            "created_at ASC, id ASC",
        );
        assert!(named.contains("(namespace=? AND name_key=?)"), "{named}");
        let all = plan(
            Pipeline::LISTABLE.table,
            "namespace = ''",
            "created_at ASC, id ASC",
        );
        assert!(
            all.contains("USING INDEX pipelines_by_time (namespace=?)") && !all.contains("TEMP B-TREE"),
            "{all}"
        );
    }
}
