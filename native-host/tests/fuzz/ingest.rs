//! Batches of pages, plain and compressed.

use std::io::Write as _;

use axum::http::{HeaderValue, header};
use flate2::Compression;
use flate2::write::GzEncoder;

use crate::harness::{batch, post, sample_at};
use crate::runner::{Outcome, Shape, Target, fuzz};
use crate::served::{Answered, Served};

/// A host, and what it knew after the last batch that it took.
struct Ingesting {
    served: Served,
    known: Vec<String>,
    is_gzip: bool,
}

impl Ingesting {
    fn new(is_gzip: bool) -> Self {
        let served = Served::new();
        Self { known: served.known(), served, is_gzip }
    }

    fn send(&self, body: &[u8]) -> Answered {
        let mut request = post(body.to_vec());
        if self.is_gzip {
            request.headers_mut().insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
        }
        self.served.ask(request)
    }

    /// How many batches have counted.
    fn counted(&self) -> String {
        let metrics = self.served.ask(crate::harness::request("GET", "/metrics")).body;
        let metrics = String::from_utf8(metrics).unwrap();
        metrics.lines().find(|line| line.starts_with("quillwork_batches_total ")).unwrap().to_owned()
    }

    /// What is taken counts once, however often it is sent. What is refused changes nothing.
    fn check(&mut self, input: &[u8]) -> Outcome {
        let answered = self.send(input);
        if answered.status == 204 {
            let counted = self.counted();
            assert_eq!(self.send(input).status, 204, "what was taken is taken again");
            assert_eq!(self.counted(), counted, "and counts once");
            self.known = self.served.known();
            return Outcome::Taken;
        }
        assert!([400, 413, 415, 422, 503].contains(&answered.status.as_u16()), "{}", answered.status);
        assert_eq!(answered.media_type, "application/problem+json");
        assert_eq!(self.served.known(), self.known, "a refused batch changes nothing");
        Outcome::Refused
    }
}

fn seeds() -> Vec<Vec<u8>> {
    let own = batch("p1", 7, vec![sample_at(1_700_000_000_000, 3), sample_at(1_700_000_001_000, 0)]);
    vec![
        include_bytes!("../../../protocol/fixtures/batch.json").to_vec(),
        include_bytes!("../../../protocol/fixtures/batch-hidden.json").to_vec(),
        include_bytes!("../../../protocol/fixtures/batch-of-an-older-page.json").to_vec(),
        serde_json::to_vec(&own).unwrap(),
    ]
}

const WORDS: &[&str] = &[
    "\"samples\"",
    "\"atUnixMillis\"",
    "\"intervalMillis\"",
    "\"buckets\"",
    "\"tags\"",
    "\"host\"",
    "1e300",
];

#[test]
fn ingest() {
    let target = Target {
        name: "ingest",
        seeds: seeds(),
        words: WORDS,
        shape: Shape::Json,
        longest: 256 << 10,
        memory: (16 << 20, 64),
    };
    fuzz(&target, || Ingesting::new(false), Ingesting::check);
}

#[test]
fn ingest_gzip() {
    let compressed = |bytes: Vec<u8>| {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(&bytes).unwrap();
        encoder.finish().unwrap()
    };
    let bomb = [seeds().remove(0), vec![b' '; 600_000]].concat();
    let target = Target {
        name: "ingest_gzip",
        seeds: seeds().into_iter().chain([bomb]).map(compressed).collect(),
        words: &["\x1f\u{8b}\x08"],
        shape: Shape::Bytes,
        longest: 64 << 10,
        // However much it inflates to: twice the largest body, and what any batch takes.
        memory: (32 << 20, 64),
    };
    fuzz(&target, || Ingesting::new(true), Ingesting::check);
}
