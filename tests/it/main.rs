//! noctop from outside: its files, its binary, its screen. One file for each promise.

mod causal;
mod cli;
mod console;
mod live_equals_batch;
mod plain;
mod restart;
mod sample;
mod support;
