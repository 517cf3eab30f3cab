//! What a report says of itself: the commit of its input, the date that it was told, the command,
//! and what was suppressed.
//!
//! Invariant: nothing in it depends on the clock, on the folder, or on the order in which inputs
//! are named, so that the same run gives the same bytes.

use super::args::Common;
use super::workspace::Workspace;
use anyhow::{Result, bail};
use netpal::{LintConfig, Source, SourceCommit, Suppressed, Unsupported, commits};
use std::path::Path;

/// The commit of the input in words, or why none is known.
pub fn commit(sources: &[Source], workspace: &Workspace) -> String {
    commit_words(&commits(sources, &workspace.input.sources))
}

/// The commits of the sources in words, those of one commit together.
fn commit_words(told: &[SourceCommit]) -> String {
    let mut words: Vec<String> = told.iter().map(one_commit).collect();
    words.sort();
    words.dedup();
    let one = told.first().filter(|first| {
        let same = |c: &SourceCommit| c.commit == first.commit && c.changed == first.changed;
        told.iter().all(same)
    });
    match one {
        Some(one) => state_words(one),
        None => words.join("; "),
    }
}

fn one_commit(told: &SourceCommit) -> String {
    format!("{} {}", relative(&told.path), state_words(told))
}

fn state_words(told: &SourceCommit) -> String {
    let Some(commit) = &told.commit else {
        return "none known: not in the git repository of the current folder".to_owned();
    };
    match told.changed {
        Some(false) => commit.to_string(),
        Some(true) => format!("{commit} with uncommitted changes"),
        None => format!("{commit}; whether files were changed since is not known"),
    }
}

/// The date of the flag, else of `SOURCE_DATE_EPOCH`.
///
/// # Errors
/// When it is none.
pub fn date(flag: Option<&str>) -> Result<Option<String>> {
    if let Some(text) = flag {
        if !is_date(text) {
            bail!("`--date {text}`: write YYYY-MM-DD or YYYY-MM-DDTHH:MM:SSZ");
        }
        return Ok(Some(text.to_owned()));
    }
    let Some(seconds) = std::env::var_os("SOURCE_DATE_EPOCH").filter(|text| !text.is_empty())
    else {
        return Ok(None);
    };
    let text = seconds.to_string_lossy();
    // year 9999 is the last that has four digits
    match text.parse::<u64>() {
        Ok(seconds) if seconds < 253_402_300_800 => Ok(Some(of_epoch(seconds))),
        _ => bail!("SOURCE_DATE_EPOCH is `{text}`: it is a number of seconds since 1970"),
    }
}

/// Whether a text is a day, or a second of it in UTC.
fn is_date(text: &str) -> bool {
    let (day, time) = match text.split_once('T') {
        Some((day, time)) => (day, Some(time)),
        None => (text, None),
    };
    let is_day = numbers(day, '-', [4, 2, 2])
        .is_some_and(|[year, month, day]| day >= 1 && day <= days_in(year, month));
    let is_time = time.is_none_or(|time| {
        let time = time.strip_suffix('Z');
        let time = time.and_then(|time| numbers(time, ':', [2, 2, 2]));
        time.is_some_and(|[hour, minute, second]| hour < 24 && minute < 60 && second < 60)
    });
    is_day && is_time
}

/// The three numbers of a date or a time, each with so many digits.
fn numbers(text: &str, by: char, lengths: [usize; 3]) -> Option<[u32; 3]> {
    let parts: Vec<&str> = text.split(by).collect();
    let [a, b, c] = <[&str; 3]>::try_from(parts).ok()?;
    let fits = |(part, length): (&str, usize)| {
        part.len() == length && part.bytes().all(|byte| byte.is_ascii_digit())
    };
    if ![a, b, c].into_iter().zip(lengths).all(fits) {
        return None;
    }
    Some([a.parse().ok()?, b.parse().ok()?, c.parse().ok()?])
}

fn days_in(year: u32, month: u32) -> u32 {
    match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        4 | 6 | 9 | 11 => 30,
        2 if year.is_multiple_of(400) => 29,
        2 if year.is_multiple_of(4) && !year.is_multiple_of(100) => 29,
        2 => 28,
        _ => 0,
    }
}

/// Seconds since 1970 as a date and time in UTC.
fn of_epoch(seconds: u64) -> String {
    let (mut days, rest) = (seconds / 86_400, seconds % 86_400);
    let mut year = 1970;
    let length = |year: u32| (1..=12).map(|m| u64::from(days_in(year, m))).sum::<u64>();
    while days >= length(year) {
        days -= length(year);
        year += 1;
    }
    let mut month = 1;
    while days >= u64::from(days_in(year, month)) {
        days -= u64::from(days_in(year, month));
        month += 1;
    }
    let (hour, minute, second) = (rest / 3600, rest / 60 % 60, rest % 60);
    let day = days + 1;
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
}

/// The command with relative paths; the inputs in one order, whichever they were named in.
pub fn command(arguments: impl Iterator<Item = String>) -> String {
    let mut words: Vec<Vec<String>> = Vec::new();
    let mut arguments = arguments.peekable();
    while let Some(word) = arguments.next() {
        let mut unit = vec![quoted(&without_folders(&word))];
        let takes_input = matches!(
            word.as_str(),
            "-f" | "--file" | "--filename" | "-k" | "--kustomize"
        );
        if takes_input && let Some(value) = arguments.next() {
            unit.push(quoted(&without_folders(&value)));
        }
        words.push(unit);
    }
    let is_input = |unit: &[String]| {
        let joined = ["-f", "--file", "-k", "--kustomize"];
        unit.first()
            .is_some_and(|w| joined.iter().any(|flag| w.starts_with(flag)))
    };
    let mut inputs: Vec<Vec<String>> = words.iter().filter(|u| is_input(u)).cloned().collect();
    inputs.sort();
    let mut inputs = inputs.into_iter();
    for unit in words.iter_mut().filter(|unit| is_input(unit)) {
        *unit = inputs.next().unwrap_or_default();
    }
    let words: Vec<String> = words.into_iter().flatten().collect();
    format!("netpal {}", words.join(" "))
}

/// A word of the command, whose paths do not tell where on a machine it ran: what follows an `=` is
/// one too.
fn without_folders(word: &str) -> String {
    if let Some(value) = word.strip_prefix("-f").filter(|v| v.starts_with('/')) {
        return format!("-f{}", relative(value));
    }
    match word.split_once('=') {
        Some((name, value)) => format!("{name}={}", relative(value)),
        None => relative(word),
    }
}

/// A path from the current folder; of one elsewhere the last part alone.
pub fn relative(text: &str) -> String {
    let path = Path::new(text);
    if !path.is_absolute() {
        return text.to_owned();
    }
    let here = std::env::current_dir().unwrap_or_default();
    match path.strip_prefix(&here) {
        Ok(inside) if inside.as_os_str().is_empty() => ".".to_owned(),
        Ok(inside) => inside.to_string_lossy().into_owned(),
        Err(_) => {
            let last = path.file_name().map(|name| name.to_string_lossy());
            format!(".../{}", last.unwrap_or_default())
        }
    }
}

/// A word as a shell reads it.
fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./=:,@%+~^".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', "'\\''"))
    }
}

/// What was suppressed: findings with a reason, and what the configuration leaves out.
pub fn suppressions(
    common: &Common,
    workspace: &Workspace,
    mut all: Vec<Suppressed>,
    config: &LintConfig,
) -> Vec<Suppressed> {
    let setting = |place: &str, rule: &str, what: String| Suppressed {
        rule: rule.to_owned(),
        place: place.to_owned(),
        what,
        reason: String::new(),
    };
    let left_out = config.ignore.iter();
    all.extend(left_out.map(|rule| {
        let what = "the rule is left out".to_owned();
        setting("netpal.yaml lint.ignore", rule, what)
    }));
    for (namespace, rules) in &config.per_namespace {
        all.extend(rules.iter().map(|rule| {
            let what = format!("the rule is left out in namespace {namespace}");
            setting("netpal.yaml lint.per-namespace", rule, what)
        }));
    }
    if workspace.project.config.unsupported == Unsupported::Ignore {
        let what = "policies of kinds that are not modelled do not make verdicts unknown";
        all.push(setting(
            "netpal.yaml unsupported",
            "ignore",
            what.to_owned(),
        ));
    }
    if common.ignore_broken {
        let what = "documents that are broken do not make verdicts unknown";
        all.push(setting("", "--ignore-broken", what.to_owned()));
    }
    all.sort();
    all.dedup();
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_days_or_seconds() {
        for good in ["2026-02-28", "2024-02-29", "2026-11-30T23:59:59Z"] {
            assert!(is_date(good), "{good}");
        }
        for bad in [
            "2026-02-29",
            "2026-13-01",
            "2026-1-1",
            "today",
            "2026-11-30T24:00:00Z",
            "2026-11-30T23:59:59",
            "2026-11-30 ",
            "+026-11-30",
            "",
        ] {
            assert!(!is_date(bad), "{bad}");
        }
        assert_eq!(of_epoch(0), "1970-01-01T00:00:00Z");
        assert_eq!(of_epoch(951_782_399), "2000-02-28T23:59:59Z");
        assert_eq!(of_epoch(951_782_400), "2000-02-29T00:00:00Z");
        assert_eq!(of_epoch(1_767_225_600), "2026-01-01T00:00:00Z");
    }

    #[test]
    fn commands_tell_no_folder_and_have_one_order_of_inputs() {
        let words = |text: &str| command(text.split(' ').map(str::to_owned));
        assert_eq!(
            words("report -f b -f a -o html=/somewhere/r.html"),
            "netpal report -f a -f b -o html=.../r.html"
        );
        assert_eq!(
            words("report -f a -f b -o html=r.html"),
            words("report -f b -f a -o html=r.html")
        );
        assert_eq!(
            words("report -f/x/k8s --title=a;b"),
            "netpal report -f.../k8s '--title=a;b'"
        );
        let here = std::env::current_dir().unwrap();
        assert_eq!(relative(&here.join("k8s").to_string_lossy()), "k8s");
        assert_eq!(relative(&here.to_string_lossy()), ".");
    }
}
