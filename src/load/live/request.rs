//! [`Request`]: one `kubectl get`, and what came of it.

use crate::load::kubectl;
use crate::load::live::served_kind::ServedKind;
use crate::load::unlisted::FORBIDDEN;
use serde::Deserialize;
use serde_json::value::RawValue;
use std::time::Duration;

/// What is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Within<'r> {
    /// Everything in the cluster.
    Cluster,
    /// Everything in a namespace.
    Namespace(&'r str),
    /// The one object of this name.
    Named(&'r str),
}

/// One `kubectl get`.
#[derive(Debug, Clone, Copy)]
pub struct Request<'r> {
    /// The kind.
    pub resource: &'r ServedKind,
    /// Which of its objects.
    pub within: Within<'r>,
}

/// What came of it.
#[derive(Debug, Default)]
pub struct Reply {
    /// What was printed: a List or an object; all there is, if nothing failed.
    pub text: Option<String>,
    /// What failed.
    pub failure: Option<ListFailure>,
}

/// Why a list is missing or has not all objects.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListFailure {
    /// In a few words: `forbidden`.
    pub reason: Box<str>,
    /// kubectl's words.
    pub message: Box<str>,
}

impl ListFailure {
    fn new(message: &str) -> Self {
        Self {
            reason: message.into(),
            message: message.into(),
        }
    }

    /// Whether the user may not list these.
    pub fn is_forbidden(&self) -> bool {
        &*self.reason == FORBIDDEN
    }
}

/// How kubectl is called.
#[derive(Debug)]
pub struct Connection {
    /// The options of every call.
    pub flags: Vec<String>,
    /// How many objects a request asks for.
    pub chunk_size: Option<u32>,
    /// After what time a call is ended.
    pub limit: Option<Duration>,
}

impl Connection {
    /// Runs kubectl.
    ///
    /// # Errors
    /// When it cannot be run to its end.
    pub fn run(&self, arguments: &[&str]) -> Result<crate::load::limits::Printed, String> {
        let flags = self.flags.iter().map(String::as_str);
        let all: Vec<&str> = arguments.iter().copied().chain(flags).collect();
        let hint = "install it, or pipe: kubectl get ... -A -o json | netpal ... -f -";
        kubectl::run(&all, self.limit, hint)
    }

    /// Asks for objects.
    pub fn get(&self, request: &Request<'_>) -> Reply {
        let mut arguments = vec!["get", &*request.resource.name];
        match request.within {
            Within::Cluster if request.resource.namespaced => arguments.push("-A"),
            Within::Cluster => {}
            Within::Namespace(name) => arguments.extend(["-n", name]),
            Within::Named(name) => arguments.push(name),
        }
        arguments.extend(["-o", "json"]);
        let chunk = self.chunk_size.map(|size| format!("--chunk-size={size}"));
        arguments.extend(chunk.as_deref());
        match self.run(&arguments) {
            Ok(printed) => Reply::of(printed.success, printed.output, &printed.errors),
            Err(reason) => Reply::failed(ListFailure::new(&reason)),
        }
    }
}

impl Reply {
    fn failed(failure: ListFailure) -> Self {
        Self {
            text: None,
            failure: Some(failure),
        }
    }

    /// What kubectl printed. After a failure it may have printed a part of the list; what it said
    /// beside a success is a warning of the server.
    fn of(success: bool, output: Vec<u8>, errors: &str) -> Self {
        let text = String::from_utf8(output).ok().filter(|t| items(t).is_ok());
        let failure = match (success, &text) {
            (true, Some(_)) => None,
            (true, None) => Some(ListFailure::new(
                "kubectl printed something else than a list",
            )),
            (false, _) => Some(of_errors(errors)),
        };
        Self { text, failure }
    }
}

/// The objects of what kubectl printed, as it wrote them.
///
/// # Errors
/// When it is neither a List nor an object.
pub fn items(text: &str) -> Result<Vec<&RawValue>, serde_json::Error> {
    #[derive(Deserialize)]
    struct Printed<'t> {
        #[serde(borrow, rename = "kind")]
        _kind: &'t RawValue,
        #[serde(borrow)]
        items: Option<Vec<&'t RawValue>>,
    }
    let printed: Printed<'_> = serde_json::from_str(text)?;
    match printed.items {
        Some(items) => Ok(items),
        None => Ok(vec![serde_json::from_str(text)?]),
    }
}

/// The names of the objects of what kubectl printed.
pub fn names(text: &str) -> Vec<String> {
    #[derive(Deserialize)]
    struct Object {
        metadata: Metadata,
    }
    #[derive(Deserialize)]
    struct Metadata {
        name: String,
    }
    let name = |item: &RawValue| serde_json::from_str::<Object>(item.get()).ok();
    let items = items(text).unwrap_or_default();
    let named = items.into_iter().filter_map(name);
    named.map(|object| object.metadata.name).collect()
}

/// The longest message that is kept.
const LONGEST: usize = 300;

/// What kubectl says of its failure, without warnings of the server and lines of its log.
fn of_errors(errors: &str) -> ListFailure {
    let is_log = |line: &str| {
        let mut characters = line.chars();
        characters.next().is_some_and(|c| "IWEF".contains(c))
            && characters.take(4).filter(char::is_ascii_digit).count() == 4
    };
    let said = |line: &&str| !line.starts_with("Warning:") && !is_log(line);
    let lines = || errors.lines().map(str::trim).filter(said);
    let starts = |line: &&str| line.to_ascii_lowercase().starts_with("error");
    let line = lines().find(starts).or_else(|| lines().next());
    let line = line.unwrap_or("kubectl failed without a word");
    let message: String = line.chars().take(LONGEST).collect();
    if lines().any(|line| line.contains("(Forbidden)")) {
        let reason = FORBIDDEN.into();
        let message = message.into();
        return ListFailure { reason, message };
    }
    let short = message
        .split_once(": ")
        .filter(|(head, _)| *head == "error" || head.starts_with("Error from server"));
    let reason = short.map_or(&*message, |(_, rest)| rest).into();
    let message = message.into();
    ListFailure { reason, message }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_is_told_in_a_few_words() {
        let reason = |errors: &str| of_errors(errors).reason.into_string();
        let forbidden = "Warning: a thing is old\nError from server (Forbidden): pods is forbidden: \
                         User \"dev\" cannot list resource \"pods\" in API group \"\" at the cluster scope";
        assert_eq!(reason(forbidden), FORBIDDEN);
        assert_eq!(
            reason(
                "E1130 10:00:00.000000 1 memcache.go:265] couldn't get it\nUnable to connect to the server: EOF"
            ),
            "Unable to connect to the server: EOF"
        );
        assert_eq!(
            reason(
                "Error from server (Timeout): the server was unable to return a response in time"
            ),
            "the server was unable to return a response in time"
        );
        assert_eq!(reason(""), "kubectl failed without a word");
    }

    #[test]
    fn a_part_of_a_list_is_kept_and_half_a_text_is_not() {
        let part = Reply::of(
            false,
            b"{\"kind\": \"List\", \"items\": [{\"a\": 1}]}".to_vec(),
            "",
        );
        assert!(part.text.is_some() && part.failure.is_some());
        let half = Reply::of(
            false,
            b"{\"kind\": \"List\", \"items\": [{\"a\"".to_vec(),
            "",
        );
        assert!(half.text.is_none() && half.failure.is_some());
        let odd = Reply::of(true, b"NAME  READY\nweb   1/1\n".to_vec(), "");
        assert!(odd.text.is_none() && odd.failure.is_some());
        let whole = Reply::of(
            true,
            b"{\"kind\": \"List\", \"items\": []}".to_vec(),
            "Warning: x",
        );
        assert!(whole.text.is_some() && whole.failure.is_none());
    }

    #[test]
    fn the_objects_of_a_list_are_as_they_were_written() {
        let text = "{\"apiVersion\": \"v1\", \"items\": [ {\"b\": 1,  \"a\": [2]} , {\"metadata\": {\"name\": \"x\"}}], \"kind\": \"List\"}";
        let raw: Vec<&str> = items(text).unwrap().iter().map(|i| i.get()).collect();
        assert_eq!(raw[0], "{\"b\": 1,  \"a\": [2]}");
        assert_eq!(names(text), ["x"]);
        let one = "{\"kind\": \"Namespace\", \"metadata\": {\"name\": \"shop\"}}";
        assert_eq!(names(one), ["shop"]);
        assert!(items("[]").is_err() && items("{}").is_err());
    }
}
