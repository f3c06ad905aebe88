//! A confusion matrix as SVG.

use std::fmt;

use crate::metrics::ConfusionMatrix;

const LINE_HEIGHT: f64 = 16.0;
const CHARACTER_WIDTH: f64 = 8.0;

impl ConfusionMatrix {
    /// The matrix as a picture in SVG: the larger a count, the darker its cell. As in
    /// [`rows`](Self::rows), actual classes go downwards and predicted ones to the right.
    ///
    /// ```
    /// use micrograd::metrics::ConfusionMatrix;
    ///
    /// let matrix = ConfusionMatrix::new(&[0, 0, 1, 1], &[0, 0, 1, 0], 2);
    /// assert!(matrix.svg().starts_with("<svg"));
    /// ```
    #[must_use]
    pub fn svg(&self) -> String {
        Svg(self).to_string()
    }
}

struct Svg<'a>(&'a ConfusionMatrix);

impl fmt::Display for Svg<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(matrix) = self;
        let classes = matrix.rows().len();
        let most = matrix.rows().iter().flatten().max().copied().unwrap_or(0);
        let digits = most.max(classes).to_string().len();
        let cell = (digits as f64 * CHARACTER_WIDTH + 16.0).max(2.0 * LINE_HEIGHT);
        let side = cell * classes as f64;
        // The numbers of the classes stand beside the cells, and outside of them the two titles.
        let margin = cell + LINE_HEIGHT;
        let size = side + margin + LINE_HEIGHT;
        writeln!(
            f,
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{size}\" height=\"{size}\" \
         viewBox=\"0 0 {size} {size}\" font-family=\"sans-serif\" font-size=\"13\" \
         text-anchor=\"middle\" role=\"img\" aria-label=\"confusion matrix\">"
        )?;
        writeln!(f, "<rect width=\"100%\" height=\"100%\" fill=\"white\"/>")?;
        let start = |class: usize| margin + cell * class as f64;
        let baseline = LINE_HEIGHT / 3.0; // below the middle of a text
        let middle = |class: usize| start(class) + cell / 2.0;
        for (actual, counts) in matrix.rows().iter().enumerate() {
            for (predicted, &count) in counts.iter().enumerate() {
                let (x, y) = (start(predicted), start(actual));
                let darkness = match count {
                    0 => 0.0,
                    _ => 0.1 + 0.9 * count as f64 / most as f64,
                };
                writeln!(
                    f,
                    "<rect x=\"{x}\" y=\"{y}\" width=\"{cell}\" height=\"{cell}\" stroke=\"silver\" \
                     fill=\"black\" fill-opacity=\"{darkness:.2}\"/>"
                )?;
                if count > 0 {
                    let (x, y) = (middle(predicted), middle(actual) + baseline);
                    let colour = if darkness > 0.5 { "white" } else { "black" };
                    writeln!(
                        f,
                        "<text x=\"{x}\" y=\"{y:.1}\" fill=\"{colour}\">{count}</text>"
                    )?;
                }
            }
            let (beside, middle) = (margin - cell / 2.0, middle(actual));
            let y = middle + baseline;
            writeln!(f, "<text x=\"{beside}\" y=\"{y:.1}\">{actual}</text>")?;
            let y = beside + baseline;
            writeln!(f, "<text x=\"{middle}\" y=\"{y:.1}\">{actual}</text>")?;
        }
        let middle = margin + side / 2.0;
        writeln!(
            f,
            "<text x=\"{middle}\" y=\"{LINE_HEIGHT}\">predicted</text>"
        )?;
        let turn = format!("rotate(-90 {LINE_HEIGHT} {middle})");
        writeln!(
            f,
            "<text x=\"{LINE_HEIGHT}\" y=\"{middle}\" transform=\"{turn}\">actual</text>"
        )?;
        writeln!(f, "</svg>")
    }
}
