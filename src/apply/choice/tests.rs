use super::*;
use proptest::prelude::*;

fn view(id: &str, second: i64, content: char) -> View {
    View {
        id: VersionId::new(id),
        created: DateTime::from_timestamp(1_795_219_200 + second, 0),
        content: Some(Digest::from_bytes([content as u8; 32])),
        same: content == 'A',
        owned: false,
        marked: true,
    }
}

fn owned(mut view: View) -> View {
    view.owned = true;
    view
}

#[test]
fn alone_it_stays() {
    let choice = choose(&[owned(view("b", 1, 'A'))], &VersionId::new("b"));
    assert_eq!(
        choice,
        Choice {
            stays: VersionId::new("b"),
            remove: vec![],
            moves: false
        }
    );
}

#[test]
fn of_equals_the_smallest_stays_and_only_ours_goes() {
    let views = [view("c", 1, 'A'), owned(view("b", 2, 'A')), view("a", 3, 'A')];
    let choice = choose(&views, &VersionId::new("b"));
    assert_eq!(choice.stays, VersionId::new("c"));
    assert_eq!(choice.remove, [VersionId::new("b")]);
}

#[test]
fn in_one_second_the_smaller_id_stays() {
    let views = [view("a", 1, 'A'), owned(view("b", 1, 'A'))];
    assert_eq!(choose(&views, &VersionId::new("b")).stays, VersionId::new("a"));
    let views = [owned(view("a", 1, 'A')), view("b", 1, 'A')];
    let choice = choose(&views, &VersionId::new("a"));
    assert_eq!((choice.stays, choice.remove), (VersionId::new("a"), vec![]));
}

#[test]
fn other_content_in_between_makes_it_a_revert() {
    let views = [view("a", 1, 'A'), view("x", 2, 'B'), owned(view("b", 3, 'A'))];
    let choice = choose(&views, &VersionId::new("b"));
    assert_eq!((choice.stays, choice.remove), (VersionId::new("b"), vec![]));
}

#[test]
fn a_second_shared_with_other_content_is_left_by_the_larger_id() {
    let views = [view("a", 1, 'B'), owned(view("b", 1, 'A'))];
    assert!(choose(&views, &VersionId::new("b")).moves);
    let views = [owned(view("a", 1, 'A')), view("b", 1, 'B')];
    assert!(
        !choose(&views, &VersionId::new("a")).moves,
        "the run of `b` moves"
    );
    let mut by_hand = view("b", 1, 'B');
    by_hand.marked = false;
    let views = [owned(view("a", 1, 'A')), by_hand];
    assert!(
        choose(&views, &VersionId::new("a")).moves,
        "nobody else moves what was uploaded by hand"
    );
}

proptest! {
    /// Whatever several runs uploaded: when each has chosen on the same list, exactly one of every group of
    /// equals next to each other is left, and no run removes what is not its own.
    #[test]
    fn runs_that_see_the_same_agree(
        uploads in proptest::collection::vec((0_i64..4, proptest::sample::select(vec!['A', 'B']), 0_usize..3), 1..6)
    ) {
        let all: Vec<(View, char, usize)> = uploads
            .iter()
            .enumerate()
            .map(|(index, (second, content, run))| (view(&format!("{index}"), *second, 'B'), *content, *run))
            .collect();
        let mut removed = std::collections::BTreeSet::new();
        for (mine, content, run) in &all {
            let views: Vec<View> = all
                .iter()
                .map(|(view, other, owner)| View {
                    same: other == content,
                    owned: owner == run && other == content,
                    ..view.clone()
                })
                .collect();
            let choice = choose(&views, &mine.id);
            for id in &choice.remove {
                let (_, other, owner) = all.iter().find(|(view, _, _)| view.id == *id).unwrap();
                prop_assert_eq!((other, owner), (content, run));
                prop_assert_ne!(id, &choice.stays);
                removed.insert(id.clone());
            }
        }
        // Something of every content that was uploaded is left.
        for content in ['A', 'B'] {
            let (had, left) = all.iter().filter(|(_, other, _)| *other == content).fold((0, 0), |(had, left), (view, _, _)| {
                (had + 1, left + usize::from(!removed.contains(&view.id)))
            });
            prop_assert!(had == 0 || left > 0);
        }
    }
}
