use super::super::limits::Limits;
use super::*;
use futures_util::FutureExt;
use std::sync::atomic::AtomicBool;

const FIRST_WAIT: Duration = Duration::from_millis(500);
const QUICK: Duration = Duration::from_millis(100);

struct Bed {
    pace: Arc<Pace>,
    held_up: Arc<AtomicBool>,
}

fn bed(most: usize) -> Bed {
    let held_up = Arc::new(AtomicBool::new(false));
    let told = Arc::clone(&held_up);
    let tell = move |held| told.store(held, Ordering::Relaxed);
    Bed {
        pace: Pace::new(most, FIRST_WAIT, |_| false, None, tell),
        held_up,
    }
}

impl Bed {
    /// As many as may be in flight.
    fn fill(&self) -> Vec<Arc<Turn>> {
        std::iter::from_fn(|| self.pace.enter().now_or_never()).collect()
    }

    fn is_held_up(&self) -> bool {
        self.held_up.load(Ordering::Relaxed)
    }

    fn answer(&self, took: Duration, rounds: usize) {
        for _ in 0..rounds {
            for turn in self.fill() {
                turn.set_took(took);
                turn.answered();
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn answers_add_and_a_refusal_halves_once() {
    let bed = bed(16);
    assert_eq!(bed.fill().len(), 4);
    bed.answer(QUICK, 3);
    let turns = bed.fill();
    assert_eq!(turns.len(), 16);
    for turn in &turns {
        assert!(turn.refused(None).unwrap() <= FIRST_WAIT);
    }
    drop(turns);
    assert!(bed.is_held_up() && bed.fill().is_empty(), "all of the tenant waits");
    let trial = bed.pace.enter().await;
    assert!(trial.is_trial(0) && bed.fill().is_empty(), "one request tries");
    trial.answered();
    drop(trial);
    assert!(!bed.is_held_up());
    assert_eq!(bed.fill().len(), 8);
    bed.answer(QUICK, 1);
    assert_eq!(bed.fill().len(), 9, "one more in a round");
}

#[tokio::test(start_paused = true)]
async fn what_was_under_way_at_a_refusal_ends_no_pause() {
    let bed = bed(16);
    let turns = bed.fill();
    turns[0].refused(None).unwrap();
    turns[1].answered();
    drop(turns);
    assert!(bed.is_held_up() && bed.fill().is_empty());
}

#[tokio::test(start_paused = true)]
async fn refusals_without_end_are_given_up_and_a_pause_that_is_too_long_at_once() {
    let bed = bed(16);
    let begun = Instant::now();
    for refusal in 0..=REFUSALS {
        let turn = bed.pace.enter().await;
        assert_eq!(turn.refused(None).is_some(), refusal < REFUSALS);
    }
    assert!(begun.elapsed() < Duration::from_secs(300), "{:?}", begun.elapsed());
    assert!(!bed.is_held_up());
    // Whoever asks all the same waits for nothing, and one answer makes good.
    let turn = bed.pace.enter().now_or_never().unwrap();
    assert_eq!(turn.refused(None), None);
    drop(turn);
    let turn = bed.pace.enter().now_or_never().unwrap();
    turn.answered();
    assert!(turn.refused(Some(Duration::from_secs(3600))).is_none());
}

#[tokio::test(start_paused = true)]
async fn the_pause_is_the_one_that_is_asked_for() {
    let bed = bed(4);
    let turn = bed.pace.enter().await;
    let wait = turn.refused(Some(Duration::from_secs(60))).unwrap();
    drop(turn);
    assert!(wait >= Duration::from_secs(60) && wait <= Duration::from_secs(61));
    let begun = Instant::now();
    drop(bed.pace.enter().await);
    assert!(begun.elapsed() >= wait);
}

#[tokio::test(start_paused = true)]
async fn a_slow_answer_takes_some_away_and_a_failure_half() {
    let bed = bed(16);
    bed.answer(QUICK, 4);
    let turns = bed.fill();
    turns[0].set_took(QUICK * 30);
    turns[0].answered();
    drop(turns);
    assert_eq!(bed.fill().len(), 12);
    let turns = bed.fill();
    turns.iter().for_each(|turn| turn.failed());
    drop(turns);
    assert_eq!(bed.fill().len(), 6);
}

#[tokio::test(start_paused = true)]
async fn a_request_that_hangs_holds_its_tenant_up_until_an_answer() {
    let bed = bed(16);
    let permit = Limits::new().enter("host", false).await.unwrap();
    let turn = bed.pace.enter().await;
    let half = Box::pin(tokio::time::sleep(FIRST_WAIT * LONG / 2));
    turn.watch(&permit, half).await;
    assert!(!bed.is_held_up());
    let double = Box::pin(tokio::time::sleep(FIRST_WAIT * LONG * 2));
    turn.watch(&permit, double).await;
    assert!(bed.is_held_up() && turn.is_trial(2) && !turn.is_trial(1));
    turn.answered();
    assert!(!bed.is_held_up() && !turn.is_trial(2));
}

#[tokio::test(start_paused = true)]
async fn a_body_that_stalls_holds_its_tenant_up_until_it_flows_again() {
    let bed = bed(16);
    let permit = Limits::new().enter("host", false).await.unwrap();
    let turn = bed.pace.enter().await;
    turn.answered();
    let stalled = Box::pin(tokio::time::sleep(FIRST_WAIT * LONG * 2));
    turn.watch(&permit, stalled).await;
    assert!(bed.is_held_up());
    turn.go_on();
    assert!(!bed.is_held_up());
    // It breaks off in the end, and what is sent in its place comes.
    turn.broke_off();
    drop(turn);
    assert!(bed.is_held_up(), "nothing is under way but a wait");
    let again = bed.pace.enter().await;
    assert!(bed.is_held_up());
    again.answered();
    assert!(!bed.is_held_up());
}

#[tokio::test(start_paused = true)]
async fn a_wait_before_a_repeat_holds_up_who_has_nothing_else_under_way() {
    let bed = bed(16);
    let (sick, well) = (bed.pace.enter().await, bed.pace.enter().await);
    sick.wait();
    assert!(!bed.is_held_up());
    well.answered();
    drop(well);
    assert!(bed.is_held_up());
    drop(sick);
    drop(bed.pace);
    assert!(!bed.held_up.load(Ordering::Relaxed));
}
