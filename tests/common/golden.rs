//! Files of reference numbers that another library computed.

/// The lines of a CSV file after its header.
pub(crate) fn lines(csv: &str) -> impl Iterator<Item = &str> {
    csv.lines().skip(1)
}

/// The cells of a line.
#[track_caller]
pub(crate) fn cells<const N: usize>(line: &str) -> [&str; N] {
    let cells: Vec<_> = line.split(',').collect();
    cells
        .try_into()
        .unwrap_or_else(|_| panic!("expected {N} columns: {line}"))
}

/// The space-separated numbers of a cell.
#[track_caller]
pub(crate) fn numbers(cell: &str) -> Vec<f64> {
    let number = |word: &str| word.parse();
    let numbers: Result<_, _> = cell.split(' ').map(number).collect();
    numbers.unwrap_or_else(|_| panic!("expected numbers: {cell}"))
}
