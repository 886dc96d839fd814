//! Are locked PDFs opened that ask for no password, and no others?

use super::*;
use crate::GapReason;
use crate::content_type::ContentType;
use crate::extract::pdf::object::Lexer;
use crate::extract::tests::{Seen, allowance, seen};
use crate::extract::{Budget, Place, whole};

/// What seals the bytes of one object.
type Seal = Box<dyn Fn(u32, &[u8]) -> Vec<u8>>;

fn hex_of(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn cbc_sealed(cipher: &impl BlockCipherEncrypt<BlockSize = U16>, vector: [u8; 16], open: &[u8]) -> Vec<u8> {
    let mut last = vector;
    let mut out = Vec::new();
    for block in open.as_chunks::<16>().0 {
        let mut sealed = Array(std::array::from_fn(|at| block[at] ^ last[at]));
        cipher.encrypt_block(&mut sealed);
        last = sealed.into();
        out.extend(last);
    }
    out
}

/// With a vector in front and padding behind.
fn aes_sealed(cipher: &impl BlockCipherEncrypt<BlockSize = U16>, open: &[u8]) -> Vec<u8> {
    let padding = 16 - open.len() % 16;
    let padded = [open, &vec![padding as u8; padding]].concat();
    [[9; 16].to_vec(), cbc_sealed(cipher, [9; 16], &padded)].concat()
}

/// The key of revisions 3 and 4 as a writer makes it, and the entry that proves it.
fn writers_key(password: &[u8], more: &[u8]) -> (Vec<u8>, Vec<u8>) {
    let padded = [password, &PADDING].concat()[..32].to_vec();
    let owner = [7; 32];
    let start = [&padded, owner.as_slice(), &(-1028_i32).to_le_bytes(), b"identifier", more].concat();
    let key = (0..51).fold(start, |key, _| Md5::digest(&key).to_vec());
    let first = Md5::digest([&PADDING, b"identifier".as_slice()].concat()).to_vec();
    let proof = (0..20_u8)
        .fold(first, |proof, round| rc4(&key.iter().map(|byte| byte ^ round).collect::<Vec<_>>(), &proof));
    (key, [proof, vec![0; 16]].concat())
}

fn object_key(key: &[u8], number: u32, salt: &[u8]) -> Vec<u8> {
    Md5::digest([key, &number.to_le_bytes()[..3], &[0, 0], salt].concat()).to_vec()
}

fn rc4_128(password: &[u8]) -> (String, Seal) {
    let (key, user) = writers_key(password, b"");
    let dict = format!(
        "<< /Filter /Standard /V 2 /R 3 /Length 128 /P -1028 /O <{}> /U <{}> >>",
        hex_of(&[7; 32]),
        hex_of(&user)
    );
    (dict, Box::new(move |number, open| rc4(&object_key(&key, number, b""), open)))
}

fn aes_128(password: &[u8]) -> (String, Seal) {
    let (key, user) = writers_key(password, &[0xFF; 4]);
    let dict = format!(
        "<< /Filter /Standard /V 4 /R 4 /Length 128 /P -1028 /EncryptMetadata false /O <{}> /U <{}> \
         /CF << /StdCF << /CFM /AESV2 /Length 16 >> >> /StmF /StdCF /StrF /StdCF >>",
        hex_of(&[7; 32]),
        hex_of(&user)
    );
    let seal = move |number, open: &[u8]| {
        aes_sealed(&Aes128::new_from_slice(&object_key(&key, number, b"sAlT")).unwrap(), open)
    };
    (dict, Box::new(seal))
}

fn aes_256(revision: u32) -> (String, Seal) {
    let hash =
        |salt: &[u8]| if revision == 5 { Sha256::digest(salt).to_vec() } else { hardened(salt).unwrap() };
    let user = [hash(b"validate"), b"validatekey salt".to_vec()].concat();
    let key = [0x42_u8; 32];
    let wrapped = cbc_sealed(&Aes256::new_from_slice(&hash(b"key salt")).unwrap(), [0; 16], &key);
    let dict = format!(
        "<< /Filter /Standard /V 5 /R {revision} /Length 256 /P -1028 /U <{}> /UE <{}> \
         /CF << /StdCF << /CFM /AESV3 >> >> /StmF /StdCF /StrF /StdCF >>",
        hex_of(&user),
        hex_of(&wrapped)
    );
    (dict, Box::new(move |_, open| aes_sealed(&Aes256::new_from_slice(&key).unwrap(), open)))
}

/// A page, a filled field, and a page within an object stream; all sealed.
fn locked((dict, seal): (String, Seal)) -> Vec<u8> {
    let stream = |number: u32, dict: &str, open: &[u8]| {
        let sealed = seal(number, open);
        [format!("<< {dict} /Length {} >>\nstream\n", sealed.len()).as_bytes(), &sealed, b"\nendstream"]
            .concat()
    };
    let field =
        format!("<< /FT /Tx /T <{}> /V <{}> >>", hex_of(&seal(6, b"salary")), hex_of(&seal(6, b"120000")));
    let inner = b"8 0 << /Type /Page /Contents 4 0 R /Resources << /Font << /F 5 0 R >> >> /T (a) /V (b) >>";
    let objects: [(u32, Vec<u8>); 8] = [
        (1, b"<< /Type /Catalog /Pages 2 0 R >>".to_vec()),
        (2, b"<< /Type /Pages /Kids [3 0 R 8 0 R] /Resources << /Font << /F 5 0 R >> >> >>".to_vec()),
        (3, b"<< /Type /Page /Parent 2 0 R /Contents 4 0 R >>".to_vec()),
        (4, stream(4, "", b"BT /F 10 Tf (sealed) Tj ET")),
        (5, b"<< /Type /Font /Subtype /Type1 /Encoding /WinAnsiEncoding >>".to_vec()),
        (6, field.into_bytes()),
        (7, stream(7, "/Type /ObjStm /N 1 /First 4", inner)),
        (9, dict.into_bytes()),
    ];
    let mut bytes = b"%PDF-1.7\n".to_vec();
    for (number, object) in objects {
        bytes.extend([format!("{number} 0 obj\n").as_bytes(), &object, b"\nendobj\n"].concat());
    }
    bytes.extend(
        format!("trailer << /Root 1 0 R /Encrypt 9 0 R /ID [<{}> <00>] >>\n%%EOF\n", hex_of(b"identifier"))
            .bytes(),
    );
    bytes
}

#[test]
fn files_that_ask_for_no_password_are_read() {
    for (name, lock) in [
        ("rc4", rc4_128(b"")),
        ("aes 128", aes_128(b"")),
        ("aes 256, 5", aes_256(5)),
        ("aes 256", aes_256(6)),
    ] {
        let (_, seen) = seen(&locked(lock));
        assert_eq!(seen.encrypted, Vec::<&str>::new(), "{name}");
        assert_eq!(seen.text, "sealedsealed", "{name}");
        assert_eq!(seen.records, ["#1: salary=120000", "#2: a=b"], "{name}");
        assert_eq!(seen.gaps, [], "{name}");
    }
}

#[test]
fn files_that_ask_for_a_password_stay_closed() {
    for lock in [rc4_128(b"secret"), aes_128(b"secret")] {
        let (_, seen) = seen(&locked(lock));
        assert_eq!((seen.encrypted.as_slice(), seen.text.as_str()), (["pdf"].as_slice(), ""));
    }
    let (dict, seal) = aes_256(6);
    let (_, seen) = seen(&locked((dict.replace("/R 6", "/R 5"), seal)));
    assert_eq!(seen.encrypted, ["pdf"]);
}

#[test]
fn other_handlers_and_damaged_dictionaries_stay_closed() {
    for dict in [
        "<< /Filter /Adobe.PubSec /V 4 >>",
        "<< /Filter /Standard >>",
        "null",
        "<< /Filter /Standard /V 5 /R 6 /U () >>",
    ] {
        let (_, seen) = seen(&locked((dict.to_owned(), Box::new(|_, open| open.to_vec()))));
        assert_eq!(seen.encrypted, ["pdf"], "{dict}");
    }
}

/// Entries that another program (qpdf 11) wrote for an empty user password.
#[test]
fn keys_of_another_writer_are_known_for_right() {
    let user =
        "4ceccb7a1f5fbed1037845ff44e4a5df0402fb8fc9b162afc4409d3d3f387f750302e636076f040a1f908eeb29f3df52";
    let wrapped = "85f337b37476304c39264cc2025548e6b7baf86eef3f2e4211011b27a8bf8ba0";
    let with = |user: &str| format!("<< /Filter /Standard /V 5 /R 6 /U <{user}> /UE <{wrapped}> >>");
    let key = |text: &str, id: &[u8]| {
        let Some(Object::Dict(dict)) = Lexer::new(text.as_bytes(), 0).object() else { panic!("{text}") };
        Key::of(&dict, id)
    };
    assert!(key(&with(user), b"").is_some());
    assert!(key(&with(&user.replace("4ce", "4cf")), b"").is_none());
    let legacy = "<< /Filter /Standard /V 2 /R 3 /Length 128 /P -1028 \
                  /O <566fa873ee33c797cd3b904fdadf814afa34df9a38f6ed41b984e2c6da2aa6f5> \
                  /U <955672e5f7dc660e6d934294a08ab8b20021446990b9e4114071a4d9104984c1> >>";
    let id = crate::extract::pdf::object::hex(b"b5813388be830fd3572b55f0784a7134");
    assert!(key(legacy, &id).is_some());
    assert!(key(legacy, b"another").is_none());
}

#[test]
fn a_key_is_charged_however_small_its_file_is() {
    let mut budget = Budget { unpacked_bytes: 64 << 10, ..allowance() };
    let mut seen = Seen::default();
    whole(ContentType::Pdf, &locked(aes_256(6)), &Place::default(), &mut seen, &mut budget);
    assert!(seen.reasons().contains(&GapReason::LimitReached), "{:?}", seen.gaps);
    assert_eq!((seen.text.as_str(), seen.encrypted.len()), ("", 0));
}
