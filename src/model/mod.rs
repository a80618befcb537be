//! The Embed-LSTM and the plain forecasts that it must beat.
//!
//! | file | what it does |
//! |---|---|
//! | [`linear`] | a robust linear regression on what the window and the rhythm say |
//! | [`blend`] | a regression on the other forecasts, learnt while the rows come |
//! | [`mix`] | the forecasts that are mixed, and their weights |
//! | [`kernel`] | the LSTM's forward pass, in one fixed order of arithmetic |
//! | [`body`] | all of it but the last layer, of any shape, several windows at a time |
//! | [`lstm`] | its LSTM |
//! | `lanes` | sixteen floats at a time: the sums and squashes of kernel and training |
//! | `fused` | a product and a sum rounded once, where the processor has no instruction for it |
//! | [`instructions`] | the same code for each of the processor's vector instructions |
//! | [`forecast`] | one interface's forecast state: all experts, mixed online by their recent errors |
//! | `inputs` | what forecasts become where they are inputs, of blends and network |
//! | [`network`] | the same network in Candle, to be trained |
//! | [`recurrent`] | its LSTM as one Candle operation, forward and backward |
//! | `regress` | least squares with Huber's weights and a ridge |
//! | [`dense`] | a layer as one Candle operation |
//! | `crew` | threads that stay, for the steps of training |
//! | `shard` | the arithmetic of that for some 32 samples |
//! | [`adam`] | the optimiser, in one pass over each variable |
//! | [`train`] | training: what is learnt from what |
//! | `lesson` | what is learnt from a share of the rows: all around the network, and its windows |
//! | `pupil` | one interface on its way through training |
//! | `teach` | teaching the network: batches, when to stop, many made into one |
//! | `heads` | last layers of their own for devices and interfaces |
//! | `scopes` | whose last layer is used |
//! | [`skill`] | how forecasts do on rows that were held out |
//! | [`settings`] | what a training run is told and a retraining is told again |
//! | [`learnt`] | the model: what was learnt, ready to score |
//! | [`file`](mod@file) | the model as one safetensors file |
//!
//! The network is trained on what the mix of the other forecasts leaves over, not on the raw value, and its
//! output layer starts at zero: before it has learnt anything it changes nothing.

pub mod adam;
pub mod blend;
pub mod body;
mod crew;
pub mod dense;
pub mod file;
pub mod forecast;
mod fused;
mod heads;
mod inputs;
pub mod instructions;
pub mod kernel;
mod lanes;
pub mod learnt;
mod lesson;
pub mod linear;
pub mod lstm;
pub mod mix;
pub mod network;
mod pupil;
pub mod recurrent;
mod regress;
pub mod renew;
mod scopes;
pub mod settings;
mod shard;
pub mod skill;
mod teach;
pub mod train;

pub use file::ModelError;
pub use forecast::{Forecast, Forecaster};
pub use learnt::{KnownInterface, Model};
pub use mix::Expert;
pub use settings::{ModelSettings, Scaling, Scope};
