//! Is the value that a name is given in configuration a secret?

use super::Secret;

/// Ends of names whose values are secrets, in lower case without separators, with the stable word for them.
const NAMES: &[(&str, &str)] = &[
    ("awssecretaccesskey", "aws_secret_key"),
    ("secretaccesskey", "aws_secret_key"),
    ("accountkey", "azure_storage_key"),
    ("sharedaccesskey", "azure_storage_key"),
    ("clientkeydata", "private_key"),
    ("encryptionkey", "symmetric_key"),
    ("masterkey", "symmetric_key"),
    ("datakey", "symmetric_key"),
    ("aeskey", "symmetric_key"),
    ("fernetkey", "symmetric_key"),
    ("clientsecret", "client_secret"),
    ("secretkey", "secret_key"),
    ("appsecret", "secret_key"),
    ("apikey", "api_key"),
    ("apitoken", "api_key"),
    ("accesstoken", "api_key"),
    ("authtoken", "api_key"),
    ("secrettoken", "api_key"),
    ("password", "password"),
    ("passwd", "password"),
    ("passphrase", "password"),
];

/// Whether a line's left side is worth a closer look: cheap, it runs on every line with a `=` or `:`.
pub(crate) fn could_name_a_secret(name: &[u8]) -> bool {
    let name = name.trim_ascii_end();
    let name = name.strip_suffix(b"\"").or_else(|| name.strip_suffix(b"'")).unwrap_or(name);
    let last = |n: usize| name.get(name.len().saturating_sub(n)..).unwrap_or_default();
    [&b"key"[..], b"token", b"password", b"passwd", b"secret", b"passphrase", b"data"]
        .iter()
        .any(|end| last(end.len()).eq_ignore_ascii_case(end))
}

/// The secret in `name = value`, where both make it certain: the name says so, and the value is what people and machines
/// choose as secrets, not a word, reference or filler.
pub(super) fn recognise(name: &str, value: &str) -> Option<Secret> {
    let flat: String = name
        .chars()
        .rev()
        .take(48)
        .filter(char::is_ascii_alphanumeric)
        .map(|c| c.to_ascii_lowercase())
        .collect();
    let flat: String = flat.chars().rev().collect();
    let (_, kind) = NAMES.iter().find(|(end, _)| flat.ends_with(end))?;
    let value = value.trim().trim_end_matches([',', ';']).trim_matches(['"', '\'', '`']);
    let confidence = match *kind {
        "aws_secret_key" => (value.len() == 40 && is_random(value, 24)).then_some(0.95)?,
        "azure_storage_key" => {
            (matches!(value.len(), 44 | 88) && value.ends_with('=') && is_random(value, 24))
                .then_some(0.95)?
        }
        "private_key" => (value.len() > 200 && value.starts_with("LS0tLS1CRUdJTi")).then_some(0.99)?,
        "symmetric_key" => (is_key_length(value) && is_random(value, 12)).then_some(0.85)?,
        "password" => is_password(value).then_some(0.6)?,
        _ => (value.len() >= 20 && is_random(value, 14)).then_some(0.7)?,
    };
    Some(Secret { kind, confidence, length: value.len() })
}

/// 16, 24, 32 or 64 bytes in hexadecimal or base64.
fn is_key_length(value: &str) -> bool {
    let hexadecimal = value.bytes().all(|b| b.is_ascii_hexdigit());
    if hexadecimal {
        matches!(value.len(), 32 | 48 | 64 | 128)
    } else {
        matches!(value.len(), 22 | 24 | 32 | 43 | 44 | 86 | 88)
    }
}

/// Letters and digits without a word's order: enough different characters, digits among them, no blanks or brackets.
fn is_random(value: &str, different_min: usize) -> bool {
    let mut seen = [false; 128];
    let mut digits = 0;
    for byte in value.bytes() {
        if !(byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'=' | b'_' | b'-' | b'.' | b'~')) {
            return false;
        }
        digits += usize::from(byte.is_ascii_digit());
        if let Some(seen) = seen.get_mut(usize::from(byte)) {
            *seen = true;
        }
    }
    let different = seen.iter().filter(|seen| **seen).count();
    let hexadecimal = value.bytes().all(|b| b.is_ascii_hexdigit());
    let lower = value.to_ascii_lowercase();
    different >= if hexadecimal { 9 } else { different_min }
        && digits >= 2
        && !["example", "changeme", "your", "xxxx", "placeholder", "dummy", "1234567890"]
            .iter()
            .any(|filler| lower.contains(filler))
}

/// A password as people choose them when rules ask for one: eight characters or more of three classes, no blanks, and not
/// a reference (`${…}`, `{{…}}`, `<…>`, a call) or filler.
fn is_password(value: &str) -> bool {
    let class = |test: fn(&u8) -> bool| usize::from(value.bytes().any(|b| test(&b)));
    let classes = class(u8::is_ascii_lowercase)
        + class(u8::is_ascii_uppercase)
        + class(u8::is_ascii_digit)
        + class(u8::is_ascii_punctuation);
    let lower = value.to_ascii_lowercase();
    (8..=128).contains(&value.len())
        && classes >= 3
        && class(u8::is_ascii_digit) == 1
        && value.bytes().all(|b| b.is_ascii_graphic())
        && !value.contains(['(', '{', '<', '[', '\\'])
        && !value.starts_with(['$', '%', '/', '.', '#'])
        && ![
            "example",
            "changeme",
            "password",
            "your",
            "xxxx",
            "secret",
            "placeholder",
            "getenv",
            "process.env",
            "os.environ",
            "test",
        ]
        .iter()
        .any(|filler| lower.contains(filler))
}

/// The password in `scheme://user:password@host`, where the `@` stands at `at`: its start and length.
pub(super) fn url_password(text: &[u8], at: usize) -> Option<(usize, usize)> {
    let before = text.get(at.saturating_sub(200)..at)?;
    let password = before
        .iter()
        .rev()
        .take_while(|b| b.is_ascii_graphic() && !matches!(b, b':' | b'/' | b'"' | b'\'' | b'@' | b'<' | b','))
        .count();
    let user = before.get(..before.len() - password)?.strip_suffix(b":")?;
    let slashes = memchr::memmem::rfind(user, b"://")?;
    let name = user.get(slashes + 3..)?;
    let value = text.get(at - password..at)?;
    let text_value = std::str::from_utf8(value).ok()?;
    let is_name = name.iter().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.' | b'%'));
    let digits = value.iter().any(u8::is_ascii_digit);
    let filler = ["pass", "password", "secret", "changeme", "example", "user", "xxxx", "token"]
        .iter()
        .any(|filler| text_value.to_ascii_lowercase().contains(filler));
    let reference = text_value.contains(['$', '{', '<', '[', '(', '*']);
    (password >= 8 && is_name && digits && !filler && !reference).then_some((at - password, password))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kind(name: &str, value: &str) -> Option<&'static str> {
        recognise(name, value).map(|secret| secret.kind)
    }

    #[test]
    fn names_and_values_must_both_say_so() {
        assert_eq!(
            kind("AWS_SECRET_ACCESS_KEY", "q7Jd82hLq0ZxVb7NwRt5YmPc1GsAe9+uT/4kFzXo"),
            Some("aws_secret_key")
        );
        assert_eq!(kind("aws_secret_access_key ", " wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"), None);
        assert_eq!(kind("db.password", "\"gH7!kd93Lq\","), Some("password"));
        assert_eq!(
            kind("DATA_ENCRYPTION_KEY", "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"),
            Some("symmetric_key")
        );
        for (name, value) in [
            ("password", "${DB_PASSWORD}"),
            ("password", "changeme1!A"),
            ("password", "hello"),
            ("api_key", "os.environ[\"KEY\"]"),
            ("apiKey", "getApiKeyFromVault()"),
            ("primary_key", "users_id_2024_AbCdEfGhIjKl"),
            ("token", "abc"),
        ] {
            assert_eq!(kind(name, value), None, "{name} {value}");
        }
    }

    #[test]
    fn urls_carry_passwords() {
        let at = |text: &str| url_password(text.as_bytes(), text.rfind('@').unwrap());
        assert!(at("postgres://app:gH7kd93Lqz@db.acme.example/x").is_some());
        assert!(at("postgres://user:password@localhost/x").is_none());
        assert!(at("https://a.example/:x jane@acme.example").is_none());
        assert!(at("postgres://app:${PGPASSWORD1}@db").is_none());
    }
}
