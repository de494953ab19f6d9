//! The end: status, comment and job summary.

use super::{Known, Telling};
use crate::context::Event;
use crate::forge::client::Client;
use crate::forge::error::{Fault, ForgeError};
use crate::forge::limits::Deadline;
use crate::forge::status::State;
use crate::report::wording_notice::{self, Place, could_not, missing_permission};
use crate::report::{Report, headline, markdown_comment, summary};

impl Telling {
    pub(super) async fn end_status(
        &self,
        known: &Known,
        report: &Report,
        deadline: Deadline,
    ) -> Option<String> {
        let client = known.client.as_ref().filter(|_| self.status && !known.refused)?;
        let Some(sha) = &self.context.sha else {
            return Some(could_not(Place::Status, "the event does not name the commit"));
        };
        let state = State::of(report, self.context.pull_request().is_some());
        let text = self.redactor().clean(&headline::description(report));
        let (target, link) = (self.target.as_deref(), report.run_url.as_deref());
        match client.set_status(sha, state, target, &text, link, deadline).await {
            Ok(_) => None,
            Err(error) => Some(self.why_not(Place::Status, client, &error, deadline).await),
        }
    }

    pub(super) async fn end_comment(
        &self,
        known: &Known,
        report: &Report,
        deadline: Deadline,
    ) -> Option<String> {
        let client = known.client.as_ref().filter(|_| self.comment)?;
        let (number, start) = match (
            self.context.pull_request(),
            &self.context.event,
            &self.context.sha,
        ) {
            (Some(pull), ..) => (pull.number, markdown_comment::worth_starting(report)),
            // After a merge the comment on the pull request says what became of the plan.
            (None, Event::Push, Some(sha)) => match client.merged_pull(sha, deadline).await {
                Ok(Some(number)) => (number, false),
                Ok(None) => return None,
                Err(error) => {
                    tracing::debug!(%error, "no pull request for this commit");
                    return None;
                }
            },
            _ => return None,
        };
        let marker = markdown_comment::marker(self.target.as_deref());
        let report = Report {
            target: self.target.clone(),
            ..report.clone()
        };
        let body = self.redactor().clean(&markdown_comment::comment(&report));
        match client.comment(number, &marker, &body, start, deadline).await {
            Ok(_) => None,
            Err(error) => Some(self.why_not(Place::Comment, client, &error, deadline).await),
        }
    }

    /// Why something could not be told, with the missing right where that is the reason.
    pub(super) async fn why_not(
        &self,
        place: Place,
        client: &Client,
        error: &ForgeError,
        deadline: Deadline,
    ) -> String {
        let (Fault::Unauthorized | Fault::Forbidden, Some(status)) = (error.fault, error.status) else {
            return could_not(place, &error.message);
        };
        let version = client.version(deadline).await.ok().flatten();
        let version = version.map(|version| self.redactor().clean(&version));
        let fork = self.context.from_fork();
        missing_permission(place, status, client.kind().context(), version.as_deref(), fork)
    }

    pub(super) fn write_summary(&self, report: &Report) -> Option<String> {
        let path = self.context.step_summary.as_ref()?;
        // Where the server does not show it, the file is dropped: nothing is lost and nothing to say.
        if !self.summary || self.context.summary_shown == Some(false) {
            return None;
        }
        let text = self.redactor().clean(&summary::summary(report));
        let written = summary::append(path, &text);
        written
            .err()
            .map(|error| format!("the job summary could not be written: {error}"))
    }

    /// Closes a status that a job left pending.
    pub(super) async fn close_pending(
        &self,
        known: &Known,
        report: Option<&Report>,
        result: &str,
        deadline: Deadline,
    ) -> Option<String> {
        let client = known.client.as_ref().filter(|_| self.status)?;
        let sha = self.context.sha.as_ref()?;
        let target = self.target.as_deref();
        match client.own_status(sha, target, deadline).await {
            Ok(Some(word)) if word == "pending" => {}
            Ok(_) => return None,
            Err(error) => return Some(self.why_not(Place::Status, client, &error, deadline).await),
        }
        let (state, text) = match report {
            Some(report) => (
                State::of(report, self.context.pull_request().is_some()),
                headline::description(report),
            ),
            None => (State::Error, wording_notice::died_headline(result).to_owned()),
        };
        let text = self.redactor().clean(&text);
        match client
            .set_status(sha, state, target, &text, known.link.as_deref(), deadline)
            .await
        {
            Ok(_) => None,
            Err(error) => Some(self.why_not(Place::Status, client, &error, deadline).await),
        }
    }
}
