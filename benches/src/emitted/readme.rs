fn op_relu(x: f64) -> f64 {
    if x <= 0.0 { 0.0 } else { x }
}

pub fn readme(x: &[f64; 2]) -> f64 {
    let v7 = x[0] + x[1]; // c
    let v8 = v7 + 1.0;
    let v9 = v7 + v8;
    let v10 = 1.0 + v9;
    let v11 = -x[0];
    let v12 = v10 + v11;
    let v13 = v9 + v12;
    let v14 = x[0] * x[1];
    let v15 = x[1] * x[1] * x[1];
    let v16 = v14 + v15; // c
    let v17 = v16 * 2.0;
    let v18 = x[1] + x[0];
    let v19 = op_relu(v18);
    let v20 = v17 + v19;
    let v21 = v16 + v20;
    let v22 = 3.0 * v21;
    let v23 = x[1] - x[0];
    let v24 = op_relu(v23);
    let v25 = v22 + v24;
    let v26 = v21 + v25;
    let v27 = v13 - v26; // e
    let v28 = v27 * v27; // f
    let v29 = v28 / 2.0; // g
    let v30 = 10.0 / v28;
    let v31 = v29 + v30;
    v31
}

pub fn readme_gradient(x: &[f64; 2], gradient: &mut [f64; 2]) -> f64 {
    let v7 = x[0] + x[1]; // c
    let v8 = v7 + 1.0;
    let v9 = v7 + v8;
    let v10 = 1.0 + v9;
    let v11 = -x[0];
    let v12 = v10 + v11;
    let v13 = v9 + v12;
    let v14 = x[0] * x[1];
    let v15 = x[1] * x[1] * x[1];
    let v16 = v14 + v15; // c
    let v17 = v16 * 2.0;
    let v18 = x[1] + x[0];
    let v19 = op_relu(v18);
    let v20 = v17 + v19;
    let v21 = v16 + v20;
    let v22 = 3.0 * v21;
    let v23 = x[1] - x[0];
    let v24 = op_relu(v23);
    let v25 = v22 + v24;
    let v26 = v21 + v25;
    let v27 = v13 - v26; // e
    let v28 = v27 * v27; // f
    let v29 = v28 / 2.0; // g
    let v30 = 10.0 / v28;
    let v31 = v29 + v30;
    for i in 0..2 {
        gradient[i] = 0.0;
    }
    let g28 = -v30 / v28 + 0.5;
    let g27 = g28 * (2.0 * v27);
    let g26 = -g27;
    let g23: f64 = if v23 <= 0.0 { 0.0 } else { g26 };
    gradient[1] += g23;
    gradient[0] += -g23;
    let g21 = g26 + g26 * 3.0;
    let g18: f64 = if v18 <= 0.0 { 0.0 } else { g21 };
    gradient[1] += g18;
    gradient[0] += g18;
    let g16 = g21 + g21 * 2.0;
    gradient[1] += g16 * (3.0 * (x[1] * x[1]));
    gradient[0] += g16 * x[1];
    gradient[1] += g16 * x[0];
    gradient[0] += -g27;
    let g9 = g27 + g27;
    let g7 = g9 + g9;
    gradient[0] += g7;
    gradient[1] += g7;
    v31
}
