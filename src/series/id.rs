//! Names of interfaces and the small numbers that stand for them.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

/// One interface, as a small number: the order in which its name was first seen. It says nothing
/// about the interface, so nothing that is shown or written may depend on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct InterfaceId(u32);

impl InterfaceId {
    /// The interface at `index` of a table that is in order of first sight.
    ///
    /// # Panics
    /// When there are more than 2^32 interfaces.
    pub fn from_index(index: usize) -> Self {
        Self(u32::try_from(index).expect("fewer than 2^32 interfaces: each has a name in memory"))
    }

    /// Its place in a table that is in order of first sight.
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

/// What an interface is called: its host and its name there. Ordered by host, then name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct InterfaceName {
    /// The device.
    pub host: Arc<str>,
    /// The interface on that device.
    pub ifname: Arc<str>,
}

impl InterfaceName {
    /// A name from its two parts.
    pub fn new(host: &str, ifname: &str) -> Self {
        Self { host: host.into(), ifname: ifname.into() }
    }
}

impl fmt::Display for InterfaceName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.host, self.ifname)
    }
}

/// Gives each name one [`InterfaceId`] and keeps it.
#[derive(Debug, Default, Clone)]
pub struct Names {
    by_host: HashMap<Arc<str>, HashMap<Arc<str>, InterfaceId>>,
    all: Vec<InterfaceName>,
}

impl Names {
    /// The id of a name, new or known. Allocates only for a new one.
    pub fn intern(&mut self, host: &str, ifname: &str) -> InterfaceId {
        if let Some(id) = self.find(host, ifname) {
            return id;
        }
        let host = self.by_host.get_key_value(host).map_or_else(|| Arc::from(host), |(known, _)| known.clone());
        let name = InterfaceName { host: host.clone(), ifname: ifname.into() };
        let id = InterfaceId::from_index(self.all.len());
        self.by_host.entry(host).or_default().insert(name.ifname.clone(), id);
        self.all.push(name);
        id
    }

    /// The id of a name, where it is known.
    pub fn find(&self, host: &str, ifname: &str) -> Option<InterfaceId> {
        self.by_host.get(host)?.get(ifname).copied()
    }

    /// All names in the order of their ids.
    pub fn all(&self) -> &[InterfaceName] {
        &self.all
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_keeps_its_id_and_hosts_are_kept_apart() {
        let mut names = Names::default();
        let a = names.intern("core-1", "xe-0");
        let b = names.intern("core-2", "xe-0");
        assert_ne!(a, b);
        assert_eq!(names.intern("core-1", "xe-0"), a);
        assert_eq!(names.find("core-3", "xe-0"), None);
        assert_eq!(names.all()[b.index()], InterfaceName::new("core-2", "xe-0"));
        assert!(Arc::ptr_eq(&names.all()[0].ifname, &names.all()[0].ifname));
    }
}
