//! A cluster, read through kubectl: `kubectl api-resources` tells which kinds it has, and each kind
//! that would play a part in a file is asked for on its own, a few at once. Nothing is changed
//! there.
//!
//! Invariant: what fails costs only itself, and is never taken for nothing. A kind that could not
//! be listed, in a namespace or anywhere, or of which only a part came, becomes an object of its
//! own beside the others ([`crate::load::unlisted`]), so that what it leaves unknown is the same
//! whether the cluster is read now or its dump later. Where a user may list a kind in single
//! namespaces only, it is asked for in each; with a namespace given, in that one alone.
//!
//! Cost: a process for each kind, or for each kind and namespace, at most [`MOST`]; of memory, the
//! texts.

mod dump;
mod options;
mod request;
mod served_kind;

pub use crate::load::live::options::LiveOptions;

use crate::input::{Unlisted, UnlistedScope};
use crate::load::error::LoadError;
use crate::load::input_file::InputFile;
use crate::load::live::request::{Connection, ListFailure, Reply, Request, Within};
use crate::load::live::served_kind::ServedKind;
use crate::load::unlisted;
use crate::load::watch::Watch;
use crate::policy::unmodelled::{TaintNamespaces, unlisted_reach};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// How many requests are made namespace by namespace at most; what is left over is unknown.
const MOST: usize = 600;

/// How many calls of kubectl run at once.
const AT_ONCE: usize = 6;

/// A cluster that is read at most once, however often this source and its clones are loaded: both
/// sides of a comparison see the same moment.
#[derive(Debug, Clone, Default)]
pub struct Live {
    options: LiveOptions,
    read: Arc<Mutex<Option<Vec<InputFile>>>>,
}

impl PartialEq for Live {
    fn eq(&self, other: &Self) -> bool {
        self.options == other.options
    }
}

impl Eq for Live {}

impl From<LiveOptions> for Live {
    fn from(options: LiveOptions) -> Self {
        let read = Arc::default();
        Self { options, read }
    }
}

impl Live {
    /// Which cluster it is, and as whom it is read.
    pub fn options(&self) -> &LiveOptions {
        &self.options
    }

    /// What it holds.
    ///
    /// # Errors
    /// When kubectl is missing, the cluster does not answer, or nothing at all may be read there.
    pub(super) fn files(&self, watch: &dyn Watch) -> Result<Vec<InputFile>, LoadError> {
        let mut read = self.read.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(files) = &*read {
            return Ok(files.clone());
        }
        let files = Reader::new(&self.options, watch)?.read()?;
        *read = Some(files.clone());
        Ok(files)
    }
}

fn failed(command: &str, reason: impl Into<String>) -> LoadError {
    LoadError::Kubectl {
        command: command.to_owned(),
        reason: reason.into(),
    }
}

/// A cluster while it is read.
struct Reader<'o> {
    options: &'o LiveOptions,
    connection: Connection,
    watch: &'o dyn Watch,
    texts: Vec<String>,
    unlisted: Vec<Unlisted>,
    /// What kubectl said of the first failure.
    complaint: Option<Box<str>>,
}

impl<'o> Reader<'o> {
    fn new(options: &'o LiveOptions, watch: &'o dyn Watch) -> Result<Self, LoadError> {
        let connection = Connection {
            flags: options.connection(),
            chunk_size: options.chunk_size,
            limit: options.limit().map_err(|reason| failed("get", reason))?,
        };
        Ok(Self {
            options,
            connection,
            watch,
            texts: Vec::new(),
            unlisted: Vec::new(),
            complaint: None,
        })
    }

    fn read(mut self) -> Result<Vec<InputFile>, LoadError> {
        let wanted = self.wanted()?;
        let (all, single) = self.first_requests(&wanted);
        let mut replies = self.ask(all);
        let namespaces = self.namespaces(&replies);
        self.check_namespace(&namespaces)?;
        replies.extend(self.ask(single));
        for (request, reply) in replies {
            self.take(request, reply, &namespaces);
        }
        if self.texts.is_empty() {
            let reason = self.complaint.unwrap_or_default();
            let hint = "nothing could be read; one namespace alone is read with -n NAME";
            return Err(failed("get", format!("{reason}\n{hint}")));
        }
        self.texts.extend(unlisted::text(&self.unlisted));
        if let Some(path) = &self.options.dump {
            dump::write(path, &self.texts)?;
        }
        Ok(self.texts.into_iter().map(InputFile::of_cluster).collect())
    }

    /// The kinds that the cluster has and that are asked for.
    fn wanted(&mut self) -> Result<Vec<ServedKind>, LoadError> {
        self.watch.fetching("which kinds there are", 0, 0);
        let arguments = ["api-resources", "--verbs=list", "--no-headers"];
        let printed = self.connection.run(&arguments);
        let printed = printed.map_err(|reason| failed("api-resources", reason))?;
        let served = served_kind::served(&String::from_utf8_lossy(&printed.output));
        if served.is_empty() {
            let silence = "it lists no kind that the cluster has".to_owned();
            let said = Some(printed.errors).filter(|e| !e.is_empty());
            return Err(failed("api-resources", said.unwrap_or(silence)));
        }
        if !printed.success {
            // an aggregated API that does not answer costs only its own kinds
            let silent = served_kind::silent_policies(&printed.errors).into_iter();
            let unknown = silent.filter(|s| !served.iter().any(|r| r.group == s.group));
            for kind in unknown {
                self.miss(&kind, everywhere(), "its API does not answer");
            }
        }
        for odd in served.iter().filter(|r| r.may_be_policy()) {
            self.miss(odd, everywhere(), unlisted::NOT_KNOWN);
        }
        Ok(served_kind::wanted(&served))
    }

    /// One request for each kind; of the namespace that is given alone, if one is, for kinds that
    /// act in their own namespace only.
    fn first_requests<'r>(&self, wanted: &'r [ServedKind]) -> (Vec<Request<'r>>, Vec<Request<'r>>)
    where
        'o: 'r,
    {
        let (mut all, mut single) = (Vec::new(), Vec::new());
        for resource in wanted {
            let only = self.options.namespace.as_deref();
            match only.filter(|_| resource.namespaced && !reaches_further(resource)) {
                Some(name) => single.push(Request {
                    resource,
                    within: Within::Namespace(name),
                }),
                None => all.push(Request {
                    resource,
                    within: Within::Cluster,
                }),
            }
        }
        (all, single)
    }

    /// Makes requests, some at once; the replies are in the same order.
    fn ask<'r>(&self, requests: Vec<Request<'r>>) -> Vec<(Request<'r>, Reply)> {
        let next = AtomicUsize::new(0);
        let replies: Vec<Mutex<Reply>> = requests.iter().map(|_| Mutex::default()).collect();
        std::thread::scope(|scope| {
            for _ in 0..AT_ONCE.min(requests.len()) {
                scope.spawn(|| self.work(&requests, &replies, &next));
            }
        });
        let replies = replies
            .into_iter()
            .map(|reply| reply.into_inner().unwrap_or_else(PoisonError::into_inner));
        requests.into_iter().zip(replies).collect()
    }

    /// Makes one request after the other, as long as any is left.
    fn work(&self, requests: &[Request<'_>], replies: &[Mutex<Reply>], next: &AtomicUsize) {
        loop {
            let index = next.fetch_add(1, Ordering::Relaxed);
            let (Some(request), Some(place)) = (requests.get(index), replies.get(index)) else {
                return;
            };
            let name = &request.resource.name;
            self.watch.fetching(name, index + 1, requests.len());
            let reply = self.connection.get(request);
            *place.lock().unwrap_or_else(PoisonError::into_inner) = reply;
        }
    }

    /// The namespaces of the cluster; none if not all of them could be listed.
    fn namespaces(&self, replies: &[(Request<'_>, Reply)]) -> Vec<String> {
        let listed = replies.iter().find_map(|(request, reply)| {
            let whole = reply.text.as_ref().filter(|_| reply.failure.is_none())?;
            request.resource.is_core("Namespace").then_some(whole)
        });
        listed.map(|text| request::names(text)).unwrap_or_default()
    }

    /// Refuses a namespace that is asked for and that the cluster does not have.
    fn check_namespace(&self, listed: &[String]) -> Result<(), LoadError> {
        let Some(asked) = self.options.namespace.as_deref() else {
            return Ok(());
        };
        if listed.is_empty() || listed.iter().any(|name| name == asked) {
            return Ok(());
        }
        let close = |name: &&String| strsim::damerau_levenshtein(name, asked) <= 2;
        let close: Vec<&str> = listed.iter().filter(close).map(|n| &**n).take(3).collect();
        let hint = if close.is_empty() {
            "kubectl get namespaces lists those there are".to_owned()
        } else {
            format!("did you mean {}?", close.join(" or "))
        };
        let reason = format!("the cluster has no namespace called {asked}\n{hint}");
        Err(failed("get", reason))
    }

    /// Takes up a reply; where it is a refusal, asks for less.
    fn take(&mut self, request: Request<'_>, reply: Reply, namespaces: &[String]) {
        let resource = request.resource;
        let Some(failure) = reply.failure else {
            self.texts.extend(reply.text);
            if let Within::Namespace(name) = request.within {
                self.not_asked_for(resource, name);
            }
            return;
        };
        self.complaint.get_or_insert(failure.message.clone());
        let only = self.options.namespace.as_deref();
        match (request.within, only) {
            (Within::Namespace(name), _) => {
                self.texts.extend(reply.text);
                self.miss(resource, named(name), &failure.reason);
                self.not_asked_for(resource, name);
            }
            (_, Some(name)) if resource.namespaced => {
                self.in_one(resource, name, &failure);
            }
            (_, Some(name)) if resource.is_core("Namespace") => {
                self.one_namespace(resource, name, &failure);
            }
            _ if resource.namespaced && failure.is_forbidden() && !namespaces.is_empty() => {
                self.in_each(resource, namespaces, &failure);
            }
            _ => {
                self.texts.extend(reply.text);
                self.miss(resource, everywhere(), &failure.reason);
            }
        }
    }

    /// Asks for a kind in one namespace, after it was refused for the cluster.
    fn in_one(&mut self, resource: &ServedKind, name: &str, refusal: &ListFailure) {
        let within = Within::Namespace(name);
        let reply = self.connection.get(&Request { resource, within });
        self.texts.extend(reply.text);
        if let Some(failure) = reply.failure {
            self.miss(resource, named(name), &failure.reason);
        }
        let others = UnlistedScope::AllBut(vec![name.into()]);
        self.miss(resource, others, &refusal.reason);
    }

    /// Asks for one namespace by its name, after a list of all was refused.
    fn one_namespace(&mut self, resource: &ServedKind, name: &str, refusal: &ListFailure) {
        let within = Within::Named(name);
        let reply = self.connection.get(&Request { resource, within });
        let found = reply.text.filter(|_| reply.failure.is_none());
        let known = found.iter().map(|_| Box::from(name)).collect();
        self.texts.extend(found);
        self.miss(resource, UnlistedScope::AllBut(known), &refusal.reason);
    }

    /// Asks for a kind in each namespace, after it was refused for the cluster.
    fn in_each(&mut self, resource: &ServedKind, namespaces: &[String], refusal: &ListFailure) {
        let (asked, left) = namespaces.split_at(namespaces.len().min(self.left()));
        let requests = asked.iter().map(|name| Request {
            resource,
            within: Within::Namespace(name),
        });
        let mut missing: Vec<(Box<str>, Box<str>)> = Vec::new();
        for (request, reply) in self.ask(requests.collect()) {
            self.texts.extend(reply.text);
            if let (Within::Namespace(name), Some(failure)) = (request.within, reply.failure) {
                missing.push((failure.reason, name.into()));
            }
        }
        let left = left
            .iter()
            .map(|name| (refusal.reason.clone(), name.as_str().into()));
        missing.extend(left);
        missing.sort();
        for of_one_reason in missing.chunk_by(|a, b| a.0 == b.0) {
            let names = of_one_reason.iter().map(|(_, name)| name.clone());
            let reason = &of_one_reason[0].0;
            self.miss(resource, UnlistedScope::In(names.collect()), reason);
        }
    }

    /// How many more requests are made namespace by namespace.
    fn left(&self) -> usize {
        MOST.saturating_sub(self.texts.len())
    }

    fn not_asked_for(&mut self, resource: &ServedKind, only: &str) {
        let others = UnlistedScope::AllBut(vec![only.into()]);
        self.miss(resource, others, Unlisted::NOT_ASKED_FOR);
    }

    fn miss(&mut self, resource: &ServedKind, scope: UnlistedScope, reason: &str) {
        self.unlisted.push(Unlisted {
            group: resource.group.clone(),
            kind: resource.kind.clone(),
            resource: resource.name.clone(),
            scope,
            reason: reason.into(),
            flags: self.options.identity().map(Into::into).collect(),
        });
    }
}

/// Whether objects of a kind act in other namespaces than their own.
fn reaches_further(resource: &ServedKind) -> bool {
    unlisted_reach(&resource.group, &resource.kind)
        .iter()
        .any(|reach| reach.namespaces == TaintNamespaces::All)
}

fn everywhere() -> UnlistedScope {
    UnlistedScope::AllBut(Vec::new())
}

fn named(namespace: &str) -> UnlistedScope {
    UnlistedScope::In(vec![namespace.into()])
}
