//! How is a PDF opened that is locked and yet open to everybody (ISO 32000-2, 7.6)?
//!
//! An owner's password forbids printing or copying to viewers that obey; the key follows from the file and an empty user
//! password, so whoever has the file can read it. Where a user's password is asked for, the file stays closed.

use aes::cipher::consts::U16;
use aes::cipher::{Array, BlockCipherDecrypt, BlockCipherEncrypt, KeyInit};
use aes::{Aes128, Aes256};
use md5::{Digest, Md5};
use sha2::{Sha256, Sha384, Sha512};

use super::object::{Dict, Object};

/// What stands for an empty password (7.6.4.3.2, algorithm 2, step a).
const PADDING: [u8; 32] = [
    0x28, 0xBF, 0x4E, 0x5E, 0x4E, 0x75, 0x8A, 0x41, 0x64, 0x00, 0x4E, 0x56, 0xFF, 0xFA, 0x01, 0x08, 0x2E,
    0x2E, 0x00, 0xB6, 0xD0, 0x68, 0x3E, 0x80, 0x2F, 0x0C, 0xA9, 0xFE, 0x64, 0x53, 0x69, 0x7A,
];

/// Rounds of algorithm 2.B beyond the 64 that all take; each ends it with a probability of one in eight at least.
const ROUNDS_MAX: u32 = 1024;

/// How bytes are encrypted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Method {
    Identity,
    Rc4,
    Aes128,
    Aes256,
}

/// The key of a file that an empty password opens.
#[derive(Debug, Clone)]
pub(super) struct Key {
    bytes: Vec<u8>,
    strings: Method,
    streams: Method,
}

impl Key {
    /// The key by the encryption dictionary and the first half of the file's identifier; nothing where a password is needed,
    /// or another handler than the standard one.
    pub(super) fn of(dict: &Dict<'_>, id: &[u8]) -> Option<Self> {
        if dict.name("Filter") != Some(b"Standard") {
            return None;
        }
        let (version, revision) = (dict.number("V")? as u32, dict.number("R")? as u32);
        let (strings, streams) = match version {
            1 | 2 => (Method::Rc4, Method::Rc4),
            4 | 5 => (method(dict, "StrF")?, method(dict, "StmF")?),
            _ => return None,
        };
        let bytes = match revision {
            2..=4 => {
                let bits = if version == 4 { 128.0 } else { dict.number("Length").unwrap_or(40.0) };
                let length = if revision == 2 { 5 } else { (bits as usize / 8).clamp(5, 16) };
                legacy_key(dict, revision, length, id)?
            }
            5 | 6 => key_256(dict, revision)?,
            _ => return None,
        };
        Some(Self { bytes, strings, streams })
    }

    /// The content of a stream.
    pub(super) fn stream(&self, object: (u32, u32), sealed: &[u8]) -> Vec<u8> {
        self.open(self.streams, object, sealed)
    }

    /// The content of a string.
    pub(super) fn string(&self, object: (u32, u32), sealed: &[u8]) -> Vec<u8> {
        self.open(self.strings, object, sealed)
    }

    fn open(&self, method: Method, object: (u32, u32), sealed: &[u8]) -> Vec<u8> {
        match method {
            Method::Identity => sealed.to_vec(),
            Method::Rc4 => rc4(&self.of_object(object, b""), sealed),
            Method::Aes128 => {
                let key = self.of_object(object, b"sAlT");
                Aes128::new_from_slice(&key).map_or_else(|_| Vec::new(), |cipher| cbc(&cipher, sealed))
            }
            Method::Aes256 => {
                Aes256::new_from_slice(&self.bytes).map_or_else(|_| Vec::new(), |cipher| cbc(&cipher, sealed))
            }
        }
    }

    /// The key of one object (algorithm 1).
    fn of_object(&self, (number, generation): (u32, u32), salt: &[u8]) -> Vec<u8> {
        let mut hash = Md5::new();
        hash.update(&self.bytes);
        hash.update(number.to_le_bytes().get(..3).unwrap_or_default());
        hash.update(generation.to_le_bytes().get(..2).unwrap_or_default());
        hash.update(salt);
        let mut key = hash.finalize().to_vec();
        key.truncate(self.bytes.len() + 5);
        key
    }
}

/// The method of the crypt filter that an entry names (7.6.6).
fn method(dict: &Dict<'_>, entry: &str) -> Option<Method> {
    let name = match dict.name(entry) {
        None | Some(b"Identity") => return Some(Method::Identity),
        Some(name) => std::str::from_utf8(name).ok()?,
    };
    match dict.get("CF")?.as_dict()?.get(name)?.as_dict()?.name("CFM")? {
        b"None" => Some(Method::Identity),
        b"V2" => Some(Method::Rc4),
        b"AESV2" => Some(Method::Aes128),
        b"AESV3" => Some(Method::Aes256),
        _ => None,
    }
}

fn string<'a>(dict: &'a Dict<'_>, name: &str, length: usize) -> Option<&'a [u8]> {
    match dict.get(name)? {
        Object::String(bytes) => bytes.get(..length),
        _ => None,
    }
}

/// The key of an empty password (algorithm 2), if the file knows it for the right one (algorithms 4 and 5).
fn legacy_key(dict: &Dict<'_>, revision: u32, length: usize, id: &[u8]) -> Option<Vec<u8>> {
    let mut hash = Md5::new();
    hash.update(PADDING);
    hash.update(string(dict, "O", 32)?);
    hash.update((dict.number("P")? as i64 as u32).to_le_bytes());
    hash.update(id);
    if revision == 4 && dict.get("EncryptMetadata") == Some(&Object::Word(b"false")) {
        hash.update([0xFF; 4]);
    }
    let mut key = hash.finalize().to_vec();
    key.truncate(length);
    if revision >= 3 {
        for _ in 0..50 {
            key = Md5::digest(&key).to_vec();
            key.truncate(length);
        }
    }
    let (proof, stated) = if revision == 2 {
        (rc4(&key, &PADDING), string(dict, "U", 32)?)
    } else {
        let hash = Md5::new().chain_update(PADDING).chain_update(id).finalize();
        let proof = (0..20_u8).fold(hash.to_vec(), |proof, round| {
            let key: Vec<u8> = key.iter().map(|byte| byte ^ round).collect();
            rc4(&key, &proof)
        });
        (proof, string(dict, "U", 16)?)
    };
    (proof == stated).then_some(key)
}

/// The same for keys of 256 bits (algorithms 2.A and 11).
fn key_256(dict: &Dict<'_>, revision: u32) -> Option<Vec<u8>> {
    let user = string(dict, "U", 48)?;
    let (proof, salts) = user.split_at_checked(32)?;
    let (validation, salt) = salts.split_at_checked(8)?;
    let hash = |salt: &[u8]| if revision == 5 { Some(Sha256::digest(salt).to_vec()) } else { hardened(salt) };
    if hash(validation)? != proof {
        return None;
    }
    let cipher = Aes256::new_from_slice(&hash(salt)?).ok()?;
    Some(cbc_blocks(&cipher, [0; 16], string(dict, "UE", 32)?))
}

/// The hash of an empty password with a salt (algorithm 2.B).
fn hardened(salt: &[u8]) -> Option<Vec<u8>> {
    let mut key = Sha256::digest(salt).to_vec();
    for round in 0..ROUNDS_MAX {
        let cipher = Aes128::new_from_slice(key.get(..16)?).ok()?;
        let mut last = Array(*key.get(16..)?.first_chunk::<16>()?);
        let mut sealed = key.repeat(64);
        for block in sealed.as_chunks_mut::<16>().0 {
            last.iter_mut().zip(&*block).for_each(|(byte, plain)| *byte ^= plain);
            cipher.encrypt_block(&mut last);
            *block = last.into();
        }
        key = match sealed.iter().take(16).map(|byte| u32::from(*byte)).sum::<u32>() % 3 {
            0 => Sha256::digest(&sealed).to_vec(),
            1 => Sha384::digest(&sealed).to_vec(),
            _ => Sha512::digest(&sealed).to_vec(),
        };
        if round >= 63 && u32::from(*sealed.last()?) <= round - 31 {
            key.truncate(32);
            return Some(key);
        }
    }
    None
}

/// Cipher block chaining, with the first block's vector in front and padding behind; what is no whole block is left out.
fn cbc(cipher: &impl BlockCipherDecrypt<BlockSize = U16>, sealed: &[u8]) -> Vec<u8> {
    let Some((vector, rest)) = sealed.split_first_chunk::<16>() else { return Vec::new() };
    let mut open = cbc_blocks(cipher, *vector, rest);
    let padding = open.last().copied().filter(|padding| (1..=16).contains(padding)).unwrap_or(0);
    open.truncate(open.len().saturating_sub(usize::from(padding)));
    open
}

fn cbc_blocks(cipher: &impl BlockCipherDecrypt<BlockSize = U16>, vector: [u8; 16], sealed: &[u8]) -> Vec<u8> {
    let mut last = vector;
    let mut out = Vec::with_capacity(sealed.len());
    for block in sealed.as_chunks::<16>().0 {
        let mut open = Array(*block);
        cipher.decrypt_block(&mut open);
        out.extend(open.iter().zip(last).map(|(byte, last)| byte ^ last));
        last = *block;
    }
    out
}

/// The stream cipher that the first versions use; its two directions are one.
fn rc4(key: &[u8], bytes: &[u8]) -> Vec<u8> {
    let mut state: [u8; 256] = std::array::from_fn(|at| at as u8);
    let of = |state: &[u8; 256], at: u8| state.get(usize::from(at)).copied().unwrap_or(0);
    let mut j = 0_u8;
    for (i, key) in (0..=255_u8).zip(key.iter().cycle()) {
        j = j.wrapping_add(of(&state, i)).wrapping_add(*key);
        state.swap(usize::from(i), usize::from(j));
    }
    let (mut i, mut j) = (0_u8, 0_u8);
    let mut next = || {
        i = i.wrapping_add(1);
        j = j.wrapping_add(of(&state, i));
        state.swap(usize::from(i), usize::from(j));
        of(&state, of(&state, i).wrapping_add(of(&state, j)))
    };
    bytes.iter().map(|byte| byte ^ next()).collect()
}

#[cfg(test)]
mod tests;
