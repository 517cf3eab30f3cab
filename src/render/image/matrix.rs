//! The square as text, CSV, JSON and a page: what auditors call an access-control matrix.

use crate::query::list::matrix::{By, Matrix, MatrixSide};
use crate::render::context::RenderContext;
use crate::render::context::Style;
use crate::render::data::{csv, json};
use crate::render::image::svg::escape;
use crate::render::text::table;
use crate::render::words;
use crate::set::TrafficSet;
use crate::set::traffic::TrafficRange;
use schemars::JsonSchema;
use serde::{Serialize, Serializer};
use std::fmt::Write as _;
use std::io::{self, Write};

const LEGEND: &str = ".  nothing    N  N distinct ports    *  everything    ?  unknown    =  same";

/// Most rows of a table that a page holds as markup.
const LARGE: usize = 100;

fn class(sign: &str) -> &'static str {
    match sign {
        "=" => "same",
        "." => "none",
        "*" => "all",
        "?" => "unknown",
        _ => "some",
    }
}

/// Writes matrices.
#[derive(Clone, Copy)]
pub struct MatrixView<'a> {
    /// What names are looked up in.
    pub context: RenderContext<'a>,
    /// The matrix.
    pub matrix: &'a Matrix,
}

impl<'a> MatrixView<'a> {
    /// A matrix with what its names are looked up in.
    pub fn of(context: &RenderContext<'a>, matrix: &'a Matrix) -> Self {
        Self {
            context: *context,
            matrix,
        }
    }
}

impl MatrixView<'_> {
    /// What a side is called.
    pub fn name(&self, side: MatrixSide) -> String {
        let cluster = &self.context.input.cluster;
        match side {
            MatrixSide::Namespace(id) => words::clean(&cluster.namespace(id).name).into_owned(),
            MatrixSide::Workload(id) => words::clean(&cluster.workload_name(id)).into_owned(),
            MatrixSide::Internet => "internet".into(),
        }
    }

    /// One cell in a sign: `.`, `=`, `*`, `?`, or how many ports.
    pub fn sign(&self, from: usize, to: usize) -> String {
        if from == to {
            return "=".into();
        }
        match self.matrix.cell(from, to) {
            None => ".".into(),
            Some(a) if a.must.is_all() => "*".into(),
            Some(a) if a.must.is_empty() && a.is_exact() => ".".into(),
            Some(a) if a.must.is_empty() => "?".into(),
            Some(a) => count(&a.must),
        }
    }

    fn names(&self) -> Vec<String> {
        self.matrix.sides.iter().map(|s| self.name(*s)).collect()
    }

    /// A table that fits the width: columns by name, or by number where names are too long.
    ///
    /// # Errors
    /// When the writer fails.
    pub fn text(&self, style: Style, width: usize, out: &mut dyn Write) -> io::Result<()> {
        let names = self.names();
        let longest = names.iter().map(|n| n.chars().count()).max().unwrap_or(0);
        let wide: usize = names.iter().map(|n| n.chars().count() + 2).sum::<usize>() + longest + 2;
        let by_number = wide > width;
        let head: Vec<String> = if by_number {
            (1..=names.len()).map(|i| i.to_string()).collect()
        } else {
            names.clone()
        };
        let row = |(i, name): (usize, &String)| {
            let first = if by_number {
                format!("{:>3} {name}", i + 1)
            } else {
                name.clone()
            };
            let cells = (0..names.len()).map(move |j| self.sign(i, j));
            std::iter::once(first).chain(cells).collect::<Vec<String>>()
        };
        let head = std::iter::once("from \\ to".to_owned())
            .chain(head)
            .collect();
        table::square(head, || names.iter().enumerate().map(row), style, out)?;
        writeln!(out, "{}", style.dim(&format!("{LEGEND} {}", self.same())))
    }

    fn same(&self) -> &'static str {
        match self.matrix.by {
            By::Namespace => "namespace",
            By::Workload => "workload",
        }
    }

    /// One line a row, one cell a column.
    ///
    /// # Errors
    /// When the writer fails.
    pub fn csv(&self, out: &mut dyn Write) -> io::Result<()> {
        let names = self.names();
        let head = std::iter::once("from \\ to".to_owned())
            .chain(names.iter().cloned())
            .collect();
        let row = |i: usize| {
            let cells = (0..names.len()).map(|j| self.csv_cell(i, j));
            std::iter::once(names[i].clone()).chain(cells).collect()
        };
        csv::rows(std::iter::once(head).chain((0..names.len()).map(row)), out)
    }

    fn csv_cell(&self, from: usize, to: usize) -> String {
        match (from == to, self.matrix.cell(from, to)) {
            (true, _) => "same".to_owned(),
            (false, None) => String::new(),
            (false, Some(a)) if a.must.is_empty() => {
                format!("unknown {}", words::traffic(&a.unknown()))
            }
            (false, Some(a)) => words::traffic(&a.must),
        }
    }

    /// The matrix as a document's content.
    pub fn json(&self) -> MatrixJson<'_> {
        MatrixJson {
            by: self.same(),
            cells: Cells(self.matrix),
            sides: self.names(),
        }
    }

    /// A page of its own, with nothing to load.
    ///
    /// # Errors
    /// When the writer fails.
    pub fn html(&self, out: &mut dyn Write) -> io::Result<()> {
        let style = include_str!("matrix.css");
        write!(
            out,
            "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" content=\"width=device-width\">\n\
             <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n\
             <title>netpal matrix</title>\n<style>{style}</style>\n</head>\n<body>\n<main>\n<h1>Who may reach whom</h1>\n",
        )?;
        write!(out, "{}", self.table())?;
        write!(out, "\n</main>\n</body>\n</html>\n")
    }

    /// Whether a page should show a part of it at a time.
    pub fn is_large(&self) -> bool {
        self.matrix.sides.len() > LARGE
    }

    /// One cell in words; empty where nothing passes.
    pub fn words(&self, from: usize, to: usize) -> String {
        self.matrix
            .cell(from, to)
            .filter(|_| from != to)
            .map_or_else(String::new, |a| match (a.must.is_empty(), a.is_exact()) {
                (true, true) => String::new(),
                (_, true) => words::traffic(&a.must),
                (true, false) => format!("unknown {}", words::traffic(&a.unknown())),
                (false, false) => format!(
                    "{}, unknown {}",
                    words::traffic(&a.must),
                    words::traffic(&a.unknown())
                ),
            })
    }

    /// The table as markup.
    pub fn table(&self) -> String {
        let names: Vec<String> = self.names().iter().map(|n| escape(n)).collect();
        let mut html = String::from("<thead><tr><th scope=\"col\">from \\ to</th>");
        names.iter().for_each(|n| {
            let _ = write!(html, "<th scope=\"col\"><span>{n}</span></th>");
        });
        html.push_str("</tr></thead>\n<tbody>\n");
        for (i, name) in names.iter().enumerate() {
            let _ = write!(html, "<tr><th scope=\"row\">{name}</th>");
            for j in 0..names.len() {
                let sign = self.sign(i, j);
                let class = class(&sign);
                let what = self.words(i, j);
                let what = if what.is_empty() {
                    what
                } else {
                    format!(" title=\"{}\"", escape(&what))
                };
                let _ = write!(html, "<td class=\"{class}\"{what}>{sign}</td>");
            }
            html.push_str("</tr>\n");
        }
        html.push_str("</tbody>");
        self.frame(&html)
    }

    /// A table of these rows, with its legend.
    pub fn frame(&self, rows: &str) -> String {
        format!(
            "<p class=\"legend\">{LEGEND} {}. Rows send, columns receive.</p>\n<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"Table of the matrix\">\n\
             <table class=\"matrix\">{rows}</table></div>",
            self.same()
        )
    }
}

/// How many ports, as far as a cell has room.
fn count(set: &TrafficSet) -> String {
    let ports: u32 = set
        .pieces()
        .map(|p| {
            if let TrafficRange::Ports(_, a, b) = p {
                u32::from(b - a) + 1
            } else {
                1
            }
        })
        .sum();
    if ports > 999 {
        ">999".into()
    } else {
        ports.to_string()
    }
}

/// The matrix as a document's content.
#[derive(Debug, Serialize, JsonSchema)]
pub struct MatrixJson<'a> {
    /// `namespace` or `workload`.
    pub by: &'static str,
    /// Rows and columns.
    pub sides: Vec<String>,
    /// The cells in which something passes or may pass.
    #[schemars(with = "Vec<CellJson>")]
    pub cells: Cells<'a>,
}

/// The cells of a matrix, written as they are met.
#[derive(Debug)]
pub struct Cells<'a>(&'a Matrix);

impl Serialize for Cells<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.cells().map(|((from, to), allowed)| CellJson {
            from,
            to,
            ports: json::traffic(&allowed.must),
            unknown: json::traffic(&allowed.unknown()),
        }))
    }
}

/// One cell.
#[derive(Debug, Serialize, JsonSchema)]
pub struct CellJson {
    /// Index of the row's side.
    pub from: usize,
    /// Index of the column's side.
    pub to: usize,
    /// What surely passes between some pair of workloads.
    pub ports: Vec<json::PortsJson>,
    /// What may pass.
    pub unknown: Vec<json::PortsJson>,
}
