//! Is this token a key of a known service, or this armor a private key?

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::Secret;

/// What a family of tokens looks like: prefix, stable word, characters after the prefix, which ones, and certainty.
struct Family {
    prefix: &'static [u8],
    kind: &'static str,
    least: usize,
    most: usize,
    alphabet: fn(u8) -> bool,
    confidence: f64,
}

const fn family(
    prefix: &'static str,
    kind: &'static str,
    length: (usize, usize),
    alphabet: fn(u8) -> bool,
    confidence: f64,
) -> Family {
    Family { prefix: prefix.as_bytes(), kind, least: length.0, most: length.1, alphabet, confidence }
}

fn alphanumeric(b: u8) -> bool {
    b.is_ascii_alphanumeric()
}

fn url_safe(b: u8) -> bool {
    b.is_ascii_alphanumeric() || b == b'_' || b == b'-'
}

fn hexadecimal(b: u8) -> bool {
    b.is_ascii_hexdigit()
}

fn base32(b: u8) -> bool {
    b.is_ascii_uppercase() || matches!(b, b'2'..=b'7')
}

fn upper(b: u8) -> bool {
    b.is_ascii_uppercase() || b.is_ascii_digit()
}

/// The tokens that services mark by a prefix, with the lengths that they document.
const FAMILIES: &[Family] = &[
    family("AKIA", "aws_access_key", (16, 16), base32, 0.9),
    family("ASIA", "aws_access_key", (16, 16), base32, 0.8),
    family("AGE-SECRET-KEY-1", "age_secret_key", (58, 58), upper, 0.99),
    family("AIza", "google_api_key", (35, 35), url_safe, 0.85),
    family("GOCSPX-", "google_oauth_secret", (28, 28), url_safe, 0.9),
    family("SK", "twilio_api_key", (32, 32), hexadecimal, 0.6),
    family("dckr_pat_", "docker_token", (27, 36), url_safe, 0.95),
    family("dop_v1_", "digitalocean_token", (64, 64), hexadecimal, 0.97),
    family("gho_", "github_token", (36, 36), alphanumeric, 0.99),
    family("ghp_", "github_token", (36, 36), alphanumeric, 0.99),
    family("ghr_", "github_token", (36, 36), alphanumeric, 0.99),
    family("ghs_", "github_token", (36, 36), alphanumeric, 0.99),
    family("ghu_", "github_token", (36, 36), alphanumeric, 0.99),
    family("github_pat_", "github_token", (82, 82), url_safe, 0.97),
    family("glpat-", "gitlab_token", (20, 32), url_safe, 0.95),
    family("glsa_", "grafana_token", (41, 41), url_safe, 0.95),
    family("hf_", "huggingface_token", (34, 34), alphanumeric, 0.9),
    family("hvs", "vault_token", (90, 120), url_safe, 0.8),
    family("npm_", "npm_token", (36, 36), alphanumeric, 0.99),
    family("pypi-AgEIcHlwaS5vcmc", "pypi_token", (50, 250), url_safe, 0.98),
    family("rk_live_", "stripe_key", (24, 247), alphanumeric, 0.95),
    family("shpat_", "shopify_token", (32, 32), hexadecimal, 0.97),
    family("sk-ant-", "anthropic_key", (80, 120), url_safe, 0.95),
    family("sk-proj-", "openai_key", (40, 200), url_safe, 0.9),
    family("sk_live_", "stripe_key", (24, 247), alphanumeric, 0.97),
    family("xapp-", "slack_token", (40, 140), url_safe, 0.9),
    family("xoxa-", "slack_token", (40, 120), url_safe, 0.9),
    family("xoxb-", "slack_token", (40, 120), url_safe, 0.95),
    family("xoxe-", "slack_token", (40, 220), url_safe, 0.9),
    family("xoxp-", "slack_token", (40, 120), url_safe, 0.95),
    family("xoxr-", "slack_token", (40, 120), url_safe, 0.9),
    family("xoxs-", "slack_token", (40, 120), url_safe, 0.9),
];

/// Whether a token of a family, a JSON web token or a PuTTY file can begin so: most tokens end here.
fn could_begin(first: u8) -> bool {
    matches!(first, b'A' | b'G' | b'P' | b'S' | b'd' | b'e' | b'g' | b'h' | b'n' | b'p' | b'r' | b's' | b'x')
}

/// The secret that begins with the token at `at`, if it is one.
pub(super) fn recognise(text: &[u8], at: usize) -> Option<Secret> {
    let rest = text.get(at..)?;
    let first = *rest.first()?;
    if !could_begin(first) {
        return None;
    }
    if rest.starts_with(b"eyJ") {
        return json_web_token(rest);
    }
    if rest.starts_with(b"PuTTY-User-Key-File-") {
        return putty(rest);
    }
    let family = FAMILIES.iter().find(|family| rest.starts_with(family.prefix))?;
    let body = rest.get(family.prefix.len()..)?;
    let length = body.iter().take(family.most + 1).take_while(|b| (family.alphabet)(**b)).count();
    let ends = !body.get(length).is_some_and(|b| url_safe(*b));
    let body = body.get(..length)?;
    if length < family.least || length > family.most || !ends || is_example(body) {
        return None;
    }
    // In base64 a prefix of four letters turns up by chance: beside `+` or `/` it is part of something longer.
    let surrounded = |b: Option<&u8>| matches!(b, Some(b'+' | b'/'));
    let before = at.checked_sub(1).and_then(|before| text.get(before));
    if family.prefix.len() <= 4 && (surrounded(before) || surrounded(rest.get(family.prefix.len() + length)))
    {
        return None;
    }
    if matches!(family.kind, "github_token" | "npm_token") && length == 36 && !has_checksum(body) {
        return None;
    }
    Some(Secret { kind: family.kind, confidence: family.confidence, length: family.prefix.len() + length })
}

/// Documented examples and fillers: `…EXAMPLE`, `XXXX…`, `0123456789…`, or hardly any different characters.
fn is_example(body: &[u8]) -> bool {
    let mut seen = [false; 256];
    for byte in body {
        if let Some(seen) = seen.get_mut(usize::from(*byte)) {
            *seen = true;
        }
    }
    let different = seen.iter().filter(|seen| **seen).count();
    different < 7
        || ["EXAMPLE", "example", "xxxxx", "XXXXX", "1234567890", "abcdef1234", "0123456789", "your"]
            .iter()
            .any(|word| memchr::memmem::find(body, word.as_bytes()).is_some())
}

/// GitHub's and npm's tokens end with the CRC-32 of what stands before, in base 62
/// (github.blog, "Behind GitHub's new authentication token formats").
fn has_checksum(body: &[u8]) -> bool {
    let Some((random, check)) = body.split_last_chunk::<6>() else { return false };
    let mut crc = u64::from(crc32(random));
    check.iter().rev().all(|byte| {
        let expected = match crc % 62 {
            digit @ 0..=9 => b'0' + digit as u8,
            digit @ 10..=35 => b'A' + digit as u8 - 10,
            digit => b'a' + digit as u8 - 36,
        };
        crc /= 62;
        *byte == expected
    })
}

fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0u32, |crc, byte| {
        (0..8).fold(
            crc ^ u32::from(*byte),
            |crc, _| if crc & 1 == 1 { crc >> 1 ^ 0xedb8_8320 } else { crc >> 1 },
        )
    })
}

/// Three parts of base64url, the first a JSON header with `alg`. Five parts are encrypted (JWE) and no credential here.
fn json_web_token(rest: &[u8]) -> Option<Secret> {
    let mut length = 0;
    let mut parts = [0usize; 3];
    for part in &mut parts {
        let body = rest.get(length..)?;
        *part = body.iter().take(8192).take_while(|b| url_safe(**b)).count();
        length += *part + 1;
    }
    let [header, payload, signature] = parts;
    if rest.get(header) != Some(&b'.')
        || rest.get(header + 1 + payload) != Some(&b'.')
        || rest.get(length - 1) == Some(&b'.')
    {
        return None;
    }
    if payload < 10 || signature < 16 || !rest.get(header + 1..)?.starts_with(b"eyJ") {
        return None;
    }
    let header = URL_SAFE_NO_PAD.decode(rest.get(..header)?).ok()?;
    memchr::memmem::find(&header, b"\"alg\"")?;
    // The token that the standard's site shows to everybody.
    let shown = memchr::memmem::find(rest.get(..length - 1)?, b"IkpvaG4gRG9lI").is_some();
    (!shown).then_some(Secret { kind: "json_web_token", confidence: 0.7, length: length - 1 })
}

fn putty(rest: &[u8]) -> Option<Secret> {
    let head = rest.get(..4096).unwrap_or(rest);
    let encrypted = memchr::memmem::find(head, b"Encryption: none").is_none();
    memchr::memmem::find(head, b"Private-Lines:")?;
    let kind = if encrypted { "encrypted_private_key" } else { "private_key" };
    Some(Secret { kind, confidence: if encrypted { 0.8 } else { 0.99 }, length: head.len() })
}

/// The private key whose armor begins at `at`: the label says so and the body is base64 of a key's length.
pub(super) fn armored_key(text: &[u8], at: usize) -> Option<Secret> {
    let rest = text.get(at + 11..)?;
    let label_end = memchr::memmem::find(rest.get(..64).unwrap_or(rest), b"-----")?;
    let label = rest.get(..label_end)?;
    if !label.ends_with(b"PRIVATE KEY") && label != b"PGP PRIVATE KEY BLOCK" {
        return None;
    }
    let body = rest.get(label_end + 5..)?;
    let body = body.get(..16 << 10).unwrap_or(body);
    // Up to any armor line, so that a text of nothing but beginnings is not read over and over.
    let end = memchr::memmem::find(body, b"-----").unwrap_or(body.len());
    let body = body.get(..end)?;
    let encrypted = label.starts_with(b"ENCRYPTED")
        || memchr::memmem::find(body, b"ENCRYPTED").is_some()
        || openssh_cipher(body);
    // The body of the shortest key, an Ed25519 seed, has 64 characters; in JSON its lines end with `\n` in two characters.
    let characters =
        body.iter().filter(|b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'/' | b'=')).count();
    let foreign = body.iter().filter(|b| matches!(b, b'.' | b'<' | b'>' | b'*' | b'$' | b'{')).count();
    if characters < 60 || foreign > 8 || is_example(body.get(..body.len().min(400))?.trim_ascii()) {
        return None;
    }
    let (kind, confidence) = match (encrypted, is_service_account(text, at)) {
        (true, _) => ("encrypted_private_key", 0.8),
        (false, true) => ("gcp_service_account", 0.99),
        (false, false) => ("private_key", 0.99),
    };
    Some(Secret { kind, confidence, length: 11 + label_end + 5 + end })
}

/// An OpenSSH key names its cipher behind the magic: `none` where there is no passphrase (PROTOCOL.key).
fn openssh_cipher(body: &[u8]) -> bool {
    let head = body.trim_ascii_start();
    head.starts_with(b"b3BlbnNzaC1rZXktdjE") && !head.starts_with(b"b3BlbnNzaC1rZXktdjEAAAAABG5vbmU")
}

fn is_service_account(text: &[u8], at: usize) -> bool {
    let around = text.get(at.saturating_sub(600)..text.len().min(at + 4096)).unwrap_or_default();
    memchr::memmem::find(around, b"service_account").is_some()
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    fn base62(mut crc: u64) -> String {
        let digits: Vec<u8> = (0..62)
            .map(|d: u8| {
                if d < 10 {
                    b'0' + d
                } else if d < 36 {
                    b'A' + d - 10
                } else {
                    b'a' + d - 36
                }
            })
            .collect();
        let mut out = vec![b'0'; 6];
        for place in out.iter_mut().rev() {
            *place = digits[(crc % 62) as usize];
            crc /= 62;
        }
        String::from_utf8(out).unwrap()
    }

    fn with_checksum(prefix: &str, random: &str) -> String {
        format!("{prefix}{random}{}", base62(u64::from(crc32(random.as_bytes()))))
    }

    fn kind(text: &str) -> Option<&'static str> {
        recognise(text.as_bytes(), 0).map(|secret| secret.kind)
    }

    #[test]
    fn tokens_are_known_by_prefix_length_and_checksum() {
        assert_eq!(kind("AKIAZ7QK4WM2TXRB5HLN"), Some("aws_access_key"));
        assert_eq!(kind("AKIAIOSFODNN7EXAMPLE"), None);
        assert_eq!(kind("AKIAZ7QK4WM2TXRB5HLNA"), None);
        let github = with_checksum("ghp_", "k3Jd82hLq0ZxVb7NwRt5YmPc1GsAe9");
        assert_eq!(kind(&github), Some("github_token"));
        assert_eq!(kind(&github.replace("k3J", "k3K")), None);
        assert_eq!(kind(&format!("sk_{}_4eC39HqLyjWDarjtT1zdp7dcXy", "live")), Some("stripe_key"));
        assert_eq!(
            kind(&format!("xoxb-{}-17653672481-CdPq4wZkR7mN2vXy8TbLhGfJ", "2154123456")),
            Some("slack_token")
        );
        assert_eq!(kind("everything_is_fine_here_really"), None);
    }

    #[test]
    fn every_family_can_begin() {
        assert!(FAMILIES.iter().all(|family| could_begin(family.prefix[0])));
    }

    #[test]
    fn web_tokens_have_a_header_that_says_so() {
        let part = |json: &str| URL_SAFE_NO_PAD.encode(json);
        let token = format!(
            "{}.{}.{}",
            part(r#"{"alg":"HS256","typ":"JWT"}"#),
            part(r#"{"sub":"8812","iat":1}"#),
            "c2lnbmF0dXJlLXNpZ25hdHVyZQ"
        );
        assert_eq!(kind(&token), Some("json_web_token"));
        assert_eq!(
            kind(&format!(
                "{}.{}.{}",
                part(r#"{"foo":"HS256","typ":"JWT"}"#),
                part(r#"{"sub":"8812"}"#),
                "c2lnbmF0dXJlLXNpZ25hdHVyZQ"
            )),
            None
        );
    }

    #[test]
    fn armor_without_a_key_is_none() {
        let key = |label: &str, body: &str| {
            armored_key(format!("-----BEGIN {label}-----\n{body}\n-----END {label}-----\n").as_bytes(), 0)
                .map(|s| s.kind)
        };
        let body = "MC4CAQAwBQYDK2VwBCIEIJd0fV8sZ1x7yQ2mW5nKcT9uLrHb4oXaPgEiSjDvNk3t";
        assert_eq!(key("PRIVATE KEY", body), Some("private_key"));
        assert_eq!(key("ENCRYPTED PRIVATE KEY", body), Some("encrypted_private_key"));
        assert_eq!(key("CERTIFICATE", body), None);
        assert_eq!(key("RSA PRIVATE KEY", "...your key here..."), None);
        assert_eq!(key("RSA PRIVATE KEY", &"x".repeat(80)), None);
    }
}
