//! A child process, of the stack or a service on plock: its output goes to a log file, it is ended
//! when its owner is dropped, and a watchdog ends it when this whole process dies, even by SIGKILL.

use std::fs::{self, File};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use rustix::process::{Pid, Signal, kill_process};

use crate::eventually;

/// How long a process may take to end after SIGTERM: the collector drains its queues meanwhile.
const PATIENCE: Duration = Duration::from_secs(20);

/// A running child process.
#[derive(Debug)]
pub struct Process {
    child: Child,
    /// Reads from a pipe whose other end only we hold: the kernel closes it when we die, however
    /// that happens, and then the watchdog kills the child. Portable and free of unsafe code,
    /// unlike a parent death signal.
    watchdog: Child,
    log: PathBuf,
}

impl Process {
    /// Starts `command` in a process group of its own, so that Ctrl-C reaches only us and we end
    /// it in order. Output is appended to `log`.
    ///
    /// # Errors
    ///
    /// If the log cannot be written or the program does not start.
    pub fn spawn(command: &mut Command, log: &Path) -> Result<Self> {
        let file = File::options().create(true).append(true).open(log)?;
        let program = command.get_program().to_owned();
        let mut child = command
            .stdin(Stdio::null())
            .stdout(file.try_clone()?)
            .stderr(file)
            .process_group(0)
            .spawn()
            .with_context(|| format!("cannot start {}", program.display()))?;
        let watchdog = Command::new("sh")
            .args(["-c", "read -r _; kill -KILL \"$0\"", &child.id().to_string()])
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .process_group(0)
            .spawn();
        match watchdog {
            Ok(watchdog) => Ok(Self { child, watchdog, log: log.to_owned() }),
            Err(error) => {
                end(&mut child);
                Err(error).context("cannot start sh")
            }
        }
    }

    /// Its process id.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// What it has written so far.
    ///
    /// # Errors
    ///
    /// If the log cannot be read.
    pub fn output(&self) -> Result<String> {
        fs::read_to_string(&self.log).with_context(|| format!("cannot read {}", self.log.display()))
    }

    /// The rest of the first complete line of the output with `mark` in it, waited for until
    /// `deadline` has passed.
    ///
    /// # Errors
    ///
    /// If no such line comes, or the process ends without it.
    pub async fn told(&mut self, mark: &str, deadline: Duration) -> Result<String> {
        let this = std::cell::RefCell::new(self);
        eventually(deadline, || async {
            let mut this = this.borrow_mut();
            let running = this.ensure_running();
            let output = this.output()?;
            let lines = output.split_inclusive('\n').filter_map(|line| line.strip_suffix('\n'));
            let rest = lines.filter_map(|line| Some(line.split_once(mark)?.1)).next();
            match (rest, running) {
                (Some(rest), _) => Ok(rest.to_owned()),
                (None, Err(ended)) => Err(ended),
                (None, Ok(())) => bail!("nobody has told `{mark}` in:\n{output}"),
            }
        })
        .await
    }

    /// Memory of the process that is not swapped out, in bytes: now, and at its peak.
    ///
    /// # Errors
    ///
    /// If the process has ended.
    pub fn memory(&self) -> Result<(u64, u64)> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.id()))?;
        let kilobytes = |key: &str| {
            let line =
                status.lines().find_map(|line| line.strip_prefix(key)).context("no memory")?;
            anyhow::Ok(line.trim().trim_end_matches(" kB").parse::<u64>()? * 1024)
        };
        Ok((kilobytes("VmRSS:")?, kilobytes("VmHWM:")?))
    }

    /// Waits until the process ends by itself.
    ///
    /// # Errors
    ///
    /// If it still runs after `deadline`.
    pub async fn ended(&mut self, deadline: Duration) -> Result<ExitStatus> {
        let child = std::cell::RefCell::new(&mut self.child);
        eventually(deadline, || {
            let ended = child.borrow_mut().try_wait();
            async move { ended?.context("still running") }
        })
        .await
    }

    /// Fails with the end of the log if the process has ended by itself.
    pub(crate) fn ensure_running(&mut self) -> Result<()> {
        if let Some(status) = self.child.try_wait()? {
            let log = fs::read_to_string(&self.log).unwrap_or_default();
            let tail: Vec<_> = log.lines().rev().take(20).collect();
            let tail: Vec<_> = tail.into_iter().rev().collect();
            anyhow::bail!("process {} ended: {status}\n{}", self.id(), tail.join("\n"));
        }
        Ok(())
    }

    /// Asks the process to end and waits until it has.
    pub(crate) async fn stop(mut self) -> Result<ExitStatus> {
        kill_process(Pid::from_child(&self.child), Signal::TERM).context("cannot send SIGTERM")?;
        self.ended(PATIENCE).await.context("after SIGTERM")
    }

    /// Ends the process with SIGKILL, as a crash or the out-of-memory killer would.
    pub(crate) fn kill(self) -> Result<()> {
        kill_process(Pid::from_child(&self.child), Signal::KILL).context("cannot send SIGKILL")
    }

    /// Lets the process outlive us and returns its id.
    pub(crate) fn leave_running(mut self) -> u32 {
        end(&mut self.watchdog);
        let id = self.id();
        // Dropping a `Child` neither kills nor waits; only our own `drop` would.
        let _kept = std::mem::ManuallyDrop::new(self);
        id
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // The watchdog first: once the child is reaped, its id may belong to somebody else.
        end(&mut self.watchdog);
        end(&mut self.child);
    }
}

/// Kills and reaps; both fail only if the child is gone already.
fn end(child: &mut Child) {
    drop(child.kill());
    drop(child.wait());
}

#[cfg(test)]
mod tests {
    use anyhow::ensure;

    use super::*;

    fn alive(id: u32) -> bool {
        // A zombie that nobody reaps yet is dead as well.
        let stat = fs::read_to_string(format!("/proc/{id}/stat")).unwrap_or_default();
        stat.rsplit(") ").next().is_some_and(|rest| !rest.is_empty() && !rest.starts_with('Z'))
    }

    #[test]
    fn drop_ends_the_process() {
        let directory = tempfile::tempdir().unwrap();
        let log = directory.path().join("log");
        let process = Process::spawn(Command::new("sleep").arg("1000"), &log).unwrap();
        let id = process.id();
        assert!(alive(id));
        drop(process);
        assert!(!alive(id));
    }

    #[test]
    fn a_process_that_is_left_running_outlives_its_owner() {
        let directory = tempfile::tempdir().unwrap();
        let log = directory.path().join("log");
        let process = Process::spawn(Command::new("sleep").arg("1000"), &log).unwrap();
        let id = process.leave_running();
        assert!(alive(id));
        let pid = Pid::from_raw(id.try_into().unwrap()).unwrap();
        kill_process(pid, Signal::KILL).unwrap();
    }

    #[tokio::test]
    async fn closing_the_pipe_ends_the_process() {
        let directory = tempfile::tempdir().unwrap();
        let log = directory.path().join("log");
        let mut process = Process::spawn(Command::new("sleep").arg("1000"), &log).unwrap();
        let id = process.id();
        drop(process.watchdog.stdin.take());
        crate::wait_for(Duration::from_secs(10), false, || async move { Ok(alive(id)) })
            .await
            .unwrap();
    }

    #[tokio::test]
    async fn an_early_end_is_reported_with_the_log() {
        let directory = tempfile::tempdir().unwrap();
        let log = directory.path().join("log");
        let mut command = Command::new("sh");
        let process = Process::spawn(command.args(["-c", "echo no such key; exit 3"]), &log);
        let process = std::cell::RefCell::new(process.unwrap());
        let report = eventually(Duration::from_secs(10), || {
            let running = process.borrow_mut().ensure_running();
            async move {
                ensure!(running.is_err(), "still running");
                Ok(format!("{:#}", running.unwrap_err()))
            }
        });
        let report = report.await.unwrap();
        assert!(report.contains("no such key") && report.contains("exit status: 3"), "{report}");
    }
}
