//! Who drives a native device while a future waits for it.
//!
//! A browser resolves mappings by itself. Natively somebody must call `poll`, and no async executor should be blocked by it: each
//! device has a thread that sleeps in the driver until a submission is done.

use std::sync::mpsc;
use std::{io, thread};

/// A thread that waits for submissions. Dropping this waits until what it was given is done and the thread has let go of the
/// device: a driver that is still at work while the process exits may crash it.
#[derive(Debug)]
pub(crate) struct Poller {
    submissions: Option<mpsc::Sender<wgpu::SubmissionIndex>>,
    thread: Option<thread::JoinHandle<()>>,
}

impl Poller {
    pub(crate) fn spawn(device: wgpu::Device) -> io::Result<Self> {
        let (submissions, inbox) = mpsc::channel();
        let thread = thread::Builder::new().name("quillwork-gpu".into()).spawn(move || {
            for submission_index in inbox {
                let wait = |submission_index| {
                    device.poll(wgpu::PollType::Wait { submission_index, timeout: None }).is_ok()
                };
                // A refused submission never comes to an end by itself. The mappings must be resolved nevertheless; they,
                // and the callback of a lost device, tell what an error here is about.
                let _ = wait(Some(submission_index)) || wait(None);
            }
        })?;
        Ok(Self { submissions: Some(submissions), thread: Some(thread) })
    }

    /// Sees to it that the mappings after this submission are resolved.
    pub(crate) fn wake_after(&self, submission: wgpu::SubmissionIndex) {
        let submissions = self.submissions.as_ref().expect("there until the drop");
        submissions.send(submission).expect("the thread lives as long as its sender");
    }
}

impl Drop for Poller {
    fn drop(&mut self) {
        self.submissions = None;
        if let Some(thread) = self.thread.take()
            && thread.thread().id() != thread::current().id()
        {
            // A panic of the thread was told when it happened.
            let _ = thread.join();
        }
    }
}
