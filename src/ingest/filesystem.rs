//! Which file systems tell nobody that a file was written.

use std::path::Path;

/// The name of the file system of `path`, where it is one that sends no events of what others write
/// to it: network mounts, and programs that act as file systems.
#[cfg(target_os = "linux")]
pub(super) fn without_events(path: &Path) -> Option<&'static str> {
    named(u64::try_from(rustix::fs::statfs(path).ok()?.f_type).ok()? & 0xffff_ffff)
}

/// Elsewhere nothing is known; `--poll` is the way then.
#[cfg(not(target_os = "linux"))]
pub(super) fn without_events(_: &Path) -> Option<&'static str> {
    None
}

/// The numbers of `statfs(2)`.
#[cfg(target_os = "linux")]
fn named(number: u64) -> Option<&'static str> {
    Some(match number {
        0x6969 => "NFS",
        0x517b | 0xff53_4d42 | 0xfe53_4d42 => "SMB",
        0x6573_5546 => "FUSE",
        0x0102_1997 => "9P",
        0x5346_414f => "AFS",
        0x00c3_6400 => "Ceph",
        0x0bd0_0bd0 => "Lustre",
        0x0116_1970 => "GFS2",
        0x7461_636f => "OCFS2",
        _ => return None,
    })
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn mounts_are_known_by_their_number_and_a_local_directory_is_none() {
        assert_eq!(
            [0x6969, 0xff53_4d42, 0x6573_5546, 0xef53, 0x0102_1994].map(named),
            [Some("NFS"), Some("SMB"), Some("FUSE"), None, None]
        );
        // The kernel's own file systems are local.
        assert_eq!(without_events(Path::new("/proc")), None);
        assert_eq!(without_events(Path::new("/no/such/place")), None);
    }
}
