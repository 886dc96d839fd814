//! What could somebody outside send? Drawn at random, with every key that such a request carries.

use std::collections::BTreeMap;

use super::generated::{OWNER, PARTNER, SISTER};
use super::reference::{Request, Sender};
use crate::exposure::Audience;
use crate::exposure::aws::actions::ACTIONS;

/// A small generator: what it draws is the same for the same seed.
pub(super) struct Dice(pub(super) u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        usize::try_from((mixed ^ (mixed >> 31)) % sides as u64).unwrap_or(0)
    }

    fn pick<'a, T: ?Sized>(&mut self, values: &[&'a T]) -> &'a T {
        values[self.roll(values.len())]
    }

    fn maybe(&mut self) -> bool {
        self.roll(2) == 0
    }
}

const KEYS: [&str; 8] =
    ["logs/ab", "logs/x", "logs/", "a.csv", "home/bob/x", "home/visitor/", "z", "logs/b.csv"];

/// Somebody outside, with something to ask, and the audiences that they are part of.
pub(super) fn outsider(dice: &mut Dice) -> (Request, Vec<Audience>) {
    let mut context: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut set = |key: &str, value: &str| {
        context.insert(key.to_owned(), vec![value.to_owned()]);
    };
    let mut audiences = vec![Audience::Anyone, Audience::AnyAuthenticated, Audience::External];
    let who = dice.roll(8);
    let sender = match who {
        0 | 1 => {
            set("aws:principalaccount", "anonymous");
            set("aws:principaltype", "Anonymous");
            Sender::Anonymous
        }
        2 => {
            set("aws:principalisawsservice", "true");
            let service = dice.pick(&["logging.s3.amazonaws.com", "sns.amazonaws.com"]);
            let (arn, account) = *[
                ("arn:aws:sns:us-east-1:999988887777:t", "999988887777"),
                ("arn:aws:sns:us-east-1:123412341234:t", "123412341234"),
            ]
            .get(dice.roll(2))
            .expect("two of them");
            set("aws:sourcearn", arn);
            set("aws:sourceaccount", account);
            Sender::Service(service.to_owned())
        }
        _ => {
            let account = dice.pick(&[PARTNER, "123412341234", "999988887777", SISTER]);
            let organization = match account {
                SISTER => Some("o-ours123456"),
                PARTNER => None,
                _ => *[None, Some("o-theirs1234"), Some("o-stranger12")]
                    .get(dice.roll(3))
                    .expect("three of them"),
            };
            if account == SISTER {
                audiences.push(Audience::Organization);
            }
            if let Some(organization) = organization {
                set("aws:principalorgid", organization);
                let path = dice.pick(&["r-abcd/ou-x/ou-y/", "r-abcd/"]);
                set("aws:principalorgpaths", &format!("{organization}/{path}"));
            }
            set("aws:principalaccount", account);
            let name = dice.pick(&["bob", "alice", "reader"]);
            let kind = dice.pick(&["user", "role"]);
            set("aws:principaltype", if kind == "user" { "User" } else { "AssumedRole" });
            let arn = format!("arn:aws:iam::{account}:{kind}/{name}");
            set("aws:principalarn", &arn);
            if kind == "user" {
                set("aws:username", name);
            }
            if dice.maybe() {
                set("aws:principaltag/team", dice.pick(&["red", "blue"]));
            }
            Sender::Aws { account: account.to_owned(), arn, session: None }
        }
    };
    if dice.roll(3) > 0 {
        set("aws:sourceip", dice.pick(&["8.8.8.8", "9.1.1.1", "200.1.1.1", "2001:db8::1", "2a00::1"]));
    } else {
        set("aws:sourcevpc", dice.pick(&["vpc-0123456789abcdef0", "vpc-other"]));
        set("aws:sourcevpce", dice.pick(&["vpce-0123456789abcdef0", "vpce-other"]));
    }
    if who == 0 || who == 1 {
        audiences.retain(|audience| {
            *audience != Audience::AnyAuthenticated || context.contains_key("aws:sourcevpc")
        });
    }
    let action = dice.pick(&ACTIONS.iter().collect::<Vec<_>>());
    let about = ask(action.name, dice, &mut context);
    let resource = if action.object {
        format!("arn:aws:s3:::bucket/{}", about.unwrap_or("z"))
    } else {
        "arn:aws:s3:::bucket".to_owned()
    };
    (Request { sender, action: action.name.to_owned(), resource, context }, audiences)
}

/// What a request for an action carries; the key, if it is about one.
fn ask(action: &str, dice: &mut Dice, context: &mut BTreeMap<String, Vec<String>>) -> Option<&'static str> {
    let mut set = |key: &str, value: &str| {
        context.insert(key.to_owned(), vec![value.to_owned()]);
    };
    if dice.maybe() {
        set("aws:referer", dice.pick(&["https://example.com/a", "secret", "x"]));
    }
    set("aws:useragent", dice.pick(&["curl/8", "Secret", "secret", "x"]));
    set("aws:securetransport", dice.pick(&["true", "false"]));
    set("aws:resourceaccount", OWNER);
    set("s3:tlsversion", dice.pick(&["1.2", "1.3"]));
    set("aws:currenttime", dice.pick(&["2027-01-01T00:00:00Z", "2035-01-01T00:00:00Z"]));
    let of = ACTIONS.iter().find(|known| known.name == action)?;
    let carries =
        |key: &str| crate::exposure::aws::actions::group(key).is_none_or(|group| of.carries.contains(&group));
    if carries("s3:prefix") && dice.maybe() {
        set("s3:prefix", dice.pick(&["", "logs/", "logs/a", "home/bob/", "x"]));
    }
    if carries("s3:max-keys") && dice.maybe() {
        set("s3:max-keys", dice.pick(&["5", "10", "50", "100", "1000"]));
    }
    if carries("s3:x-amz-acl") && dice.maybe() {
        set("s3:x-amz-acl", dice.pick(&["public-read", "bucket-owner-full-control", "private"]));
    }
    if carries("s3:existingobjecttag/public") && dice.maybe() {
        set("s3:existingobjecttag/public", dice.pick(&["yes", "no", "maybe"]));
    }
    if carries("s3:requestobjecttagkeys") {
        let keys: Vec<String> =
            ["a", "b", "c"].iter().filter(|_| dice.maybe()).map(|key| (*key).to_owned()).collect();
        if !keys.is_empty() {
            context.insert("s3:requestobjecttagkeys".to_owned(), keys);
        }
    }
    of.object.then(|| dice.pick(&KEYS))
}
