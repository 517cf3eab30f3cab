//! The controls of each standard, in our words: the texts of most standards may not be copied.
//!
//! A row says what is asked, how it is judged, what of it no manifest holds, and what would settle
//! that. Numbers are those of PCI DSS 4.0.1, of the CIS Kubernetes Benchmark, of NIST SP 800-53
//! revision 5, of the trust services criteria and of ISO/IEC 27001:2022; the guide of NSA and CISA
//! numbers nothing.

use crate::audit::control::Control;
use crate::audit::control::ControlQuestion::{
    Apart, Approved, DefaultDeny, DefaultDenyButSystem, DirectAccess, NamespacePolicies, Plugin,
    Ports, Process, PublicServices, Walls,
};
use crate::audit::fact::ControlResult;
use crate::audit::fact::ControlResult::{Met, NotAssessable, NotMet, Partly};
use crate::policy::Direction;

const IN: &[Direction] = &[Direction::Ingress];
const OUT: &[Direction] = &[Direction::Egress];
const BOTH: &[Direction] = &Direction::ALL;

const ANY: &[ControlResult] = &[Met, Partly, NotMet, NotAssessable];
const NEVER_MET: &[ControlResult] = &[Partly, NotMet, NotAssessable];
const BY_PEOPLE: &[ControlResult] = &[NotAssessable];

const NEED: &str = "whether each flow that is allowed by name is needed, unless a policy test that passes names it";
const SETTLE_NEED: &str = "the list of approved flows, as policy tests (only-from, only-to) that pass or compared with the flows above";

pub(crate) const PCI: &[Control] = &[
    Control {
        id: "1.2.3",
        asks: "a diagram of the networks is kept accurate, with every connection between the cardholder data environment and others, wireless ones too",
        question: Process,
        beyond: "networks outside the cluster, wireless ones, and whether a diagram is kept",
        settle: "the diagram that is kept, compared with the map of this report, which shows what policies allow inside the cluster",
        possible: BY_PEOPLE,
    },
    Control {
        id: "1.2.4",
        asks: "a diagram of how account data flows through systems and networks is kept accurate",
        question: Process,
        beyond: "which flows carry account data, and whether a diagram is kept",
        settle: "the data-flow diagram that is kept, compared with the flows of this report",
        possible: BY_PEOPLE,
    },
    Control {
        id: "1.2.5",
        asks: "every service, protocol and port that is allowed is identified, approved and has a business need",
        question: Ports,
        beyond: "approvals and business needs",
        settle: "the approved list of services, protocols and ports, compared with the flows above",
        possible: NEVER_MET,
    },
    Control {
        id: "1.3.1",
        asks: "only traffic that is needed gets into the cardholder data environment, and all other is denied",
        question: Approved(IN),
        beyond: NEED,
        settle: SETTLE_NEED,
        possible: ANY,
    },
    Control {
        id: "1.3.2",
        asks: "only traffic that is needed leaves the cardholder data environment, and all other is denied",
        question: Approved(OUT),
        beyond: NEED,
        settle: SETTLE_NEED,
        possible: ANY,
    },
    Control {
        id: "1.4.1",
        asks: "network security controls stand between trusted and untrusted networks",
        question: Walls(BOTH),
        beyond: "",
        settle: "",
        possible: ANY,
    },
    Control {
        id: "1.4.2",
        asks: "from untrusted networks only traffic to services that are meant to be public gets in",
        question: PublicServices,
        beyond: "",
        settle: "the list of services that are meant to be public, as a policy test (internet, doors) that passes or compared with the doors above",
        possible: ANY,
    },
    Control {
        id: "1.4.4",
        asks: "what stores cardholder data cannot be reached from untrusted networks directly; every workload of the scope is taken to store it",
        question: DirectAccess,
        beyond: "",
        settle: "a scope of the workloads that store cardholder data, and what is unknown above",
        possible: ANY,
    },
];

pub(crate) const CIS: &[Control] = &[
    Control {
        id: "5.3.1",
        asks: "the network plugin in use supports network policies",
        question: Plugin,
        beyond: "which plugin runs, and with which settings",
        settle: "the plugin's own pods and settings in the cluster, and probes of what they enforce (netpal test --export netassert)",
        possible: NEVER_MET,
    },
    Control {
        id: "5.3.2",
        asks: "every namespace has network policies that isolate its traffic",
        question: NamespacePolicies,
        beyond: "",
        settle: "",
        possible: ANY,
    },
];

pub(crate) const NSA: &[Control] = &[
    Control {
        id: "network plugin",
        asks: "the network plugin supports network policies",
        question: Plugin,
        beyond: "which plugin runs, and with which settings",
        settle: "the plugin's own pods and settings in the cluster, and probes of what they enforce (netpal test --export netassert)",
        possible: NEVER_MET,
    },
    Control {
        id: "default deny, ingress",
        asks: "a default policy denies all ingress in every namespace but kube-system, also to pods that no other policy selects",
        question: DefaultDenyButSystem(IN),
        beyond: "",
        settle: "",
        possible: ANY,
    },
    Control {
        id: "default deny, egress",
        asks: "a default policy denies all egress in every namespace but kube-system, also to pods that no other policy selects",
        question: DefaultDenyButSystem(OUT),
        beyond: "",
        settle: "",
        possible: ANY,
    },
    Control {
        id: "isolation",
        asks: "policies isolate workloads, so that pods of other namespaces reach them only where a rule names them",
        question: Apart,
        beyond: "",
        settle: "",
        possible: ANY,
    },
    Control {
        id: "control plane",
        asks: "access to the control plane, its nodes and etcd is locked down by firewalls and roles",
        question: Process,
        beyond: "firewalls of nodes and clouds, and roles",
        settle: "the rules of these firewalls, and the roles",
        possible: BY_PEOPLE,
    },
];

pub(crate) const NIST: &[Control] = &[
    Control {
        id: "AC-4",
        asks: "flows of information inside the system and to others are held to what is authorized",
        question: Approved(BOTH),
        beyond: NEED,
        settle: SETTLE_NEED,
        possible: ANY,
    },
    Control {
        id: "SC-7",
        asks: "communication at the boundary of the system and at key points inside is monitored and controlled, public parts stand apart, and others connect through managed interfaces only",
        question: PublicServices,
        beyond: "monitoring, and interfaces outside the cluster",
        settle: "how these interfaces are monitored, and the boundary devices in front of the cluster",
        possible: NEVER_MET,
    },
    Control {
        id: "SC-7(5)",
        asks: "traffic is denied unless an exception allows it",
        question: DefaultDeny(BOTH),
        beyond: "",
        settle: "",
        possible: ANY,
    },
];

pub(crate) const SOC2: &[Control] = &[
    Control {
        id: "CC6.6, restricted access",
        asks: "what may come in from outside the system is restricted",
        question: PublicServices,
        beyond: "",
        settle: "the list of services that are meant to be public, as a policy test (internet, doors) that passes or compared with the doors above",
        possible: ANY,
    },
    Control {
        id: "CC6.6, boundary protection",
        asks: "boundaries are in place that protect against what comes from outside, and are kept up",
        question: Walls(BOTH),
        beyond: "firewalls before the cluster, detection of intrusion, and whether all of it worked during the period",
        settle: "the configuration of these systems, and evidence of the period",
        possible: NEVER_MET,
    },
    Control {
        id: "CC6.6, credentials",
        asks: "who comes in from outside is authenticated, and credentials are protected on the way",
        question: Process,
        beyond: "authentication and encryption",
        settle: "how those are authenticated who come in, and how connections are encrypted",
        possible: BY_PEOPLE,
    },
];

pub(crate) const ISO: &[Control] = &[
    Control {
        id: "A.8.20",
        asks: "networks and their devices are secured, managed and controlled to protect information in systems and applications",
        question: Walls(BOTH),
        beyond: "devices, management, monitoring and encryption",
        settle: "how networks outside the cluster are secured, and who manages policies",
        possible: NEVER_MET,
    },
    Control {
        id: "A.8.21",
        asks: "security mechanisms, service levels and requirements of network services are identified, implemented and monitored",
        question: Process,
        beyond: "agreements with providers, service levels, monitoring",
        settle: "these agreements, and how they are monitored",
        possible: BY_PEOPLE,
    },
    Control {
        id: "A.8.22",
        asks: "groups of services, users and systems are kept apart in the networks",
        question: Apart,
        beyond: "",
        settle: "",
        possible: ANY,
    },
];
