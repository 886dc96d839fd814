//! By which digests does a listing name a whole file, without a byte of it being read?
//!
//! | digest | who states it |
//! |---|---|
//! | MD5 | S3's ETag of an object that was uploaded in one part and is not encrypted with a key of the customer's or of KMS; Google's `md5Hash` |
//! | MD5 of MD5s, `-N` | S3's ETag of an object that was uploaded in N parts |
//! | SHA-256, SHA-1, CRC64NVME, CRC32C | S3's checksums of a full object; CRC32C also Google |

use md5::{Digest as _, Md5};
use serde::{Deserialize, Serialize};
use sha1::Sha1;
use sha2::Sha256;

/// Part sizes in MiB that clients upload with by default, or that their documents recommend. 5 is the least that S3 allows.
const PART_MIB: [u64; 17] = [5, 6, 7, 8, 10, 12, 15, 16, 20, 25, 32, 50, 64, 100, 128, 256, 512];

/// One digest of a whole file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Digest {
    /// Of its bytes.
    Md5([u8; 16]),
    /// Of the MD5s of its parts, and how many there are.
    Multipart([u8; 16], u32),
    /// Of its bytes.
    Sha1([u8; 20]),
    /// Of its bytes.
    Sha256([u8; 32]),
    /// Castagnoli's.
    Crc32c(u32),
    /// NVME's.
    Crc64Nvme(u64),
}

impl Digest {
    /// An ETag as S3 states it, without quotes; none where it is no digest by its form.
    pub fn of_etag(etag: &str) -> Option<Self> {
        let (digits, parts) = match etag.split_once('-') {
            Some((digits, parts)) => {
                (digits, Some(parts.parse().ok().filter(|parts| (1..=10_000).contains(parts))?))
            }
            None => (etag, None),
        };
        let (pairs, []) = digits.as_bytes().as_chunks::<2>() else { return None };
        let mut md5 = [0; 16];
        if pairs.len() != md5.len() {
            return None;
        }
        for (byte, [high, low]) in md5.iter_mut().zip(pairs) {
            let digit = |digit: u8| char::from(digit).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
            *byte = digit(*high)? << 4 | digit(*low)?;
        }
        Some(parts.map_or(Self::Md5(md5), |parts| Self::Multipart(md5, parts)))
    }

    /// The word for people.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Md5(_) => "md5",
            Self::Multipart(..) => "multipart_etag",
            Self::Sha1(_) => "sha1",
            Self::Sha256(_) => "sha256",
            Self::Crc32c(_) => "crc32c",
            Self::Crc64Nvme(_) => "crc64nvme",
        }
    }

    /// Whether two files may well have it in common by chance or by intent: then only reading tells.
    pub fn is_weak(&self) -> bool {
        matches!(self, Self::Crc32c(_) | Self::Crc64Nvme(_))
    }

    /// As bytes, other for every kind.
    pub(super) fn bytes(&self) -> Vec<u8> {
        let (kind, bytes): (u8, &[u8]) = match self {
            Self::Md5(bytes) => (1, bytes),
            Self::Multipart(bytes, parts) => return [&[2], &bytes[..], &parts.to_le_bytes()].concat(),
            Self::Sha1(bytes) => (3, bytes),
            Self::Sha256(bytes) => (4, bytes),
            Self::Crc32c(crc) => return [&[5], &crc.to_le_bytes()[..]].concat(),
            Self::Crc64Nvme(crc) => return [&[6], &crc.to_le_bytes()[..]].concat(),
        };
        [&[kind], bytes].concat()
    }
}

/// Computes every digest of a file by which a listing might name it.
pub struct Digester {
    size_bytes: u64,
    md5: Md5,
    sha1: Sha1,
    sha256: Sha256,
    crc32c: crc_fast::Digest,
    crc64: crc_fast::Digest,
    parts: Vec<Parts>,
}

impl std::fmt::Debug for Digester {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Digester").field("size_bytes", &self.size_bytes).finish_non_exhaustive()
    }
}

/// The ETag of an upload in parts of one size.
struct Parts {
    part_bytes: u64,
    part: Md5,
    filled: u64,
    all: Md5,
    count: u32,
}

impl Digester {
    /// For a file of about this size: what it decides is only with which part sizes it could have been uploaded.
    pub fn new(size_bytes: u64) -> Self {
        let parts = PART_MIB.iter().map(|mib| mib << 20).filter(|part| *part < size_bytes);
        let parts = parts.map(|part_bytes| Parts {
            part_bytes,
            part: Md5::new(),
            filled: 0,
            all: Md5::new(),
            count: 0,
        });
        Self {
            size_bytes: 0,
            md5: Md5::new(),
            sha1: Sha1::new(),
            sha256: Sha256::new(),
            crc32c: crc_fast::Digest::new(crc_fast::CrcAlgorithm::Crc32Iscsi),
            crc64: crc_fast::Digest::new(crc_fast::CrcAlgorithm::Crc64Nvme),
            parts: parts.collect(),
        }
    }

    /// Takes the next bytes.
    pub fn push(&mut self, bytes: &[u8]) {
        self.size_bytes += bytes.len() as u64;
        self.md5.update(bytes);
        self.sha1.update(bytes);
        self.sha256.update(bytes);
        self.crc32c.update(bytes);
        self.crc64.update(bytes);
        self.parts.iter_mut().for_each(|parts| parts.push(bytes));
    }

    /// The size and the digests.
    pub fn finish(self) -> (u64, Vec<Digest>) {
        let md5: [u8; 16] = self.md5.finalize().into();
        let mut digests = vec![
            Digest::Md5(md5),
            // Clients that upload everything in parts make one part of a small file.
            Digest::Multipart(Md5::digest(md5).into(), 1),
            Digest::Sha1(self.sha1.finalize().into()),
            Digest::Sha256(self.sha256.finalize().into()),
            Digest::Crc32c(self.crc32c.finalize() as u32),
            Digest::Crc64Nvme(self.crc64.finalize()),
        ];
        digests.extend(self.parts.into_iter().map(Parts::finish));
        (self.size_bytes, digests)
    }
}

impl Parts {
    fn push(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            let room = usize::try_from(self.part_bytes - self.filled).unwrap_or(usize::MAX).min(bytes.len());
            let (now, later) = bytes.split_at(room);
            self.part.update(now);
            self.filled += now.len() as u64;
            if self.filled == self.part_bytes {
                self.end();
            }
            bytes = later;
        }
    }

    fn end(&mut self) {
        self.all.update(self.part.finalize_reset());
        self.count += 1;
        self.filled = 0;
    }

    fn finish(mut self) -> Digest {
        if self.filled > 0 {
            self.end();
        }
        Digest::Multipart(self.all.finalize().into(), self.count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn digests(bytes: &[u8], cut: usize) -> Vec<Digest> {
        let mut digester = Digester::new(bytes.len() as u64);
        bytes.chunks(cut).for_each(|chunk| digester.push(chunk));
        digester.finish().1
    }

    /// Check values of the algorithms' own definitions: RFC 1321, FIPS 180, RFC 3720, and the NVM Express specification.
    #[test]
    fn digests_are_those_of_their_definitions() {
        let found = digests(b"123456789", 4);
        assert!(found.contains(&Digest::of_etag("25f9e794323b453885f5181f1b624d0b").unwrap()));
        assert!(found.contains(&Digest::Crc32c(0xe306_9283)));
        assert!(found.contains(&Digest::Crc64Nvme(0xae8b_1486_0a79_9888)));
        assert!(
            found.iter().any(|digest| matches!(digest, Digest::Sha256(bytes) if bytes[..2] == [0x15, 0xe2]))
        );
        assert!(
            found.iter().any(|digest| matches!(digest, Digest::Sha1(bytes) if bytes[..2] == [0xf7, 0xc3]))
        );
    }

    #[test]
    fn uploads_in_parts_are_known_by_every_usual_part_size() {
        let bytes: Vec<u8> = (0..20 << 20).map(|at: u32| (at / 7) as u8).collect();
        let found = digests(&bytes, 1 << 19);
        for mib in [5_usize, 8, 16] {
            let md5s: Vec<u8> =
                bytes.chunks(mib << 20).flat_map(|part| <[u8; 16]>::from(Md5::digest(part))).collect();
            let parts = bytes.len().div_ceil(mib << 20);
            assert!(found.contains(&Digest::Multipart(Md5::digest(md5s).into(), parts as u32)), "{mib} MiB");
        }
        assert_eq!(found, digests(&bytes, 999_983));
    }

    #[test]
    fn etags_that_are_no_digests_are_none() {
        for wrong in [
            "",
            "xyz",
            "25f9e794323b453885f5181f1b624d0",
            "25f9e794323b453885f5181f1b624d0b-",
            "25f9e794323b453885f5181f1b624d0b-0",
            "é5f9e794323b453885f5181f1b624d0b",
        ] {
            assert_eq!(Digest::of_etag(wrong), None, "{wrong}");
        }
        assert!(matches!(
            Digest::of_etag("25F9E794323B453885F5181F1B624D0B-17"),
            Some(Digest::Multipart(_, 17))
        ));
    }
}
