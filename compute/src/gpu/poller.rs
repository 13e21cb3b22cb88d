//! Who drives a native device while a future waits for it.
//!
//! A browser resolves mappings by itself. Natively somebody must call `poll`, and no async executor should be blocked by it: each
//! device has a thread that sleeps in the driver until a submission is done.

use std::sync::mpsc;
use std::{io, thread};

/// A thread that waits for submissions. It ends when this is dropped and what it was given is done.
#[derive(Debug)]
pub(crate) struct Poller {
    submissions: mpsc::Sender<wgpu::SubmissionIndex>,
}

impl Poller {
    pub(crate) fn spawn(device: wgpu::Device) -> io::Result<Self> {
        let (submissions, inbox) = mpsc::channel();
        thread::Builder::new().name("quillwork-gpu".into()).spawn(move || {
            for submission_index in inbox {
                let wait = |submission_index| {
                    device.poll(wgpu::PollType::Wait { submission_index, timeout: None }).is_ok()
                };
                // A refused submission never comes to an end by itself. The mappings must be resolved nevertheless; they,
                // and the callback of a lost device, tell what an error here is about.
                let _ = wait(Some(submission_index)) || wait(None);
            }
        })?;
        Ok(Self { submissions })
    }

    /// Sees to it that the mappings after this submission are resolved.
    pub(crate) fn wake_after(&self, submission: wgpu::SubmissionIndex) {
        self.submissions.send(submission).expect("the thread lives as long as its sender");
    }
}
