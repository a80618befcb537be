//! The zone in which times are shown.

use jiff::tz::TimeZone;

use crate::series::Timestamp;

/// A zone; UTC by default.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Zone(TimeZone);

impl Default for Zone {
    fn default() -> Self {
        Self(TimeZone::UTC)
    }
}

impl Zone {
    /// This zone.
    pub fn new(zone: TimeZone) -> Self {
        Self(zone)
    }

    /// What a clock there shows, as the moment at which a clock in UTC shows the same.
    pub fn shown(&self, time: Timestamp) -> Timestamp {
        let offset = jiff::Timestamp::from_second(time.seconds()).map(|t| self.0.to_offset(t).seconds());
        time.plus(offset.map_or(0, i64::from))
    }

    /// What the zone is called at that moment: `UTC`, `CET`.
    pub fn name(&self, time: Timestamp) -> String {
        match jiff::Timestamp::from_second(time.seconds()) {
            Ok(t) => self.0.to_offset_info(t).abbreviation().to_owned(),
            Err(_) => "UTC".to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format;

    #[test]
    fn a_zone_has_its_summer() {
        let zone = Zone::new(TimeZone::get("Europe/Berlin").unwrap());
        let winter = Timestamp::from_seconds(1_795_392_000);
        let said = |t| format!("{} {}", format::minute(zone.shown(t)), zone.name(t));
        assert_eq!(said(winter), "2026-11-23 01:00 CET");
        assert_eq!(said(winter.plus(-120 * 86_400)), "2026-07-26 02:00 CEST");
        assert_eq!((Zone::default().shown(winter), Zone::default().name(winter).as_str()), (winter, "UTC"));
    }
}
