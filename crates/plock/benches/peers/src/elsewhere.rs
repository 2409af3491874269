//! Rows of a process of their own, for peers that change theirs: a global subscriber, threads in the
//! background, another build of tokio. The process runs a batch when it is asked to, so that its
//! rows take turns with all others.

use crate::harness::{Label, Plan, Row};
use std::cell::RefCell;
use std::io::{BufRead, BufReader, Write, stdin};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::rc::Rc;

struct Process {
    child: Child,
    answers: BufReader<ChildStdout>,
}

impl Process {
    fn start(program: &Path, peer: &str, quick: bool) -> Self {
        let mut command = Command::new(program);
        command.args(["--answer", peer]).args(quick.then_some("--quick"));
        command.env("HOTPATH_METRICS_SERVER_OFF", "true"); // no port, no thread for it
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let answers = BufReader::new(child.stdout.take().expect("its output is piped"));
        Self { child, answers }
    }

    fn ask(&mut self, request: &str) {
        writeln!(self.child.stdin.as_mut().expect("its input is piped"), "{request}").unwrap();
    }

    fn answer(&mut self) -> String {
        let mut line = String::new();
        self.answers.read_line(&mut line).unwrap();
        line
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        drop(self.child.wait()); // which closes its input first, and so ends it
    }
}

/// The rows of `peer`, each of which has the other process run a batch.
pub(crate) fn rows(program: &Path, peer: &str, quick: bool) -> Vec<Row> {
    let mut process = Process::start(program, peer, quick);
    let labels: Vec<Label> = serde_json::from_str(&process.answer()).expect("its rows");
    let process = Rc::new(RefCell::new(process));
    let row = |label: Label| {
        let (process, name) = (Rc::clone(&process), label.name.clone());
        Row::elsewhere(label, move |operations| {
            let mut process = process.borrow_mut();
            process.ask(&format!("{operations} {name}"));
            process.answer().trim().parse().expect("nanoseconds")
        })
    };
    labels.into_iter().map(row).collect()
}

/// The other end: tells which rows there are, then runs what is asked for until the input ends.
pub(crate) fn answer(mut rows: Vec<Row>, plan: &Plan) {
    let labels: Vec<&Label> = rows.iter().map(Row::label).collect();
    println!("{}", serde_json::to_string(&labels).unwrap());
    for request in stdin().lines() {
        let request = request.unwrap();
        let (operations, name) = request.split_once(' ').expect("a number and a name");
        let row = rows.iter_mut().find(|row| row.label().name == name).expect("a row of that name");
        println!("{}", row.sample(operations.parse().expect("a number"), plan));
    }
}
