//! Do bytes begin like a format that is packed or recorded, not encrypted?

/// Bytes at an offset that begin a format whose inside looks random to statistics.
const MAGIC: [(usize, &[u8]); 64] = [
    (0, b"\x1f\x8b"),
    (0, b"\x1f\x9d"),
    (0, b"BZh"),
    (0, b"\xfd7zXZ\x00"),
    (0, b"\x5d\x00\x00"),
    (0, b"LZIP"),
    (0, b"\x28\xb5\x2f\xfd"),
    (1, b"\x2a\x4d\x18"),
    (0, b"\x04\x22\x4d\x18"),
    (0, b"\x02\x21\x4c\x18"),
    (0, b"\x89LZO\x00"),
    (0, b"\xff\x06\x00\x00sNaPpY"),
    (0, b"\xff\x06\x00\x00S2sTwO"),
    (0, b"PK"),
    (0, b"7z\xbc\xaf\x27\x1c"),
    (0, b"Rar!"),
    (0, b"\x89PNG"),
    (0, b"\xff\xd8\xff"),
    (0, b"GIF8"),
    (0, b"RIFF"),
    (0, b"II*\x00"),
    (0, b"MM\x00*"),
    (0, b"II+\x00"),
    (0, b"8BPS"),
    (0, b"\x00\x00\x00\x0cjP"),
    (0, b"\x00\x00\x00\x0cJXL"),
    (0, b"\xff\x0a"),
    (4, b"ftyp"),
    (4, b"moov"),
    (4, b"mdat"),
    (4, b"styp"),
    (0, b"ID3"),
    (0, b"OggS"),
    (0, b"fLaC"),
    (0, b"MAC "),
    (0, b"wvpk"),
    (0, b"\x1a\x45\xdf\xa3"),
    (0, b"\x30\x26\xb2\x75\x8e\x66\xcf\x11"),
    (0, b"FLV\x01"),
    (0, b"\x00\x00\x01\xba"),
    (0, b"\x00\x00\x01\xb3"),
    (0, b"\x00\x00\x00\x01"),
    (0, b"wOFF"),
    (0, b"wOF2"),
    (0, b"%PDF"),
    (0, b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"),
    (0, b"\x7fELF"),
    (0, b"SQLite format 3\x00"),
    (0, b"PAR1"),
    (0, b"ORC"),
    (0, b"Obj\x01"),
    (0, b"ARROW1"),
    (0, b"\x89HDF"),
    (0, b"\x93NUMPY"),
    (0, b"PACK\x00\x00\x00"),
    (0, b"!<arch>"),
    (0, b"\xed\xab\xee\xdb"),
    (0, b"MSCF"),
    (0, b"hsqs"),
    (0, b"GGUF"),
    (0, b"CWS"),
    (0, b"ZWS"),
    (0, b"xar!"),
    (0, b"FORM"),
];

/// Whether the first bytes are those of a known packed or recorded format.
pub fn known(head: &[u8]) -> bool {
    let listed = |&(at, magic): &(usize, &[u8])| head.get(at..).is_some_and(|rest| rest.starts_with(magic));
    MAGIC.iter().any(listed) || zlib(head) || mpeg_audio(head) || transport_stream(head)
}

/// A zlib header: method 8, a window that exists, and its check (RFC 1950).
fn zlib(head: &[u8]) -> bool {
    let [method, flags, third, ..] = head else { return false };
    let block = (third >> 1) & 3;
    method & 0x0f == 8
        && matches!(flags, 0x01 | 0x5e | 0x9c | 0xda)
        && (u32::from(*method) * 256 + u32::from(*flags)).is_multiple_of(31)
        && block != 3
}

/// A frame of MPEG audio or AAC, and the next one where its length says.
fn mpeg_audio(head: &[u8]) -> bool {
    const KBIT: [usize; 15] = [0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320];
    const HERTZ: [usize; 3] = [44_100, 48_000, 32_000];
    let [0xff, second, third, fourth, fifth, sixth, ..] = head else { return false };
    let next = |length: usize| matches!(head.get(length..), Some([0xff, again, ..]) if again == second);
    if second & 0xf6 == 0xf0 {
        let length = usize::from(fourth & 3) << 11 | usize::from(*fifth) << 3 | usize::from(*sixth) >> 5;
        return length > 7 && next(length);
    }
    let (Some(kbit), Some(hertz)) =
        (KBIT.get(usize::from(third >> 4)), HERTZ.get(usize::from(third >> 2 & 3)))
    else {
        return false;
    };
    second & 0xfe == 0xfa && *kbit > 0 && next(144_000 * kbit / hertz + usize::from(third >> 1 & 1))
}

/// An MPEG transport stream: 0x47 every 188 bytes.
fn transport_stream(head: &[u8]) -> bool {
    head.len() > 188 * 4 && head.iter().step_by(188).take(4).all(|&byte| byte == 0x47)
}
