//! By which digests does S3 know an object, beyond what its listing says?

use aws_sdk_s3::operation::head_object::HeadObjectOutput;
use aws_sdk_s3::types::{ChecksumMode, ChecksumType, ServerSideEncryption};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;

use super::failure::Failure;
use super::session::Session;
use crate::cloud::{CloudError, Stored};
use crate::estate::{Bucket, Checksums, Object};

const HEAD: &str = "s3:GetObject";

pub(super) async fn of(session: &Session, bucket: &Bucket, object: &Object) -> Result<Stored, CloudError> {
    let answer = session
        .send(&bucket.clone(), |s3| {
            let head = s3.head_object().bucket(&bucket.name).key(&object.key);
            let head = head.set_version_id(object.version.clone());
            head.checksum_mode(ChecksumMode::Enabled).send()
        })
        .await
        .map_err(|error| Failure::of(&error).at(HEAD, &format!("{}/{}", bucket.name, object.key)))?;
    Ok(stored(&answer))
}

fn stored(answer: &HeadObjectOutput) -> Stored {
    // The ETag of what S3 encrypts with a key of KMS or of the customer is no digest of its content
    // (S3 API Reference, "Object", `ETag`).
    let kms = answer.server_side_encryption().is_some_and(|with| *with != ServerSideEncryption::Aes256);
    let etag_is_digest = !kms && answer.sse_customer_algorithm().is_none();
    // Checksums of parts are not those of the whole.
    if answer.checksum_type() == Some(&ChecksumType::Composite) {
        return Stored { checksums: Checksums::default(), etag_is_digest };
    }
    let bytes = |text: Option<&str>| text.and_then(|text| BASE64_STANDARD.decode(text).ok());
    let number = |text: Option<&str>| {
        bytes(text).map(|bytes| bytes.iter().fold(0, |n, byte| n << 8 | u64::from(*byte)))
    };
    let checksums = Checksums {
        md5: None,
        crc32c: number(answer.checksum_crc32_c()).and_then(|crc| u32::try_from(crc).ok()),
        crc64nvme: number(answer.checksum_crc64_nvme()),
        sha1: bytes(answer.checksum_sha1()).and_then(|bytes| bytes.try_into().ok()),
        sha256: bytes(answer.checksum_sha256()).and_then(|bytes| bytes.try_into().ok()),
    };
    Stored { checksums, etag_is_digest }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn etags_of_what_a_key_encrypts_and_checksums_of_parts_are_not_believed() {
        let plain = HeadObjectOutput::builder().server_side_encryption(ServerSideEncryption::Aes256);
        let sealed = HeadObjectOutput::builder().server_side_encryption(ServerSideEncryption::AwsKms);
        let sha = "n4bQgYhMfWWaL+qgxVrQFaO/TxsrC4Is0V1sFbDwCgg=";
        assert!(
            stored(&plain.checksum_sha256(sha).build()).checksums.sha256.is_some_and(|sha| sha[0] == 0x9f)
        );
        assert!(!stored(&sealed.build()).etag_is_digest);
        let parts = HeadObjectOutput::builder().checksum_type(ChecksumType::Composite).checksum_sha256(sha);
        assert_eq!(stored(&parts.build()).checksums, Checksums::default());
        let crc = HeadObjectOutput::builder()
            .checksum_crc32_c("4waSgw==")
            .checksum_crc64_nvme("rosUhgp5mIg=")
            .build();
        let Checksums { crc32c, crc64nvme, .. } = stored(&crc).checksums;
        assert_eq!((crc32c, crc64nvme), (Some(0xe306_9283), Some(0xae8b_1486_0a79_9888)));
    }
}
