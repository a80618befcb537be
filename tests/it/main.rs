//! noctop from outside: its files, its binary, its screen. One file for each promise.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod adopted;
mod alarms;
mod bounded;
mod called;
mod causal;
mod check;
mod cli;
mod clock;
mod console;
mod evaluate;
mod explore;
mod explore_vectors;
mod faults;
mod faults_live;
mod handover;
mod journal;
mod life;
mod live_equals_batch;
mod looking_back;
mod plain;
mod pty;
mod restart;
mod retraining;
mod rooms;
mod sample;
mod settings;
mod soak;
mod support;
mod takeover;
mod terminal;
mod triage;
mod unread;
mod vectors;
