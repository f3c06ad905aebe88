//! The examples as a user runs them.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

fn example(name: &str, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO"))
        .args(["run", "--quiet", "--release", "--example", name, "--"])
        .args(arguments)
        .output()
        .unwrap()
}

fn stdout(output: &Output) -> String {
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{errors}");
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn path(name: &str) -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join(name)
}

#[test]
fn curve_fit_recovers_the_true_parameters() {
    let out = stdout(&example("curve_fit", &[]));
    let rows: Vec<Vec<_>> = out
        .lines()
        .skip(3)
        .map(|row| row.split_whitespace().collect())
        .collect();
    assert_eq!(rows.len(), 4, "{out}");
    for row in rows {
        let [start, by_gradient, by_jacobian, truth] =
            [1, 2, 3, 4].map(|i| row[i].parse::<f64>().unwrap());
        assert!((by_gradient - truth).abs() < 0.005, "{out}");
        assert_eq!(by_jacobian, by_gradient, "{out}");
        assert!((start - truth).abs() > 0.1, "{out}");
    }
}

#[test]
fn pictures_are_drawn() {
    let directory = path("pictures");
    stdout(&example("pictures", &[directory.to_str().unwrap()]));
    for (name, texts) in [
        (
            "moons.svg",
            ["decision regions", "upper moon (-1)", "read as +1"],
        ),
        ("sine.svg", ["R²", "data", "fit"]),
        ("losses.svg", ["step", "mean hinge loss", "Momentum, 0.1"]),
        ("confusion.svg", ["predicted", "actual", ">0<"]),
    ] {
        let picture = fs::read_to_string(directory.join(name)).unwrap();
        assert!(picture.starts_with("<svg") && picture.trim_end().ends_with("</svg>"));
        for text in texts {
            assert!(picture.contains(text), "{name}: {text}");
        }
    }
}

#[test]
fn the_pictures_of_graphs_are_what_the_crate_draws() {
    let directory = path("graphs");
    let drawn = stdout(&example("graphs", &[directory.to_str().unwrap()]));
    assert_eq!(drawn.lines().count(), 7);
    let pictures = Path::new(env!("CARGO_MANIFEST_DIR")).join("pictures");
    for drawn in drawn.lines().map(Path::new) {
        let name = drawn.file_name().unwrap();
        let [drawn, committed] =
            [drawn, &pictures.join(name)].map(|path| fs::read_to_string(path).unwrap());
        assert!(
            drawn == committed,
            "{} is out of date: run `cargo run --release -p micrograd-gallery --example \
             graphs gallery/pictures`",
            name.display()
        );
    }
}

#[test]
fn interop_reads_what_it_wrote_and_reports_errors() {
    let directory = path("interop");
    let text = directory.to_str().unwrap();
    stdout(&example("interop", &["write", text]));
    // The net itself stands in for PyTorch's.
    for kind in ["safetensors", "csv"] {
        let [ours, theirs] = ["micrograd", "pytorch"].map(|name| directory.join(name));
        fs::copy(ours.with_extension(kind), theirs.with_extension(kind)).unwrap();
    }
    let out = stdout(&example("interop", &["read", text]));
    assert!(
        out.ends_with("outputs for 360 digits differ by at most 0e0\n"),
        "{out}"
    );

    let fails = |arguments: &[&str]| {
        let failed = example("interop", arguments);
        assert!(!failed.status.success(), "{arguments:?}");
        assert_eq!(String::from_utf8(failed.stderr).unwrap().lines().count(), 1);
    };
    let csv = directory.join("pytorch.csv");
    let numbers = fs::read_to_string(&csv).unwrap();
    let (_, others) = numbers.split_once(',').unwrap();
    for first in ["NaN", "1000", "one"] {
        fs::write(&csv, format!("{first},{others}")).unwrap();
        fails(&["read", text]);
    }
    fails(&["read", "/no/such/directory"]);
    fails(&["reed", text]);
    fails(&[]);
}

#[test]
fn checkpoint_resumes_from_what_it_wrote_and_reports_errors() {
    let directory = path("checkpoint");
    let text = directory.to_str().unwrap();
    stdout(&example("checkpoint", &["write", text]));
    let file = |name: &str| directory.join(format!("{name}.safetensors"));
    // The same training run stands in for PyTorch's.
    for name in ["sgd", "momentum", "rmsprop", "adam", "adamw"] {
        fs::copy(file(name), file(&format!("{name}-pytorch"))).unwrap();
        let [ours, theirs] = ["", "-pytorch"].map(|who| file(&format!("{name}{who}-next")));
        fs::copy(ours, theirs).unwrap();
    }
    let out = stdout(&example("checkpoint", &["read", text]));
    let lines: Vec<_> = out.lines().collect();
    assert_eq!(lines.len(), 5, "{out}");
    for line in lines {
        assert!(line.ends_with(" (by micrograd): step 21 differs by at most 0e0"));
    }

    let fails = |arguments: &[&str], expected: &str| {
        let failed = example("checkpoint", arguments);
        assert!(!failed.status.success(), "{arguments:?}");
        let message = String::from_utf8(failed.stderr).unwrap();
        assert!(message.contains(expected), "{message}");
    };
    fs::copy(file("adam-next"), file("adamw-pytorch-next")).unwrap();
    fails(&["read", text], "adamw differs by more than 1e-12");
    fs::copy(file("sgd"), file("adam-pytorch")).unwrap();
    fails(
        &["read", text],
        "adam-pytorch.safetensors: the file does not fit",
    );
    fails(&["reed", text], "usage: checkpoint write|read DIR");
}
