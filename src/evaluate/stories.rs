//! Whether what truly belongs together is told as one.
//!
//! Only stories of which at least two members were caught can be told at all. One *comes out as
//! one* where a single told story has an incident of every member that was caught. *Strangers* are
//! the incidents of that told story (or of the one that has most members, where there are several)
//! that no label of the true story explains.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::case::Listed;
use super::events::share;
use super::listed::Match;
use crate::detect::StoryId;

/// Stories, against the labels.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Stories {
    /// True stories of two or more labelled intervals.
    pub stories: usize,
    /// Those with two or more members caught.
    pub raised: usize,
    /// Those of them that come out as one told story.
    pub whole: usize,
    /// Their share.
    pub share_whole: Option<f64>,
    /// Members that were caught, of those stories.
    pub members: usize,
    /// Those of them that have an incident in the told story.
    pub members_told: usize,
    /// Incidents in the told stories that were compared.
    pub told_incidents: usize,
    /// Those of them that do not belong there.
    pub strangers: usize,
    /// Their share.
    pub share_strangers: Option<f64>,
}

/// The figures; none where the labels have no story of two.
pub(super) fn figures(matches: &[Match<'_>], listed: &[Listed]) -> Option<Stories> {
    let mut of: BTreeMap<&str, Vec<&Match<'_>>> = BTreeMap::new();
    for found in matches {
        if let Some(story) = &found.known.story {
            of.entry(story).or_default().push(found);
        }
    }
    of.retain(|_, members| members.len() > 1);
    if of.is_empty() {
        return None;
    }
    let mut told: BTreeMap<StoryId, BTreeSet<usize>> = BTreeMap::new();
    for (i, incident) in listed.iter().enumerate() {
        if let Some(story) = incident.story {
            told.entry(story).or_default().insert(i);
        }
    }
    let mut out = Stories { stories: of.len(), ..Stories::default() };
    for members in of.values() {
        let caught: Vec<_> = members.iter().filter(|m| !m.by.is_empty()).collect();
        if caught.len() < 2 {
            continue;
        }
        out.raised += 1;
        out.members += caught.len();
        let own: BTreeSet<usize> = caught.iter().flat_map(|m| m.by.iter().copied()).collect();
        let candidates: BTreeSet<StoryId> = own.iter().filter_map(|i| listed[*i].story).collect();
        let members_in =
            |story: &StoryId| caught.iter().filter(|m| m.by.iter().any(|i| listed[*i].story == Some(*story))).count();
        // Of equal ones the first: ids order them the same way every time.
        let Some(best) = candidates.iter().rev().max_by_key(|s| members_in(s)) else { continue };
        let told_members = members_in(best);
        out.members_told += told_members;
        out.whole += usize::from(told_members == caught.len());
        out.told_incidents += told[best].len();
        out.strangers += told[best].difference(&own).count();
    }
    out.share_whole = share(out.whole, out.raised);
    out.share_strangers = share(out.strangers, out.told_incidents);
    Some(out)
}
