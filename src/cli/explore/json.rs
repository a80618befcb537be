//! All figures as one JSON object.

use std::io::{self, Write};

use serde::Serialize;

use crate::explore::advice::{self, Advice};
use crate::explore::alike::Alike;
use crate::explore::explored::{Explored, Read, SharedGap};
use crate::explore::figures::Figures;
use crate::explore::findings::Finding;

#[derive(Serialize)]
struct Report<'a> {
    read: &'a Read,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    advice: Vec<Advice>,
    shared_gaps: &'a [SharedGap],
    interfaces: Vec<One<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    alike: Option<Tested<'a>>,
    together: Vec<Together<'a>>,
    pairs_looked_at: usize,
}

#[derive(Serialize)]
struct One<'a> {
    #[serde(flatten)]
    figures: &'a Figures,
    findings: &'a [Finding],
    /// Autocorrelation of ranks by lag; only where one interface is asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    autocorrelation: Option<&'a [f64]>,
}

#[derive(Serialize)]
struct Tested<'a> {
    tested: Vec<[&'a str; 2]>,
    #[serde(flatten)]
    tests: &'a Alike,
}

#[derive(Serialize)]
struct Together<'a> {
    a: [&'a str; 2],
    b: [&'a str; 2],
    correlation: f64,
    lag: i64,
}

/// Writes everything, or what is about one interface.
pub(super) fn write(explored: &Explored, wanted: Option<usize>, out: &mut dyn Write) -> anyhow::Result<()> {
    let name = |i: usize| [explored.interfaces[i].hostname.as_str(), explored.interfaces[i].ifname.as_str()];
    let shown = |i: usize| wanted.is_none_or(|wanted| wanted == i);
    let interfaces = explored.interfaces.iter().zip(&explored.findings).enumerate();
    let interfaces = interfaces.filter(|(i, _)| shown(*i)).map(|(_, (figures, findings))| One {
        figures,
        findings,
        autocorrelation: wanted.and(figures.echoes.as_ref()).map(|e| e.curve.as_slice()),
    });
    let together = explored.together.iter().filter(|pair| shown(pair.a) || shown(pair.b)).map(|pair| Together {
        a: name(pair.a),
        b: name(pair.b),
        correlation: pair.correlation,
        lag: pair.lag,
    });
    let tested = explored.alike.interfaces.iter().map(|i| name(*i)).collect();
    let report = Report {
        read: &explored.read,
        // It is about the whole directory.
        advice: if wanted.is_none() { advice::of(explored) } else { Vec::new() },
        shared_gaps: &explored.shared_gaps,
        interfaces: interfaces.collect(),
        alike: wanted.is_none().then_some(Tested { tested, tests: &explored.alike }),
        together: together.collect(),
        pairs_looked_at: explored.pairs,
    };
    serde_json::to_writer_pretty(&mut *out, &report)?;
    writeln!(out).map_err(|e: io::Error| e.into())
}
