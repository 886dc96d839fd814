//! Does a table or log tie people, or stable ids of them, to actions and times?

use std::collections::BTreeMap;

use crate::gather::Gather;
use crate::lexicon::Meaning;
use crate::table::{Key, Table, Value};
use crate::{Category, Detection, Distinct, Evidence};

/// One table's verdict.
struct Verdict {
    confidence: f64,
    events: u64,
    actors: Distinct,
    columns: Vec<(&'static str, usize)>,
    evidence: Vec<Evidence>,
    because: String,
}

/// The columns that tie people to what they did, by kind; none where the table does not.
pub(crate) fn exposed_columns(of: &Table) -> Option<Vec<(&'static str, usize)>> {
    table(of).map(|verdict| verdict.columns)
}

/// The verdict over all tables and logs of the object.
pub(super) fn judge(gather: &Gather) -> Option<Detection> {
    let mut all: Vec<Verdict> = gather.tables.iter().filter_map(table).collect();
    all.sort_by(|a, b| b.confidence.total_cmp(&a.confidence));
    let mut detection = Detection {
        category: Category::InteractionMetadata,
        confidence: all.first()?.confidence,
        occurrences: 0,
        distinct: Distinct::default(),
        kinds: BTreeMap::new(),
        evidence: Vec::new(),
        because: Vec::new(),
    };
    for verdict in all {
        detection.occurrences += verdict.events;
        detection.distinct.merge(&verdict.actors);
        for (kind, _) in verdict.columns {
            *detection.kinds.entry(kind).or_default() += verdict.events;
        }
        detection.evidence.extend(verdict.evidence);
        if detection.because.len() < 4 {
            detection.because.push(verdict.because);
        }
    }
    Some(detection)
}

/// The stable word for each kind of actor, and how much it says: an account is a person, an address may be a household.
const ACTORS: &[(Meaning, &str, f64)] = &[
    (Meaning::UserId, "user_id", 0.9),
    (Meaning::Username, "username", 0.9),
    (Meaning::Email, "email", 0.9),
    (Meaning::SessionId, "session_id", 0.8),
    (Meaning::DeviceId, "device_id", 0.8),
    (Meaning::Ip, "ip", 0.55),
];

fn table(table: &Table) -> Option<Verdict> {
    let (key, actors) = table.actors.as_ref()?;
    let Key::Column(actor) = *key else { return None };
    let column = table.columns.get(actor)?;
    let (_, actor_kind, weight) = ACTORS.iter().find(|(meaning, ..)| column.meaning == Some(*meaning))?;
    let position = |test: &dyn Fn(&crate::table::Column) -> bool| {
        table.columns.iter().position(|c| c.typed > 0 && test(c))
    };
    let time = position(&|c| {
        c.meaning == Some(Meaning::Time) && c.share(Value::Date) + c.share(Value::Moment) > 0.5
    })
    .or_else(|| position(&|c| c.share(Value::Moment) > 0.8 && c.meaning != Some(Meaning::HireDate)))?;
    let action = position(&|c| c.meaning == Some(Meaning::Action));
    let resource = position(&|c| {
        c.meaning == Some(Meaning::Resource) || (c.meaning.is_none() && c.share(Value::Resource) > 0.6)
    });
    let context = position(&|c| matches!(c.meaning, Some(Meaning::Agent | Meaning::Duration)));
    let signs = u32::from(action.is_some()) + u32::from(resource.is_some()) + u32::from(context.is_some());
    let has = |meaning| table.columns.iter().any(|c| c.meaning == Some(meaning));
    // A directory with a date of last login, or a list of orders, ties people to something else than what they did.
    let directory = [Meaning::Salary, Meaning::HireDate, Meaning::Department, Meaning::Title]
        .into_iter()
        .filter(|m| has(*m))
        .count();
    if (action.is_none() && resource.is_none()) || directory >= 2 {
        return None;
    }
    let per_row = f64::from(column.typed) / table.rows.clamp(1, crate::table::TYPED_ROWS) as f64;
    let machine = has(Meaning::Machine) && signs < 2;
    let mut confidence = weight + 0.04 * f64::from(signs.saturating_sub(1));
    if per_row < 0.1 {
        confidence *= 0.6;
    }
    if machine {
        confidence *= 0.7;
    }
    if table.rows < 3 {
        confidence *= 0.6;
    }
    let events = table.rows;
    let kind_of = |at: Option<usize>, kind: &'static str| at.map(|at| (at, kind));
    let parts = [
        Some((actor, *actor_kind)),
        Some((time, "time")),
        kind_of(action, "action"),
        kind_of(resource, "resource"),
        kind_of(context, "client"),
    ];
    Some(Verdict {
        confidence,
        events,
        actors: actors.clone(),
        columns: parts.iter().flatten().map(|(at, kind)| (*kind, *at)).collect(),
        evidence: parts.iter().flatten().filter_map(|(at, kind)| table.evidence(*at, kind)).collect(),
        because: format!(
            "{events} events tie {} different values of {} to times{}{}",
            actors.estimate(),
            actor_kind.replace('_', " "),
            if action.is_some() { ", actions" } else { "" },
            if resource.is_some() { ", pages or resources" } else { "" },
        ),
    })
}
