//! Jobs: work that goes on after the request that began it was answered, because it takes longer than a request may.
//!
//! How far a job has come is kept in memory, only for looking at, and is gone with the process. What a job is about is left to who begins it.

use serde::Serialize;

/// A job, and what it is about.
#[derive(Debug, Clone, Serialize)]
pub struct Job<T> {
    state: Progress,
    /// Why it failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<&'static str>,
    /// What is done, and how much of it.
    #[serde(flatten)]
    pub of: T,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
enum Progress {
    Running,
    Done,
    Failed,
}

impl<T> Job<T> {
    /// One that has just begun.
    pub const fn begun(of: T) -> Self {
        Self { state: Progress::Running, code: None, of }
    }

    /// Whether it has not ended yet.
    pub fn is_running(&self) -> bool {
        self.state == Progress::Running
    }

    /// Notes how it ended.
    pub fn end(&mut self, how: Result<(), &'static str>) {
        (self.state, self.code) = match how {
            Ok(()) => (Progress::Done, None),
            Err(code) => (Progress::Failed, Some(code)),
        };
    }
}

/// Works on a thread for blocking work, and tells `end` what came of it, also where that is a panic. Returns at once.
pub fn run<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, &'static str> + Send + 'static,
    end: impl FnOnce(Result<T, &'static str>) + Send + 'static,
) {
    let working = tokio::task::spawn_blocking(work);
    tokio::spawn(async move { end(working.await.unwrap_or(Err("server.internal"))) });
}
