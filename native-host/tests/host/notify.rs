//! Alerts are told: from a machine that is too busy to a server that hears of it.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use quillwork_core::alert::default_rules;
use quillwork_core::alert::notify::{Route, Settings};
use quillwork_core::time::Duration as Span;
use quillwork_host::config::{ChannelKind, Config, MailEncryption, NotifyChannel};
use quillwork_host::notify::{Channels, Courier, Delivery, Letter};
use quillwork_host::rules::RuleSet;
use quillwork_protocol::host::{HostSnapshot, Process};
use serde_json::Value;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpListener;

use crate::harness::{PATIENCE, machine_at};
use crate::world::World;

/// A process that would like to be more than a name.
const HOSTILE: &str = "$(touch /tmp/x)`id`;\n<!channel> & <b>";

/// What a host decides to tell when its processor is too busy.
fn letter() -> Letter {
    let mut world = World::new();
    let route = Route { group_wait: Span::ZERO, ..Route::new("ops") };
    let settings = Settings { routes: vec![route], ..Settings::default() };
    world.state.begin_alerts(world.now(), RuleSet { rules: default_rules(), settings });
    let mut letters = Vec::new();
    for _ in 0..30 {
        world.pass(1_000);
        let busy =
            Process { pid: 7, name: HOSTILE.to_owned(), cpu_of_core_ratio: Some(1.5), ..Process::default() };
        let machine = HostSnapshot { processes: vec![busy], ..machine_at(world.unix(), Some(0.75)) };
        world.state.handle_host(world.now(), Arc::new(machine));
        world.drain();
        letters.extend(std::iter::from_fn(|| world.state.poll_letter(world.now())));
    }
    assert_eq!(letters.len(), 1, "one alert is told once: {letters:?}");
    letters.remove(0)
}

pub(crate) fn channels(settings: NotifyChannel) -> Channels {
    try_channels(settings, true).unwrap()
}

pub(crate) fn try_channels(settings: NotifyChannel, allow_exec: bool) -> Result<Channels, String> {
    let mut config = Config::default();
    config.alerts.allow_exec = allow_exec;
    config.notify.insert("ops".to_owned(), settings);
    Channels::from_config(&config).map_err(|error| error.to_string())
}

pub(crate) async fn told(channels: &Channels) -> Delivery {
    let (courier, mut delivered) = Courier::pausing(channels, Duration::from_millis(1));
    assert_eq!(courier.send(letter()), None);
    tokio::time::timeout(PATIENCE, delivered.recv()).await.unwrap().unwrap()
}

/// A request as a server saw it.
#[derive(Clone, Debug)]
struct Heard {
    head: String,
    body: String,
}

impl Heard {
    fn header(&self, name: &str) -> &str {
        let found = self.head.lines().filter_map(|line| line.split_once(": "));
        found.filter(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value).next().unwrap_or("")
    }
}

/// A server that answers what it is told, the last answer for ever.
async fn server(answers: &'static [&'static str]) -> (String, Arc<Mutex<Vec<Heard>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let heard = Arc::new(Mutex::new(Vec::new()));
    tokio::spawn({
        let heard = Arc::clone(&heard);
        async move {
            for at in 0.. {
                let (stream, _) = listener.accept().await.unwrap();
                let mut stream = BufReader::new(stream);
                let mut head = String::new();
                while !head.ends_with("\r\n\r\n") {
                    if stream.read_line(&mut head).await.unwrap() == 0 {
                        break;
                    }
                }
                let mut request = Heard { head, body: String::new() };
                let mut body = vec![0; request.header("content-length").parse().unwrap_or(0)];
                stream.read_exact(&mut body).await.unwrap();
                request.body = String::from_utf8(body).unwrap();
                heard.lock().unwrap().push(request);
                let answer = answers[at.min(answers.len() - 1)];
                stream
                    .write_all(format!("HTTP/1.1 {answer}\r\ncontent-length: 0\r\n\r\n").as_bytes())
                    .await
                    .ok();
            }
        }
    });
    (address, heard)
}

fn secret(text: &str) -> tempfile::TempPath {
    use std::io::Write as _;
    let mut file = tempfile::NamedTempFile::new().unwrap();
    writeln!(file, "{text}").unwrap();
    file.into_temp_path()
}

#[tokio::test]
async fn a_webhook_that_is_down_hears_the_same_letter_again() {
    let (url, heard) = server(&["503 Busy\r\nretry-after: 0", "429 Slowly", "204 Thanks"]).await;
    let key = secret("a-shared-secret");
    let settings =
        NotifyChannel { url: Some(url), secret_file: Some(key.to_path_buf()), ..NotifyChannel::default() };
    let delivery = told(&channels(settings)).await;
    assert_eq!((delivery.attempts, delivery.failure), (3, None));
    let heard = heard.lock().unwrap().clone();
    assert_eq!(heard.len(), 3);
    assert!(heard.iter().all(|request| request.body == heard[0].body));
    assert!(
        heard.iter().all(|request| request.header("idempotency-key") == heard[0].header("idempotency-key"))
    );
    assert_eq!(heard[0].header("idempotency-key").len(), 16);
    // `printf '%s' "$t.$body" | openssl dgst -sha256 -hmac a-shared-secret` gives the same; here its form is checked.
    let signature = heard[0].header("quillwork-signature");
    let (time, mac) = signature.strip_prefix("t=").unwrap().split_once(",v1=").unwrap();
    assert!(time.parse::<u64>().is_ok() && mac.len() == 64, "{signature}");

    let body: Value = serde_json::from_str(&heard[0].body).unwrap();
    assert_eq!((&body["version"], &body["status"]), (&"4".into(), &"firing".into()));
    let alert = &body["alerts"][0];
    assert_eq!(alert["labels"]["alertname"], "host-cpu");
    assert_eq!(alert["labels"]["severity"], "warning");
    assert_eq!(alert["annotations"]["summary"], "CPU use is 75 %; the warning is above 70 %.");
    assert!(alert["annotations"]["culprit"].as_str().unwrap().starts_with("process $(touch"));
    assert!(alert["annotations"]["lookFirst"].as_str().unwrap().contains("processor time"));
    assert!(alert["startsAt"].as_str().unwrap().ends_with('Z'));
}

#[tokio::test]
async fn a_refusal_and_a_redirect_are_final() {
    for answer in
        [&["404 Nothing here"], &["307 Elsewhere\r\nlocation: http://169.254.169.254/"], &["400 No"]]
    {
        let (url, heard) = server(answer).await;
        let delivery = told(&channels(NotifyChannel { url: Some(url), ..NotifyChannel::default() })).await;
        assert_eq!(delivery.attempts, 1, "{answer:?}");
        assert!(delivery.failure.unwrap().contains(&answer[0][..3]));
        assert_eq!(heard.lock().unwrap().len(), 1);
    }
}

#[tokio::test]
async fn what_never_gets_well_is_given_up_and_said() {
    let (url, heard) = server(&["500 Broken"]).await;
    let delivery = told(&channels(NotifyChannel { url: Some(url), ..NotifyChannel::default() })).await;
    assert_eq!((delivery.attempts, heard.lock().unwrap().len()), (6, 6));
    assert!(delivery.failure.unwrap().contains("500"));
}

#[tokio::test]
async fn chats_show_hostile_names_as_text() {
    let (url, heard) = server(&["200 OK"]).await;
    let file = secret(&url);
    let settings = NotifyChannel {
        kind: ChannelKind::Slack,
        url_file: Some(file.to_path_buf()),
        ..NotifyChannel::default()
    };
    assert_eq!(told(&channels(settings)).await.failure, None);
    let body: Value = serde_json::from_str(&heard.lock().unwrap()[0].body).unwrap();
    let text = body["text"].as_str().unwrap();
    assert!(text.contains("host-cpu") && text.contains("&lt;!channel&gt; &amp;"), "{text}");
    assert!(!text.contains("<!channel>"), "{text}");

    let (url, heard) = server(&["200 OK"]).await;
    let token = secret("syt_token");
    let settings = NotifyChannel {
        kind: ChannelKind::Matrix,
        url: Some(url),
        room: Some("!room:example.org".to_owned()),
        token_file: Some(token.to_path_buf()),
        ..NotifyChannel::default()
    };
    assert_eq!(told(&channels(settings)).await.failure, None);
    let request = heard.lock().unwrap()[0].clone();
    assert!(
        request.head.starts_with("PUT /_matrix/client/v3/rooms/%21room%3Aexample.org/send/m.room.message/")
    );
    assert_eq!(request.header("authorization"), "Bearer syt_token");
    let body: Value = serde_json::from_str(&request.body).unwrap();
    assert!(
        body.get("formatted_body").is_none() && body["body"].as_str().unwrap().contains("CPU use is 75 %")
    );
}

/// Speaks as much SMTP as one letter needs.
async fn mail_server() -> (u16, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let mails = Arc::new(Mutex::new(Vec::new()));
    tokio::spawn({
        let mails = Arc::clone(&mails);
        async move {
            for at in 0.. {
                let (stream, _) = listener.accept().await.unwrap();
                let mut stream = BufReader::new(stream);
                stream.write_all(b"220 here\r\n").await.unwrap();
                let (mut line, mut mail, mut is_data) = (String::new(), String::new(), false);
                while stream.read_line(&mut line).await.unwrap_or(0) > 0 {
                    let answer = match line.trim_end() {
                        "." if is_data => {
                            is_data = false;
                            mails.lock().unwrap().push(std::mem::take(&mut mail));
                            "250 taken\r\n"
                        }
                        _ if is_data => {
                            mail.push_str(&line);
                            ""
                        }
                        "DATA" => {
                            is_data = true;
                            "354 go on\r\n"
                        }
                        // The first one is put off, as greylisting does.
                        text if text.starts_with("RCPT") && at == 0 => "451 later\r\n",
                        "QUIT" => "221 bye\r\n",
                        _ => "250 yes\r\n",
                    };
                    line.clear();
                    if stream.write_all(answer.as_bytes()).await.is_err() {
                        break;
                    }
                }
            }
        }
    });
    (port, mails)
}

#[tokio::test]
async fn mail_that_is_put_off_is_sent_again() {
    let (port, mails) = mail_server().await;
    let settings = NotifyChannel {
        kind: ChannelKind::Email,
        server: Some("127.0.0.1".to_owned()),
        port: Some(port),
        encryption: MailEncryption::None,
        from: Some("Quillwork <alerts@example.org>".to_owned()),
        to: vec!["kim@example.org".to_owned()],
        ..NotifyChannel::default()
    };
    let delivery = told(&channels(settings)).await;
    assert_eq!((delivery.attempts, delivery.failure), (2, None));
    let mails = mails.lock().unwrap();
    assert_eq!(mails.len(), 1);
    assert!(mails[0].contains("Subject: [quillwork] warning: host-cpu"), "{}", mails[0]);
    assert!(mails[0].contains("CPU use is 75 %") && mails[0].contains("To: kim@example.org"), "{}", mails[0]);
}

#[cfg(unix)]
#[tokio::test]
async fn a_program_gets_names_as_data_and_only_where_programs_are_allowed() {
    let directory = tempfile::tempdir().unwrap();
    let (program, seen) = (directory.path().join("tell"), directory.path().join("seen"));
    let script = format!(
        "#!/bin/sh\ncat > '{}'\n[ \"$1\" = '$(id)' ] && [ -z \"$QUILLWORK_SECRET\" ]\n",
        seen.display()
    );
    // Written by another process: what this one writes might still be open in a child that another test starts, and such a
    // program doesn't run.
    let write =
        ["-c", "printf %s \"$2\" > \"$1\" && chmod 755 \"$1\"", "sh", program.to_str().unwrap(), &script];
    assert!(std::process::Command::new("sh").args(write).status().unwrap().success());
    let settings = NotifyChannel {
        kind: ChannelKind::Exec,
        program: Some(program),
        arguments: vec!["$(id)".to_owned()],
        ..NotifyChannel::default()
    };
    let refused = try_channels(settings.clone(), false).unwrap_err();
    assert_eq!(refused, "notify.ops: programs are run only where `alerts.allow_exec = true`");
    assert_eq!(told(&channels(settings)).await.failure, None);
    let body: Value = serde_json::from_str(&std::fs::read_to_string(seen).unwrap()).unwrap();
    let culprit = body["alerts"][0]["annotations"]["culprit"].as_str().unwrap();
    assert!(culprit.contains("$(touch /tmp/x)`id`;?<!channel>"), "{culprit}");
}

#[test]
fn channels_that_cant_work_say_what_they_need() {
    let with = |settings: NotifyChannel| try_channels(settings, true).unwrap_err();
    assert_eq!(with(NotifyChannel::default()), "notify.ops: it needs `url`");
    let url = |url: &str| NotifyChannel { url: Some(url.to_owned()), ..NotifyChannel::default() };
    assert!(with(url("ftp://x")).contains("write an address such as"));
    assert!(with(url("https://me:pw@example.org")).contains("leave name and password out"));
    let mail =
        NotifyChannel { kind: ChannelKind::Email, to: vec!["nobody".to_owned()], ..NotifyChannel::default() };
    assert!(with(mail).contains("is no e-mail address"));
    let program = Some("tell".into());
    let exec = NotifyChannel { kind: ChannelKind::Exec, program, ..NotifyChannel::default() };
    assert!(with(exec).contains("by its full path"));
}
