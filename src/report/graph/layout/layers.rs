//! Longest paths give each node its layer.

/// The layer of each node, and which edges go against them because they close a circle.
pub(super) fn layers(count: usize, pairs: &[(usize, usize, usize)]) -> (Vec<usize>, Vec<bool>) {
    let mut below: Vec<Vec<(usize, usize)>> = vec![Vec::new(); count];
    for (at, (_, from, to)) in pairs.iter().enumerate() {
        below[*from].push((*to, at));
    }
    let mut turned = vec![false; pairs.len()];
    // 0: not seen, 1: on the way, 2: done.
    let mut state = vec![0_u8; count];
    let mut finished = Vec::with_capacity(count);
    for start in 0..count {
        if state[start] != 0 {
            continue;
        }
        state[start] = 1;
        let mut stack = vec![(start, 0)];
        while let Some((node, next)) = stack.pop() {
            match below[node].get(next) {
                Some(&(other, edge)) => {
                    stack.push((node, next + 1));
                    match state[other] {
                        0 => {
                            state[other] = 1;
                            stack.push((other, 0));
                        }
                        1 => turned[edge] = true,
                        _ => {}
                    }
                }
                None => {
                    state[node] = 2;
                    finished.push(node);
                }
            }
        }
    }
    let mut layer = vec![0; count];
    for node in finished.iter().rev() {
        for (other, edge) in &below[*node] {
            if !turned[*edge] {
                layer[*other] = layer[*other].max(layer[*node] + 1);
            }
        }
    }
    (layer, turned)
}
