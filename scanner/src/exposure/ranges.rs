//! Which addresses, numbers and instants does a policy name, and where do they differ?

use std::net::IpAddr;

use time::format_description::well_known::Rfc3339;
use time::macros::format_description;
use time::{Date, OffsetDateTime};

/// A range of addresses, both ends included.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct IpRange {
    /// Whether these are IPv6 addresses.
    pub v6: bool,
    /// The first address, as a number.
    pub first: u128,
    /// The last address, as a number.
    pub last: u128,
}

impl IpRange {
    /// Whether all of `other` lies inside.
    pub fn contains(&self, other: &Self) -> bool {
        self.v6 == other.v6 && self.first <= other.first && other.last <= self.last
    }
}

/// Reads an address or a CIDR block; bits behind the prefix are ignored.
pub fn ip_range(text: &str) -> Option<IpRange> {
    let (address, bits) = match text.split_once('/') {
        Some((address, bits)) => (address, Some(bits)),
        None => (text, None),
    };
    let address: IpAddr = address.trim().parse().ok()?;
    let (v6, width, value) = match address {
        IpAddr::V4(address) => (false, 32, u128::from(u32::from(address))),
        IpAddr::V6(address) => (true, 128, u128::from(address)),
    };
    let bits = match bits {
        None => width,
        Some(bits) if !bits.is_empty() && bits.chars().all(|c| c.is_ascii_digit()) => bits.parse().ok()?,
        Some(_) => return None,
    };
    let host_bits = u32::checked_sub(width, bits)?;
    let mask = if host_bits == 128 { u128::MAX } else { (1 << host_bits) - 1 };
    Some(IpRange { v6, first: value & !mask, last: value | mask })
}

/// An address for a person.
pub fn address(v6: bool, value: u128) -> String {
    if v6 {
        std::net::Ipv6Addr::from(value).to_string()
    } else {
        u32::try_from(value).map(|value| std::net::Ipv4Addr::from(value).to_string()).unwrap_or_default()
    }
}

/// Takes `holes` out of `ranges`; the result is sorted and free of overlaps if `ranges` was free of overlaps.
pub fn without(ranges: Vec<IpRange>, holes: &[IpRange]) -> Vec<IpRange> {
    let mut left = ranges;
    for hole in holes {
        let mut next = Vec::with_capacity(left.len() + 1);
        for range in left {
            if range.v6 != hole.v6 || hole.last < range.first || range.last < hole.first {
                next.push(range);
                continue;
            }
            if range.first < hole.first {
                next.push(IpRange { last: hole.first - 1, ..range });
            }
            if hole.last < range.last {
                next.push(IpRange { first: hole.last + 1, ..range });
            }
        }
        left = next;
    }
    left.sort();
    left
}

/// Cuts `ranges` wherever one of `marks` begins or ends: inside a piece all marks say the same.
pub fn pieces(ranges: &[IpRange], marks: &[IpRange]) -> Vec<IpRange> {
    let mut pieces = Vec::new();
    for range in ranges {
        let mut starts = vec![range.first];
        for mark in marks.iter().filter(|mark| mark.v6 == range.v6) {
            let after = mark.last.checked_add(1);
            let cuts = [Some(mark.first), after];
            starts.extend(cuts.into_iter().flatten().filter(|cut| range.first < *cut && *cut <= range.last));
        }
        starts.sort_unstable();
        starts.dedup();
        let ends = starts.iter().skip(1).map(|start| start - 1).chain([range.last]);
        pieces.extend(starts.iter().zip(ends).map(|(first, last)| IpRange {
            v6: range.v6,
            first: *first,
            last,
        }));
    }
    pieces
}

/// Reads a number as a policy writes it.
pub fn number(text: &str) -> Option<f64> {
    let plain = text.chars().all(|c| c.is_ascii_digit() || "+-.eE".contains(c));
    text.parse().ok().filter(|number: &f64| plain && number.is_finite())
}

/// No request of the future is sent before this program was written: 2026-11-01, in seconds since 1970.
pub const EARLIEST: f64 = 1_793_491_200.0;

/// Reads a date, a date with time, or seconds since 1970; the result is in seconds since 1970.
pub fn instant(text: &str) -> Option<f64> {
    if let Some(seconds) = number(text) {
        return Some(seconds);
    }
    if let Ok(instant) = OffsetDateTime::parse(text, &Rfc3339) {
        return Some(instant.unix_timestamp() as f64 + f64::from(instant.nanosecond()) / 1e9);
    }
    let minutes = format_description!("[year]-[month]-[day]T[hour]:[minute]Z");
    if let Ok(instant) = time::PrimitiveDateTime::parse(text, minutes) {
        return Some(instant.assume_utc().unix_timestamp() as f64);
    }
    let date = Date::parse(text, format_description!("[year]-[month]-[day]")).ok()?;
    Some(date.midnight().assume_utc().unix_timestamp() as f64)
}

/// Seconds since 1970 as a date with time.
pub fn instant_text(seconds: f64) -> String {
    OffsetDateTime::from_unix_timestamp(seconds as i64)
        .ok()
        .and_then(|instant| instant.format(&Rfc3339).ok())
        .unwrap_or_else(|| seconds.to_string())
}

/// Points that stand for every way numbers can lie to `marks`: each mark, a point between each two, one on each side.
pub fn points(marks: &[f64]) -> Vec<f64> {
    let mut sorted = marks.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted.dedup();
    let Some((first, last)) = sorted.first().zip(sorted.last()) else { return vec![1.0] };
    let mut points = vec![(first - 1.0).floor(), (last + 1.0).ceil()];
    points.extend(sorted.windows(2).filter_map(|pair| match pair {
        [low, high] => {
            // Whole numbers first: most keys hold nothing else.
            let whole = (low + 1.0).floor();
            Some(if whole < *high { whole } else { low + (high - low) / 2.0 })
        }
        _ => None,
    }));
    points.extend(sorted);
    points
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_block_ignores_the_bits_behind_its_prefix() {
        assert_eq!(ip_range("10.1.2.3/8"), ip_range("10.0.0.0/8"));
        assert_eq!(ip_range("0.0.0.0/0").map(|range| range.last), Some(u128::from(u32::MAX)));
        assert_eq!(ip_range("::/0").map(|range| range.last), Some(u128::MAX));
        assert_eq!(ip_range("2001:db8::/129"), None);
        assert_eq!(ip_range("1.2.3.4/+8"), None);
        assert_eq!(ip_range("300.2.3.4"), None);
    }

    #[test]
    fn dates_are_read_in_every_form_iam_takes() {
        for text in
            ["1970-01-02", "1970-01-02T00:00Z", "1970-01-02T00:00:00Z", "1970-01-02T01:00:00+01:00", "86400"]
        {
            assert_eq!(instant(text), Some(86_400.0), "{text}");
        }
        assert_eq!(instant("tomorrow"), None);
        assert_eq!(number("nan"), None);
        assert_eq!(number("inf"), None);
    }

    #[test]
    fn pieces_cover_and_agree() {
        let all = vec![IpRange { v6: false, first: 0, last: u128::from(u32::MAX) }];
        let marks: Vec<_> =
            ["0.0.0.0/1", "10.0.0.0/8", "255.255.255.255"].iter().filter_map(|t| ip_range(t)).collect();
        let pieces = pieces(&all, &marks);
        assert_eq!(pieces.iter().map(|piece| piece.last - piece.first + 1).sum::<u128>(), 1 << 32);
        for (piece, mark) in pieces.iter().flat_map(|piece| marks.iter().map(move |mark| (piece, mark))) {
            let apart = piece.last < mark.first || mark.last < piece.first;
            assert!(apart || mark.contains(piece));
        }
    }

    #[test]
    fn holes_are_taken_out() {
        let ten = ip_range("10.0.0.0/8").expect("a block");
        let hole = ip_range("10.5.0.0/16").expect("a block");
        let left = without(vec![ten.clone()], std::slice::from_ref(&hole));
        assert_eq!(left.len(), 2);
        assert!(left.iter().all(|range| ten.contains(range) && !hole.contains(range)));
    }

    #[test]
    fn points_stand_on_and_around_every_mark() {
        let points = points(&[5.0, 10.0]);
        assert!(points.iter().any(|point| *point < 5.0));
        assert!(points.iter().any(|point| 5.0 < *point && *point < 10.0));
        assert!(points.iter().any(|point| *point > 10.0));
        assert!(points.contains(&5.0) && points.contains(&10.0));
    }
}
