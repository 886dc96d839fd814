//! Are mails read part by part, however they are cut?

use proptest::prelude::*;

use super::*;
use crate::GapReason;
use crate::content_type::ContentType;
use crate::extract::tests::{Seen, see, seen};

const MESSAGE: &str = "From: =?utf-8?Q?J=C3=B6rg?= <joerg@a.example>\r\n\
To: b@b.example,\r\n c@c.example\r\n\
Subject: Staff list\r\n\
MIME-Version: 1.0\r\n\
Content-Type: multipart/mixed; boundary=\"outer\"\r\n\
\r\n\
for old readers\r\n\
--outer\r\n\
Content-Type: multipart/alternative; boundary=inner\r\n\
\r\n\
--inner\r\n\
Content-Type: text/plain; charset=iso-8859-1\r\n\
Content-Transfer-Encoding: quoted-printable\r\n\
\r\n\
Gr=FC=DFe =\r\n\
all\r\n\
--inner\r\n\
Content-Type: text/html; charset=utf-8\r\n\
\r\n\
<p>see <table><tr><td>Ada</td><td>1</td></tr></table></p>\r\n\
--inner--\r\n\
--outer\r\n\
Content-Type: application/octet-stream; name=\"staff.csv\"\r\n\
Content-Disposition: attachment; filename=\"staff.csv\"\r\n\
Content-Transfer-Encoding: base64\r\n\
\r\n\
bmFtZSxt\r\n\
YWlsCg==\r\n\
--outer--\r\n";

fn pushed(reader: impl Fn() -> Mail, bytes: &[u8], step: usize) -> Seen {
    see(|work| {
        let mut mail = reader();
        bytes.chunks(step).for_each(|piece| mail.push(piece, work));
        mail.finish(work);
    })
}

#[test]
fn a_message_gives_headers_bodies_and_attachments() {
    let (kind, seen) = seen(MESSAGE.as_bytes());
    assert_eq!(kind, ContentType::Mail);
    assert_eq!(
        seen.records,
        ["#1: from=Jörg <joerg@a.example>|to=b@b.example, c@c.example|subject=Staff list"]
    );
    assert_eq!(seen.text, "Grüße all\r\nsee \n");
    assert_eq!(seen.rows, ["table 1#1: Ada|1"]);
    assert_eq!(seen.file("staff.csv"), b"name,mail\n");
    assert_eq!(seen.gaps, []);
}

#[test]
fn a_mailbox_gives_every_message() {
    let mailbox = format!(
        "From a@b.example Sat Jan  3 01:05:34 1996\r\n{MESSAGE}\r\nFrom b Sat Jan  3 01:05:34 1996\nSubject: two\n\nFrom here on\n"
    );
    let (kind, seen) = seen(mailbox.as_bytes());
    assert_eq!(kind, ContentType::Mbox);
    assert_eq!(seen.records.len(), 2);
    assert_eq!(seen.records[1], "#2: subject=two");
    assert!(seen.text.contains("Grüße all"));
}

#[test]
fn a_message_in_a_message_is_read() {
    let message = "Subject: fwd\r\nContent-Type: message/rfc822\r\n\r\nSubject: inner\r\n\r\nsecret\r\n";
    let seen = pushed(Mail::message, message.as_bytes(), 9);
    assert_eq!(seen.records, ["#1: subject=fwd", "#2: subject=inner"]);
    assert_eq!(seen.text, "secret\r\n");
}

#[test]
fn encrypted_mails_are_named_so() {
    let pgp = "Subject: x\r\nContent-Type: multipart/encrypted; boundary=b\r\n\r\n--b\r\n\r\nVersion: 1\r\n--b--\r\n";
    assert_eq!(pushed(Mail::message, pgp.as_bytes(), 50).encrypted, ["pgp_mime"]);
    let smime = "Content-Type: application/pkcs7-mime; smime-type=enveloped-data\r\n\r\nMIIx\r\n";
    assert_eq!(pushed(Mail::message, smime.as_bytes(), 50).encrypted, ["smime"]);
}

#[test]
fn a_cut_message_is_a_gap() {
    let seen = pushed(Mail::message, &MESSAGE.as_bytes()[..MESSAGE.len() - 40], 50);
    assert_eq!(seen.reasons(), [GapReason::Truncated]);
    assert_eq!(seen.files.len(), 1);
}

#[test]
fn parts_nested_without_end_are_a_gap() {
    let message: String = (0..200).fold("Subject: x\n".to_owned(), |message, depth| {
        format!("{message}Content-Type: multipart/mixed; boundary=b{depth}\n\n--b{depth}\n")
    });
    let seen = pushed(Mail::message, message.as_bytes(), 1000);
    assert!(seen.reasons().contains(&GapReason::LimitReached));
}

#[test]
fn a_line_without_end_takes_bounded_memory() {
    let mut message = b"Subject: x\n\n".to_vec();
    message.extend(vec![b'a'; 1 << 20]);
    assert_eq!(pushed(Mail::message, &message, 100_000).text.len(), 1 << 20);
}

proptest! {
    #[test]
    fn cutting_a_message_changes_nothing(step in 1_usize..300) {
        prop_assert_eq!(pushed(Mail::message, MESSAGE.as_bytes(), step), pushed(Mail::message, MESSAGE.as_bytes(), usize::MAX));
    }

    #[test]
    fn broken_messages_never_panic(at in 0_usize..MESSAGE.len(), value: u8) {
        let mut bytes = MESSAGE.as_bytes().to_vec();
        bytes[at] = value;
        pushed(Mail::message, &bytes, 77);
        pushed(Mail::mailbox, &bytes, 77);
    }
}
