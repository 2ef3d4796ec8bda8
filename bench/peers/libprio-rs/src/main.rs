// SPDX-License-Identifier: MPL-2.0
//! What libprio-rs, the living successor of libprio, needs for 2000 bits with Prio2, and with
//! Prio3SumVec, the scheme that it recommends today. No encryption, no parsing, no JSON.
//!
//! Prints one line a job: name and median microseconds of CPU time.

use prio::vdaf::{prio2::Prio2, prio3::Prio3, Aggregator, Client};
use std::hint::black_box;

const N: usize = 2000;
const ROUNDS: usize = 15;
const CALLS: usize = 40;
const CONTEXT: &[u8] = b"bench";
const NONCE: [u8; 16] = [7; 16];
const VERIFY_KEY: [u8; 32] = [9; 32];

#[repr(C)]
struct Timespec {
    seconds: i64,
    nanoseconds: i64,
}

extern "C" {
    fn clock_gettime(clock: i32, time: *mut Timespec) -> i32;
}

/// CPU time of this process, the clock that our own bench uses: other programs do not count.
fn cpu_us() -> f64 {
    const CLOCK_PROCESS_CPUTIME_ID: i32 = 2;
    let mut t = Timespec {
        seconds: 0,
        nanoseconds: 0,
    };
    // SAFETY: t is a valid timespec for the call's whole time.
    let status = unsafe { clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &mut t) };
    assert_eq!(status, 0);
    t.seconds as f64 * 1e6 + t.nanoseconds as f64 / 1e3
}

fn measure(name: &str, mut job: impl FnMut()) {
    let mut rounds: Vec<f64> = (0..ROUNDS)
        .map(|_| {
            let start = cpu_us();
            (0..CALLS).for_each(|_| job());
            (cpu_us() - start) / CALLS as f64
        })
        .collect();
    rounds.sort_by(f64::total_cmp);
    println!("{name} {:.1}", rounds[ROUNDS / 2]);
}

fn prio2() {
    let vdaf = Prio2::new(N).unwrap();
    let bits: Vec<u32> = (0..N as u32).map(|i| u32::from(i % 3 == 0)).collect();
    let (_, shares) = vdaf.shard(CONTEXT, &bits, &NONCE).unwrap();
    measure("prio2_shard", || {
        black_box(vdaf.shard(CONTEXT, black_box(&bits), &NONCE).unwrap());
    });
    for (id, name) in ["prio2_verify_leader", "prio2_verify_helper"]
        .iter()
        .enumerate()
    {
        measure(name, || {
            let share = black_box(&shares[id]);
            black_box(
                vdaf.verify_init(&VERIFY_KEY, CONTEXT, id, &(), &NONCE, &(), share)
                    .unwrap(),
            );
        });
    }
}

fn prio3_sum_vec() {
    // The chunk length that the documentation advises: about the square root of the length.
    let vdaf = Prio3::new_sum_vec(2, 1, N, 45).unwrap();
    let bits: Vec<u128> = (0..N).map(|i| u128::from(i % 3 == 0)).collect();
    let (public, shares) = vdaf.shard(CONTEXT, &bits, &NONCE).unwrap();
    measure("prio3_shard", || {
        black_box(vdaf.shard(CONTEXT, black_box(&bits), &NONCE).unwrap());
    });
    for (id, name) in ["prio3_verify_leader", "prio3_verify_helper"]
        .iter()
        .enumerate()
    {
        measure(name, || {
            let share = black_box(&shares[id]);
            let state = vdaf.verify_init(&VERIFY_KEY, CONTEXT, id, &(), &NONCE, &public, share);
            black_box(state.unwrap());
        });
    }
}

fn main() {
    prio2();
    prio3_sum_vec();
}
