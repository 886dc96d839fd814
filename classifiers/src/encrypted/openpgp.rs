//! Is it an encrypted OpenPGP message? Answered by walking its packets (RFC 4880, RFC 9580): session keys, then the
//! encrypted data. A signed message, a key ring or random bytes fail that walk.

use super::Verdict;
use super::cursor::Cursor;

/// Session-key packets walked at most; a message for more recipients is recognised by those.
const PACKETS_MAX: usize = 64;

pub(super) fn recognise(head: &[u8]) -> Option<Verdict> {
    let mut bytes = Cursor::new(head);
    let mut recipients = 0_usize;
    let mut passwords = 0_usize;
    for _ in 0..PACKETS_MAX {
        let Some(packet) = packet(&mut bytes) else { break };
        match packet.tag {
            1 => recipients += public_key_session_key(packet.body).map(|()| 1)?,
            3 => passwords += symmetric_key_session_key(packet.body).map(|()| 1)?,
            // Marker and padding may stand anywhere.
            10 if packet.body == b"PGP" => {}
            21 => {}
            9 | 18 | 20 if recipients + passwords > 0 => {
                return encrypted_data(packet.tag, packet.body).then(|| message(recipients, passwords));
            }
            _ => return None,
        }
    }
    // Cut off among its session keys: two that are whole cannot be chance.
    (recipients + passwords >= 2).then(|| message(recipients, passwords))
}

fn message(recipients: usize, passwords: usize) -> Verdict {
    let for_whom = match (recipients, passwords) {
        (0, _) => "a password".to_owned(),
        (keys, 0) => format!("{keys} public key(s)"),
        (keys, _) => format!("{keys} public key(s) and a password"),
    };
    Verdict::certain("openpgp", format!("an OpenPGP message encrypted for {for_whom}"))
}

struct Packet<'a> {
    tag: u8,
    body: &'a [u8],
}

/// One packet (RFC 9580 §4.2). The body of encrypted data is what the head holds of it.
fn packet<'a>(bytes: &mut Cursor<'a>) -> Option<Packet<'a>> {
    let first = bytes.u8()?;
    if first & 0x80 == 0 {
        return None;
    }
    let (tag, length) = if first & 0x40 != 0 {
        (first & 0x3f, new_length(bytes)?)
    } else {
        ((first >> 2) & 0x0f, old_length(first & 3, bytes)?)
    };
    let body = match tag {
        9 | 18 | 20 => bytes.rest(),
        _ => bytes.take(length?)?,
    };
    Some(Packet { tag, body })
}

/// `Some(None)`: partial, the packet goes on in further chunks.
fn new_length(bytes: &mut Cursor<'_>) -> Option<Option<usize>> {
    Some(match bytes.u8()? {
        one @ 0..192 => Some(usize::from(one)),
        high @ 192..224 => Some(((usize::from(high) - 192) << 8) + usize::from(bytes.u8()?) + 192),
        224..255 => None,
        255 => Some(usize::try_from(bytes.u32_be()?).ok()?),
    })
}

/// `Some(None)`: indeterminate, the packet goes on to the end.
fn old_length(kind: u8, bytes: &mut Cursor<'_>) -> Option<Option<usize>> {
    Some(match kind {
        0 => Some(usize::from(bytes.u8()?)),
        1 => Some(usize::from(bytes.u16_be()?)),
        2 => Some(usize::try_from(bytes.u32_be()?).ok()?),
        _ => None,
    })
}

/// Public-Key Encrypted Session Key, versions 2, 3 and 6 (RFC 9580 §5.1).
fn public_key_session_key(body: &[u8]) -> Option<()> {
    let mut bytes = Cursor::new(body);
    match bytes.u8()? {
        2 | 3 => {
            bytes.take(8)?;
        }
        6 => {
            // Key version and fingerprint, or nothing at all for a hidden recipient.
            let key_bytes = usize::from(bytes.u8()?);
            let mut key = Cursor::new(bytes.take(key_bytes)?);
            match key.u8() {
                None | Some(4 | 6) => {}
                Some(_) => return None,
            }
        }
        _ => return None,
    }
    // RSA, Elgamal, ECDH, X25519, X448, and the identifiers given to post-quantum pairs.
    matches!(bytes.u8()?, 1 | 2 | 16 | 18 | 25 | 26 | 35 | 36).then_some(())?;
    // An encrypted session key is at least 32 bytes; RSA with 16,384 bits is the largest known.
    (32..=4096).contains(&bytes.rest().len()).then_some(())
}

/// Symmetric-Key Encrypted Session Key, versions 4, 5 and 6 (RFC 9580 §5.3).
fn symmetric_key_session_key(body: &[u8]) -> Option<()> {
    let mut bytes = Cursor::new(body);
    match bytes.u8()? {
        4 => cipher(bytes.u8()?)?,
        5 => {
            cipher(bytes.u8()?)?;
            (1..=3).contains(&bytes.u8()?).then_some(())?;
        }
        6 => {
            bytes.u8()?;
            cipher(bytes.u8()?)?;
            (1..=3).contains(&bytes.u8()?).then_some(())?;
            bytes.u8()?;
        }
        _ => return None,
    }
    let kind = bytes.u8()?;
    match kind {
        0 | 1 | 3 => {
            matches!(bytes.u8()?, 1..=3 | 8..=12 | 14).then_some(())?;
            bytes.take(match kind {
                0 => 0,
                1 => 8,
                _ => 9,
            })?;
        }
        // Argon2: salt, passes, lanes, memory.
        4 => {
            bytes.take(19)?;
        }
        _ => return None,
    }
    (bytes.rest().len() <= 128).then_some(())
}

/// A symmetric cipher (RFC 9580 §9.3).
fn cipher(id: u8) -> Option<()> {
    matches!(id, 1..=4 | 7..=13).then_some(())
}

fn encrypted_data(tag: u8, body: &[u8]) -> bool {
    match (tag, body.first()) {
        // Integrity protected: its version; the older packet has none.
        (18, version) => matches!(version, Some(1 | 2)),
        (20, version) => matches!(version, Some(1)),
        (_, first) => first.is_some(),
    }
}
