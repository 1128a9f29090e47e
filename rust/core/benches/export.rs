//! The parts of a record's way that do not wait: cutting, recognising, writing as a row.
//!
//! `cargo bench -p secureapp-core --bench export`

use criterion::{black_box, criterion_group, criterion_main, Criterion, Throughput};
use secureapp_core::export::batch::Batcher;
use secureapp_core::export::csv::Rows;
use secureapp_core::export::dedupe::{self, Dedupe};
use secureapp_core::export::split::Splitter;
use std::sync::Arc;

/// Records of the size and shape of the feed's.
fn records(count: u64) -> Vec<String> {
    let filler = r#"{"Name":"Identity","Value":"EURPR04A009.PROD.OUTLOOK.COM\/Microsoft Exchange Hosted Organizations\/contoso.onmicrosoft.com\/Discovery"},"#.repeat(8);
    (0..count)
        .map(|number| {
            format!(
                r#"{{"CreationTime":"2026-01-31T10:{:02}:{:02}","Id":"{:08x}-0a1b-4c2d-8e3f-08de{number:08x}","Operation":"Set-Mailbox","OrganizationId":"0fb1c0f5-7b0e-4c0a-9d8e-6f6e2d9b4a11","RecordType":1,"ResultStatus":"True","UserKey":"NT AUTHORITY\\SYSTEM (Microsoft.Exchange.ServiceHost)","UserType":3,"Version":1,"Workload":"Exchange","ObjectId":"contoso.onmicrosoft.com\\user{number}","UserId":"admin{number}@contoso.onmicrosoft.com","ExternalAccess":true,"OrganizationName":"contoso.onmicrosoft.com","OriginatingServer":"DB6PR04MB3206 (15.20.4129.032)","Parameters":[{filler}{{"Name":"Force","Value":"True"}}]}}"#,
                number / 60 % 60,
                number % 60,
                number.wrapping_mul(0x9E37_79B9)  & 0xFFFF_FFFF,
            )
        })
        .collect()
}

fn split(criterion: &mut Criterion) {
    let records = records(2_000);
    let array = format!("[{}]", records.join(",")).into_bytes();
    let mut group = criterion.benchmark_group("export");
    group.throughput(Throughput::Bytes(array.len() as u64));
    group.bench_function("split", |bencher| {
        bencher.iter(|| {
            let mut splitter = Splitter::new(1 << 20);
            let mut seen = 0u64;
            for chunk in array.chunks(16 << 10) {
                let pushed = splitter.push(black_box(chunk), &mut |record| {
                    seen += record.bytes.len() as u64;
                    Ok(())
                });
                pushed.expect("valid records");
            }
            splitter.finish().expect("a whole array");
            seen
        });
    });
    group.bench_function("split_and_recognise", |bencher| {
        bencher.iter(|| {
            let mut batcher = Batcher::new(Arc::from("part"), 0, 1 << 20);
            for chunk in array.chunks(16 << 10) {
                black_box(batcher.push(black_box(chunk)).expect("valid records"));
            }
            batcher.finish().expect("a whole array")
        });
    });
    group.bench_function("csv", |bencher| {
        bencher.iter(|| {
            let mut rows = Rows::begin(Vec::with_capacity(array.len() * 2), false).expect("memory");
            for record in &records {
                rows.write(black_box(record.as_bytes())).expect("memory");
            }
            rows.finish().expect("memory").len()
        });
    });
    group.finish();
}

fn recognise(criterion: &mut Criterion) {
    const COUNT: u64 = 1_000_000;
    let entry = |number: u64| {
        let mut key = [0; 16];
        key[..8].copy_from_slice(&number.wrapping_mul(0x9E37_79B9_7F4A_7C15).to_le_bytes());
        key[8..].copy_from_slice(&number.to_be_bytes());
        dedupe::entry(&key, 1)
    };
    let mut group = criterion.benchmark_group("dedupe");
    group.sample_size(10);
    group.throughput(Throughput::Elements(COUNT));
    group.bench_function("a_million_new", |bencher| {
        bencher.iter(|| {
            let mut set = Dedupe::new();
            for number in 0..COUNT {
                black_box(set.insert(entry(number)));
            }
            set.memory()
        });
    });
    let mut full = Dedupe::new();
    for number in 0..COUNT {
        full.insert(entry(number));
    }
    group.bench_function("a_million_known", |bencher| {
        bencher.iter(|| {
            for number in 0..COUNT {
                black_box(full.insert(entry(number)));
            }
        });
    });
    group.finish();
}

criterion_group!(benches, split, recognise);
criterion_main!(benches);
