//! Reading agrees with serde, whose derived writing is what the host sends.

use std::fmt::Debug;

use quillwork_protocol::alert::{AlertState, ObjectiveInfo, RuleInfo, SilenceInfo};
use quillwork_protocol::annotation::AnnotationList;
use quillwork_protocol::host::{
    Battery, BlockDevice, Cpu, Disk, Fan, Gpu, HostProcess, HostSnapshot, Machine, Memory, MemoryLimit,
    Network, Process, Sampler, Temperature,
};
use quillwork_protocol::insights::Insights;
use quillwork_protocol::query::QueryAnswer;
use quillwork_protocol::series::SeriesAnswer;
use quillwork_protocol::snapshot::{PageLink, Snapshot};
use quillwork_protocol::socket::{Ack, Welcome};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::*;
use crate::model::alerts::tests::alert;
use crate::model::pages::tests::page_snapshot;

/// Read as serde reads it.
fn agrees<T: Json + Serialize + DeserializeOwned + PartialEq + Debug>(value: &T) {
    let text = serde_json::to_string(value).expect("text and numbers");
    assert_eq!(read::<T>(&text).as_ref(), Ok(value), "{text}");
    assert_eq!(serde_json::from_str::<T>(&text).expect("its own text"), *value);
}

#[test]
fn whatever_the_host_writes_is_read_as_serde_reads_it() {
    agrees(&snapshot());
    agrees(&read::<SeriesAnswer>(ANSWER).expect("an answer"));
    agrees(&read::<QueryAnswer>(QUERY).expect("an answer"));
    agrees(&read::<Insights>(INSIGHTS).expect("insights"));
    agrees(&read::<Vec<RuleInfo>>(RULES).expect("rules"));
    agrees(&read::<Vec<ObjectiveInfo>>(OBJECTIVES).expect("objectives"));
    agrees(&read::<Vec<SilenceInfo>>(SILENCES).expect("silences"));
    agrees(&read::<AnnotationList>(ANNOTATIONS).expect("annotations"));
    let words = r#"["ok","pending","warning","critical","noData"]"#;
    assert_eq!(
        read::<Vec<AlertState>>(words),
        serde_json::from_str(words).map_err(|error| error.to_string())
    );
}

#[test]
fn messages_are_told_apart_by_their_type() {
    let welcome = Welcome { version: 1, instance: "i".into(), server_unix_millis: u64::MAX, resumed: true };
    let messages = [
        ServerMessage::Welcome(welcome),
        ServerMessage::Ack(Ack { batch_id: "\"Ä\"".into() }),
        ServerMessage::Tick(snapshot()),
    ];
    for message in messages {
        let text = serde_json::to_string(&message).expect("text and numbers");
        assert_eq!(read_message(&text), Ok(message));
    }
    assert_eq!(read_message(r#"{"type":"tock"}"#), Err("no message is of type `tock`".to_owned()));
    assert!(read_message("{}").is_err() && read_message("[]").is_err());
}

#[test]
fn what_an_older_or_a_newer_host_writes_is_read() {
    let host: HostSnapshot = read(r#"{"cpu":{"totalRatio":1},"added":[{}]}"#).expect("a host");
    assert_eq!(host.cpu.total_ratio, Some(1.0));
    assert_eq!(host.memory, Memory::default());
}

#[test]
fn what_does_not_fit_is_refused_with_a_reason() {
    let refused = |text: &str| read::<Ack>(text).expect_err("it is refused");
    assert!(refused("<html>").contains("line 1"));
    assert_eq!(refused("{}"), "`batchId` is not a text");
    assert_eq!(refused(r#"{"batchId":null}"#), "`batchId` is not a text");
    assert!(read::<Ack>(r#"["b"]"#).is_err() && read::<Snapshot>(r#"{"version":1}"#).is_err());
    assert!(read::<u16>("65536").is_err() && read::<u32>("-1").is_err() && read::<u64>("0.5").is_err());
    assert!(read::<f64>("null").is_err() && read::<(u64, f64)>("[1]").is_err());
    assert!(read::<[f64; 3]>("[1,2]").is_err() && read::<[f64; 3]>("[1,2,3]").is_ok());
    assert!(read::<PageLink>(r#""gone""#).is_err() && read::<Vec<bool>>("[true,0]").is_err());
    assert!(read::<PageLink>("\"Ä\"").is_err() && read::<PageLink>("\"\"").is_err());
}

/// A tick with something of everything that is read.
fn snapshot() -> Snapshot {
    let host = HostSnapshot {
        at_unix_millis: 5,
        cpu: Cpu {
            total_ratio: Some(0.5),
            core_ratios: vec![None, Some(1.0)],
            load_averages: Some([0.1, 0.2, 0.3]),
            ..Cpu::default()
        },
        memory: Memory {
            total_bytes: 7,
            limit: Some(MemoryLimit { group: "/".into(), bytes: 1, used_bytes: 1 }),
            ..Memory::default()
        },
        disks: vec![Disk { mount: "/".into(), is_stuck: true, ..Disk::default() }],
        block_devices: vec![BlockDevice { name: "a".into(), is_stacked: true, ..BlockDevice::default() }],
        networks: vec![Network { sent_bytes_per_second: Some(3.5), ..Network::default() }],
        temperatures: vec![Temperature { celsius: Some(-1.5), ..Temperature::default() }],
        fans: vec![Fan { rpm: Some(1e3), ..Fan::default() }],
        batteries: vec![Battery { is_charging: Some(true), ..Battery::default() }],
        gpus: vec![Gpu { vendor: Some("v".into()), ..Gpu::default() }],
        processes: vec![Process { pid: 9, threads: Some(2), ..Process::default() }],
        machine: Machine { logical_cores: 2, ..Machine::default() },
        sampler: Sampler { process: Some(HostProcess::default()), ticks: 3, ..Sampler::default() },
        ..HostSnapshot::default()
    };
    Snapshot {
        version: 1,
        instance: "i".into(),
        sequence: 2,
        host: Some(host),
        pages: vec![page_snapshot("a", PageLink::Lost, 5)],
        alerts: vec![alert("host.cpu", AlertState::NoData, 7)],
    }
}

const ANSWER: &str = r#"{"serverUnixMillis":5,"series":[{"series":"host.cpu","name":"host.cpu",
    "labels":{"a":"b"},"kind":"gauge","unit":"ratio","stepMillis":1000,"resolution":0.001,
    "startUnixMillis":0,"values":[0.5,null,-2]}]}"#;

const QUERY: &str = r#"{"serverUnixMillis":1,"stepMillis":2,"startUnixMillis":3,"damaged":["d"],"lines":[
    {"name":"n","labels":{},"unit":"u","values":[null,1]},{"name":"n","labels":{},"unit":"u","points":[[1,2.5]]}]}"#;

const INSIGHTS: &str = r#"{"fromUnixMillis":1,"toUnixMillis":2,"damaged":[],"missing":[{"about":"a","reason":"r"}],
    "bottlenecks":[{"resource":"taskType","subject":"s","sign":"errors","summary":"m","lookFirst":"l","overMillis":1,
    "measuredMillis":2,"windows":3,"windowMillis":4,"firstUnixMillis":5,"lastUnixMillis":6,"threshold":0.5,
    "median":0.6,"unit":"ratio","confidence":0.7,"source":"p","sourceName":"q"}],
    "trends":[{"series":"s","subject":"t","state":"tooFew","summary":"m","levelRatio":null,"perHourRatio":0.1,
    "lowestPerHourRatio":null,"highestPerHourRatio":null,"spanMillis":5,
    "full":{"earliestUnixMillis":1,"likelyUnixMillis":2,"latestUnixMillis":null}}],
    "correlations":[{"source":"p","sourceName":"q","series":"s","summary":"m","lagSeconds":1,"strength":0.5,
    "seconds":2,"slowSeconds":3,"chance":0.01}],
    "capacity":[{"source":"p","sourceName":"q","advice":"notByWorkers","summary":"m","workers":null,
    "targetMillis":1,"arrivalsPerSecond":2,"meanRunMillis":3,"runScv":4,"advisedWorkers":5,"p95Millis":null,
    "p95AtMostMillis":6,"utilisationRatio":0.7}]}"#;

const RULES: &str = r#"[{"name":"n","condition":"c","series":["s"],"unit":"u","direction":"above",
    "warning":{"threshold":1,"clear":0.5,"forMillis":2},"critical":null,"keepFiringMillis":1,"staleAfterMillis":2,
    "notify":true,"lookFirst":"l"}]"#;

const OBJECTIVES: &str = r#"[{"rule":"r","labels":{"a":"b"},"objective":0.99,"periodMillis":1,"attained":null,
    "budgetLeft":-0.5,"events":1,"badEvents":2,"observedMillis":3,"burnRate1h":1.5}]"#;

const SILENCES: &str = r#"[{"id":1,"matchers":[{"label":"rule","kind":"notLike","value":"v"}],
    "startsUnixMillis":1,"endsUnixMillis":2,"author":"a","comment":"c","active":true}]"#;

const ANNOTATIONS: &str = r#"{"serverUnixMillis":1,"nextCursor":null,"annotations":[
    {"id":1,"at":2,"text":"t","tags":["u"],"until":3,"source":"s"},{"id":1,"at":2,"text":"t","tags":[]}]}"#;
