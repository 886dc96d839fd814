//! Is this a name or number of machines: an IP address, a UUID, a URL, a user agent?

/// An IPv4 address, or an IPv6 address in its common forms.
pub(crate) fn is_ip(value: &[u8]) -> bool {
    match std::str::from_utf8(value.trim_ascii()) {
        Ok(text) if (7..=45).contains(&text.len()) => text.parse::<std::net::IpAddr>().is_ok(),
        _ => false,
    }
}

/// `8-4-4-4-12` hexadecimal digits.
pub(crate) fn is_uuid(value: &[u8]) -> bool {
    value.len() == 36
        && value.iter().enumerate().all(|(at, b)| match at {
            8 | 13 | 18 | 23 => *b == b'-',
            _ => b.is_ascii_hexdigit(),
        })
}

/// An opaque id: letters and digits mixed, no blanks, 6–64 characters.
pub(crate) fn is_opaque_id(value: &[u8]) -> bool {
    (6..=64).contains(&value.len())
        && value.iter().any(u8::is_ascii_digit)
        && value.iter().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b':' | b'.'))
}

/// An absolute URL or a path.
pub(crate) fn is_resource(value: &[u8]) -> bool {
    (value.first() == Some(&b'/') && value.len() > 1 && !value.contains(&b' '))
        || memchr::memmem::find(value.get(..12.min(value.len())).unwrap_or_default(), b"://").is_some()
}

/// The product token that browsers begin with.
pub(crate) fn is_user_agent(value: &[u8]) -> bool {
    value.starts_with(b"Mozilla/") || value.starts_with(b"Opera/") || value.starts_with(b"Dalvik/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn machines_have_their_own_names() {
        assert!(is_ip(b"192.0.2.7") && is_ip(b"2001:db8::1") && !is_ip(b"1.2.3") && !is_ip(b"300.1.1.1"));
        assert!(is_uuid(b"3f2504e0-4f89-11d3-9a0c-0305e82c3301") && !is_uuid(b"3f2504e0"));
        assert!(is_opaque_id(b"usr_81b2") && !is_opaque_id(b"jane doe 1") && !is_opaque_id(b"hello-world"));
        assert!(is_resource(b"/pricing") && is_resource(b"https://a.example/x") && !is_resource(b"and/or"));
    }
}
