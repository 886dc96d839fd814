//! Which resource control policies of the organization bind an account?
//!
//! They are attached to the account, to the units above it and to the root ("Resource control policies", AWS
//! Organizations User Guide). Only the management account or a delegated administrator may ask, so the caller does, not
//! the account.

use std::collections::BTreeMap;
use std::sync::Mutex;

use aws_config::SdkConfig;
use aws_sdk_organizations::Client;
use aws_sdk_organizations::types::{ParentType, PolicyType};
use serde_json::{Map, Value, json};

use super::failure::Failure;
use super::session::lock;
use super::{session, shapes};

/// Organizational units nest five deep (quotas of AWS Organizations); beyond, an answer is made up.
const DEPTH_MAX: usize = 8;

/// The organization as the caller sees it. What several accounts share is asked once.
#[derive(Debug)]
pub(super) struct Organization {
    client: Client,
    /// The ids of the policies attached to a target.
    attached: Mutex<BTreeMap<String, Vec<String>>>,
    /// What stands above a target; nothing above a root.
    above: Mutex<BTreeMap<String, Option<String>>>,
    policies: Mutex<BTreeMap<String, Value>>,
}

impl Organization {
    pub(super) fn new(caller: &SdkConfig) -> Self {
        Self {
            client: session::organizations(caller),
            attached: Mutex::default(),
            above: Mutex::default(),
            policies: Mutex::default(),
        }
    }

    /// The answers of `organizations:DescribePolicy` by the policy's id; part of them would pass for all, so the first
    /// failure stands for the whole.
    pub(super) async fn resource_control_policies(&self, account: &str) -> Value {
        match self.policies_of(account).await {
            Ok(policies) => Value::Object(policies),
            Err(failure) => json!({ "Error": { "Code": failure.code } }),
        }
    }

    async fn policies_of(&self, account: &str) -> Result<Map<String, Value>, Failure> {
        let mut policies = Map::new();
        let mut target = account.to_owned();
        for _ in 0..DEPTH_MAX {
            for id in self.attached_to(&target).await? {
                let policy = self.policy(&id).await?;
                policies.insert(id, policy);
            }
            match self.parent_of(&target).await? {
                Some(parent) => target = parent,
                None => return Ok(policies),
            }
        }
        Err(Failure::unparsable())
    }

    async fn attached_to(&self, target: &str) -> Result<Vec<String>, Failure> {
        if let Some(known) = lock(&self.attached).get(target) {
            return Ok(known.clone());
        }
        let list = self.client.list_policies_for_target().target_id(target);
        let mut pages = list.filter(PolicyType::ResourceControlPolicy).into_paginator().send();
        let mut ids = Vec::new();
        while let Some(page) = pages.next().await {
            let page = page.map_err(|error| Failure::of(&error))?;
            ids.extend(page.policies().iter().filter_map(|policy| policy.id()).map(str::to_owned));
        }
        lock(&self.attached).insert(target.to_owned(), ids.clone());
        Ok(ids)
    }

    async fn parent_of(&self, target: &str) -> Result<Option<String>, Failure> {
        if target.starts_with("r-") {
            return Ok(None);
        }
        if let Some(known) = lock(&self.above).get(target) {
            return Ok(known.clone());
        }
        let answer = self.client.list_parents().child_id(target).send().await;
        let answer = answer.map_err(|error| Failure::of(&error))?;
        let parent = answer.parents().iter().find(|parent| {
            matches!(parent.r#type(), Some(ParentType::OrganizationalUnit | ParentType::Root))
        });
        // Whatever is no root stands below something.
        let parent = parent.and_then(|parent| parent.id()).ok_or_else(Failure::unparsable)?.to_owned();
        lock(&self.above).insert(target.to_owned(), Some(parent.clone()));
        Ok(Some(parent))
    }

    async fn policy(&self, id: &str) -> Result<Value, Failure> {
        if let Some(known) = lock(&self.policies).get(id) {
            return Ok(known.clone());
        }
        let answer = self.client.describe_policy().policy_id(id).send().await;
        let answer = answer.map_err(|error| Failure::of(&error))?;
        let policy = shapes::organization_policy(&answer).ok_or_else(Failure::unparsable)?;
        lock(&self.policies).insert(id.to_owned(), policy.clone());
        Ok(policy)
    }
}
