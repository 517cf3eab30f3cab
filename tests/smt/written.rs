//! Policies of the kinds of Kubernetes, read from the manifest itself: nothing of the program's own
//! reading is used but which documents are policies in force.

use super::form::{Block, Condition, Entry, Kind, Labelled, Other, Policy, Prefix, Rule, Spaces};
use netpal::Action;
use serde_json::Value;

/// The object of a kind and name in a text, also inside a List.
pub fn object(text: &str, kind: &str, name: &str, namespace: Option<&str>) -> Option<Value> {
    let root: Value = serde_yaml::from_str(text).ok()?;
    find(&root, kind, name, namespace).cloned()
}

fn find<'v>(at: &'v Value, kind: &str, name: &str, namespace: Option<&str>) -> Option<&'v Value> {
    let metadata = &at["metadata"];
    let own = metadata["namespace"].as_str();
    if at["kind"] == kind && metadata["name"] == name && (own.is_none() || own == namespace) {
        return Some(at);
    }
    let items = at["items"].as_array()?;
    items.iter().find_map(|i| find(i, kind, name, namespace))
}

/// Reads an object; none where the proof does not know what it says.
pub fn policy(object: &Value, kind: &str, namespace: Option<&str>) -> Option<Policy> {
    let spec = &object["spec"];
    if kind == "NetworkPolicy" {
        return network_policy(spec, namespace?);
    }
    let baseline = kind == "BaselineAdminNetworkPolicy";
    let known = baseline || matches!(kind, "AdminNetworkPolicy" | "ClusterNetworkPolicy");
    known.then_some(())?;
    let subject = &spec["subject"];
    let (spaces, pods) = match (&subject["namespaces"], &subject["pods"]) {
        (Value::Null, pods) => of_pods(pods)?,
        (namespaces, _) => (Spaces::Labelled(labelled(namespaces)?), Vec::new()),
    };
    let rules = |field: &str, word: &str| -> Option<Vec<Rule>> {
        let each = list(&spec[field]).iter();
        each.map(|rule| admin_rule(rule, word)).collect()
    };
    Some(Policy {
        spaces,
        pods,
        applies: [true, true],
        isolates: [false, false], // S76, S107
        rules: [rules("ingress", "from")?, rules("egress", "to")?],
    })
}

/// A list; null and missing are empty ones (S2).
fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], |list| list)
}

/// A selector (S20-S25).
fn labelled(value: &Value) -> Option<Labelled> {
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let labels = value["matchLabels"].as_object().into_iter().flatten();
    let labels = labels.map(|(key, v)| Some(Condition::In(key.clone(), vec![text(v)?])));
    let expressions = list(&value["matchExpressions"]).iter().map(|e| {
        let key = text(&e["key"])?;
        let values = || list(&e["values"]).iter().map(text).collect::<Option<_>>();
        Some(match e["operator"].as_str()? {
            "In" => Condition::In(key, values()?),
            "NotIn" => Condition::NotIn(key, values()?),
            "Exists" => Condition::Exists(key),
            "DoesNotExist" => Condition::Absent(key),
            _ => return None,
        })
    });
    labels.chain(expressions).collect()
}

fn network_policy(spec: &Value, namespace: &str) -> Option<Policy> {
    let types = list(&spec["policyTypes"]);
    let covers = |word: &str| types.iter().any(|t| t == word);
    let covered = if types.is_empty() {
        [true, !list(&spec["egress"]).is_empty()] // S4
    } else {
        [covers("Ingress"), covers("Egress")]
    };
    let rules = |field: &str, word: &str| -> Option<Vec<Rule>> {
        let each = list(&spec[field]).iter();
        each.map(|rule| network_rule(rule, word, namespace))
            .collect()
    };
    Some(Policy {
        spaces: Spaces::Named(namespace.to_owned()), // S1
        pods: labelled(&spec["podSelector"])?,       // S3
        applies: covered,
        isolates: covered, // S11
        rules: [rules("ingress", "from")?, rules("egress", "to")?],
    })
}

fn network_rule(rule: &Value, word: &str, namespace: &str) -> Option<Rule> {
    let peers = list(&rule[word]);
    let others: Option<Vec<Other>> = peers.iter().map(|p| network_peer(p, namespace)).collect();
    let ports = list(&rule["ports"]);
    let entries: Option<Vec<Entry>> = ports.iter().map(network_port).collect();
    Some(Rule {
        action: Action::Allow,
        others: if peers.is_empty() {
            None
        } else {
            Some(others?)
        }, // S15
        ports: if ports.is_empty() {
            None
        } else {
            Some(entries?)
        }, // S16
        subjects: None,
        needs: Vec::new(),
        binds: false,
        asks: false,
    })
}

/// S29-S33, S35, S36.
fn network_peer(peer: &Value, namespace: &str) -> Option<Other> {
    let own = || Spaces::Named(namespace.to_owned());
    Some(
        match (
            &peer["ipBlock"],
            &peer["namespaceSelector"],
            &peer["podSelector"],
        ) {
            (Value::Null, Value::Null, pods) => Other::Pods(own(), labelled(pods)?),
            (Value::Null, spaces, pods) => {
                Other::Pods(Spaces::Labelled(labelled(spaces)?), labelled(pods)?)
            }
            (block, ..) => {
                let except = list(&block["except"]).iter();
                let except: Option<Vec<Prefix>> =
                    except.map(|e| Prefix::read(e.as_str()?)).collect();
                let base = Prefix::read(block["cidr"].as_str()?)?;
                let except = except?;
                Other::Blocks(vec![Block { base, except }])
            }
        },
    )
}

/// S5, S44-S48.
fn network_port(port: &Value) -> Option<Entry> {
    let kind = kind_of(port["protocol"].as_str().unwrap_or("TCP"))?;
    Some(match &port["port"] {
        Value::Null => Entry::Range(kind, 1, u16::MAX),
        Value::String(name) => Entry::Named(name.clone(), Some(kind)),
        number => {
            let first = number_of(number)?;
            // no port is above the last one, whatever an old API server let through
            let last = port["endPort"]
                .as_u64()
                .map(|end| end.min(u64::from(u16::MAX)));
            let last = last.map_or(Some(first), |end| end.try_into().ok())?;
            Entry::Range(kind, first, last)
        }
    })
}

fn number_of(value: &Value) -> Option<u16> {
    value.as_u64()?.try_into().ok()
}

fn kind_of(word: &str) -> Option<Kind> {
    Some(match word {
        "TCP" | "tcp" => Kind::TCP,
        "UDP" | "udp" => Kind::UDP,
        "SCTP" | "sctp" => Kind::SCTP,
        _ => return None,
    })
}

/// S74, S75, S79, S104.
fn admin_rule(rule: &Value, word: &str) -> Option<Rule> {
    let action = match rule["action"].as_str()? {
        "Allow" | "Accept" => Action::Allow,
        "Deny" => Action::Deny,
        "Pass" => Action::Pass,
        _ => return None,
    };
    let peers = list(&rule[word]).iter();
    let others: Option<Vec<Vec<Other>>> = peers.map(|p| admin_peer(p, action)).collect();
    let ports = match (&rule["ports"], &rule["protocols"]) {
        (Value::Null, Value::Null) => None, // S84, S116
        (Value::Null, protocols) => {
            let entries = list(protocols).iter().map(protocol_entry);
            Some(entries.collect::<Option<Vec<Entry>>>()?)
        }
        (ports, _) => {
            let entries = list(ports).iter().map(port_entry);
            Some(entries.collect::<Option<Vec<Entry>>>()?)
        }
    };
    Some(Rule {
        action,
        others: Some(others?.into_iter().flatten().collect()),
        ports,
        subjects: None,
        needs: Vec::new(),
        binds: false,
        asks: false,
    })
}

/// S77, S111: namespaces and pods, both selectors; the shape of 2023 has its own namespaces (S91).
fn of_pods(pods: &Value) -> Option<(Spaces, Labelled)> {
    let spaces = match (&pods["namespaceSelector"], &pods["namespaces"]) {
        (Value::Null, Value::Null) => Spaces::Labelled(Vec::new()),
        (Value::Null, legacy) => spaces_of(legacy)?,
        (selector, _) => Spaces::Labelled(labelled(selector)?),
    };
    Some((spaces, labelled(&pods["podSelector"])?))
}

/// Namespaces by a selector, or in the shape of 2023 (S91, S92).
fn spaces_of(value: &Value) -> Option<Spaces> {
    let keys = |value: &Value| -> Option<Vec<String>> {
        let keys = value.as_array()?.iter();
        keys.map(|key| key.as_str().map(str::to_owned)).collect()
    };
    let legacy = [
        &value["namespaceSelector"],
        &value["sameLabels"],
        &value["notSameLabels"],
    ];
    Some(match legacy {
        [Value::Null, Value::Null, Value::Null] => Spaces::Labelled(labelled(value)?),
        [Value::Null, Value::Null, differ] => Spaces::NotSame(keys(differ)?),
        [Value::Null, same, _] => Spaces::Same(keys(same)?),
        [selector, ..] => Spaces::Labelled(labelled(selector)?),
    })
}

/// S79-S83, S110-S115.
fn admin_peer(peer: &Value, action: Action) -> Option<Vec<Other>> {
    let texts = |value: &Value| -> Option<Vec<String>> {
        let texts = value.as_array()?.iter();
        texts.map(|text| text.as_str().map(str::to_owned)).collect()
    };
    let fields = ["namespaces", "pods", "networks", "nodes", "domainNames"];
    let given = fields.into_iter().find(|field| !peer[field].is_null());
    let value = given.map(|field| &peer[field]);
    Some(match (given, value) {
        (Some("namespaces"), Some(spaces)) => vec![Other::Pods(spaces_of(spaces)?, Vec::new())],
        (Some("pods"), Some(pods)) => {
            let (spaces, pods) = of_pods(pods)?;
            vec![Other::Pods(spaces, pods)]
        }
        (Some("networks"), Some(networks)) => {
            let blocks = texts(networks)?.into_iter().map(|text| {
                let base = Prefix::read(&text)?;
                let except = Vec::new();
                Some(Block { base, except })
            });
            vec![Other::Blocks(blocks.collect::<Option<_>>()?)]
        }
        (Some("nodes"), Some(nodes)) => vec![Other::Nodes(labelled(nodes)?)],
        (Some(_), Some(names)) => texts(names)?.into_iter().map(Other::Domain).collect(),
        _ => vec![Other::Everybody(action != Action::Allow)], // S83, S115
    })
}

/// S85-S87.
fn port_entry(port: &Value) -> Option<Entry> {
    let kind = |value: &Value| kind_of(value["protocol"].as_str().unwrap_or("TCP"));
    Some(
        match (&port["portNumber"], &port["portRange"], &port["namedPort"]) {
            (Value::Null, Value::Null, name) => Entry::Named(name.as_str()?.to_owned(), None),
            (Value::Null, range, _) => Entry::Range(
                kind(range)?,
                number_of(&range["start"])?,
                number_of(&range["end"])?,
            ),
            (number, ..) => {
                let port = number_of(&number["port"])?;
                Entry::Range(kind(number)?, port, port)
            }
        },
    )
}

/// S117-S120.
fn protocol_entry(entry: &Value) -> Option<Entry> {
    if let Some(name) = entry["destinationNamedPort"].as_str() {
        return Some(Entry::Named(name.to_owned(), None));
    }
    let words = ["tcp", "udp", "sctp"];
    let word = words.into_iter().find(|word| entry.get(word).is_some())?;
    let kind = kind_of(word)?;
    let port = &entry[word]["destinationPort"];
    Some(match (&port["number"], &port["range"]) {
        (Value::Null, Value::Null) => Entry::Range(kind, 1, u16::MAX), // S120
        (Value::Null, range) => {
            Entry::Range(kind, number_of(&range["start"])?, number_of(&range["end"])?)
        }
        (number, _) => Entry::Range(kind, number_of(number)?, number_of(number)?),
    })
}
