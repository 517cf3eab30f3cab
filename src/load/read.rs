//! Texts -> objects: split, sniffed, parsed on all cores.
//!
//! A chunk whose kind is surely of no interest never reaches a parser: it is counted by its kind.
//! Everything else becomes a tree, and the tree at once what its objects add
//! ([`crate::load::objects`]), or a problem with a place. A long List of JSON is read in parts
//! ([`tree::list`]), and where it is a large file its text is not kept. Cost: O(bytes), spread over
//! the cores by file and chunk; of memory the texts that are kept and the trees that are being
//! read.

use crate::load::document_form;
use crate::load::document_form::DocumentForm;
use crate::load::doors::unread;
use crate::load::file_on_disk::FileOnDisk;
use crate::load::input_file::{FileContent, InputFile};
use crate::load::interner::ObjectInterner;
use crate::load::object::LoadedItem;
use crate::load::objects;
use crate::load::options::LoadOptions;
use crate::load::parsed_chunk::{ChunkContent, ChunkHeader, ParsedChunk, ReadFile};
use crate::load::refusal;
use crate::load::watch::{Unwatched, Watch};
use crate::policy::cilium;
use crate::policy::dialects;
use crate::source::{Base, RereadableText as _, Span, Text};
use crate::tree;
use crate::tree::list::Limits;
use crate::tree::{Chunk, Entry, Parsed, Problem, ProblemKind, Sniffed, SyntaxNode};
use rayon::prelude::*;
use std::io::Read;
use std::sync::{Arc, Mutex};

/// How texts are read.
#[derive(Clone, Copy)]
pub struct FileReader<'o> {
    /// Choices of loading.
    pub options: &'o LoadOptions,
    /// The observer of the progress.
    pub watch: &'o dyn Watch,
    /// A text of at least this many bytes is read in parts, if it is a List of JSON.
    pub long: usize,
    /// The parts.
    pub limits: Limits,
}

impl<'o> FileReader<'o> {
    /// How texts are read unless a test wants it otherwise.
    pub fn new(options: &'o LoadOptions) -> Self {
        Self {
            options,
            watch: &Unwatched,
            long: 256 * 1024,
            limits: Limits::default(),
        }
    }

    /// Reads all files, in order.
    pub fn read(self, files: Vec<InputFile>) -> Vec<ReadFile> {
        self.watch
            .more(files.iter().map(|f| f.content.length()).sum());
        files.into_par_iter().map(|file| self.file(file)).collect()
    }

    fn file(self, file: InputFile) -> ReadFile {
        let live = file.live;
        let read = |text, chunks| ReadFile {
            live,
            ..ReadFile::new(&file.name, text, chunks)
        };
        match file.content {
            FileContent::Unreadable(reason) => read(Err(reason), Vec::new()),
            FileContent::OnDisk(large) => {
                if let Some(list) = self.large(&large) {
                    return read(Ok(Text::OnDisk(Arc::new(large))), vec![list]);
                }
                self.watch.more(large.length() as u64);
                self.file(InputFile::whole(&file.name, &large))
            }
            FileContent::Text(text) => {
                let chunks = self.text(&text);
                read(Ok(Text::Kept(text)), chunks)
            }
        }
    }

    fn text(self, text: &str) -> Vec<ParsedChunk> {
        let long = text.len() >= self.long && text.starts_with('{');
        if let Some(list) = long.then(|| self.list(&mut text.as_bytes())).flatten() {
            return vec![list];
        }
        tree::split(text)
            .into_par_iter()
            .map(|chunk| self.chunk(text, chunk))
            .collect()
    }

    fn large(self, large: &FileOnDisk) -> Option<ParsedChunk> {
        let list = self.list(&mut large.reader()?)?;
        large.is_unchanged().then_some(list)
    }

    /// A List of JSON, in parts; `None` when the text is anything else, or cannot be read this way.
    fn list(self, input: &mut (dyn Read + Send)) -> Option<ParsedChunk> {
        let mut sink = ItemSink::new(self.watch);
        let envelope = tree::list::read(
            input,
            self.limits,
            |head, node, chunk| self.item(head, node, chunk),
            &mut |items| sink.take(items),
        )?;
        word(&envelope.entries, "kind").filter(|k| k.ends_with("List"))?;
        let metadata = envelope.entries.iter().find(|e| *e.key == *"metadata");
        if metadata.is_some_and(|m| m.value.get("continue").is_some()) {
            return None; // a part of a list is read as a whole
        }
        let (chunk, problems) = (envelope.chunk, envelope.problems);
        Some(ParsedChunk {
            chunk,
            header: ChunkHeader::default(),
            content: ChunkContent::Items(sink.items),
            problems,
        })
    }

    /// An item of a List, given the entries before the items. `None` if it depends on
    /// the entries after them.
    fn item(self, head: &[Entry], mut node: SyntaxNode, chunk: Chunk) -> Option<LoadedItem> {
        if document_form::is_list(&node) {
            return None;
        }
        if node.get("kind").is_none() || node.get("apiVersion").is_none() {
            let (kind, version) = (word(head, "kind")?, word(head, "apiVersion")?);
            document_form::inherit(&mut node, kind, Some(version));
        }
        Some(objects::item(&node, chunk, Base::Alone, self.options))
    }

    fn chunk(self, text: &str, chunk: Chunk) -> ParsedChunk {
        self.watch.done((chunk.end - chunk.start) as u64);
        let part = text.get(chunk.start..chunk.end).unwrap_or_default();
        let sniffed = tree::sniff(part);
        let header = ChunkHeader::from(sniffed);
        let is_read = || MENTIONS.iter().any(|word| part.contains(word));
        if plays_no_part(&sniffed) && !is_read() {
            return ParsedChunk {
                chunk,
                header,
                content: ChunkContent::Skipped,
                problems: Vec::new(),
            };
        }
        if let Some(parsed) = tree::parse_frugally(text, &chunk) {
            return self.parsed(chunk, header, part, parsed);
        }
        // INVARIANT: one document with many aliases is in memory at a time.
        let _alone = ALONE.lock();
        self.parsed(chunk, header, part, tree::parse(text, &chunk))
    }

    fn parsed(self, chunk: Chunk, header: ChunkHeader, part: &str, parsed: Parsed) -> ParsedChunk {
        let mut problems = parsed.problems;
        let content = match parsed.root {
            Some(_) if is_beside_separator(&chunk, part) => {
                problems.push(beside_separator(&chunk));
                ChunkContent::Broken
            }
            Some(root) => self.content(root, chunk, &mut problems),
            None => self.refusals(chunk, part, &mut problems),
        };
        ParsedChunk {
            chunk,
            header,
            content,
            problems,
        }
    }

    /// Lines in which kubectl says what it could not list; anything else is broken.
    fn refusals(self, chunk: Chunk, part: &str, problems: &mut Vec<Problem>) -> ChunkContent {
        let Some(refusals) = refusal::of_text(part) else {
            return ChunkContent::Broken;
        };
        problems.clear();
        let item = |node: &SyntaxNode| objects::item(node, chunk, Base::Alone, self.options);
        ChunkContent::Items(refusals.iter().map(item).collect())
    }

    fn content(self, root: SyntaxNode, chunk: Chunk, problems: &mut Vec<Problem>) -> ChunkContent {
        match document_form::classify(root) {
            DocumentForm::NoKind(remark) => ChunkContent::NoKind(remark),
            DocumentForm::Unusable(problem) | DocumentForm::BadList(problem) => {
                problems.push(problem);
                ChunkContent::Broken
            }
            DocumentForm::Template { policies, root } => ChunkContent::Template { policies, root },
            DocumentForm::Objects(list) => {
                let item = |(path, node): (_, SyntaxNode)| {
                    objects::item(&node, chunk, Base::from(path), self.options)
                };
                ChunkContent::Items(list.into_iter().map(item).collect())
            }
        }
    }
}

/// Held while a document is read whose aliases expand to many nodes.
static ALONE: Mutex<()> = Mutex::new(());

/// Whether a chunk is on the line of a separator, where only a document in flow style may start.
fn is_beside_separator(chunk: &Chunk, part: &str) -> bool {
    chunk.column > 1 && !part.starts_with('{')
}

fn beside_separator(chunk: &Chunk) -> Problem {
    let span = Span {
        start: chunk.start,
        end: chunk.end,
        at: chunk.begins(),
    };
    let message = "text on the line of a `---` separator: kubectl refuses or drops it";
    Problem::new(ProblemKind::Syntax, span, message).help("start the document on the next line")
}

/// Collects the items of a List in order, and reports the progress.
struct ItemSink<'w> {
    watch: &'w dyn Watch,
    items: Vec<LoadedItem>,
    interner: ObjectInterner,
    /// Up to which byte progress was reported.
    reported: usize,
}

impl<'w> ItemSink<'w> {
    fn new(watch: &'w dyn Watch) -> Self {
        Self {
            watch,
            items: Vec::new(),
            interner: ObjectInterner::default(),
            reported: 0,
        }
    }

    fn take(&mut self, mut items: Vec<LoadedItem>) {
        let end = items.last().map_or(self.reported, |item| item.chunk.end);
        self.watch.done((end - self.reported) as u64);
        self.reported = end;
        for object in items.iter_mut().filter_map(|item| item.object.as_mut()) {
            self.interner.share(object);
        }
        self.items.append(&mut items);
    }
}

/// A string field of a List.
fn word<'e>(entries: &'e [Entry], key: &str) -> Option<&'e str> {
    entries
        .iter()
        .find(|e| *e.key == *key)
        .and_then(|e| e.value.as_str())
}

/// Kinds that are common, large and never part of the cluster or the policy set.
const NO_PART: [&str; 16] = [
    "ConfigMap",
    "Secret",
    "CustomResourceDefinition",
    "Event",
    "Lease",
    "StorageClass",
    "HorizontalPodAutoscaler",
    "PodDisruptionBudget",
    "ClusterRole",
    "ClusterRoleBinding",
    "Role",
    "RoleBinding",
    "PersistentVolumeClaim",
    "PersistentVolume",
    "PrometheusRule",
    "ServiceMonitor",
];

/// Words of objects of these kinds that are read all the same: the settings of Cilium's agent, and
/// `ConfigMaps` that lead callers in.
const MENTIONS: [&str; 4] = [
    cilium::settings::CONFIG_MAP,
    unread::PORTS_OF_NGINX[0],
    unread::PORTS_OF_NGINX[1],
    unread::TUNNEL,
];

fn plays_no_part(sniffed: &Sniffed<'_>) -> bool {
    sniffed.plain
        && sniffed.api_version.is_some()
        && sniffed
            .kind
            .is_some_and(|k| NO_PART.contains(&k) && !dialects::may_be_policy_kind(k))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::input::Input;
    use crate::load::assemble::assemble;
    use crate::source::{DocumentId, Origin, Path};
    use crate::tree::Locator;
    use proptest::prelude::*;
    use proptest::sample::{Index, select};

    /// Items: what clusters have, what authors get wrong, and what a List should not have.
    const ITEMS: [&str; 20] = [
        r#"{"apiVersion":"v1","kind":"Pod","metadata":{"name":"a","namespace":"shop","labels":{"app":"web","tier":"é","n":7},"ownerReferences":[{"kind":"ReplicaSet","name":"web-5d","controller":true}]},"spec":{"nodeName":"n1","containers":[{"name":"c","env":[{"name":"x","value":"}]},{"}],"ports":[{"name":"http","containerPort":8080}]}]},"status":{"phase":"Running","podIP":"10.0.0.1"}}"#,
        r#"{"apiVersion":"v1","kind":"Pod","metadata":{"name":"b","labels":{"app":"web","app":"api"}},"spec":{"containers":[]},"status":{"phase":"Failed"}}"#,
        r#"{"apiVersion":"v1","kind":"Pod","metadata":{"name":"c","labels":{"pod-template-hash":"5d"},"ownerReferences":[{"kind":"ReplicaSet","name":"api-5d"}]},"spec":{"containers":[],"hostNetwork":true}}"#,
        r#"{"apiVersion":"v1","kind":"Namespace","metadata":{"name":"shop","labels":{"team":"a"}}}"#,
        r#"{"apiVersion":"v1","kind":"Node","metadata":{"name":"n1"},"status":{"addresses":[{"address":"192.0.2.1"}]}}"#,
        r#"{"apiVersion":"v1","kind":"Service","metadata":{"name":"web","namespace":"shop"},"spec":{"selector":{"app":"web"},"ports":[{"port":80,"targetPort":"http"}]}}"#,
        r#"{"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"web","namespace":"shop"},"spec":{"replicas":3,"selector":{},"template":{"metadata":{"labels":{"app":"web","x":true}},"spec":{"containers":[{"name":"c"}]}}}}"#,
        r#"{"apiVersion":"apps/v1","kind":"ReplicaSet","metadata":{"name":"web-5d","namespace":"shop","ownerReferences":[{"kind":"Deployment","name":"web"}]},"spec":{"selector":{},"template":{"metadata":{"labels":{"app":"web"}},"spec":{"containers":[{"name":"c"}]}}}}"#,
        r#"{"apiVersion":"apps/v1","kind":"StatefulSet","metadata":{"name":"db"},"spec":{"replicas":2,"template":{"metadata":{"labels":{"app":"db"}},"spec":{"containers":[{"name":"c"}]}}}}"#,
        r#"{"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"patch"},"spec":{"replicas":3}}"#,
        r#"{"apiVersion":"networking.k8s.io/v1","kind":"NetworkPolicy","metadata":{"name":"deny","namespace":"shop"},"spec":{"podSelector":{},"policyTypes":["Ingress"]}}"#,
        r#"{"apiVersion":"networking.k8s.io/v1","kind":"NetworkPolicy","metadata":{"name":"odd","namespace":"shop"},"spec":{"podSelectr":{},"ingress":[{"from":[{"ipBlock":{"cidr":"10.0.0.0/99"}}]}]}}"#,
        r#"{"apiVersion":"networking.k8s.io/v1","kind":"NetworkPolicy","metadata":{"name":"${NAME}"},"spec":{"podSelector":{"matchLabels":{"a":1}}}}"#,
        r#"{"apiVersion":"cilium.io/v2","kind":"CiliumNetworkPolicy","metadata":{"name":"c"},"spec":{"endpointSelector":{"matchLabels":{"app":"web"}}}}"#,
        r#"{"apiVersion":"networking.k8s.io/v1","kind":"Ingress","metadata":{"name":"i"},"spec":{"rules":[[],[{}],{},"",-1.5e3,null]}}"#,
        r#"{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"m"},"data":{"x":"\"},\n        {","x":"\\"}}"#,
        r#"{"metadata":{"name":"says-nothing"}}"#,
        r#"{"kind":"Pod","metadata":{"name":"no-version"},"spec":{"containers":[]}}"#,
        r#"{"apiVersion":"v1","kind":"PodList","items":[{"metadata":{"name":"inner"},"spec":{"containers":[]}}]}"#,
        "7",
    ];

    #[derive(Debug, Clone)]
    struct ListShape {
        items: Vec<usize>,
        /// How the text is laid out.
        style: usize,
        /// The text before and after the items.
        envelope: (&'static str, &'static str),
        change: Option<(Index, &'static str, usize)>,
    }

    const AROUND: [(&str, &str); 8] = [
        (
            r#""apiVersion": "v1", "#,
            r#", "kind": "List", "metadata": {"resourceVersion": ""}"#,
        ),
        (
            r#""kind": "PodList", "apiVersion": "v1", "metadata": {}, "#,
            "",
        ),
        (r#""kind": "List", "#, r#", "apiVersion": "v1""#),
        (r#""apiVersion": "v1", "#, r#", "kind": "PodList""#),
        (
            r#""kind": "List", "kind": "PodList", "apiVersion": "v1", "#,
            "",
        ),
        (
            r#""apiVersion": "v1", "kind": "List", "#,
            r#", "items": [{"kind": "Pod", "metadata": {"name": "z"}}]"#,
        ),
        (r#""kind": "Template", "objects": [], "#, ""),
        (
            r#""kind": "Pod", "metadata": {"name": "strange", "name": "é"}, "#,
            r#", "z": [{"a": 1}, {"a": 1, "a": 2}]"#,
        ),
    ];

    fn shape() -> impl Strategy<Value = ListShape> {
        let change = (
            any::<Index>(),
            select(vec![
                "", "{", "]", "}", ",", "\"", "\\", "\u{0}", "é", "\u{feff}", "\n", "x",
            ]),
            0..9_usize,
        );
        // mostly what a cluster has
        let item = prop_oneof![30 => 0..16_usize, 1 => 16..ITEMS.len()];
        let envelope = prop_oneof![6 => Just(AROUND[0]), 5 => select(AROUND.to_vec())];
        (
            prop::collection::vec(item, 0..40),
            0..5_usize,
            envelope,
            prop::option::weighted(0.3, change),
        )
            .prop_map(|(items, style, envelope, change)| ListShape {
                items,
                style,
                envelope,
                change,
            })
    }

    fn text(shape: &ListShape) -> String {
        let item = |i: &usize| {
            let value = || serde_json::from_str::<serde_json::Value>(ITEMS[*i]).unwrap();
            match shape.style {
                // the library's printing loses keys given twice, so every other one is left as it
                // is
                0 | 1 if i.is_multiple_of(2) => serde_json::to_string_pretty(&value())
                    .unwrap()
                    .replace('\n', "\n  "),
                _ => ITEMS[*i].to_owned(),
            }
        };
        let (open, joint, close) = [
            ("[\n  ", ",\n  ", "\n]"),
            ("[\r\n  ", ",\r\n  ", "\r\n]"),
            ("[", ",", "]"),
            ("[ ", " ,\t", "\n]"),
            ("[\n", "\n,\n", "]"),
        ][shape.style];
        let items = shape.items.iter().map(item).collect::<Vec<_>>().join(joint);
        let mut text = format!(
            "{{{}\"items\": {open}{items}{close}{}}}\n",
            shape.envelope.0, shape.envelope.1
        );
        if let Some((place, salt, cut)) = &shape.change {
            let at = text.floor_char_boundary(place.index(text.len()));
            let end = text.floor_char_boundary((at + cut).min(text.len()));
            text.replace_range(at..end.max(at), salt);
        }
        text
    }

    /// Everything that was read, with all positions.
    fn everything_read(text: &str, reading: FileReader<'_>, large: bool) -> (String, bool) {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("list.json");
        std::fs::write(&path, text).unwrap();
        let file = if large {
            InputFile {
                name: "list.json".into(),
                content: FileContent::OnDisk(FileOnDisk::new(&path).unwrap()),
                live: false,
            }
        } else {
            InputFile::from_bytes("list.json", text.into())
        };
        let read = reading.read(vec![file]);
        let in_parts = read[0].chunks.iter().any(
            |p| matches!(&p.content, ChunkContent::Items(i) if i.iter().any(|i| i.base == Base::Alone)),
        );
        (everything(&assemble(read, reading.options)), in_parts)
    }

    fn everything(input: &Input) -> String {
        let locator = Locator::new(&input.sources);
        let root = Path::root();
        let paths = [
            root.clone(),
            root.key("metadata"),
            root.key("spec").key("ingress").index(0),
            root.key("kind"),
        ];
        let mut text = format!(
            "{:#?}\n{:#?}\n{:#?}\n{:#?}\n{:#?}\n",
            input.cluster, input.policies, input.diagnostics, input.tally, input.mentions
        );
        for id in (0..u32::try_from(input.sources.documents()).unwrap()).map(DocumentId) {
            let places = paths.iter().map(|p| {
                locator
                    .locate(&Origin::new(id, p.clone()))
                    .map(|l| (l.to_string(), l.at))
            });
            // a kind or version that is inherited has no position, and is in neither tree
            text += &format!(
                "{id:?} {:?} {:?}\n",
                places.collect::<Vec<_>>(),
                locator.node(id)
            );
        }
        for diagnostic in &input.diagnostics {
            if let crate::diagnostic::Place::Origin(origin) = &diagnostic.place {
                text += &format!("{:?}\n", locator.locate(origin));
            }
        }
        text
    }

    fn readings(
        options: &LoadOptions,
        window: usize,
        batch: usize,
    ) -> (FileReader<'_>, FileReader<'_>) {
        let limits = Limits { window, batch };
        {
            let reading = FileReader {
                limits,
                long: 0,
                ..FileReader::new(options)
            };
            (
                reading,
                FileReader {
                    long: usize::MAX,
                    ..reading
                },
            )
        }
    }

    proptest! {
        #[test]
        fn a_list_read_in_parts_is_what_it_is_read_in_one_go(shape in shape(), window in 1..3_000_usize, batch in 1..900_usize) {
            let (text, options) = (text(&shape), LoadOptions::default());
            let (parts, whole) = readings(&options, window, batch);
            let (want, _) = everything_read(&text, whole, false);
            prop_assert_eq!(&everything_read(&text, parts, false).0, &want);
            prop_assert_eq!(&everything_read(&text, parts, true).0, &want);
        }
    }

    #[test]
    fn what_kubectl_prints_is_read_in_parts_whatever_its_style() {
        let options = LoadOptions::default();
        for style in 0..5 {
            let shape = ListShape {
                items: (0..160).map(|i| i % 16).collect(),
                style,
                envelope: AROUND[0],
                change: None,
            };
            let (text, (parts, whole)) = (text(&shape), readings(&options, 8_000, 1_000));
            let (want, one_go) = everything_read(&text, whole, false);
            let (found, in_parts) = everything_read(&text, parts, true);
            assert!(in_parts && !one_go, "{style}");
            assert_eq!(found, want);
        }
        let typed = ListShape {
            items: vec![0, 17, 16, 17],
            style: 2,
            envelope: AROUND[1],
            change: None,
        };
        assert!(everything_read(&text(&typed), readings(&options, 200, 16).0, false).1);
    }

    #[test]
    fn what_is_no_plain_list_is_read_in_one_go_and_told_as_ever() {
        let options = LoadOptions::default();
        let plain = text(&ListShape {
            items: (0..64).map(|i| i % 16).collect(),
            style: 0,
            envelope: AROUND[0],
            change: None,
        });
        let middle = plain
            .match_indices("\"kind\":\"Service\"")
            .nth(2)
            .unwrap()
            .0;
        let with = |salt: &str| format!("{}{salt}{}", &plain[..middle], &plain[middle..]);
        let deep = format!("\"deep\": {}1{},", "[".repeat(200), "]".repeat(200));
        let hostile = [
            plain[..middle].to_owned(),
            plain[..plain.len() - 2].to_owned(),
            with("}"),
            with("nonsense "),
            with("\"x\": \"a\nb\","),
            with("\"x\": \"\u{0}\","),
            with(&deep),
            plain.replacen("\"kind\": \"List\"", "\"items\": [{\"kind\": \"Pod\"}]", 1),
            format!("\u{feff}{plain}"),
            format!("{plain}{plain}"),
            format!("{plain}x"),
            plain.replace("List", "Template"),
            plain.replace("\"items\": [", "\"items\": [[],"),
        ];
        for text in hostile {
            for (window, batch) in [(100, 10), (4_000, 700), (1 << 20, 1 << 16)] {
                let (parts, whole) = readings(&options, window, batch);
                let (want, _) = everything_read(&text, whole, false);
                assert_eq!(
                    everything_read(&text, parts, true),
                    (want, false),
                    "{}",
                    &text[..80]
                );
            }
        }
        // carriage returns are blanks
        let (parts, whole) = readings(&options, 4_000, 700);
        let text = plain.replace('\n', "\r\n");
        assert_eq!(
            everything_read(&text, parts, true),
            (everything_read(&text, whole, false).0, true)
        );
    }

    #[test]
    fn a_text_that_is_not_utf8_is_told_as_ever() {
        let options = LoadOptions::default();
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("list.json");
        let plain = text(&ListShape {
            items: vec![0; 64],
            style: 0,
            envelope: AROUND[0],
            change: None,
        });
        let mut bytes = plain.into_bytes();
        let middle = bytes.len() / 2;
        bytes[middle] = 0xff;
        std::fs::write(&path, &bytes).unwrap();
        let file = InputFile {
            name: "a".into(),
            content: FileContent::OnDisk(FileOnDisk::new(&path).unwrap()),
            live: false,
        };
        let read = readings(&options, 4_000, 700).0.read(vec![file]);
        assert_eq!(
            read[0].text.as_ref().unwrap_err(),
            "not text: it is not valid UTF-8"
        );
    }

    #[test]
    fn nothing_is_quoted_from_a_file_that_has_changed() {
        let options = LoadOptions::default();
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("list.json");
        let text = text(&ListShape {
            items: vec![11; 64],
            style: 0,
            envelope: AROUND[0],
            change: None,
        });
        std::fs::write(&path, &text).unwrap();
        let file = InputFile {
            name: "a".into(),
            content: FileContent::OnDisk(FileOnDisk::new(&path).unwrap()),
            live: false,
        };
        let input = assemble(readings(&options, 4_000, 700).0.read(vec![file]), &options);
        let quoted = input.sources.chunk(DocumentId(3)).unwrap().1.into_owned();
        assert!(text.contains(&quoted) && quoted.starts_with('{') && quoted.ends_with('}'));
        std::fs::write(&path, text + " ").unwrap();
        assert!(input.sources.chunk(DocumentId(3)).is_none());
        assert_eq!(input.sources.files()[0].text.whole(), "");
    }

    #[test]
    fn a_giant_file_is_read_in_parts_or_refused() {
        let options = LoadOptions::default();
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("giant.json");
        std::fs::write(&path, "{").unwrap();
        let giant = std::fs::OpenOptions::new().write(true).open(&path).unwrap();
        giant
            .set_len(crate::load::limits::MAX_FILE_BYTES + 1)
            .unwrap(); // holes, which take no room
        let file = InputFile {
            name: "a".into(),
            content: FileContent::OnDisk(FileOnDisk::new(&path).unwrap()),
            live: false,
        };
        let read = FileReader::new(&options).read(vec![file]);
        assert_eq!(
            read[0].text.as_ref().unwrap_err(),
            "larger than 4 GiB, and no List of JSON that can be read in parts"
        );
    }
}
