//! Which block public access settings are in force, and where do they stand?
//!
//! Source: S3 User Guide, "Blocking public access to your Amazon S3 storage". The strictest of all levels counts. The
//! account's answer is the effective one: it already holds what the organization's policy sets ("GetPublicAccessBlock",
//! S3 Control API), so an organization that was not read leaves nothing open where the account was.

use crate::estate::aws::{Block, organization_block, public_access_block};
use crate::estate::{Fact, Facts, Gap};

/// One of the four settings, over all levels.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Setting {
    /// On, at this level.
    On(&'static str),
    /// Off everywhere.
    Off,
    /// Off where it could be seen.
    Unseen(Gap),
}

/// What stands at each level.
#[derive(Debug, Clone)]
pub(super) struct Blocks {
    levels: Vec<(&'static str, Fact<Block>)>,
}

const ALL: Block = Block {
    block_public_acls: true,
    ignore_public_acls: true,
    block_public_policy: true,
    restrict_public_buckets: true,
};

impl Blocks {
    /// Reads all levels above and at the bucket.
    pub(super) fn read(facts: &Facts, bucket: &str, account: &str) -> Self {
        let own = public_access_block(facts, "s3:GetPublicAccessBlock", bucket);
        let mut of_account = public_access_block(facts, "s3control:GetPublicAccessBlock", account);
        let mut levels = vec![("the bucket", own)];
        match organization_block(facts, account) {
            Fact::Present(true) => {
                levels.push(("the organization", Fact::Present(ALL)));
            }
            // The organization's "none" overrides what the account says.
            Fact::Present(false) => {
                if let Fact::Present(block) = &of_account
                    && *block != Block::default()
                {
                    of_account = Fact::Unread(Gap {
                        reason: crate::estate::GapReason::Malformed,
                        operation: "s3control:GetPublicAccessBlock".to_owned(),
                        resource: account.to_owned(),
                        detail: "the organization's S3 policy says `none`, but the account's block public access is on"
                            .to_owned(),
                    });
                }
            }
            Fact::Absent | Fact::Unread(_) => {}
        }
        levels.push(("the account", of_account));
        Self { levels }
    }

    /// The same with an access point's own settings.
    pub(super) fn with_access_point(&self, block: Fact<Block>) -> Self {
        let mut levels = self.levels.clone();
        levels.push(("the access point", block));
        Self { levels }
    }

    /// Whether a setting is on at any level.
    pub(super) fn setting(&self, of: impl Fn(&Block) -> bool) -> Setting {
        let mut setting = Setting::Off;
        for (level, fact) in &self.levels {
            match fact {
                Fact::Present(block) if of(block) => return Setting::On(level),
                Fact::Present(_) | Fact::Absent => {}
                Fact::Unread(gap) => {
                    if setting == Setting::Off {
                        setting = Setting::Unseen(gap.clone());
                    }
                }
            }
        }
        setting
    }

    /// Whether public ACLs are without effect.
    pub(super) fn ignore_public_acls(&self) -> Setting {
        self.setting(|block| block.ignore_public_acls)
    }

    /// Whether a public policy reaches nobody outside the account.
    pub(super) fn restrict_public_buckets(&self) -> Setting {
        self.setting(|block| block.restrict_public_buckets)
    }

    /// What could not be read.
    pub(super) fn gaps(&self) -> impl Iterator<Item = &Gap> {
        self.levels.iter().filter_map(|(_, fact)| match fact {
            Fact::Unread(gap) => Some(gap),
            Fact::Present(_) | Fact::Absent => None,
        })
    }
}
