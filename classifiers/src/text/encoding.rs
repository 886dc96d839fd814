//! What does a text say in UTF-8, whatever encoding it comes in?

use encoding_rs::{CoderResult, UTF_16BE, UTF_16LE};

use crate::content_type::Encoding;

/// Bytes decoded at a time.
const PIECE: usize = 16 << 10;

/// Turns the bytes of one text into UTF-8; what is UTF-8 already passes through untouched.
#[derive(Default)]
pub(crate) struct Decoder {
    /// None where the bytes pass as they are.
    other: Option<encoding_rs::Decoder>,
    /// Bytes of a byte order mark still to be dropped.
    mark: usize,
}

impl std::fmt::Debug for Decoder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Decoder")
            .field("encoding", &self.other.as_ref().map(|d| d.encoding().name()))
            .finish()
    }
}

impl Decoder {
    /// For a text that begins with `head`.
    pub(crate) fn of(head: &[u8]) -> Self {
        let mark = encoding_rs::Encoding::for_bom(head).map_or(0, |(_, length)| length);
        let other = match Encoding::of(head) {
            Some(Encoding::Utf16Le) => Some(UTF_16LE),
            Some(Encoding::Utf16Be) => Some(UTF_16BE),
            Some(Encoding::Legacy(encoding)) => Some(encoding),
            Some(Encoding::Utf8) | None => None,
        };
        Self { other: other.map(|encoding| encoding.new_decoder_without_bom_handling()), mark }
    }

    /// Decodes the next bytes.
    pub(crate) fn decode(&mut self, bytes: &[u8], mut text: impl FnMut(&[u8])) {
        let dropped = self.mark.min(bytes.len());
        self.mark -= dropped;
        let bytes = bytes.get(dropped..).unwrap_or_default();
        match &mut self.other {
            None => text(bytes),
            Some(decoder) => run(decoder, bytes, false, &mut text),
        }
    }

    /// Decodes what a character cut off by the end leaves.
    pub(crate) fn finish(&mut self, mut text: impl FnMut(&[u8])) {
        if let Some(decoder) = &mut self.other {
            run(decoder, b"", true, &mut text);
        }
    }
}

fn run(decoder: &mut encoding_rs::Decoder, mut bytes: &[u8], last: bool, text: &mut impl FnMut(&[u8])) {
    let mut piece = vec![0; PIECE];
    loop {
        let (result, read, written, _) = decoder.decode_to_utf8(bytes, &mut piece, last);
        text(piece.get(..written).unwrap_or_default());
        bytes = bytes.get(read..).unwrap_or_default();
        if result == CoderResult::InputEmpty {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn decoded(bytes: &[u8], piece: usize) -> String {
        let mut decoder = Decoder::of(bytes);
        let mut text = Vec::new();
        for piece in bytes.chunks(piece) {
            decoder.decode(piece, |t| text.extend_from_slice(t));
        }
        decoder.finish(|t| text.extend_from_slice(t));
        String::from_utf8_lossy(&text).into_owned()
    }

    fn utf_16(text: &str, big: bool) -> Vec<u8> {
        text.encode_utf16()
            .flat_map(|unit| if big { unit.to_be_bytes() } else { unit.to_le_bytes() })
            .collect()
    }

    #[test]
    fn common_encodings_say_the_same() {
        let text = "Müller, José: jane@acme.example";
        let mut marked = vec![0xff, 0xfe];
        marked.extend(utf_16(text, false));
        let latin: Vec<u8> = text.chars().map(|c| c as u8).collect();
        for bytes in [text.as_bytes().to_vec(), utf_16(text, true), utf_16(text, false), marked, latin] {
            for piece in [1, 2, 3, 1000] {
                assert_eq!(decoded(&bytes, piece), text);
            }
        }
    }

    #[test]
    fn older_encodings_are_told_by_their_letters() {
        let rows =
            "Табельный номер;Имя;Фамилия;Отдел\n10001;Анна;Иванова;Продажи\n10002;Пётр;Сидоров;Бухгалтерия\n";
        let japanese =
            "社員番号,氏名,部署,メール\n1,山田太郎,経理部,taro@a.example\n2,佐藤花子,営業部,hana@a.example\n";
        let chinese = "本表为公司在职员工名单，仅供人力资源部门内部使用。\n部门,姓名,职位,电话\n财务部,王小明,经理,13800138000\n";
        for (text, encoding) in [
            (rows, encoding_rs::WINDOWS_1251),
            (rows, encoding_rs::KOI8_R),
            (japanese, encoding_rs::SHIFT_JIS),
            (japanese, encoding_rs::EUC_JP),
            (chinese, encoding_rs::GBK),
        ] {
            let text = text.repeat(3);
            let (bytes, ..) = encoding.encode(&text);
            assert_eq!(decoded(&bytes, 7), text, "{}", encoding.name());
        }
    }

    proptest! {
        #[test]
        fn pieces_do_not_change_the_text(bytes in prop::collection::vec(any::<u8>(), 0..200), piece in 1_usize..20) {
            prop_assert_eq!(decoded(&bytes, piece), decoded(&bytes, 1000));
        }
    }
}
