//! [`LiveOptions`]: which cluster is read, as whom, and how much of it.

use std::path::PathBuf;
use std::time::Duration;

/// How long one request may take unless the user says otherwise: as long as the API server itself
/// gives it.
const REQUEST: &str = "60s";

/// After how many times that kubectl is ended: a long list is many requests.
const REQUESTS: u32 = 20;

/// Which cluster is read, as whom, and how much of it; each is an option of kubectl.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LiveOptions {
    /// `--context`: the current one unless given.
    pub context: Option<Box<str>>,
    /// `--kubeconfig`.
    pub kubeconfig: Option<Box<str>>,
    /// `--as`: whom to impersonate.
    pub user: Option<Box<str>>,
    /// `--namespace`: the only one to read; all of them unless given.
    pub namespace: Option<Box<str>>,
    /// `--chunk-size`: how many objects a request asks for.
    pub chunk_size: Option<u32>,
    /// `--request-timeout`: how long a request may take, such as `30s`; `0` is for ever.
    pub request_timeout: Option<Box<str>>,
    /// The file that keeps what was read.
    pub dump: Option<PathBuf>,
}

impl LiveOptions {
    /// The options that say which cluster is asked, and as whom.
    pub(super) fn identity(&self) -> impl Iterator<Item = String> {
        let given = [
            ("context", &self.context),
            ("kubeconfig", &self.kubeconfig),
            ("as", &self.user),
        ];
        let given = given.into_iter();
        given.filter_map(|(flag, value)| Some(format!("--{flag}={}", value.as_ref()?)))
    }

    /// The options that every call of kubectl gets.
    pub(super) fn connection(&self) -> Vec<String> {
        let mut all: Vec<String> = self.identity().collect();
        all.push(format!("--request-timeout={}", self.timeout()));
        all
    }

    fn timeout(&self) -> &str {
        self.request_timeout.as_deref().unwrap_or(REQUEST)
    }

    /// How long a call of kubectl may take; for ever, if a request may.
    ///
    /// # Errors
    /// When the timeout is none.
    pub(super) fn limit(&self) -> Result<Option<Duration>, String> {
        let timeout = self.timeout();
        let Some(request) = duration(timeout) else {
            return Err(format!(
                "`{timeout}` is no time for --request-timeout; write it as 30s or 2m"
            ));
        };
        Ok((!request.is_zero()).then(|| request.saturating_mul(REQUESTS)))
    }
}

/// A time as kubectl reads it: whole seconds, or numbers with units such as `1m30s`.
fn duration(text: &str) -> Option<Duration> {
    if let Ok(seconds) = text.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let mut rest = text;
    let mut all = Duration::ZERO;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let (number, after) = rest.split_at(digits);
        let letters = after.find(|c: char| !c.is_alphabetic());
        let (unit, after) = after.split_at(letters.unwrap_or(after.len()));
        let seconds = match unit {
            "h" => 3600.0,
            "m" => 60.0,
            "s" => 1.0,
            "ms" => 0.001,
            _ => return None,
        };
        let part = Duration::try_from_secs_f64(number.parse::<f64>().ok()? * seconds);
        all = all.checked_add(part.ok()?)?;
        rest = after;
    }
    (!text.is_empty()).then_some(all)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_as_kubectl_reads_them() {
        let read = |text| duration(text).map(|d| d.as_millis());
        let texts = ["30", "30s", "1m30s", "250ms", "1.5h", "0"];
        assert_eq!(
            texts.map(read),
            [30_000, 30_000, 90_000, 250, 5_400_000, 0].map(Some)
        );
        assert_eq!(
            ["", "s", "5x", "-3s", "1m30", "99999999999999999999h"].map(read),
            [None; 6]
        );
    }

    #[test]
    fn a_request_that_may_take_for_ever_has_no_limit() {
        let limit = |text: &str| {
            let request_timeout = Some(text.into());
            LiveOptions {
                request_timeout,
                ..LiveOptions::default()
            }
            .limit()
        };
        assert_eq!(limit("0"), Ok(None));
        assert_eq!(limit("2s"), Ok(Some(Duration::from_secs(40))));
        assert!(limit("soon").is_err());
    }
}
