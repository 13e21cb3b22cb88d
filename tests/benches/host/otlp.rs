//! A program that sends OpenTelemetry metrics in protobuf, as exporters do.

use crate::values::Course;

/// Where they are sent to.
pub(crate) const PATH: &str = "/v1/metrics";
/// Their type.
pub(crate) const TYPE: &str = "application/x-protobuf";

/// One program with its series.
pub(crate) struct Program {
    name: String,
    series: Vec<(String, Course)>,
}

impl Program {
    pub(crate) fn new(number: usize, series: usize) -> Self {
        let course = |one: usize| (format!("bench.value{one}"), Course::new((number * series + one) as u64));
        Self { name: format!("program-{number}"), series: (0..series).map(course).collect() }
    }

    /// An `ExportMetricsServiceRequest` with the next values of all series, one for each instant.
    pub(crate) fn request(&mut self, instants_unix_millis: impl Iterator<Item = u64> + Clone) -> Vec<u8> {
        const CUMULATIVE: u64 = 2;
        let mut metrics = Vec::new();
        for (name, course) in &mut self.series {
            let mut points = Vec::new();
            for at in instants_unix_millis.clone() {
                let mut point = Vec::new();
                fixed(&mut point, 3, (at * 1_000_000).to_le_bytes());
                fixed(&mut point, 4, course.next().to_le_bytes());
                message(&mut points, 1, &point);
            }
            let mut metric = Vec::new();
            message(&mut metric, 1, name.as_bytes());
            if course.is_count() {
                number(&mut points, 2, CUMULATIVE);
                number(&mut points, 3, 1);
            }
            message(&mut metric, if course.is_count() { 7 } else { 5 }, &points);
            message(&mut metrics, 2, &metric);
        }
        let (mut value, mut attribute, mut resource) = (Vec::new(), Vec::new(), Vec::new());
        message(&mut value, 1, self.name.as_bytes());
        message(&mut attribute, 1, b"service.name");
        message(&mut attribute, 2, &value);
        message(&mut resource, 1, &attribute);
        let (mut one, mut request) = (Vec::new(), Vec::new());
        message(&mut one, 1, &resource);
        message(&mut one, 2, &metrics);
        message(&mut request, 1, &one);
        request
    }
}

fn message(out: &mut Vec<u8>, field: u64, bytes: &[u8]) {
    varint(out, field << 3 | 2);
    varint(out, bytes.len() as u64);
    out.extend_from_slice(bytes);
}

fn number(out: &mut Vec<u8>, field: u64, value: u64) {
    varint(out, field << 3);
    varint(out, value);
}

fn fixed(out: &mut Vec<u8>, field: u64, bytes: [u8; 8]) {
    varint(out, field << 3 | 1);
    out.extend_from_slice(&bytes);
}

fn varint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value.to_le_bytes()[0] | 0x80);
        value >>= 7;
    }
    out.push(value.to_le_bytes()[0]);
}
