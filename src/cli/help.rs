//! `netpal help`: commands, and topics that belong to no single command.

use super::args::Cli;
use super::exit::Exit;
use super::output;
use anyhow::{Result, bail};
use clap::CommandFactory;

const EXIT_CODES: &str = "\
Exit codes

code  can, why                      diff, plan, snapshot --check         lint                          test
0     yes (everything asked)        no connectivity change               nothing at --fail-on or above all passed
1     no (nothing asked)            changed (see --fail-on)              findings                      a test failed or was EMPTY
2     usage error, unreadable or invalid input, bad configuration, ambiguous name, kubectl failed
3     partly or unknown             equal only up to unknown parts       -                             undecided, and nothing failed
4     can --by door: no door leads there, whatever policies say

--unknown=yes|no|fail says how unknown counts; --exit-zero turns 1, 3 and 4 into 0; code 101 is a bug in netpal.
";

const ENDPOINTS: &str = "\
Endpoints, the same in every command, file and link

frontend                        the workload of that name; add a namespace if two have it
shop/frontend                   namespace and name
deploy/frontend                 kind and name (po deploy sts ds job cj rs rc dc svc, or the long names)
shop/deploy/frontend            namespace, kind and name
ns/shop  shop/*  */web          every workload of a namespace; every workload of that name
shop?app=web,tier in (api,web)  by labels
svc/db  db.data.svc             a Service: its port is mapped to the port of its pods
db-0  db-0.db.data.svc          a pod of a StatefulSet, on its own ports
http://api:80/v1  'curl api'    what is pasted: a URL, a command, a line of a log
10.0.0.7  203.0.113.0/24        an address, a block; IPv6 with a port in brackets: [2001:db8::1]:443
node/worker-1                   a node
hep/worker-1-eth0               a host endpoint of Calico, by its addresses
netset/partners                 a network set of Calico; netset/shop/partners one of a namespace
assumed/ingress-nginx           the pods of a controller that is not loaded, as its default install has them
internet internet4 internet6 private any any-pod imds dns apiserver nodes   well-known sets

Ports follow a colon: database:5432  dns:53/udp  api:http,8000-8010  db:*
cart:80 is the port of Service cart where cart's pods do not have it; svc/cart and deploy/cart say which.
A set is asked FOR ALL: yes if all of it may, no if none may, else partly. --some asks for one.
";

const FORMATS: &str = "\
Formats: -o FORMAT[=FILE], repeatable; one may go to standard output

text      for people (default)          json, yaml  for programs, versioned: \"schema\": \"netpal/v1\"
csv       tables                        md          comments on changes
dot svg mermaid html   pictures and the report
sarif junit github gitlab tap           for CI systems
Each command says in its error message which of them it writes.
";

/// Prints the help of a command or topic.
///
/// # Errors
/// When there is no such topic.
pub fn run(topic: Option<&str>) -> Result<Exit> {
    let mut command = Cli::command();
    let text = match topic {
        None => command.render_long_help().to_string(),
        Some("exit-codes") => EXIT_CODES.to_owned(),
        Some("endpoints") => ENDPOINTS.to_owned(),
        Some("formats") => FORMATS.to_owned(),
        Some(name) => {
            command.build();
            match command.find_subcommand_mut(name) {
                Some(found) => found.render_long_help().to_string(),
                None => bail!(
                    "no command or topic is called `{name}`\n       topics: exit-codes, endpoints, formats"
                ),
            }
        }
    };
    output::plain(text.as_bytes())?;
    Ok(Exit::Good)
}
