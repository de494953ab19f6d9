//! The order of places in a row, and how far to the right each stands.

use super::GAP_ACROSS;
use super::frame::Place;

/// Orders each row by the mean place of what its members are connected with, down and up in turns.
pub(super) fn order(rows: &mut [Vec<usize>], places: &[Place]) {
    let mut position = vec![0_usize; places.len()];
    let note = |row: &[usize], position: &mut Vec<usize>| {
        for (at, place) in row.iter().enumerate() {
            position[*place] = at;
        }
    };
    for row in rows.iter() {
        note(row, &mut position);
    }
    for sweep in 0..6 {
        let downwards = sweep % 2 == 0;
        let indices: Vec<usize> = if downwards {
            (0..rows.len()).collect()
        } else {
            (0..rows.len()).rev().collect()
        };
        for at in indices {
            #[allow(clippy::cast_precision_loss)]
            let mean = |place: &usize| {
                let near = if downwards {
                    &places[*place].above
                } else {
                    &places[*place].below
                };
                if near.is_empty() {
                    return position[*place] as f64;
                }
                near.iter().map(|other| position[*other] as f64).sum::<f64>() / near.len() as f64
            };
            let mut keyed: Vec<(f64, usize)> = rows[at].iter().map(|place| (mean(place), *place)).collect();
            keyed.sort_by(|a, b| a.0.total_cmp(&b.0));
            rows[at] = keyed.into_iter().map(|(_, place)| place).collect();
            note(&rows[at], &mut position);
        }
    }
}

/// Gives every place its left edge. Gives the width of all.
pub(super) fn spread(rows: &[Vec<usize>], places: &mut [Place]) -> f64 {
    for row in rows {
        let mut x = 0.0;
        for place in row {
            places[*place].x = x;
            x += places[*place].width + GAP_ACROSS;
        }
    }
    for sweep in 0..8 {
        let downwards = sweep % 2 == 0;
        let indices: Vec<usize> = if downwards {
            (0..rows.len()).collect()
        } else {
            (0..rows.len()).rev().collect()
        };
        for at in indices {
            let row = &rows[at];
            let mut offset = 0.0;
            let mut wanted = Vec::with_capacity(row.len());
            for place in row {
                let near = if downwards {
                    &places[*place].above
                } else {
                    &places[*place].below
                };
                let near = if near.is_empty() && sweep > 3 {
                    if downwards {
                        &places[*place].below
                    } else {
                        &places[*place].above
                    }
                } else {
                    near
                };
                let center = |at: &usize| places[*at].x + places[*at].width / 2.0;
                #[allow(clippy::cast_precision_loss)]
                let target = if near.is_empty() {
                    places[*place].x
                } else {
                    near.iter().map(center).sum::<f64>() / near.len() as f64 - places[*place].width / 2.0
                };
                wanted.push((target - offset, offset));
                offset += places[*place].width + GAP_ACROSS;
            }
            for ((x, offset), place) in pooled(&wanted).into_iter().zip(row) {
                places[*place].x = x + offset;
            }
        }
    }
    let left = places.iter().map(|place| place.x).fold(f64::INFINITY, f64::min);
    let mut right = 0.0_f64;
    for place in places {
        place.x -= left;
        right = right.max(place.x + place.width);
    }
    right.round()
}

/// The rising sequence nearest to the wanted one by least squares, with the offsets handed through.
fn pooled(wanted: &[(f64, f64)]) -> Vec<(f64, f64)> {
    let mut pools: Vec<(f64, usize)> = Vec::with_capacity(wanted.len());
    for (value, _) in wanted {
        let mut pool = (*value, 1_usize);
        #[allow(clippy::cast_precision_loss)]
        while let Some(&(last, count)) = pools.last()
            && last > pool.0
        {
            let all = count + pool.1;
            pool = ((last * count as f64 + pool.0 * pool.1 as f64) / all as f64, all);
            pools.pop();
        }
        pools.push(pool);
    }
    let values = pools
        .into_iter()
        .flat_map(|(value, count)| std::iter::repeat_n(value, count));
    values
        .zip(wanted)
        .map(|(value, (_, offset))| (value, *offset))
        .collect()
}
