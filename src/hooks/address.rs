//! Which IP addresses a webhook may reach: the public ones, and those that the operator allows.
//!
//! Belongs here: the table of ranges, and the allow-list. Does not belong here: URLs ([`super::target`]) or names
//! ([`super::names`]).
//!
//! The table follows the special-purpose registries of IANA (RFC 6890 and what came after it). Of IPv6 only `2000::/3`
//! is handed out at all, so everything else is refused, known or not.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

/// IPv4 ranges that are not public: first address, bits of the prefix, what they are for.
const REFUSED_V4: &[(Ipv4Addr, u32, &str)] = &[
    (Ipv4Addr::new(0, 0, 0, 0), 8, "this network"),
    (Ipv4Addr::new(10, 0, 0, 0), 8, "private"),
    (Ipv4Addr::new(100, 64, 0, 0), 10, "behind a provider"),
    (Ipv4Addr::new(127, 0, 0, 0), 8, "loopback"),
    (Ipv4Addr::new(169, 254, 0, 0), 16, "link-local"),
    (Ipv4Addr::new(172, 16, 0, 0), 12, "private"),
    (Ipv4Addr::new(192, 0, 0, 0), 24, "reserved for protocols"),
    (Ipv4Addr::new(192, 0, 2, 0), 24, "for documentation"),
    (Ipv4Addr::new(192, 88, 99, 0), 24, "6to4 relays"),
    (Ipv4Addr::new(192, 168, 0, 0), 16, "private"),
    (Ipv4Addr::new(198, 18, 0, 0), 15, "for benchmarks"),
    (Ipv4Addr::new(198, 51, 100, 0), 24, "for documentation"),
    (Ipv4Addr::new(203, 0, 113, 0), 24, "for documentation"),
    (Ipv4Addr::new(224, 0, 0, 0), 4, "multicast"),
    (Ipv4Addr::new(240, 0, 0, 0), 4, "reserved"),
];

/// IPv6 ranges with a name of their own. Those outside of `2000::/3` are refused anyhow; here they get a better word.
const REFUSED_V6: &[(Ipv6Addr, u32, &str)] = &[
    (Ipv6Addr::UNSPECIFIED, 128, "unspecified"),
    (Ipv6Addr::LOCALHOST, 128, "loopback"),
    (
        Ipv6Addr::new(0, 0, 0, 0, 0, 0xffff, 0, 0),
        96,
        "IPv4 inside of IPv6",
    ),
    (Ipv6Addr::UNSPECIFIED, 96, "IPv4 inside of IPv6"),
    (
        Ipv6Addr::new(0x64, 0xff9b, 0, 0, 0, 0, 0, 0),
        96,
        "IPv4 inside of IPv6",
    ),
    (
        Ipv6Addr::new(0x64, 0xff9b, 1, 0, 0, 0, 0, 0),
        48,
        "IPv4 inside of IPv6",
    ),
    (
        Ipv6Addr::new(0x2001, 0, 0, 0, 0, 0, 0, 0),
        23,
        "reserved for protocols",
    ),
    (
        Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 0),
        32,
        "for documentation",
    ),
    (
        Ipv6Addr::new(0x2002, 0, 0, 0, 0, 0, 0, 0),
        16,
        "IPv4 inside of IPv6",
    ),
    (
        Ipv6Addr::new(0x3fff, 0, 0, 0, 0, 0, 0, 0),
        20,
        "for documentation",
    ),
    (Ipv6Addr::new(0xfc00, 0, 0, 0, 0, 0, 0, 0), 7, "private"),
    (Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, 0), 10, "link-local"),
    (Ipv6Addr::new(0xff00, 0, 0, 0, 0, 0, 0, 0), 8, "multicast"),
];

/// What an IPv6 address outside of `2000::/3` is where [`REFUSED_V6`] has no word for it.
const NOT_HANDED_OUT: &str = "not handed out";

/// Why an address is not public; `None` for a public one.
///
/// An IPv4 address inside of an IPv6 one (`::ffff:8.8.8.8`) is refused whatever it is: nobody needs that spelling, and
/// the kernel would connect to the address inside.
pub fn refused(address: IpAddr) -> Option<&'static str> {
    match address {
        IpAddr::V4(v4) => REFUSED_V4
            .iter()
            .find(|(first, bits, _)| same_prefix_v4(*first, v4, *bits))
            .map(|(_, _, what)| *what),
        IpAddr::V6(v6) => {
            let named = REFUSED_V6
                .iter()
                .find(|(first, bits, _)| same_prefix_v6(*first, v6, *bits))
                .map(|(_, _, what)| *what);
            let handed_out = same_prefix_v6(Ipv6Addr::new(0x2000, 0, 0, 0, 0, 0, 0, 0), v6, 3);
            named.or((!handed_out).then_some(NOT_HANDED_OUT))
        }
    }
}

/// Whether an address may be reached: it is public, or the operator allows it.
pub fn permitted(allow: &Allow, address: IpAddr) -> bool {
    refused(address).is_none() || allow.contains(address)
}

/// Whether two addresses have their first `bits` bits, 1 to 32, in common.
fn same_prefix_v4(a: Ipv4Addr, b: Ipv4Addr, bits: u32) -> bool {
    let differing = u32::from(a) ^ u32::from(b);
    differing.leading_zeros() >= bits
}

/// Whether two addresses have their first `bits` bits, 0 to 128, in common.
fn same_prefix_v6(a: Ipv6Addr, b: Ipv6Addr, bits: u32) -> bool {
    let differing = u128::from(a) ^ u128::from(b);
    differing.leading_zeros() >= bits
}

/// A range of addresses in CIDR notation. It holds addresses of its own family only: `0.0.0.0/0` does not hold
/// `::ffff:10.0.0.1`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Range {
    first: IpAddr,
    bits: u32,
}

impl Range {
    fn contains(&self, address: IpAddr) -> bool {
        match (self.first, address) {
            (IpAddr::V4(first), IpAddr::V4(address)) => same_prefix_v4(first, address, self.bits),
            (IpAddr::V6(first), IpAddr::V6(address)) => same_prefix_v6(first, address, self.bits),
            _ => false,
        }
    }
}

impl FromStr for Range {
    type Err = ();

    /// Reads `10.0.0.0/8` or `fd00::/8`; a single address is `10.1.2.3/32`. The bits behind the prefix must be 0, so that a slip of
    /// the pen does not open another range than the one meant.
    fn from_str(text: &str) -> Result<Range, ()> {
        let (address, bits) = text.split_once('/').ok_or(())?;
        let first: IpAddr = address.parse().map_err(|_| ())?;
        let most = if first.is_ipv4() { 32 } else { 128 };
        if bits.is_empty() || !bits.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(());
        }
        let bits: u32 = bits.parse().map_err(|_| ())?;
        let zeros = match first {
            IpAddr::V4(first) => u32::from(first).trailing_zeros(),
            IpAddr::V6(first) => u128::from(first).trailing_zeros(),
        };
        if bits > most || zeros < most - bits {
            return Err(());
        }
        Ok(Range { first, bits })
    }
}

/// Ranges that webhooks may reach although they are not public: a comma list such as `10.0.0.0/8, fd00::/8`. Empty
/// means none.
#[derive(Clone, Default, PartialEq, Eq, Debug)]
pub struct Allow(Vec<Range>);

/// A text that is not a list of ranges.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct NotRanges;

impl Allow {
    /// Whether it holds an address.
    pub fn contains(&self, address: IpAddr) -> bool {
        self.0.iter().any(|range| range.contains(address))
    }

    /// Whether it holds none at all.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl FromStr for Allow {
    type Err = NotRanges;

    fn from_str(text: &str) -> Result<Allow, NotRanges> {
        if text.trim().is_empty() {
            return Ok(Allow::default());
        }
        let ranges: Result<Vec<Range>, ()> =
            text.split(',').map(|part| part.trim().parse()).collect();
        ranges.map(Allow).map_err(|()| NotRanges)
    }
}

impl fmt::Display for Allow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, range) in self.0.iter().enumerate() {
            if at > 0 {
                f.write_str(",")?;
            }
            write!(f, "{}/{}", range.first, range.bits)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
