//! Columns of a CSV file by name, the same for all files that noctop reads.

/// What is wrong where one of the `wanted` columns stands in a header more than once: which of them is meant is not
/// for noctop to guess. Other columns may be there as often as they like. Upper and lower case and surrounding blanks do
/// not matter.
pub(crate) fn complaint_of_doubled<'a>(
    header: &[impl AsRef<str>],
    wanted: impl IntoIterator<Item = &'a str>,
) -> Option<String> {
    let times = |name: &str| header.iter().filter(|field| is_called(field.as_ref(), name)).count();
    let name = wanted.into_iter().find(|name| times(name) > 1)?.trim();
    Some(format!("has the column {name} more than once: rename the one that is not meant, or leave it out"))
}

/// Whether a header's field is the column of this name.
pub(crate) fn is_called(field: &str, name: &str) -> bool {
    field.trim().to_lowercase() == name.trim().to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wanted_column_that_is_there_twice_is_named_and_others_may_be() {
        let header = ["note", " Speed ", "ifname", "NOTE", "speed"];
        let why = complaint_of_doubled(&header, ["ifname", "speed"]).unwrap();
        assert_eq!(why, "has the column speed more than once: rename the one that is not meant, or leave it out");
        assert_eq!(complaint_of_doubled(&header, ["ifname", "hostname"]), None);
    }
}
