//! How fast are all classifiers together on each kind of content, on one core and from memory?

use std::hint::black_box;
use std::time::Duration;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use spillwatch_classifiers::{Classifier, Hints};

mod corpus;

/// Bytes of each kind: beyond the caches, below a minute in all.
const BYTES: usize = 8 << 20;

fn classify(criterion: &mut Criterion) {
    let classifier = Classifier::default();
    let mut group = criterion.benchmark_group("classify");
    group.sample_size(10).warm_up_time(Duration::from_millis(300)).measurement_time(Duration::from_secs(2));
    for (kind, make, _, extension) in corpus::KINDS {
        let bytes = make(&mut corpus::Random(7), BYTES);
        let name = format!("{kind}.{extension}");
        group.throughput(Throughput::BytesDecimal(bytes.len() as u64));
        group.bench_function(*kind, |bench| {
            bench.iter(|| classifier.classify(Hints { name: &name, ..Hints::default() }, black_box(&bytes)));
        });
    }
    let small = corpus::prose(&mut corpus::Random(7), 1000);
    group.throughput(Throughput::Elements(1));
    group.bench_function("object_of_1_kb", |bench| {
        bench.iter(|| classifier.classify(Hints { name: "note.md", ..Hints::default() }, black_box(&small)));
    });
    group.finish();
}

criterion_group!(benches, classify);
criterion_main!(benches);
