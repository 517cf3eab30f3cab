//! Boxes in layers from left to right, so that edges run forward, cross little and pass between
//! boxes.
//!
//! Phases: `Layered::acyclic` turns the edges of cycles around, `Layered::layers` gives each box a
//! layer, `Layered::dummies` puts a point into every layer a long edge passes, `Layered::order`
//! sorts the layers so that neighbours stand near each other, `Layered::heights` moves boxes
//! towards their neighbours without changing the order (`settle`). Whole numbers throughout: the
//! same picture on every machine. Cost: O(sweeps x edges log edges).

use std::collections::BTreeMap;

/// Where a box must stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Pin {
    /// Anywhere.
    #[default]
    Free,
    /// In the first layer.
    First,
    /// In the last layer.
    Last,
}

/// What is to be laid out.
#[derive(Debug, Clone, Default)]
pub struct Job {
    /// Width and height of each box.
    pub sizes: Vec<(i32, i32)>,
    /// Where each must stand.
    pub pins: Vec<Pin>,
    /// Edges between boxes, and how much room their label needs between two layers.
    pub edges: Vec<(usize, usize, i32)>,
    /// Room between boxes of a layer.
    pub gap: i32,
}

/// Where everything went.
#[derive(Debug, Clone, Default)]
pub struct Placed {
    /// The upper left corner of each box.
    pub at: Vec<(i32, i32)>,
    /// For each edge, the points between its ends, in its own direction.
    pub routes: Vec<Vec<(i32, i32)>>,
    /// Width and height of the whole.
    pub size: (i32, i32),
}

/// Least room between layers.
const ROOM: i32 = 48;

const SWEEPS: usize = 12;

/// Lays out a job.
pub fn layered(job: &Job) -> Placed {
    let mut layered = Layered::new(job);
    layered.acyclic();
    layered.layers();
    layered.dummies();
    layered.order();
    layered.heights();
    layered.placed()
}

struct Layered<'a> {
    job: &'a Job,
    /// Edges that run against the layers.
    turned: Vec<bool>,
    /// The layer of each box, then of each dummy.
    layer: Vec<usize>,
    /// The chain of each edge from lower to higher layer: box, dummies, box.
    chains: Vec<Vec<usize>>,
    /// The boxes and dummies of each layer, in order.
    rows: Vec<Vec<usize>>,
    /// Heights' middles.
    middle: Vec<i32>,
}

impl<'a> Layered<'a> {
    fn new(job: &'a Job) -> Self {
        Self {
            job,
            turned: vec![false; job.edges.len()],
            layer: vec![0; job.sizes.len()],
            chains: Vec::new(),
            rows: Vec::new(),
            middle: Vec::new(),
        }
    }

    fn ends(&self, edge: usize) -> (usize, usize) {
        let (a, b, _) = self.job.edges[edge];
        if self.turned[edge] { (b, a) } else { (a, b) }
    }

    /// Depth first from the boxes that start most and end least; an edge back to an open box is
    /// turned.
    fn acyclic(&mut self) {
        let n = self.job.sizes.len();
        let mut out: Vec<Vec<usize>> = vec![Vec::new(); n];
        let mut balance = vec![0_i32; n];
        for (i, (a, b, _)) in self.job.edges.iter().enumerate() {
            out[*a].push(i);
            balance[*a] += 1;
            balance[*b] -= 1;
            let wrong = self.job.pins[*a] == Pin::Last || self.job.pins[*b] == Pin::First;
            self.turned[i] = wrong && self.job.pins[*a] != self.job.pins[*b];
        }
        let mut starts: Vec<usize> = (0..n).collect();
        starts.sort_by_key(|i| (-balance[*i], *i));
        let mut state = vec![0_u8; n];
        for start in starts {
            let mut stack = vec![(start, 0)];
            while let Some((at, next)) = stack.pop() {
                if next == 0 {
                    if state[at] != 0 {
                        continue;
                    }
                    state[at] = 1;
                }
                let Some(edge) = out[at].get(next).copied() else {
                    state[at] = 2;
                    continue;
                };
                stack.push((at, next + 1));
                let to = self.job.edges[edge].1;
                match state[to] {
                    1 if to != at => self.turned[edge] = true,
                    0 if !self.turned[edge] => stack.push((to, 0)),
                    _ => {}
                }
            }
        }
    }

    /// Longest path from the left, then boxes without predecessors move right, next to what they
    /// reach.
    fn layers(&mut self) {
        let n = self.job.sizes.len();
        let edges: Vec<(usize, usize)> = (0..self.job.edges.len())
            .map(|e| self.ends(e))
            .filter(|(a, b)| a != b)
            .collect();
        for _ in 0..n {
            let mut moved = false;
            for (a, b) in &edges {
                if self.layer[*b] <= self.layer[*a] {
                    self.layer[*b] = self.layer[*a] + 1;
                    moved = true;
                }
            }
            if !moved {
                break;
            }
        }
        let last = self.layer.iter().copied().max().unwrap_or(0);
        for (i, pin) in self.job.pins.iter().enumerate() {
            match pin {
                Pin::Last => self.layer[i] = last.max(1),
                Pin::First => self.layer[i] = 0,
                Pin::Free if edges.iter().all(|(_, b)| *b != i) => {
                    let next = edges
                        .iter()
                        .filter(|(a, _)| *a == i)
                        .map(|(_, b)| self.layer[*b])
                        .min();
                    self.layer[i] =
                        next.map_or(self.layer[i], |l| l.saturating_sub(1).max(self.layer[i]));
                }
                Pin::Free => {}
            }
        }
    }

    fn dummies(&mut self) {
        for e in 0..self.job.edges.len() {
            let (a, b) = self.ends(e);
            let mut chain = vec![a];
            for layer in self.layer[a] + 1..self.layer[b] {
                chain.push(self.layer.len());
                self.layer.push(layer);
            }
            chain.push(b);
            self.chains.push(chain);
        }
        let layers = self.layer.iter().copied().max().map_or(0, |l| l + 1);
        self.rows = vec![Vec::new(); layers];
        for (i, layer) in self.layer.iter().enumerate() {
            self.rows[*layer].push(i);
        }
    }

    /// The neighbours of each box or dummy in the layers before and after.
    fn neighbours(&self) -> [Vec<Vec<usize>>; 2] {
        let mut sides = [
            vec![Vec::new(); self.layer.len()],
            vec![Vec::new(); self.layer.len()],
        ];
        for chain in &self.chains {
            for pair in chain.windows(2) {
                sides[0][pair[1]].push(pair[0]);
                sides[1][pair[0]].push(pair[1]);
            }
        }
        sides
    }

    fn order(&mut self) {
        let sides = self.neighbours();
        let mut best = (self.crossings(&sides[1]), self.rows.clone());
        for sweep in 0..SWEEPS {
            let forward = sweep % 2 == 0;
            let layers: Vec<usize> = if forward {
                (0..self.rows.len()).collect()
            } else {
                (0..self.rows.len()).rev().collect()
            };
            for layer in layers {
                let at = self.positions();
                let near = &sides[usize::from(!forward)];
                let mut row: Vec<(i64, usize)> = self.rows[layer]
                    .iter()
                    .map(|i| (median_key(near, &at, *i), *i))
                    .collect();
                row.sort_by_key(|(k, _)| *k);
                self.rows[layer] = row.into_iter().map(|(_, i)| i).collect();
            }
            let count = self.crossings(&sides[1]);
            if count < best.0 {
                best = (count, self.rows.clone());
            }
        }
        self.rows = best.1;
    }

    fn positions(&self) -> Vec<i64> {
        let mut at = vec![0; self.layer.len()];
        for row in &self.rows {
            for (p, i) in (0..).zip(row) {
                at[*i] = p;
            }
        }
        at
    }

    /// Pairs of edges between neighbouring layers that cross.
    fn crossings(&self, next: &[Vec<usize>]) -> usize {
        let at = self.positions();
        let mut total = 0;
        for row in &self.rows {
            let mut seen: BTreeMap<i64, usize> = BTreeMap::new();
            for i in row {
                let ends: Vec<i64> = next[*i].iter().map(|j| at[*j]).collect();
                total += ends
                    .iter()
                    .map(|e| seen.range(e + 1..).map(|(_, n)| n).sum::<usize>())
                    .sum::<usize>();
                ends.into_iter()
                    .for_each(|e| *seen.entry(e).or_default() += 1);
            }
        }
        total
    }

    fn height(&self, i: usize) -> i32 {
        self.job.sizes.get(i).map_or(6, |s| s.1)
    }

    fn heights(&mut self) {
        let sides = self.neighbours();
        self.middle = vec![0; self.layer.len()];
        for row in &self.rows {
            let mut y = 0;
            for i in row {
                self.middle[*i] = y + self.height(*i) / 2;
                y += self.height(*i) + self.job.gap;
            }
        }
        for sweep in 0..2 * SWEEPS {
            let layers: Vec<usize> = if sweep % 2 == 0 {
                (0..self.rows.len()).collect()
            } else {
                (0..self.rows.len()).rev().collect()
            };
            for layer in layers {
                let row = &self.rows[layer];
                let wishes: Vec<i32> = row.iter().map(|i| self.wish(&sides, *i)).collect();
                let apart: Vec<i32> = row
                    .windows(2)
                    .map(|p| i32::midpoint(self.height(p[0]), self.height(p[1])) + self.job.gap)
                    .collect();
                for (i, y) in row.clone().into_iter().zip(settle(&wishes, &apart)) {
                    self.middle[i] = y;
                }
            }
        }
    }

    fn wish(&self, sides: &[Vec<Vec<usize>>], i: usize) -> i32 {
        let near: Vec<i32> = sides
            .iter()
            .flat_map(|s| &s[i])
            .map(|j| self.middle[*j])
            .collect();
        let n = i32::try_from(near.len()).unwrap_or(1);
        if near.is_empty() {
            self.middle[i]
        } else {
            near.iter().sum::<i32>() / n
        }
    }

    fn placed(&self) -> Placed {
        let n = self.job.sizes.len();
        let mut room = vec![ROOM; self.rows.len()];
        for (e, chain) in self.chains.iter().enumerate() {
            let from = self.layer[chain[0]];
            if chain.len() > 1 && from < room.len() {
                room[from] = room[from].max(self.job.edges[e].2 + 44);
            }
        }
        let width = |row: &Vec<usize>| {
            row.iter()
                .filter_map(|i| self.job.sizes.get(*i))
                .map(|s| s.0)
                .max()
                .unwrap_or(0)
        };
        let mut x = vec![0; self.rows.len()];
        let mut right = 0;
        for (layer, row) in self.rows.iter().enumerate() {
            x[layer] = right;
            right += width(row) + room[layer];
        }
        let right = right - room.last().copied().unwrap_or(0);
        let top = |i: usize| self.middle[i] - self.height(i) / 2;
        let least = (0..self.layer.len()).map(top).min().unwrap_or(0);
        let bottom = (0..self.layer.len())
            .map(|i| top(i) + self.height(i))
            .max()
            .unwrap_or(0);
        let column = |i: usize| (x[self.layer[i]], width(&self.rows[self.layer[i]]));
        let at = (0..n).map(|i| {
            let (x, width) = column(i);
            (x + (width - self.job.sizes[i].0) / 2, top(i) - least)
        });
        let route = |(e, chain): (usize, &Vec<usize>)| {
            let inner = chain.iter().filter(|i| **i >= n).flat_map(|i| {
                let (x, width) = column(*i);
                let y = self.middle[*i] - least;
                [(x, y), (x + width, y)]
            });
            let mut points: Vec<(i32, i32)> = inner.collect();
            if self.turned[e] {
                points.reverse();
            }
            points
        };
        Placed {
            at: at.collect(),
            routes: self.chains.iter().enumerate().map(route).collect(),
            size: (right, bottom - least),
        }
    }
}

/// The places nearest to the wishes (in squares) that keep the order and the distances: pools of
/// neighbours that push each other move as one.
fn settle(wishes: &[i32], apart: &[i32]) -> Vec<i32> {
    let mut offset = vec![0_i64];
    for gap in apart {
        offset.push(offset.last().copied().unwrap_or(0) + i64::from(*gap));
    }
    let mut pools: Vec<(i64, i64)> = Vec::new();
    for (wish, offset) in wishes.iter().zip(&offset) {
        let mut pool = (i64::from(*wish) - offset, 1);
        while let Some(last) = pools
            .last()
            .copied()
            .filter(|l| l.0 * pool.1 > pool.0 * l.1)
        {
            pools.pop();
            pool = (pool.0 + last.0, pool.1 + last.1);
        }
        pools.push(pool);
    }
    let flat = pools.into_iter().flat_map(|(sum, n)| {
        std::iter::repeat_n(sum.div_euclid(n), usize::try_from(n).unwrap_or(0))
    });
    flat.zip(offset)
        .map(|(y, offset)| i32::try_from(y + offset).unwrap_or(0))
        .collect()
}

/// Where the neighbours of a place lie on average.
fn median_key(near: &[Vec<usize>], at: &[i64], i: usize) -> i64 {
    let list = &near[i];
    let sum: i64 = list.iter().map(|j| at[*j] * 1000).sum();
    i64::try_from(list.len())
        .ok()
        .filter(|n| *n > 0)
        .map_or(at[i] * 1000, |n| sum / n)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn job(sizes: usize, edges: &[(usize, usize)]) -> Job {
        Job {
            sizes: vec![(60, 20); sizes],
            pins: vec![Pin::Free; sizes],
            edges: edges.iter().map(|(a, b)| (*a, *b, 0)).collect(),
            gap: 10,
        }
    }

    #[test]
    fn boxes_never_overlap_and_edges_run_forward() {
        let job = job(
            7,
            &[
                (0, 1),
                (1, 2),
                (2, 0),
                (0, 3),
                (3, 4),
                (0, 4),
                (5, 4),
                (6, 6),
            ],
        );
        let placed = layered(&job);
        for a in 0..7 {
            for b in a + 1..7 {
                let ((ax, ay), (bx, by)) = (placed.at[a], placed.at[b]);
                assert!(
                    (ax - bx).abs() >= 60 || (ay - by).abs() >= 30,
                    "{a} and {b} overlap"
                );
            }
        }
        assert!(placed.at[0].0 < placed.at[3].0 && placed.at[3].0 < placed.at[4].0);
        assert_eq!(
            placed.at[5].0, placed.at[3].0,
            "a source stands next to what it reaches"
        );
    }

    #[test]
    fn settling_keeps_order_and_distance() {
        assert_eq!(settle(&[0, 0, 100], &[10, 10]), [-5, 5, 100]);
        assert_eq!(settle(&[50], &[]), [50]);
    }
}
