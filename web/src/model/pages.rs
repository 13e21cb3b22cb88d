//! A connected page as a card shows it.

use quillwork_protocol::page::{PageSample, PageSource};
use quillwork_protocol::snapshot::{PageLink, PageSnapshot};

use super::format::{NO_DATA, Unit, span};

/// What a page's card shows.
#[derive(Clone, Debug, PartialEq)]
pub struct PageCard {
    /// The page's source id.
    pub id: String,
    /// What a person calls it.
    pub name: String,
    /// Whether it still reports.
    pub link: PageLink,
    /// The link in words, with how long where that says something.
    pub link_text: String,
    /// Frames a second, where the page is live and visible.
    pub frames: Option<f64>,
    /// Frames a second in words; says so where the page is hidden.
    pub frames_text: String,
    /// 95th percentile of the response time over the last minute.
    pub response: Option<f64>,
    /// Share of failed tasks over the last minute.
    pub errors: Option<f64>,
    /// The remaining facts, each a name and a value; none where the page is not live.
    pub facts: Vec<(&'static str, String)>,
}

impl PageCard {
    /// The card of one of `pages` at `now` on the host's clock. A page that is not live has no current values: its last
    /// ones would be taken for its state.
    pub fn new(page: &PageSnapshot, pages: &[PageSnapshot], now_unix_millis: u64) -> Self {
        let live = page.link == PageLink::Live;
        let sample = page.sample.as_ref().filter(|_| live);
        let silence = span(now_unix_millis.saturating_sub(page.last_heard_unix_millis));
        let frames = sample.and_then(|sample| sample.frames_per_second);
        Self {
            id: page.source.id.clone(),
            name: name(&page.source, pages),
            link: page.link,
            link_text: match page.link {
                PageLink::Live => "live".to_owned(),
                PageLink::Lost => format!("lost for {silence}"),
                PageLink::Closed => format!("closed {silence} ago"),
            },
            frames,
            frames_text: match (frames, sample) {
                (Some(frames), _) => Unit::FramesPerSecond.show(frames),
                (None, Some(sample)) if !sample.visible => "hidden".to_owned(),
                (None, _) => NO_DATA.to_owned(),
            },
            response: page.response_p95_millis.filter(|_| live),
            errors: page.error_ratio.filter(|_| live),
            facts: sample.map_or_else(Vec::new, |sample| facts(sample, page.dropped_samples)),
        }
    }
}

/// What a person calls a page: its name, with the beginning of its id where another of `pages` has the same name, as
/// two tabs of one app have.
pub fn name(source: &PageSource, pages: &[PageSnapshot]) -> String {
    let name = source.name.trim();
    if name.is_empty() {
        return source.id.clone();
    }
    let shared = pages.iter().any(|page| page.source.id != source.id && page.source.name.trim() == name);
    if !shared {
        return name.to_owned();
    }
    let id: String = source.id.chars().take(ID_BEGINNING).collect();
    format!("{name} · {id}")
}

/// Characters of an id that tell pages of one name apart.
const ID_BEGINNING: usize = 4;

fn facts(sample: &PageSample, dropped_samples: u64) -> Vec<(&'static str, String)> {
    let or_no_data = |text: Option<String>| text.unwrap_or_else(|| NO_DATA.to_owned());
    let long_tasks = sample.long_tasks.as_ref().map(|long| match long.count {
        0 => "none".to_owned(),
        count => {
            let about = if long.estimated { "about " } else { "" };
            format!("{about}{count}, longest {about}{}", Unit::Millis.show(long.max_millis))
        }
    });
    let display = sample.display_hertz.map(|hertz| format!("{hertz:.0}\u{a0}Hz"));
    let mut facts = vec![
        ("Display", or_no_data(display)),
        ("Missed frames", Unit::Ratio.show_or_no_data(sample.dropped_frame_ratio)),
        ("Workers busy", format!("{} of {}", sample.pool.busy, sample.pool.workers)),
        ("Pool use", Unit::Ratio.show_or_no_data(sample.pool.utilisation_ratio)),
        ("Queued", Unit::Count.show(f64::from(sample.pool.queued))),
        ("Cache hits", Unit::Ratio.show_or_no_data(share(sample.cache.hits, sample.cache.misses))),
        ("Heap", or_no_data(heap(sample.heap_used_bytes, sample.heap_limit_bytes))),
        ("Long tasks", or_no_data(long_tasks)),
    ];
    if dropped_samples > 0 {
        facts.push(("Samples dropped", dropped_samples.to_string()));
    }
    facts
}

fn share(hits: u32, misses: u32) -> Option<f64> {
    let lookups = u64::from(hits) + u64::from(misses);
    #[expect(clippy::cast_precision_loss, reason = "two u32 fit into 53 bits")]
    let ratio = f64::from(hits) / lookups as f64;
    (lookups > 0).then_some(ratio)
}

fn heap(used: Option<u64>, limit: Option<u64>) -> Option<String> {
    #[expect(clippy::cast_precision_loss, reason = "shown with three digits")]
    let bytes = |value: u64| Unit::Bytes.show(value as f64);
    Some(match (used?, limit) {
        (used, Some(limit)) => format!("{} of {}", bytes(used), bytes(limit)),
        (used, None) => bytes(used),
    })
}

#[cfg(test)]
pub(crate) mod tests {
    use quillwork_protocol::page::{LongTasks, PageSource};

    use super::*;

    pub(crate) fn page_snapshot(id: &str, link: PageLink, at_unix_millis: u64) -> PageSnapshot {
        let mut sample = PageSample {
            at_unix_millis,
            visible: true,
            frames_per_second: Some(60.0),
            long_tasks: Some(LongTasks { count: 2, total_millis: 130.0, max_millis: 80.0, estimated: false }),
            heap_used_bytes: Some(1_048_576),
            ..PageSample::default()
        };
        sample.pool.workers = 4;
        sample.pool.busy = 3;
        PageSnapshot {
            source: PageSource { id: id.into(), name: "Story studio".into() },
            link,
            last_heard_unix_millis: at_unix_millis,
            sample: Some(sample),
            response_p95_millis: Some(40.0),
            error_ratio: Some(0.0),
            dropped_samples: 0,
            errors: 0,
        }
    }

    fn fact(card: &PageCard, name: &str) -> String {
        let found = card.facts.iter().find(|(found, _)| *found == name).expect("a fact of that name");
        found.1.replace('\u{a0}', " ")
    }

    #[test]
    fn shows_what_a_live_page_does() {
        let card = PageCard::new(&page_snapshot("a", PageLink::Live, 10_000), &[], 10_400);
        assert_eq!(card.frames_text.replace('\u{a0}', " "), "60 FPS");
        assert_eq!(card.link_text, "live");
        assert_eq!(fact(&card, "Workers busy"), "3 of 4");
        assert_eq!(fact(&card, "Cache hits"), NO_DATA, "no look-ups is not a ratio of zero");
        assert_eq!(fact(&card, "Long tasks"), "2, longest 80 ms");
        assert_eq!(fact(&card, "Heap"), "1.0 MiB");
    }

    #[test]
    fn a_hidden_page_has_no_frames_and_says_why() {
        let mut page = page_snapshot("a", PageLink::Live, 10_000);
        let sample = page.sample.as_mut().expect("a sample");
        sample.visible = false;
        sample.frames_per_second = None;
        let card = PageCard::new(&page, &[], 10_400);
        assert_eq!((card.frames, card.frames_text.as_str()), (None, "hidden"));
    }

    #[test]
    fn a_lost_page_shows_how_long_and_no_old_values() {
        let card = PageCard::new(&page_snapshot("a", PageLink::Lost, 10_000), &[], 22_500);
        assert_eq!(card.link_text.replace('\u{a0}', " "), "lost for 12 s");
        assert_eq!((card.frames, card.response, card.errors), (None, None, None));
        assert!(card.facts.is_empty(), "{:?}", card.facts);
    }

    #[test]
    fn a_nameless_page_goes_by_its_id() {
        let mut page = page_snapshot("a1b2", PageLink::Closed, 10_000);
        page.source.name = " ".into();
        assert_eq!(PageCard::new(&page, &[], 11_000).name, "a1b2");
    }

    #[test]
    fn pages_of_one_name_are_told_apart() {
        let mut pages = ["a1b2c3", "d4e5f6", "777777"].map(|id| page_snapshot(id, PageLink::Live, 10_000));
        pages[2].source.name = "Another".into();
        let names = pages.each_ref().map(|page| name(&page.source, &pages));
        assert_eq!(names, ["Story studio · a1b2", "Story studio · d4e5", "Another"]);
        assert_eq!(name(&pages[0].source, &pages[..1]), "Story studio");
    }
}
