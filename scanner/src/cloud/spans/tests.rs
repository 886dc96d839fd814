use std::cmp::Reverse;
use std::collections::BinaryHeap;

use proptest::prelude::*;

use super::*;

/// Keys of a page; a tenth of what S3 sends, so that buckets of two thousand pages are made fast.
const PAGE: usize = 100;

/// Keys of a bucket, and how a server lists them.
struct Bucket {
    keys: Vec<String>,
    page: usize,
    at_bound: AtBound,
}

/// What a listing took.
#[derive(Debug, Default)]
struct Listed {
    keys: Vec<String>,
    requests: usize,
    /// In times of one request.
    rounds: f64,
}

impl Bucket {
    fn of(mut keys: Vec<String>) -> Self {
        keys.sort();
        keys.dedup();
        Self { keys, page: PAGE, at_bound: AtBound::BelongsBefore }
    }

    fn pages(&self) -> usize {
        self.keys.len().div_ceil(self.page)
    }

    fn answer(&self, ask: &Ask) -> (Vec<Object>, Option<String>) {
        let before = |key: &String, bound: &String| match self.at_bound {
            AtBound::BelongsBefore => key <= bound,
            AtBound::BelongsAfter => key < bound,
        };
        let from = match (&ask.token, &ask.begin) {
            (Some(token), _) => self.keys.partition_point(|key| key <= token),
            (None, Some(begin)) => self.keys.partition_point(|key| before(key, begin)),
            (None, None) => 0,
        };
        let rest = &self.keys[from..];
        let page = &rest[..rest.len().min(self.page)];
        let next = (page.len() < rest.len()).then(|| page[page.len() - 1].clone());
        (page.iter().map(|key| Object { key: key.clone(), ..Object::default() }).collect(), next)
    }

    /// Lists the bucket with `most` requests at one time, each of which takes about as long as another.
    fn listed(&self, most: usize, prefix: &str) -> Listed {
        let (mut spans, mut flying, mut listed) =
            (Spans::new(most, prefix, self.at_bound), BinaryHeap::new(), Listed::default());
        let (mut now, mut seed) = (0, 1_u64);
        loop {
            while let Some(ask) = spans.next() {
                seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                listed.requests += 1;
                let (page, next) = self.answer(&ask);
                flying.push(Reverse((now + 900 + (seed >> 33) % 200, ask.span, Answer(page, next))));
                assert!(flying.len() <= most);
            }
            let Some(Reverse((at, span, Answer(page, next)))) = flying.pop() else { break };
            now = at;
            let objects = spans.answered(span, page, next).unwrap();
            listed.keys.extend(objects.into_iter().map(|object| object.key));
        }
        listed.rounds = now as f64 / 1000.0;
        listed
    }
}

struct Answer(Vec<Object>, Option<String>);

impl PartialEq for Answer {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}
impl Eq for Answer {}
impl PartialOrd for Answer {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}
impl Ord for Answer {
    fn cmp(&self, _: &Self) -> std::cmp::Ordering {
        std::cmp::Ordering::Equal
    }
}

/// Two hundred thousand keys each, as buckets have them.
fn distributions() -> Vec<(&'static str, Bucket)> {
    let mut seed = 7_u64;
    let mut random = move || {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        seed
    };
    let count = 200_000_u64;
    let mut keys = |key: &mut dyn FnMut(u64, u64) -> String| {
        Bucket::of((0..count).map(|number| key(number, random())).collect())
    };
    vec![
        ("hexadecimal", keys(&mut |_, random| format!("{random:016x}{:016x}", random.rotate_left(23)))),
        (
            "folders by id",
            keys(&mut |number, _| {
                let id = (number / 10).wrapping_mul(0x9e37_79b9_7f4a_7c15);
                format!("data/{:08x}-{:04x}/part-{:05}.parquet", id >> 32, id & 0xffff, number % 10)
            }),
        ),
        ("sequential", keys(&mut |number, _| format!("events/{number:010}.json"))),
        ("unpadded", keys(&mut |number, _| format!("img_{number}.jpg"))),
        (
            "dates",
            keys(&mut |number, random| {
                let day = number / 200;
                format!(
                    "logs/{}/{:02}/{:02}/{random:016x}.gz",
                    2020 + day / 365,
                    1 + day % 365 / 31,
                    1 + day % 365 % 31
                )
            }),
        ),
        (
            "skewed",
            keys(&mut |number, random| match number % 10 {
                0 => format!("t{}/x{:07}", random % 1000, random % 10_000_000),
                _ => format!("big/users/{:012x}", random & 0xffff_ffff_ffff),
            }),
        ),
    ]
}

#[test]
fn a_large_bucket_is_listed_by_many_requests_at_one_time_whatever_its_keys_are() {
    for (name, bucket) in distributions() {
        let one = bucket.listed(1, "");
        assert_eq!(one.requests, bucket.pages(), "{name}");
        for (most, faster_min) in [(64, 25.0), (256, 50.0)] {
            let many = bucket.listed(most, "");
            let (faster, more) = (one.rounds / many.rounds, many.requests as f64 / one.requests as f64);
            let told =
                format!("{name}, {most} at one time: {faster:.1} times faster, {more:.2} times the requests");
            println!("{told}");
            assert!(faster >= faster_min && more <= 3.0, "{told}");
        }
    }
}

#[test]
fn a_small_bucket_takes_no_more_requests_than_it_has_pages() {
    for keys in [0, 1, 99, 100, 101, 350] {
        let bucket = Bucket::of((0..keys).map(|number| format!("a/{number:05}")).collect());
        assert_eq!(bucket.listed(64, "").requests, bucket.pages().max(1), "{keys}");
    }
}

#[test]
fn keys_in_another_order_are_listed_one_page_after_another() {
    let mut spans = Spans::new(64, "", AtBound::BelongsBefore);
    let object = |key: String| Object { key, ..Object::default() };
    for page in 0..100 {
        let ask = spans.next().unwrap();
        assert_eq!((ask.span, ask.begin.as_ref()), (0, None));
        assert!(spans.next().is_none());
        let objects = (0..10).rev().map(|number| object(format!("{page:03}/{number}"))).collect();
        assert_eq!(spans.answered(0, objects, Some(page.to_string())).unwrap().len(), 10);
    }
}

#[test]
fn a_server_that_does_not_keep_to_where_it_was_asked_to_begin_is_told() {
    let bucket = Bucket::of((0..50_000).map(|number| format!("{number:06}")).collect());
    let mut spans = Spans::new(64, "", AtBound::BelongsBefore);
    let mut told = false;
    for _ in 0..20 {
        let asked: Vec<Ask> = std::iter::from_fn(|| spans.next()).collect();
        for ask in asked {
            let (page, next) = bucket.answer(&Ask { begin: None, ..ask.clone() });
            told |= spans.answered(ask.span, page, next).is_err();
        }
    }
    assert!(told);
}

proptest! {
    #[test]
    fn every_key_is_listed_once(
        keys in proptest::collection::vec("[a-c0-3/]{0,3}(é|人|\u{10ffff}|-|~|\u{7f}|\u{1})?[a-z0-9]{0,3}", 0..400),
        page in 1_usize..20,
        most in 1_usize..40,
        at_bound in prop_oneof![Just(AtBound::BelongsBefore), Just(AtBound::BelongsAfter)],
    ) {
        let bucket = Bucket { page, at_bound, ..Bucket::of(keys) };
        let mut listed = bucket.listed(most, "");
        listed.keys.sort();
        prop_assert_eq!(&listed.keys, &bucket.keys);
        // Nobody can foresee where keys are, but what is not there costs a request for a character of a key at most.
        prop_assert!(listed.requests <= 8 * bucket.pages() + 64, "{} requests for {} pages", listed.requests, bucket.pages());
    }
}
