//! How large may an answer be that the SDK holds in memory?

use aws_sdk_s3::config::interceptors::BeforeDeserializationInterceptorContextMut;
use aws_sdk_s3::config::{ConfigBag, Intercept, RuntimeComponents};
use aws_sdk_s3::error::BoxError;
use aws_sdk_s3::primitives::SdkBody;
use aws_smithy_runtime_api::client::interceptors::dyn_dispatch_hint;
use aws_smithy_runtime_api::client::orchestrator::Metadata;
use http_body_util::Limited;

/// A page of 1,000 keys of 1,024 bytes, each byte escaped as three, fits four times over.
const ANSWER_BYTES_MAX: usize = 16 << 20;

/// Ends an answer that outgrows the limit, so that a server cannot fill our memory. Objects stream and are not held.
#[derive(Debug)]
pub(super) struct Ceiling;

#[dyn_dispatch_hint]
impl Intercept for Ceiling {
    fn name(&self) -> &'static str {
        "Ceiling"
    }

    fn modify_before_deserialization(
        &self,
        context: &mut BeforeDeserializationInterceptorContextMut<'_>,
        _components: &RuntimeComponents,
        config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let streamed = config.load::<Metadata>().is_some_and(|operation| operation.name() == "GetObject");
        if !streamed {
            let body = context.response_mut().body_mut();
            let unlimited = std::mem::replace(body, SdkBody::taken());
            *body = SdkBody::from_body_1_x(Limited::new(unlimited, ANSWER_BYTES_MAX));
        }
        Ok(())
    }
}
