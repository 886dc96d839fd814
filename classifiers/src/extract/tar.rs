//! Which files does a tar hold, as it comes by?

use super::member::Member;
use super::{Reader, Work, malformed, truncated};

const BLOCK: usize = 512;

/// Bytes of a long name or of extended attributes that are read; more is malformed.
const META_BYTES_MAX: usize = 64 << 10;

/// What the blocks that come next are.
#[derive(Debug)]
enum State {
    Header,
    /// Content of a file on its way to the sink, then `padding` to the end of the block.
    File {
        member: Member,
        left: u64,
        padding: u64,
    },
    /// The long name of the next file, or extended attributes that may hold it.
    Meta {
        kind: u8,
        bytes: Vec<u8>,
        left: u64,
        padding: u64,
    },
    /// Bytes of no interest, padding included.
    Skip {
        left: u64,
    },
    /// After the end of the archive, or after what is none.
    Done,
}

/// A tar being read.
#[derive(Debug)]
pub(super) struct Tar {
    state: State,
    /// A header of which not all has come.
    header: Vec<u8>,
    /// What a header before the next one says about it (pax and GNU extensions).
    name: Option<String>,
    size: Option<u64>,
}

impl Default for Tar {
    fn default() -> Self {
        Self { state: State::Header, header: Vec::with_capacity(BLOCK), name: None, size: None }
    }
}

impl Reader for Tar {
    fn push(&mut self, mut bytes: &[u8], work: &mut Work<'_>) {
        while !bytes.is_empty() {
            let taken = self.step(bytes, work);
            bytes = bytes.get(taken..).unwrap_or_default();
        }
    }

    fn finish(&mut self, work: &mut Work<'_>) {
        let cut = !matches!(self.state, State::Header | State::Done) || !self.header.is_empty();
        if let State::File { member, .. } = std::mem::replace(&mut self.state, State::Done) {
            member.end(work.sink, work.budget);
        }
        if cut {
            work.sink.gap(truncated("the archive ends inside a file"));
        }
    }
}

impl Tar {
    /// Takes some bytes from the front of `bytes`, at least one; how many.
    fn step(&mut self, bytes: &[u8], work: &mut Work<'_>) -> usize {
        match &mut self.state {
            State::Done => bytes.len(),
            State::Skip { left } => {
                let taken = share(bytes, *left);
                *left -= taken as u64;
                if *left == 0 {
                    self.state = State::Header;
                }
                taken
            }
            State::Header => {
                let taken = bytes.len().min(BLOCK - self.header.len());
                self.header.extend_from_slice(bytes.get(..taken).unwrap_or_default());
                if self.header.len() == BLOCK {
                    self.state = self.begin(work);
                    self.header.clear();
                }
                taken
            }
            State::Meta { kind, bytes: held, left, padding } => {
                let taken = share(bytes, *left);
                held.extend_from_slice(bytes.get(..taken).unwrap_or_default());
                *left -= taken as u64;
                if *left == 0 {
                    let (kind, held, padding) = (*kind, std::mem::take(held), *padding);
                    self.state = State::after(padding);
                    self.learn(kind, &held);
                }
                taken
            }
            State::File { member, left, .. } => {
                let taken = share(bytes, *left);
                // Not charged: these bytes are the object's own, or were paid for where they were unpacked.
                member.push(bytes.get(..taken).unwrap_or_default(), work.sink, work.budget);
                *left -= taken as u64;
                if *left == 0 {
                    self.end_file(work);
                }
                taken
            }
        }
    }

    fn end_file(&mut self, work: &mut Work<'_>) {
        if let State::File { member, padding, .. } = std::mem::replace(&mut self.state, State::Done) {
            member.end(work.sink, work.budget);
            self.state = State::after(padding);
        }
    }

    /// What follows the header that was read.
    fn begin(&mut self, work: &mut Work<'_>) -> State {
        let Some(block) = self.header.first_chunk::<BLOCK>() else { return State::Done };
        if block.iter().all(|&byte| byte == 0) {
            return State::Done;
        }
        if !header_holds(block) {
            work.sink.gap(malformed("a header of the archive does not match its checksum"));
            return State::Done;
        }
        let field = |from: usize, to: usize| block.get(from..to).unwrap_or_default();
        let kind = block.get(156).copied().unwrap_or_default();
        let extended = matches!(kind, b'x' | b'g' | b'L' | b'K');
        let stated = if extended { None } else { self.size.take() };
        let Some(size) = stated.or_else(|| number(field(124, 136))) else {
            work.sink.gap(malformed("a header of the archive states no size"));
            return State::Done;
        };
        let padding = size.wrapping_neg() % BLOCK as u64;
        if extended {
            if size > META_BYTES_MAX as u64 {
                work.sink.gap(malformed("a name in the archive is longer than names are"));
                return State::Done;
            }
            return match size {
                0 => State::Header,
                _ => State::Meta { kind, bytes: Vec::new(), left: size, padding },
            };
        }
        let long_name = self.name.take();
        // Links, devices and folders have no content; GNU sparse files ('S') do, with the holes left out.
        if !matches!(kind, b'0' | 0 | b'7' | b'S') || size == 0 {
            return match size.checked_add(padding) {
                Some(0) | None => State::Header,
                Some(left) if matches!(kind, b'1'..=b'6') => State::after(left * u64::from(kind == b'1')),
                Some(left) => State::Skip { left },
            };
        }
        if let Err(gap) = work.budget.entry() {
            work.sink.gap(gap);
            return State::Done;
        }
        let name = long_name.unwrap_or_else(|| {
            let (name, prefix) = (until_zero(field(0, 100)), until_zero(field(345, 500)));
            let posix = field(257, 263) == b"ustar\0" && !prefix.is_empty();
            if posix { format!("{prefix}/{name}") } else { name }
        });
        let member = Member::begin(work.place.part(name), work.sink, work.budget);
        State::File { member, left: size, padding }
    }

    /// Takes the name and size of the next file from a header of extensions.
    fn learn(&mut self, kind: u8, bytes: &[u8]) {
        match kind {
            b'L' => self.name = Some(until_zero(bytes)),
            b'x' => {
                for (key, value) in pax_records(bytes) {
                    match key {
                        b"path" => self.name = Some(String::from_utf8_lossy(value).into_owned()),
                        b"size" => {
                            self.size = std::str::from_utf8(value).ok().and_then(|size| size.parse().ok())
                        }
                        _ => {}
                    }
                }
            }
            // 'K' is the target of a link, 'g' is about all files.
            _ => {}
        }
    }
}

impl State {
    fn after(padding: u64) -> Self {
        if padding == 0 { Self::Header } else { Self::Skip { left: padding } }
    }
}

/// How much of `bytes` belongs to something of which `left` bytes are missing.
fn share(bytes: &[u8], left: u64) -> usize {
    usize::try_from(left).unwrap_or(usize::MAX).min(bytes.len())
}

/// `"25 path=some/long/name\n"`, one after the other; the length counts itself.
fn pax_records(mut bytes: &[u8]) -> impl Iterator<Item = (&[u8], &[u8])> {
    std::iter::from_fn(move || {
        let blank = memchr::memchr(b' ', bytes)?;
        let length: usize = std::str::from_utf8(bytes.get(..blank)?).ok()?.parse().ok()?;
        let record = bytes.get(blank + 1..length.checked_sub(1)?)?;
        bytes = bytes.get(length..)?;
        let equals = memchr::memchr(b'=', record)?;
        Some((record.get(..equals)?, record.get(equals + 1..)?))
    })
}

fn until_zero(field: &[u8]) -> String {
    let end = memchr::memchr(0, field).unwrap_or(field.len());
    String::from_utf8_lossy(field.get(..end).unwrap_or_default()).into_owned()
}

/// A size: octal, or with the top bit set binary (GNU).
fn number(field: &[u8]) -> Option<u64> {
    match field.split_first()? {
        (0x80, rest) => {
            let (high, low) = rest.split_last_chunk::<8>()?;
            high.iter().all(|&byte| byte == 0).then_some(u64::from_be_bytes(*low))
        }
        _ => octal(field),
    }
}

/// Whether `block` is a header: its checksum holds (POSIX pax, "ustar Interchange Format"; older programs summed signed bytes).
pub(crate) fn header_holds(block: &[u8; BLOCK]) -> bool {
    let Some(stated) = octal(block.get(148..156).unwrap_or_default()) else { return false };
    let mut unsigned = 0_u64;
    let mut signed = 0_i64;
    for (at, &byte) in block.iter().enumerate() {
        let byte = if (148..156).contains(&at) { b' ' } else { byte };
        unsigned += u64::from(byte);
        signed += i64::from(byte.cast_signed());
    }
    // A block of zeros sums to 256 and says nothing.
    block.first().is_some_and(|&byte| byte != 0)
        && (stated == unsigned || i64::try_from(stated) == Ok(signed))
}

/// An octal number with blanks and zero bytes around it.
fn octal(field: &[u8]) -> Option<u64> {
    let text = std::str::from_utf8(field).ok()?.trim_matches(['\0', ' ']);
    if text.is_empty() { Some(0) } else { u64::from_str_radix(text, 8).ok() }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::GapReason;
    use crate::content_type::ContentType;
    use crate::extract::tests::{Seen, see, seen};

    fn header(name: &str, kind: u8, size: usize) -> Vec<u8> {
        let mut block = [0_u8; BLOCK];
        block[..name.len()].copy_from_slice(name.as_bytes());
        block[124..135].copy_from_slice(format!("{size:011o}").as_bytes());
        block[148..156].fill(b' ');
        block[156] = kind;
        block[257..263].copy_from_slice(b"ustar\0");
        let sum: u64 = block.iter().map(|&byte| u64::from(byte)).sum();
        block[148..155].copy_from_slice(format!("{sum:06o}\0").as_bytes());
        block.to_vec()
    }

    fn entry(name: &str, kind: u8, content: &[u8]) -> Vec<u8> {
        let mut bytes = header(name, kind, content.len());
        bytes.extend(content);
        bytes.resize(bytes.len().next_multiple_of(BLOCK), 0);
        bytes
    }

    fn sample() -> Vec<u8> {
        let pax = b"22 path=a/longer/name\n";
        [
            header("folder/", b'5', 0),
            entry("folder/a.txt", b'0', b"first"),
            entry("././@LongLink", b'L', b"from/gnu\0"),
            entry("short", b'0', &[7; 700]),
            entry("pax", b'x', pax),
            entry("short", 0, b"third"),
            header("link", b'2', 0),
            vec![0; 1024],
        ]
        .concat()
    }

    fn pushed(bytes: &[u8], step: usize) -> Seen {
        see(|work| {
            let mut tar = Tar::default();
            for piece in bytes.chunks(step) {
                tar.push(piece, work);
            }
            tar.finish(work);
        })
    }

    #[test]
    fn files_are_read_with_long_names() {
        let (kind, seen) = seen(&sample());
        assert_eq!(kind, ContentType::Tar);
        assert_eq!(seen.file("folder/a.txt"), b"first");
        assert_eq!(seen.file("from/gnu"), [7; 700]);
        assert_eq!(seen.file("a/longer/name"), b"third");
        assert_eq!(seen.gaps, []);
    }

    #[test]
    fn a_cut_archive_gives_the_start_of_the_file_and_a_gap() {
        let bytes = sample();
        let seen = pushed(&bytes[..3 * BLOCK + 2 * BLOCK + 100], 64);
        assert_eq!(seen.file("folder/a.txt"), b"first");
        assert_eq!(seen.reasons(), [GapReason::Truncated]);
    }

    #[test]
    fn a_broken_header_is_malformed() {
        let mut bytes = sample();
        bytes[3 * BLOCK] ^= 1;
        assert_eq!(pushed(&bytes, 1000).reasons(), [GapReason::Malformed]);
    }

    #[test]
    fn a_size_beyond_the_bytes_is_a_gap_and_takes_no_memory() {
        let mut bytes = header("huge", b'0', 0o77_777_777_777);
        bytes.extend(b"little");
        let seen = pushed(&bytes, 1000);
        assert_eq!(seen.file("huge"), b"little");
        assert_eq!(seen.reasons(), [GapReason::Truncated]);
    }

    proptest! {
        #[test]
        fn cutting_an_archive_changes_nothing(step in 1_usize..2000) {
            prop_assert_eq!(pushed(&sample(), step), pushed(&sample(), usize::MAX));
        }

        #[test]
        fn broken_archives_never_panic(at in 0_usize..4000, value: u8, step in 1_usize..600) {
            let mut bytes = sample();
            if let Some(byte) = bytes.get_mut(at) {
                *byte = value;
            }
            pushed(&bytes, step);
        }
    }
}
