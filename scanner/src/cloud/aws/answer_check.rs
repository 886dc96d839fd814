//! Is an answer fit to be taken in: bounded in size, and whole?
//!
//! The SDK reads a document that breaks off as one that says less: an access list with fewer grants, a listing that
//! has come to its end. Neither may pass for what the server meant.

use aws_sdk_s3::config::interceptors::{
    AfterDeserializationInterceptorContextRef, BeforeDeserializationInterceptorContextMut,
};
use aws_sdk_s3::config::{ConfigBag, Intercept, RuntimeComponents};
use aws_sdk_s3::error::BoxError;
use aws_sdk_s3::primitives::SdkBody;
use aws_smithy_runtime_api::client::interceptors::dyn_dispatch_hint;
use aws_smithy_runtime_api::client::orchestrator::Metadata;
use http_body_util::Limited;
use xmlparser::{ElementEnd, Token, Tokenizer};

use crate::cloud::traffic;

/// A page of 1,000 keys of 1,024 bytes, each byte escaped as three, fits four times over.
const ANSWER_BYTES_MAX: usize = 16 << 20;
/// No document of S3's nests deeper than ten elements.
const DEPTH_MAX: usize = 32;

/// Refuses answers that are too large or broken off. Objects stream and are checked where they are read.
#[derive(Debug)]
pub(super) struct AnswerCheck;

#[dyn_dispatch_hint]
impl Intercept for AnswerCheck {
    fn name(&self) -> &'static str {
        "AnswerCheck"
    }

    fn modify_before_deserialization(
        &self,
        context: &mut BeforeDeserializationInterceptorContextMut<'_>,
        _components: &RuntimeComponents,
        config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let status = context.response().status().as_u16();
        traffic::answered(status == 429 || status == 503);
        if !is_streamed(config) {
            let body = context.response_mut().body_mut();
            let unlimited = std::mem::replace(body, SdkBody::taken());
            *body = SdkBody::from_body_1_x(Limited::new(unlimited, ANSWER_BYTES_MAX));
        }
        Ok(())
    }

    fn read_after_deserialization(
        &self,
        context: &AfterDeserializationInterceptorContextRef<'_>,
        _components: &RuntimeComponents,
        _config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let response = context.response();
        // An error's code stands at its start, and a body that is still on its way is checked where it is read.
        let (true, Some(body)) = (response.status().is_success(), response.body().bytes()) else {
            return Ok(());
        };
        // JSON that breaks off is refused by its parser.
        let is_xml = body.trim_ascii_start().starts_with(b"<");
        if is_xml && !is_whole(body) { Err("the answer is not whole".into()) } else { Ok(()) }
    }
}

/// Whether the answer is handed on as it comes.
fn is_streamed(config: &ConfigBag) -> bool {
    config.load::<Metadata>().is_some_and(|asked| asked.name() == "GetObject")
}

/// Whether every element of the document is closed, in order, and nothing follows the first one.
fn is_whole(document: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(document) else { return false };
    let mut open = Vec::new();
    let mut closed = false;
    for token in Tokenizer::from(text) {
        match token {
            Ok(Token::ElementStart { .. }) if closed || open.len() == DEPTH_MAX => return false,
            Ok(Token::ElementStart { prefix, local, .. }) => open.push((prefix.as_str(), local.as_str())),
            Ok(Token::ElementEnd { end: ElementEnd::Open, .. }) => {}
            Ok(Token::ElementEnd { end: ElementEnd::Empty, .. }) => {
                open.pop();
                closed = open.is_empty();
            }
            Ok(Token::ElementEnd { end: ElementEnd::Close(prefix, local), .. }) => {
                if open.pop() != Some((prefix.as_str(), local.as_str())) {
                    return false;
                }
                closed = open.is_empty();
            }
            Ok(_) => {}
            Err(_) => return false,
        }
    }
    closed
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const WHOLE: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<AccessControlPolicy xmlns=\"http://s3.amazonaws.com/doc/\">\
                         <Owner><ID>o</ID></Owner><AccessControlList><Grant><Grantee/></Grant></AccessControlList>\
                         </AccessControlPolicy>";

    #[test]
    fn a_closed_document_is_whole() {
        assert!(is_whole(WHOLE.as_bytes()));
        assert!(is_whole(b"<VersioningConfiguration/>"));
        assert!(is_whole(format!("{WHOLE}\n").as_bytes()));
    }

    #[test]
    fn what_no_parser_should_take_is_not() {
        for text in ["<a><b></a></b>", "<a></a><b></b>", "<a><b></a>", "text", "{}", "<a>\u{0}</a>"] {
            assert!(!is_whole(text.as_bytes()), "{text}");
        }
        assert!(!is_whole(b"<a>\xff</a>"));
        assert!(!is_whole("<a>".repeat(100_000).as_bytes()));
    }

    proptest! {
        #[test]
        fn a_document_that_breaks_off_is_never_whole(length in 0..WHOLE.len()) {
            prop_assert!(!is_whole(&WHOLE.as_bytes()[..length]));
        }

        #[test]
        fn no_bytes_make_the_check_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            is_whole(&bytes);
        }
    }
}
