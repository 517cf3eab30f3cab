//! Claims about doors: which workloads the internet comes in at.
//!
//! A door that is open has to lead to a listed end, on a port of it. One of which it is not told
//! whether it is open, and kinds of doors that are not read, leave a claim undecided. Cost: the
//! doors times the listed ends.

use crate::check::judge::Judge;
use crate::check::outcome::{ClaimVerdict, Example, Status};
use crate::check::schema::Several;
use crate::check::scope::{ScopedEnds, Scopes, Trouble};
use crate::doors::{DoorLine, DoorList, DoorStatus};
use crate::spec::Endpoint;

/// Whether doors lead to the listed ends only.
pub fn only(
    judge: &Judge<'_>,
    scopes: &Scopes<'_>,
    listed: &Several,
    list: &DoorList,
) -> Result<ClaimVerdict, Trouble> {
    let listed = listed.texts().iter().map(|text| scopes.text(text));
    let listed = listed.collect::<Result<Vec<ScopedEnds>, _>>()?;
    let mut doubt = None;
    for line in &list.lines {
        let status = line.passage.status;
        if !matches!(status, DoorStatus::Open | DoorStatus::Unknown) {
            continue;
        }
        let Some(example) = unlisted(judge, &listed, line)? else {
            continue;
        };
        if status == DoorStatus::Open {
            return Ok(ClaimVerdict::failed(example));
        }
        doubt = doubt.or(Some(example));
    }
    if let Some((kind, _)) = list.unread.first() {
        let text = format!("the input has {kind} objects, which may open doors and are not read");
        doubt = doubt.or(Some(Example::Text(text)));
    }
    Ok(doubt.map_or_else(ClaimVerdict::passed, ClaimVerdict::undecided))
}

/// What a line leads to, if that is not all listed.
fn unlisted(
    judge: &Judge<'_>,
    listed: &[ScopedEnds],
    line: &DoorLine,
) -> Result<Option<Example>, Trouble> {
    let traffic = line.target.traffic();
    for pod in line.pods() {
        let permitted = judge.permitted(listed, Endpoint::Pod(*pod))?;
        let is_permitted = match traffic {
            Some(traffic) => permitted.contains(traffic),
            None => permitted.is_all(), // on which port is not told
        };
        if is_permitted {
            continue;
        }
        let (door, cluster) = (&line.door, &judge.graph.environment().cluster);
        let workload = cluster.workload_name(cluster.pod(*pod).workload);
        let port = traffic.map_or_else(String::new, |traffic| format!(":{traffic}"));
        let is = match line.passage.status {
            DoorStatus::Open => "leads",
            _ => "may lead",
        };
        return Ok(Some(Example::Text(format!(
            "{} {is} from the internet to {workload}{port}: netpal doors",
            door.title(),
        ))));
    }
    Ok(None)
}

/// Both claims: a failure outweighs a doubt.
pub fn both(one: ClaimVerdict, other: ClaimVerdict) -> ClaimVerdict {
    let rank = |verdict: &ClaimVerdict| match verdict.status {
        Status::Failed | Status::Empty => 2,
        Status::Undecided => 1,
        Status::Passed => 0,
    };
    if rank(&other) > rank(&one) {
        other
    } else {
        one
    }
}
