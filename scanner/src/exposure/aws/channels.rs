//! By which ways can a request come to the bucket, and what decides on each?

use crate::estate::aws::{AccessPoint, Acl, access_points, multi_region_access_points, origin_identities};
use crate::estate::{Fact, Gap, Object, Provider, keeps_versions};
use crate::exposure::pattern::{Class, Pattern, Token};
use crate::exposure::policy::{Choice, Part, PrincipalName, Test, Text, is_account};

use super::block::{Blocks, Setting};
use super::judge::{Channel, Gate};
use super::keys::{Domain, TextDomain, Through};
use super::requesters::STRANGER;
use super::resources::Names;
use super::rules::{self, Origin, Rule};
use super::verdict::Notes;
use super::{Dossier, any_key, parsed, status};

/// All ways to the bucket.
pub(super) fn of_bucket(dossier: &Dossier<'_>, notes: &mut Notes) -> Vec<Channel> {
    let mut rules = policy_rules(dossier);
    rules.extend(bucket_acl_rules(dossier, notes));
    name_origin_identities(dossier, &mut rules);
    if rules.iter().all(|rule| !rule.allows()) {
        notes.closed(nothing_granted(dossier));
    }
    let gate = gate(&dossier.blocks, dossier.policy_status_public(), "the bucket's policy");
    let mut channels = vec![channel(dossier, &rules, None, gate.clone())];
    // Without a word on access points, a request through one meets the same rules as a direct one, and more.
    if rules.iter().any(speaks_of_access_points) {
        through_our_own(dossier, &rules, &gate, notes, &mut channels);
        through_others(dossier, &rules, &gate, &mut channels);
    }
    channels
}

/// Why there is no rule that gives.
fn nothing_granted(dossier: &Dossier<'_>) -> String {
    let policy = if dossier.policy == Fact::Absent {
        "there is no bucket policy"
    } else {
        "the bucket policy only denies"
    };
    format!("{policy}, and the bucket ACL grants nothing to others")
}

/// The way to one object, or to one version of it, through its own ACL; `None` if ACLs are off.
pub(super) fn of_object(
    dossier: &Dossier<'_>,
    object: &Object,
    acl: Fact<Acl>,
    notes: &mut Notes,
) -> Option<Channel> {
    let mut grants = match acl {
        Fact::Present(acl) => {
            rules::of_acl(&acl, owner(dossier, Some(&acl.owner.id)), &arn(dossier), Some(&object.key))
        }
        Fact::Absent => Vec::new(),
        Fact::Unread(gap) => {
            let unread = unread_acl(dossier, &gap, Origin::ObjectAcl);
            notes.may_miss(gap);
            unread
        }
    };
    neutralise(dossier, &mut grants, notes);
    if grants.is_empty() {
        return None;
    }
    grants.extend(policy_rules(dossier).into_iter().filter(|rule| !rule.allows()));
    let gate = gate(&dossier.blocks, dossier.policy_status_public(), "the bucket's policy");
    let mut channel = channel(dossier, &grants, None, gate);
    channel.template = Pattern::literal(&object.key);
    channel.version = object.version.clone();
    Some(channel)
}

fn arn(dossier: &Dossier<'_>) -> String {
    format!("arn:{}:s3:::{}", dossier.place.partition, dossier.bucket.name)
}

/// Whose grants are no news: the owner's.
fn owner<'a>(dossier: &'a Dossier<'_>, stated: Option<&'a str>) -> &'a str {
    match &dossier.acl {
        Fact::Present(acl) if !acl.owner.id.is_empty() => &acl.owner.id,
        _ => stated.unwrap_or_default(),
    }
}

fn policy_rules(dossier: &Dossier<'_>) -> Vec<Rule> {
    match &dossier.policy {
        Fact::Present(policy) => rules::of_policy(policy, &Origin::BucketPolicy),
        Fact::Absent => Vec::new(),
        Fact::Unread(gap) => {
            let mut unread = rules::of_unread_policy(&Origin::BucketPolicy, &gap.detail);
            // Either AWS counts it as not public, or RestrictPublicBuckets shuts everybody out if it is: then it can at
            // most grant to named others.
            let restricted = matches!(dossier.blocks.restrict_public_buckets(), Setting::On(_));
            if restricted || dossier.policy_status_public() == Some(false) {
                for rule in unread.iter_mut().filter(|rule| rule.allows()) {
                    rule.statement.principals = Choice::Of(vec![PrincipalName::Canonical(
                        "somebody that the policy names".to_owned(),
                    )]);
                }
            }
            unread
        }
    }
}

fn bucket_acl_rules(dossier: &Dossier<'_>, notes: &mut Notes) -> Vec<Rule> {
    let mut grants = match &dossier.acl {
        Fact::Present(acl) => rules::of_acl(acl, &acl.owner.id, &arn(dossier), None),
        Fact::Absent => Vec::new(),
        Fact::Unread(gap) => unread_acl(dossier, gap, Origin::BucketAcl),
    };
    neutralise(dossier, &mut grants, notes);
    grants
}

/// What an ACL that nobody could read may grant.
fn unread_acl(dossier: &Dossier<'_>, gap: &Gap, origin: Origin) -> Vec<Rule> {
    let is_object = origin == Origin::ObjectAcl;
    let arn = arn(dossier);
    let actions = super::actions::of_permission("FULL_CONTROL", is_object);
    let somebody = PrincipalName::Canonical("somebody that the ACL names".to_owned());
    let mut grants = Vec::new();
    for name in [PrincipalName::Everyone, somebody] {
        for mut rule in rules::of_unread_policy(&origin, &gap.detail).into_iter().filter(Rule::allows) {
            rule.statement.principals = Choice::Of(vec![name.clone()]);
            rule.statement.actions =
                Choice::Of(actions.iter().map(|action| Pattern::literal(action).ignoring_case()).collect());
            let own = Text::read(&arn, false, false);
            rule.statement.resources = Choice::Of(vec![own, Text::read(&format!("{arn}/*"), true, false)]);
            grants.push(rule);
        }
    }
    grants
}

/// Takes out the grants that the bucket's settings leave without effect, and marks those of which it cannot be seen.
fn neutralise(dossier: &Dossier<'_>, grants: &mut Vec<Rule>, notes: &mut Notes) {
    match dossier.acls() {
        Setting::On(_) => {
            for rule in grants.drain(..).filter(|rule| rule.doubt.is_none()) {
                notes.closed(format!("the {} has no effect: ownership is BucketOwnerEnforced", rule.name()));
                notes.latent(format!("the {} counts again if ACLs are switched on", rule.name()));
            }
            return;
        }
        Setting::Off => {}
        Setting::Unseen(gap) => doubt(grants, &gap, |_| true),
    }
    match dossier.blocks.ignore_public_acls() {
        Setting::On(level) => {
            notes.latent(format!(
                "IgnorePublicAcls at {level} hides public ACLs of the bucket and its objects; lifting it may re-open them"
            ));
            for rule in
                grants.extract_if(.., |rule| rule.is_public_grant()).filter(|rule| rule.doubt.is_none())
            {
                notes.closed(format!("the {} has no effect: IgnorePublicAcls is on at {level}", rule.name()));
                notes.latent(format!(
                    "the {} counts again if IgnorePublicAcls at {level} is lifted",
                    rule.name()
                ));
            }
        }
        Setting::Off => {}
        Setting::Unseen(gap) => doubt(grants, &gap, Rule::is_public_grant),
    }
}

fn doubt(rules: &mut [Rule], gap: &Gap, of: impl Fn(&Rule) -> bool) {
    for rule in rules.iter_mut().filter(|rule| of(rule) && rule.doubt.is_none()) {
        rule.doubt = Some(gap.detail.clone());
    }
}

/// What RestrictPublicBuckets does, given AWS's verdict on the policy.
fn gate(blocks: &Blocks, public: Option<bool>, whose: &str) -> Gate {
    match (blocks.restrict_public_buckets(), public) {
        (Setting::Off, _) | (_, Some(false)) => Gate::Open,
        (Setting::On(level), Some(true)) => Gate::Shut(format!(
            "RestrictPublicBuckets is on at {level} and AWS counts {whose} as public: only the account and services get in"
        )),
        (Setting::On(level), None) => Gate::Unseen(format!(
            "RestrictPublicBuckets is on at {level}, but whether AWS counts {whose} as public is unknown"
        )),
        (Setting::Unseen(gap), _) => Gate::Unseen(gap.detail),
    }
}

/// The channel of `rules` alone, or of `rules` and those of an access point.
fn channel(
    dossier: &Dossier<'_>,
    bucket_rules: &[Rule],
    access_point: Option<(Vec<Rule>, Names, Through)>,
    gate: Gate,
) -> Channel {
    let names = Names { own: arn(dossier), before_key: format!("{}/", arn(dossier)) };
    let mut rules: Vec<(Rule, Names)> = Vec::new();
    let mut must_allow = vec![(0..bucket_rules.len()).collect()];
    rules.extend(bucket_rules.iter().cloned().map(|rule| (rule, names.clone())));
    let mut place = dossier.place.clone();
    if let Some((own, own_names, through)) = access_point {
        must_allow.push((rules.len()..rules.len() + own.len()).collect());
        rules.extend(own.into_iter().map(|rule| (rule, own_names.clone())));
        place.access_point = Some(through);
    }
    rules.extend(dossier.organization.iter().cloned().map(|rule| (rule, names.clone())));
    let acls_off = matches!(dossier.acls(), Setting::On(_));
    let keeps_versions = keeps_versions(Provider::Aws, &dossier.facts);
    Channel { place, rules, must_allow, gate, template: any_key(), acls_off, keeps_versions, version: None }
}

fn speaks_of_access_points(rule: &Rule) -> bool {
    let keys = ["s3:dataaccesspointarn", "s3:dataaccesspointaccount", "s3:accesspointnetworkorigin"];
    rule.statement.conditions.iter().any(|condition| keys.contains(&condition.key.as_str()))
        || rule.statement.resources.names().iter().any(|text| {
            text.parts
                .iter()
                .any(|part| matches!(part, Part::Variable { key, .. } if keys.contains(&key.as_str())))
        })
}

fn fixed(value: &str) -> Domain {
    Domain::Fixed(vec![value.to_owned()])
}

/// Access points of the bucket's own account.
fn through_our_own(
    dossier: &Dossier<'_>,
    bucket_rules: &[Rule],
    gate: &Gate,
    notes: &mut Notes,
    channels: &mut Vec<Channel>,
) {
    let lists = [
        access_points(&dossier.facts, &dossier.bucket.name),
        multi_region_access_points(&dossier.facts, &dossier.bucket.name),
    ];
    for list in lists {
        match list {
            Fact::Present(points) => {
                for point in points {
                    own_access_point(dossier, bucket_rules, gate, &point, notes, channels);
                }
            }
            Fact::Absent => {}
            Fact::Unread(gap) => {
                let rules = rules::of_unread_policy(&Origin::AccessPoint("?".to_owned()), &gap.detail);
                let rules = rules.into_iter().filter(Rule::allows).collect();
                let through = unknown_access_point(&dossier.place.account);
                let names = Names { own: arn(dossier), before_key: format!("{}/", arn(dossier)) };
                channels.push(channel(dossier, bucket_rules, Some((rules, names, through)), gate.clone()));
                notes.may_miss(gap);
            }
        }
    }
}

fn own_access_point(
    dossier: &Dossier<'_>,
    bucket_rules: &[Rule],
    gate: &Gate,
    point: &AccessPoint,
    notes: &mut Notes,
    channels: &mut Vec<Channel>,
) {
    if let Some(vpc) = &point.vpc {
        notes.closed(format!("access point `{}` takes requests from `{vpc}` only", point.name));
        return;
    }
    let place = &dossier.place;
    let region = if point.multi_region { "" } else { place.region.as_deref().unwrap_or("us-east-1") };
    let built =
        || format!("arn:{}:s3:{region}:{}:accesspoint/{}", place.partition, place.account, point.name);
    let arn = point.arn.clone().unwrap_or_else(built);
    let origin = Origin::AccessPoint(point.name.clone());
    let policy = parsed(point.policy.clone(), "s3control:GetAccessPointPolicy", &point.name);
    let public = match (&point.status, &policy) {
        (Fact::Present(status), _) => Some(status.is_public),
        (_, Fact::Present(policy)) => status::is_public(policy, status::Of::AccessPoint),
        (_, Fact::Absent) => Some(false),
        (_, Fact::Unread(_)) => None,
    };
    let rules = match &policy {
        Fact::Present(policy) => rules::of_policy(policy, &origin),
        Fact::Absent => Vec::new(),
        Fact::Unread(gap) => {
            notes.may_miss(gap.clone());
            rules::of_unread_policy(&origin, &gap.detail)
        }
    };
    if rules.is_empty() {
        notes.closed(format!(
            "access point `{}` has no policy and so lets nobody outside through",
            point.name
        ));
        return;
    }
    let own_blocks = dossier.blocks.with_access_point(point.block.clone());
    let own_gate = self::gate(&own_blocks, public, &format!("the policy of access point `{}`", point.name));
    let gate = match (gate.clone(), own_gate) {
        (Gate::Shut(why), _) | (_, Gate::Shut(why)) => Gate::Shut(why),
        (Gate::Unseen(why), _) | (_, Gate::Unseen(why)) => Gate::Unseen(why),
        (Gate::Open, Gate::Open) => Gate::Open,
    };
    let names = Names { before_key: format!("{arn}/object/"), own: arn.clone() };
    let through = Through { arn: fixed(&arn), account: fixed(&place.account), origin: fixed("Internet") };
    channels.push(channel(dossier, bucket_rules, Some((rules, names, through)), gate));
}

/// An access point of which only the account is known.
fn unknown_access_point(account: &str) -> Through {
    let part = [Token::Many(Class::NoColon), Token::Char(':')];
    let mut tokens = Pattern::literal("arn:aws:s3:").tokens().to_vec();
    tokens.extend(part);
    tokens.extend(Pattern::wildcard(&format!("{account}:accesspoint/?*")).tokens());
    let arn = TextDomain { shapes: vec![Pattern::new(tokens)], optional: false, vouched_from: None };
    Through { arn: Domain::Text(arn), account: fixed(account), origin: fixed("Internet") }
}

/// Access points in other accounts: their policies cannot be read, and whoever owns them writes what they like.
fn through_others(dossier: &Dossier<'_>, bucket_rules: &[Rule], gate: &Gate, channels: &mut Vec<Channel>) {
    let mut accounts = vec![(STRANGER.to_owned(), None)];
    for condition in bucket_rules.iter().flat_map(|rule| &rule.statement.conditions) {
        let by_arn = condition.key == "s3:dataaccesspointarn";
        if !by_arn && condition.key != "s3:dataaccesspointaccount" {
            continue;
        }
        let (Test::Text { texts, .. } | Test::Arn { texts, .. }) = &condition.test else { continue };
        for text in texts {
            let text = text.display();
            let account = if by_arn { text.split(':').nth(4).unwrap_or_default() } else { text.as_str() };
            let ours = account == dossier.place.account || dossier.zone.accounts.contains(account);
            if is_account(account) && !ours && !accounts.iter().any(|(known, _)| known == account) {
                let doubt = format!(
                    "the policies of the access points of account `{account}` cannot be read from here"
                );
                accounts.push((account.to_owned(), Some(doubt)));
            }
        }
    }
    for (account, doubt) in accounts {
        let mut rules = rules::of_unread_policy(&Origin::AccessPoint(format!("of account {account}")), "");
        rules.retain(Rule::allows);
        for rule in &mut rules {
            rule.doubt = doubt.clone();
            rule.statement.label = "any".to_owned();
        }
        let names = Names { own: arn(dossier), before_key: format!("{}/", arn(dossier)) };
        channels.push(channel(
            dossier,
            bucket_rules,
            Some((rules, names, unknown_access_point(&account))),
            gate.clone(),
        ));
    }
}

/// S3 knows an origin access identity also by a canonical user id; gives it its own name where the list was read.
fn name_origin_identities(dossier: &Dossier<'_>, rules: &mut [Rule]) {
    let Fact::Present(identities) = origin_identities(&dossier.facts, &dossier.place.account) else { return };
    for rule in rules {
        let (Choice::Of(names) | Choice::NoneOf(names)) = &mut rule.statement.principals;
        for name in names {
            if let PrincipalName::Canonical(id) = name
                && let Some(identity) =
                    identities.iter().find(|identity| identity.s3_canonical_user_id == *id)
            {
                *name = PrincipalName::Arn(format!("{}{}", super::cdn::IDENTITY, identity.id));
            }
        }
    }
}
