//! What can a request's condition keys hold, depending on who sends it, from where, and what for?
//!
//! Sources: IAM User Guide, "AWS global condition context keys"; Service Authorization Reference, "Condition keys for
//! Amazon S3".

use crate::exposure::pattern::{Class, Pattern, Token};
use crate::exposure::ranges::{EARLIEST, IpRange, ip_range, without};

use super::actions::{Action, group};
use super::requesters::{Caller, Network, Requester, STRANGER, Source};

/// What a key can hold.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Domain {
    /// No request carries it.
    Missing,
    /// It holds this.
    Fixed(Vec<String>),
    /// One of these; an empty one is a request without the key.
    OneOf(Vec<Vec<String>>),
    /// A text of this shape.
    Text(TextDomain),
    /// Any number of texts of this shape.
    Several(TextDomain),
    /// A whole number from this one on.
    Number {
        /// The smallest.
        least: f64,
        /// Whether a request can go without.
        optional: bool,
    },
    /// An instant from this one on; not the requester's choice.
    Instant(f64),
    /// An address in these ranges.
    Address(Vec<IpRange>),
    /// Text that somebody else sets, such as an object's tags.
    Elsewhere,
    /// We do not know this key.
    Unknown,
}

/// A text that a requester can choose.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct TextDomain {
    /// Its shape: one of these.
    pub(super) shapes: Vec<Pattern>,
    /// Whether a request can go without.
    pub(super) optional: bool,
    /// Whether AWS vouches for it: then nobody has the very value that a policy spells out, except its owner. Text with
    /// at least so many leading characters spelled out counts as spelled out.
    pub(super) vouched_from: Option<usize>,
}

/// Where the judged bucket stands.
#[derive(Debug, Clone)]
pub(super) struct Place {
    pub(super) partition: &'static str,
    pub(super) bucket: String,
    pub(super) account: String,
    pub(super) region: Option<String>,
    /// The organization of the bucket's account, where there can be only one.
    pub(super) organization: Option<String>,
    /// The access point that requests go through: its ARN, account and network origin.
    pub(super) access_point: Option<Through>,
}

/// The access point that a request goes through.
#[derive(Debug, Clone)]
pub(super) struct Through {
    pub(super) arn: Domain,
    pub(super) account: Domain,
    pub(super) origin: Domain,
}

/// Networks that no request from the internet comes from.
/// The three blocks for documentation stay in: policies in examples name them, and nobody else does.
const NOT_ROUTED: [&str; 11] = [
    "0.0.0.0/8",
    "10.0.0.0/8",
    "100.64.0.0/10",
    "127.0.0.0/8",
    "169.254.0.0/16",
    "172.16.0.0/12",
    "192.0.0.0/24",
    "192.168.0.0/16",
    "198.18.0.0/15",
    "224.0.0.0/4",
    "240.0.0.0/4",
];

/// The addresses on the internet, without those in `ours`.
pub(super) fn internet<'a>(ours: impl Iterator<Item = &'a str>) -> Vec<IpRange> {
    let everywhere = ["0.0.0.0/0", "2000::/3"].iter().filter_map(|text| ip_range(text)).collect();
    let holes: Vec<IpRange> = NOT_ROUTED.iter().copied().chain(ours).filter_map(ip_range).collect();
    without(everywhere, &holes)
}

fn text(shape: Pattern) -> Domain {
    Domain::Text(TextDomain { shapes: vec![shape], optional: false, vouched_from: None })
}

fn optional(shape: Pattern) -> Domain {
    Domain::Text(TextDomain { shapes: vec![shape], optional: true, vouched_from: None })
}

fn vouched(shape: Pattern) -> Domain {
    Domain::Text(TextDomain { shapes: vec![shape], optional: false, vouched_from: Some(usize::MAX) })
}

fn fixed(value: &str) -> Domain {
    Domain::Fixed(vec![value.to_owned()])
}

fn anything() -> Pattern {
    Pattern::wildcard("*")
}

/// `head`, then `many` characters of a class, then `tail`.
fn shape(head: &str, class: Class, many: usize, tail: &str) -> Pattern {
    let mut tokens: Vec<Token> = head.chars().map(Token::Char).collect();
    tokens.extend(std::iter::repeat_n(Token::One(class), many));
    tokens.extend(Pattern::wildcard(tail).tokens());
    Pattern::new(tokens)
}

fn flag(optional: bool) -> Domain {
    let mut values = vec![vec!["true".to_owned()], vec!["false".to_owned()]];
    if optional {
        values.insert(0, Vec::new());
    }
    Domain::OneOf(values)
}

/// What `key` (in lower case) can hold in a request of `requester` for `action`.
pub(super) fn domain(key: &str, requester: &Requester, action: &Action, place: &Place) -> Domain {
    if let Some(group) = group(key)
        && !action.carries.contains(&group)
    {
        return Domain::Missing;
    }
    if let Some(value) = requester.pins.get(key) {
        return fixed(value);
    }
    match key.split_once(':') {
        Some(("s3", name)) => s3_key(name, place),
        Some(("aws", name)) => global_key(name, requester, place),
        _ => Domain::Unknown,
    }
}

fn s3_key(name: &str, place: &Place) -> Domain {
    match name {
        "resourceaccount" => fixed(&place.account),
        "dataaccesspointarn" => {
            place.access_point.as_ref().map_or(Domain::Missing, |through| through.arn.clone())
        }
        "dataaccesspointaccount" => {
            place.access_point.as_ref().map_or(Domain::Missing, |through| through.account.clone())
        }
        "accesspointnetworkorigin" => {
            place.access_point.as_ref().map_or(Domain::Missing, |through| through.origin.clone())
        }
        "max-keys" => Domain::Number { least: 0.0, optional: true },
        "signatureage" => Domain::Number { least: 0.0, optional: true },
        "object-lock-remaining-retention-days" => Domain::Number { least: 0.0, optional: true },
        "tlsversion" => Domain::OneOf(vec![vec!["1.2".to_owned()], vec!["1.3".to_owned()]]),
        "requestobjecttagkeys" => {
            Domain::Several(TextDomain { shapes: vec![anything()], optional: true, vouched_from: None })
        }
        name if name.starts_with("existingobjecttag/") || name.starts_with("buckettag/") => Domain::Elsewhere,
        "prefix" | "delimiter" | "versionid" | "if-match" | "if-none-match" | "signatureversion"
        | "authtype" | "locationconstraint" => optional(anything()),
        name if name.starts_with("x-amz-")
            || name.starts_with("requestobjecttag/")
            || name.starts_with("object-lock-") =>
        {
            optional(anything())
        }
        _ => Domain::Unknown,
    }
}

fn global_key(name: &str, requester: &Requester, place: &Place) -> Domain {
    match name {
        "securetransport" => flag(false),
        "useragent" => text(anything()),
        "referer" => optional(anything()),
        "currenttime" | "epochtime" => Domain::Instant(EARLIEST),
        "requestedregion" => place.region.as_deref().map_or(Domain::Unknown, fixed),
        // Always the owner's own: a condition on it restricts nobody.
        "resourceaccount" => fixed(&place.account),
        "resourceorgid" => place.organization.as_deref().map_or(Domain::Unknown, fixed),
        name if name.starts_with("resourcetag/") => Domain::Elsewhere,
        "sourceip" | "vpcsourceip" | "sourcevpc" | "sourcevpce" | "sourcevpcarn" | "vpceaccount"
        | "vpceorgid" | "vpceorgpaths" => network_key(name, requester),
        "sourcearn" | "sourceaccount" | "sourceowner" | "sourceorgid" | "sourceorgpaths" => {
            source_key(name, &requester.caller)
        }
        _ => identity_key(name, requester),
    }
}

fn network_key(name: &str, requester: &Requester) -> Domain {
    match (&requester.network, name) {
        (Network::Internet(ranges), "sourceip") => Domain::Address(ranges.clone()),
        (Network::Internet(_), _) | (_, "sourceip") => Domain::Missing,
        (Network::Named(networks), name) => match networks.get(&format!("aws:{name}")) {
            Some(values) => Domain::OneOf(values.iter().map(|value| vec![value.clone()]).collect()),
            None => Domain::Unknown,
        },
        (Network::Endpoint, "vpcsourceip") => Domain::Address(ip_range("0.0.0.0/0").into_iter().collect()),
        (Network::Endpoint, "sourcevpc") => vouched(shape("vpc-0", Class::LowerAlnum, 16, "")),
        (Network::Endpoint, "sourcevpce") => vouched(shape("vpce-0", Class::LowerAlnum, 16, "")),
        (Network::Endpoint, "sourcevpcarn") => {
            vouched(shape("arn:aws:ec2:us-east-1:999900001111:vpc/vpc-0", Class::LowerAlnum, 16, ""))
        }
        (Network::Endpoint, "vpceaccount") => vouched(shape("", Class::Digit, 12, "")),
        (Network::Endpoint, "vpceorgid") => Domain::Text(TextDomain {
            shapes: vec![shape("o-", Class::LowerAlnum, 10, "")],
            optional: true,
            vouched_from: Some(usize::MAX),
        }),
        (Network::Endpoint, _) => Domain::Several(TextDomain {
            shapes: vec![shape("o-", Class::LowerAlnum, 10, "/*")],
            optional: true,
            // `o-` and ten characters, then a slash: the organization is spelled out.
            vouched_from: Some(13),
        }),
    }
}

/// Keys that tell for whom a service acts.
fn source_key(name: &str, caller: &Caller) -> Domain {
    let Caller::Service { source, .. } = caller else { return Domain::Missing };
    let of = |account: &str, optional| {
        let shapes = vec![arn_in(account), Pattern::wildcard("arn:aws:s3:::?*")];
        // Whose bucket an ARN names cannot be told; only strangers are known not to own what a policy spells out.
        let vouched_from = (account == STRANGER).then_some(usize::MAX);
        Domain::Text(TextDomain { shapes, optional, vouched_from })
    };
    match (name, source) {
        ("sourcearn", Source::Stranger) => of(STRANGER, true),
        ("sourcearn", Source::Account(account)) => of(account, false),
        ("sourcearn", Source::Thing(arn)) => fixed(arn),
        ("sourceaccount" | "sourceowner", Source::Stranger) => {
            Domain::OneOf(vec![vec![STRANGER.to_owned()], Vec::new()])
        }
        ("sourceaccount" | "sourceowner", Source::Account(account)) => fixed(account),
        ("sourceorgid", Source::Stranger) => Domain::Text(TextDomain {
            shapes: vec![shape("o-", Class::LowerAlnum, 10, "")],
            optional: true,
            vouched_from: Some(usize::MAX),
        }),
        _ => Domain::Unknown,
    }
}

/// The ARN of something in an account.
fn arn_in(account: &str) -> Pattern {
    let part = [Token::Many(Class::NoColon), Token::Char(':')];
    let mut tokens = Pattern::literal("arn:aws:").tokens().to_vec();
    tokens.extend(part.iter().chain(&part));
    tokens.extend(Pattern::wildcard(&format!("{account}:?*")).tokens());
    Pattern::new(tokens)
}

fn identity_key(name: &str, requester: &Requester) -> Domain {
    let caller = &requester.caller;
    match name {
        "principalaccount" => match caller.account() {
            Some(account) => fixed(account),
            // "Anonymous requests return anonymous."
            None if *caller == Caller::Anonymous => fixed("anonymous"),
            // A service's own account, which is never one that a policy names.
            None if matches!(caller, Caller::Service { .. }) => Domain::Text(TextDomain {
                shapes: vec![shape("", Class::Digit, 12, "")],
                optional: true,
                vouched_from: Some(usize::MAX),
            }),
            None => Domain::Unknown,
        },
        "principaltype" => match caller {
            Caller::Service { .. } => Domain::OneOf(vec![Vec::new(), vec!["AssumedRole".to_owned()]]),
            caller => caller.principal_type().map_or(Domain::Unknown, fixed),
        },
        "principalarn" => principal_arn(caller),
        "userid" => user_id(caller),
        "username" => match caller {
            Caller::User { name: Some(name), .. } => fixed(name.rsplit('/').next().unwrap_or_default()),
            Caller::User { .. } => {
                text(Pattern::new(vec![Token::One(Class::Name), Token::Many(Class::Name)]))
            }
            Caller::Opaque { .. } => Domain::Unknown,
            _ => Domain::Missing,
        },
        "principalorgid" => match (&requester.organization, caller.signed()) {
            (_, false) | (None, _) => Domain::Missing,
            (Some(organization), _) => fixed(organization),
        },
        "principalorgpaths" => match (&requester.organization, caller.signed()) {
            (_, false) | (None, _) => Domain::Missing,
            (Some(organization), _) => Domain::Several(TextDomain {
                shapes: vec![shape(&format!("{organization}/r-"), Class::LowerAlnum, 4, "/*")],
                optional: false,
                vouched_from: None,
            }),
        },
        "principalisawsservice" => match caller {
            Caller::Anonymous => Domain::OneOf(vec![Vec::new(), vec!["false".to_owned()]]),
            Caller::Service { .. } => fixed("true"),
            _ => fixed("false"),
        },
        "principalservicename" => match caller {
            Caller::Service { name, .. } => fixed(name),
            _ => Domain::Missing,
        },
        "viaawsservice" if !caller.signed() => fixed("false"),
        "viaawsservice" => flag(false),
        name if name.starts_with("principaltag/") || name == "sourceidentity" => {
            if caller.signed() && !matches!(caller, Caller::Service { .. }) {
                optional(anything())
            } else {
                Domain::Missing
            }
        }
        "multifactorauthpresent" if caller.signed() => flag(true),
        "multifactorauthage" if caller.signed() => Domain::Number { least: 0.0, optional: true },
        "multifactorauthpresent" | "multifactorauthage" => Domain::Missing,
        _ => Domain::Unknown,
    }
}

fn principal_arn(caller: &Caller) -> Domain {
    match caller {
        Caller::Anonymous | Caller::Service { .. } => Domain::Missing,
        Caller::User { account, name: Some(name) } => fixed(&format!("arn:aws:iam::{account}:user/{name}")),
        Caller::User { account, name: None } => {
            text(shape(&format!("arn:aws:iam::{account}:user/"), Class::Any, 1, "*"))
        }
        Caller::Role { account, role: Some(role), .. } => {
            fixed(&format!("arn:aws:iam::{account}:role/{role}"))
        }
        Caller::Role { account, role: None, .. } => {
            text(shape(&format!("arn:aws:iam::{account}:role/"), Class::Any, 1, "*"))
        }
        Caller::Root { account } => fixed(&format!("arn:aws:iam::{account}:root")),
        Caller::FederatedUser { account } => {
            text(shape(&format!("arn:aws:sts::{account}:federated-user/"), Class::Any, 1, "*"))
        }
        Caller::Opaque { arn: Some(arn), .. } => fixed(arn),
        Caller::Opaque { .. } => Domain::Unknown,
    }
}

/// IAM User Guide, "Where you can use policy variables", the table of principal key values. An id is AWS's choice.
fn user_id(caller: &Caller) -> Domain {
    // Four letters for the kind and seventeen of AWS's choice.
    let vouched_from = Some(16);
    let id = |shape| Domain::Text(TextDomain { shapes: vec![shape], optional: false, vouched_from });
    match caller {
        // One page says that anonymous requests hold `anonymous`, another that they hold nothing.
        Caller::Anonymous => Domain::OneOf(vec![Vec::new(), vec!["anonymous".to_owned()]]),
        Caller::User { .. } => id(shape("AIDA", Class::UpperAlnum, 17, "")),
        Caller::Role { session, .. } => {
            let session = session.as_deref().unwrap_or("?*");
            id(shape("AROA", Class::UpperAlnum, 17, &format!(":{session}")))
        }
        Caller::Root { account } => fixed(account),
        Caller::FederatedUser { account } => text(shape(&format!("{account}:"), Class::Name, 1, "*")),
        Caller::Service { .. } => id(shape("AROA", Class::UpperAlnum, 17, ":?*")),
        Caller::Opaque { .. } => Domain::Unknown,
    }
}

/// Whether a key is somebody else's doing: then it being right is not the requester's choice.
pub(super) fn is_circumstance(domain: &Domain, caller: &Caller, key: &str) -> bool {
    match domain {
        Domain::Instant(_) | Domain::Elsewhere => true,
        // Documents disagree on these; see above.
        Domain::OneOf(_) => match caller {
            Caller::Anonymous => key == "aws:userid" || key == "aws:principalisawsservice",
            Caller::Service { .. } => key == "aws:principaltype",
            _ => false,
        },
        _ => false,
    }
}
