//! The examples as a user runs them.

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Output};

fn example(name: &str, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO"))
        .args(["run", "--quiet", "--example", name, "--"])
        .args(arguments)
        .output()
        .unwrap()
}

fn stdout(output: &Output) -> String {
    assert!(output.status.success());
    String::from_utf8(output.stdout.clone()).unwrap()
}

/// Runs `moons_adam` on a file with this content. Returns its error message, and whether it
/// succeeded.
fn moons_on(name: &str, content: Option<&[u8]>) -> (String, bool) {
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
    if let Some(content) = content {
        fs::write(&path, content).unwrap();
    }
    let output = example("moons_adam", &[path.to_str().unwrap()]);
    let message = String::from_utf8(output.stderr).unwrap();
    let message = message.replace(&path.display().to_string(), name);
    (message, output.status.success())
}

#[test]
fn readme_ends_with_the_numbers_of_the_original() {
    let out = stdout(&example("readme", &[]));
    assert!(out.ends_with("g.data = 24.7041\na.grad = 138.8338\nb.grad = 645.5773\n"));
}

#[test]
fn neuron_shows_both_passes() {
    let out = stdout(&example("neuron", &[]));
    let (forward, backward) = out.split_once("\n\nBackward pass:\nR data").unwrap();
    assert!(forward.starts_with("Forward pass:\nR data"));
    for tree in [forward, backward] {
        for name in ["weight 0", "weight 1", "input 0", "input 1", "bias"] {
            assert_eq!(tree.matches(&format!(" ← {name}")).count(), 1);
        }
    }
    assert!(backward.contains("grad = 1.000 ← bias"));
}

#[test]
fn newton_is_at_the_minimum_when_descent_is_not() {
    let out = stdout(&example("newton", &[]));
    let last = out.lines().last().unwrap();
    let numbers: Vec<f64> = last
        .split_whitespace()
        .map(|n| n.parse().unwrap())
        .collect();
    assert_eq!(numbers[0], 7.0);
    assert!(numbers[3] > 1.0, "descent: {last}");
    assert_eq!(numbers[4..], [1.0, 1.0, 0.0]);
}

#[test]
fn moons_adam_learns_all_points_and_draws_the_regions() {
    let out = stdout(&example("moons_adam", &[]));
    let lines: Vec<_> = out.lines().collect();
    let (text, grid) = lines.split_at(lines.len() - 30);
    assert_eq!(text.len(), 1 + 100);
    assert!(text[100].starts_with("step 100 ") && text[100].ends_with("accuracy 100.0 %"));
    for row in grid {
        let cells: Vec<_> = row.split(' ').collect();
        assert_eq!(cells.len(), 30);
        assert!(cells.iter().all(|cell| ["■", "□"].contains(cell)));
    }
    // The upper moon is □, the lower one ■.
    assert!(grid[0].matches('□').count() > 15);
    assert!(grid[29].matches('■').count() > 15);
}

#[test]
fn moons_adam_reads_a_file_with_either_kind_of_labels() {
    let rows = |upper: &str| {
        format!("x,y,label\n0,1,{upper}\n\n1,-0.5,1.0e+00\n-1,0.1,{upper}\n2,0.4,1\n")
    };
    let pictures = ["-1", "0"].map(|upper| {
        let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("upper{upper}.csv"));
        fs::write(&path, rows(upper)).unwrap();
        stdout(&example("moons_adam", &[path.to_str().unwrap()]))
    });
    assert_eq!(pictures[0], pictures[1]);
    // The upper moon lies on the left, the lower one on the right.
    let middle = pictures[0].lines().rev().nth(15).unwrap();
    assert!(middle.starts_with('□') && middle.ends_with('■'), "{middle}");
}

#[test]
fn moons_adam_names_file_and_line_of_a_fault() {
    let cases: [(&str, Option<&[u8]>, &str); 8] = [
        ("missing.csv", None, "missing.csv: "),
        ("empty.csv", Some(b""), "empty.csv: there is no row in it"),
        (
            "names.csv",
            Some(b"x,y,label\n"),
            "names.csv: there is no row in it",
        ),
        (
            "number.csv",
            Some(b"1,2,1\n\n1,two,1\n"),
            "number.csv:3: expected a finite number, found 'two'",
        ),
        (
            "infinite.csv",
            Some(b"1,inf,1\n"),
            "infinite.csv:1: expected a finite number, found 'inf'",
        ),
        (
            "columns.csv",
            Some(b"1,2,1\n1,2\n"),
            "columns.csv:2: expected 3 columns, x,y,label, found 2",
        ),
        (
            "label.csv",
            Some(b"1,2,2\n"),
            "label.csv:1: expected the label -1, 0 or 1, found '2'",
        ),
        ("binary.csv", Some(b"1,2,1\n\xff\xfe\n"), "binary.csv:2: "),
    ];
    for (name, content, expected) in cases {
        let (message, success) = moons_on(name, content);
        assert!(!success, "{name}");
        assert!(message.starts_with(expected), "{message}");
        assert_eq!(message.lines().count(), 1, "{message}");
    }
}

#[test]
fn serve_answers_from_its_workers() {
    let out = stdout(&example("serve", &[]));
    assert!(out.contains(" workers answered 1000 requests, "), "{out}");
    let right = out.lines().last().unwrap().strip_prefix("right: ").unwrap();
    let percent: f64 = right.strip_suffix(" %").unwrap().parse().unwrap();
    assert!(percent > 97.0, "{out}");
}

#[test]
fn steps_prints_the_gradients_of_the_lecture() {
    let out = stdout(&example("steps", &[]));
    for line in [
        "x1 = 2\n    gradient -1.5 from x1w1",
        "w1 = -3\n    gradient 1 from x1w1",
    ] {
        assert!(out.contains(line), "{out}");
    }
    assert!(out.contains("\n\no = tanh(n) = 0.7071\n    gradient 1: the pass starts here\n"));
}

#[test]
fn export_writes_the_net_in_c() {
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("moons.c");
    let out = stdout(&example("export", &[path.to_str().unwrap()]));
    let source = fs::read_to_string(&path).unwrap();
    assert_eq!(
        out.trim_end(),
        format!("{}: {} lines of C", path.display(), source.lines().count())
    );
    assert!(source.contains("\ndouble moons(const double x[2]) {\n"));
    let missing = path.join("no/folder.c");
    let failed = example("export", &[missing.to_str().unwrap()]);
    assert!(!failed.status.success());
    assert!(String::from_utf8_lossy(&failed.stderr).starts_with(&missing.display().to_string()));
}

#[test]
fn watch_makes_a_page_of_a_training_run() {
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("watch.html");
    let out = stdout(&example("watch", &[path.to_str().unwrap()]));
    assert!(out.contains("watch.html: 60 steps, "), "{out}");
    let page = fs::read_to_string(&path).unwrap();
    assert_eq!(page.matches("{ loss: ").count(), 60);
    assert!(!page.contains("/* the run */") && page.trim_end().ends_with("</html>"));
    let missing = path.join("no/folder.html");
    let failed = example("watch", &[missing.to_str().unwrap()]);
    assert!(!failed.status.success());
    assert!(String::from_utf8_lossy(&failed.stderr).starts_with(&missing.display().to_string()));
}

#[test]
fn anomaly_finds_the_logarithm_of_0_and_the_other_loss_has_none() {
    let out = stdout(&example("anomaly", &[]));
    let (textbook, stable) = out.split_once("\n\n").unwrap();
    assert!(textbook.contains("loss NaN\nrow "));
    assert!(textbook.contains("forward pass: `ln` gives -inf\n    x = 0.0 ← 1 - p\n"));
    let last = stable.lines().last().unwrap();
    let loss = last.strip_prefix("step 100  loss ").unwrap();
    assert!(loss.parse::<f64>().unwrap() < 1e-3, "{last}");
}

/// Runs `digits` with these arguments.
#[cfg(feature = "safetensors")]
fn digits(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO"))
        .args(["run", "--quiet", "--release", "--features", "safetensors"])
        .args(["--example", "digits", "--"])
        .args(arguments)
        .output()
        .unwrap()
}

#[cfg(feature = "safetensors")]
#[test]
fn digits_are_read_and_the_net_is_saved_and_loaded() {
    let directory = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("digits");
    let _ = fs::remove_dir_all(&directory); // left by an earlier run
    fs::create_dir_all(&directory).unwrap();
    let [whole, broken] = ["whole", "broken"].map(|name| directory.join(name));
    let [whole, broken] = [&whole, &broken].map(|path| path.to_str().unwrap());
    let out = stdout(&digits(&[whole]));
    assert!(
        out.starts_with("MLP 64-32-10 (ReLU, Linear) on 1437 digits, tested with 360 others\n")
    );
    let accuracy = out
        .lines()
        .find_map(|line| line.strip_prefix("accuracy "))
        .unwrap();
    let percent: f64 = accuracy.strip_suffix(" %").unwrap().parse().unwrap();
    assert!(percent >= 97.0, "{percent}");
    assert!(out.contains(" read as ") && out.contains('█'));
    assert!(out.ends_with("the outputs differed before: true; they are the same now: true\n"));

    // A run that is interrupted twice ends with the same net, and leaves no other file.
    for (last, start) in [("3", None), ("17", Some("3")), ("40", Some("17"))] {
        let out = stdout(&digits(&[broken, last]));
        let resumed = start.map(|start| format!("resumes after epoch {start} of 40"));
        assert_eq!(
            out.lines().find(|line| line.starts_with("resumes")),
            resumed.as_deref()
        );
    }
    assert_eq!(fs::read(broken).unwrap(), fs::read(whole).unwrap());
    assert_eq!(fs::read_dir(directory).unwrap().count(), 2);
}

#[cfg(feature = "safetensors")]
#[test]
fn digits_reports_an_error_in_one_line() {
    let foreign = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("foreign.checkpoint");
    fs::write(&foreign, "something else").unwrap();
    let foreign = foreign.to_str().unwrap();
    for (arguments, expected) in [
        (
            &["/no/such/directory/model"][..],
            "/no/such/directory/model.checkpoint: ",
        ),
        (&[foreign], foreign),
        (
            &["model", "forty"],
            "the second argument is an epoch, from 0 to 40",
        ),
        (
            &["model", "41"],
            "the second argument is an epoch, from 0 to 40",
        ),
    ] {
        let failed = digits(arguments);
        let message = String::from_utf8(failed.stderr).unwrap();
        assert!(!failed.status.success());
        assert!(message.starts_with(expected), "{message}");
        assert_eq!(message.lines().count(), 1, "{message}");
    }
}
