//! The model's file.
//!
//! One safetensors file holds everything: the network, the embeddings, the linear coefficients,
//! and of each interface that was learnt from its scale, its error calibration and its skill. What
//! is not a number (format version, names, seed, settings) stands as JSON under `noctop` in the header.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use safetensors::tensor::{Dtype, SafeTensors, TensorView};
use serde::{Deserialize, Serialize};

use super::kernel::{
    EMBEDDING, GATES, HEAD, HIDDEN, HOST_EMBEDDING, INPUTS, INTERFACE_EMBEDDING, OUTPUTS, OutputLayer, SIDE, Weights,
};
use super::learnt::{KnownInterface, Model, Parts};
use super::linear::{Coefficients, FEATURES};
use super::mix::EXPERTS;
use super::network::Embeddings;
use super::settings::{ModelSettings, Scaling, Scope};
use super::skill::Skill;
use crate::series::{Clock, InterfaceName, Scale, Step, WindowLength};
use crate::whole;

/// Version of the file's layout and of what its numbers mean. Another version is refused: the
/// network's numbers mean nothing to a forecast that is put together in another way.
const FORMAT: u32 = 3;
const KEY: &str = "noctop";
/// A file within the file: the model before it learnt the newest rows. It is only read where models are compared.
const TRIAL: &str = "trial";

/// Why a model could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum ModelError {
    /// The file cannot be read.
    #[error("{path}: {source}; name a file that `noctop train DIR --model FILE` wrote")]
    Unread {
        /// Which file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The file cannot be written.
    #[error("{path}: {source}")]
    Io {
        /// Which file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// It is no model, or a damaged one.
    #[error("{path}: not a noctop model: {reason}; train one with `noctop train DIR --model FILE`")]
    Damaged {
        /// Which file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// Another version of noctop wrote it.
    #[error("{path}: model format {found}, but this noctop reads format {FORMAT}; train it again with `noctop train`")]
    Version {
        /// Which file.
        path: PathBuf,
        /// Its format.
        found: u32,
    },
}

impl Model {
    /// The bytes of its file.
    ///
    /// # Errors
    /// As [`Model::save`].
    pub fn bytes(&self) -> Result<Vec<u8>, ModelError> {
        self.to_bytes().map_err(|reason| ModelError::Damaged { path: PathBuf::new(), reason })
    }

    /// Writes the model, whole or not at all: to a new file beside `path`, which then takes its name.
    pub fn save(&self, path: &Path) -> Result<(), ModelError> {
        let io = |source| ModelError::Io { path: path.to_owned(), source };
        let bytes = self.to_bytes().map_err(|reason| ModelError::Damaged { path: path.to_owned(), reason })?;
        fs::create_dir_all(whole::directory(path))
            .and_then(|()| whole::write(path, |out| out.write_all(&bytes)))
            .map_err(io)
    }

    /// Whether a model can be written to `path`: what is in the way is better known before the model is learnt.
    ///
    /// # Errors
    /// As those of [`Model::save`].
    pub fn can_be_saved(path: &Path) -> Result<(), ModelError> {
        let io = |source| ModelError::Io { path: path.to_owned(), source };
        fs::create_dir_all(whole::directory(path)).and_then(|()| whole::can_be_written(path)).map_err(io)
    }

    /// Reads a model.
    pub fn load(path: &Path) -> Result<Self, ModelError> {
        let bytes = fs::read(path).map_err(|source| ModelError::Unread { path: path.to_owned(), source })?;
        read(&bytes, path)
    }

    fn to_bytes(&self) -> Result<Vec<u8>, String> {
        let floats = |v: &[f32]| v.iter().flat_map(|x| x.to_le_bytes()).collect::<Vec<u8>>();
        let doubles = |v: Vec<f64>| v.iter().flat_map(|x| x.to_le_bytes()).collect::<Vec<u8>>();
        let n = self.known.len();
        let w = &self.weights;
        let linear = |c: &Coefficients| c.iter().flatten().copied().collect::<Vec<f64>>();
        let scales = |of: &[Scale]| of.iter().flat_map(|s| [s.knee, s.middle, s.spread]).collect::<Vec<f64>>();
        let scale = |k: &KnownInterface| scales(&k.scale);
        let layers = self.layers.len();
        let layer_weights: Vec<f32> = self.layers.iter().flat_map(|l| l.weights.as_flattened()).copied().collect();
        let layer_biases: Vec<f32> = self.layers.iter().flat_map(|l| l.bias).collect();
        let common = self.common_scale.as_ref().map_or(&[][..], |scale| &scale[..]);
        let trial = self.trial.as_deref().unwrap_or_default();
        let skill = |k: &KnownInterface| match &k.skill {
            Some(s) => {
                let scope = Scope::ALL.iter().position(|scope| *scope == s.scope).unwrap_or(0) as f64;
                [&[s.rows as f64, s.mix, s.plain, scope], &s.scopes[..], &s.experts[..]].concat()
            }
            None => vec![0.0; SKILL],
        };
        let width = self.pooled_calibration.len();
        let none = vec![0.0; width];
        let calibration: Vec<f32> =
            self.known.iter().flat_map(|k| k.calibration.as_ref().unwrap_or(&none)).copied().collect();
        let all = |of: &dyn Fn(&KnownInterface) -> Vec<f64>| doubles(self.known.iter().flat_map(of).collect());
        let tensors = [
            ("embedding.host", Dtype::F32, vec![self.hosts.len() + 1, HOST_EMBEDDING], floats(&self.embeddings.host)),
            ("embedding.interface", Dtype::F32, vec![n + 1, INTERFACE_EMBEDDING], floats(&self.embeddings.interface)),
            ("interface.calibration", Dtype::F32, vec![n, width], floats(&calibration)),
            ("interface.linear", Dtype::F64, vec![n, 2, FEATURES], all(&|k| linear(&k.linear))),
            ("interface.scale", Dtype::F64, vec![n, 2, 3], all(&scale)),
            ("interface.skill", Dtype::F64, vec![n, SKILL], all(&skill)),
            ("layer.bias", Dtype::F32, vec![layers, OUTPUTS], floats(&layer_biases)),
            ("layer.output", Dtype::F32, vec![layers, HEAD, OUTPUTS], floats(&layer_weights)),
            ("network.bias", Dtype::F32, vec![GATES], floats(&w.bias)),
            ("network.embedding", Dtype::F32, vec![EMBEDDING, GATES], floats(&w.embedding)),
            ("network.head", Dtype::F32, vec![HIDDEN + SIDE, HEAD], floats(&w.head)),
            ("network.head_bias", Dtype::F32, vec![HEAD], floats(&w.head_bias)),
            ("network.input", Dtype::F32, vec![INPUTS, GATES], floats(&w.input)),
            ("network.output", Dtype::F32, vec![HEAD, OUTPUTS], floats(&w.output)),
            ("network.output_bias", Dtype::F32, vec![OUTPUTS], floats(&w.output_bias)),
            ("network.recurrent", Dtype::F32, vec![HIDDEN, GATES], floats(&w.recurrent)),
            ("pooled.calibration", Dtype::F32, vec![width], floats(&self.pooled_calibration)),
            ("pooled.linear", Dtype::F64, vec![2, FEATURES], doubles(linear(&self.pooled))),
            ("pooled.scale", Dtype::F64, vec![common.len(), 3], doubles(scales(common))),
            (TRIAL, Dtype::U8, vec![trial.len()], trial.to_vec()),
        ];
        let views = tensors
            .iter()
            .map(|(name, dtype, shape, bytes)| Ok((*name, TensorView::new(*dtype, shape.clone(), bytes)?)))
            .collect::<Result<Vec<_>, safetensors::SafeTensorError>>()
            .map_err(|e| e.to_string())?;
        let header = Header {
            format: FORMAT,
            name: self.name.clone(),
            seed: self.seed,
            scope: self.settings.scope,
            window: self.settings.window.slots(),
            scaling: self.settings.scaling,
            layers: self.known.iter().map(|k| k.layer).collect(),
            host_layers: self.host_layers.clone(),
            hosts: self.hosts.iter().map(|h| h.to_string()).collect(),
            interfaces: self
                .known
                .iter()
                .map(|k| (k.name.host.to_string(), k.name.ifname.to_string(), k.step.seconds()))
                .collect(),
        };
        let header = serde_json::to_string(&header).map_err(|e| e.to_string())?;
        safetensors::serialize(views, Some(HashMap::from([(KEY.to_owned(), header)]))).map_err(|e| e.to_string())
    }
}

/// Reads a model from the bytes of a file; `path` is what errors call it.
pub(super) fn read(bytes: &[u8], path: &Path) -> Result<Model, ModelError> {
    let damaged = |reason: String| ModelError::Damaged { path: path.to_owned(), reason };
    let (_, metadata) = SafeTensors::read_metadata(bytes).map_err(|e| damaged(format!("no safetensors file ({e})")))?;
    let header = metadata
        .metadata()
        .as_ref()
        .and_then(|m| m.get(KEY))
        .ok_or_else(|| damaged("its header has no `noctop` entry".into()))?;
    let Version { format } =
        serde_json::from_str(header).map_err(|e| damaged(format!("its header is no JSON ({e})")))?;
    if format != FORMAT {
        return Err(ModelError::Version { path: path.to_owned(), found: format });
    }
    let header: Header =
        serde_json::from_str(header).map_err(|e| damaged(format!("its header is incomplete ({e})")))?;
    let file = SafeTensors::deserialize(bytes).map_err(|e| damaged(format!("its tensors are cut or overlap ({e})")))?;
    Reader { file, n: header.interfaces.len() }.model(header).map_err(damaged)
}

/// Numbers in a row of `interface.skill`: rows, mix, plain, scope, each scope's, experts.
const SKILL: usize = 7 + EXPERTS;

#[derive(Deserialize)]
struct Version {
    format: u32,
}

#[derive(Serialize, Deserialize)]
struct Header {
    format: u32,
    name: String,
    seed: u64,
    scope: Scope,
    window: usize,
    scaling: Scaling,
    /// Of each interface, the place of its last layer; and of each host, for strangers on it.
    layers: Vec<Option<usize>>,
    host_layers: Vec<Option<usize>>,
    hosts: Vec<String>,
    /// Host, name, step in seconds.
    interfaces: Vec<(String, String, i64)>,
}

/// Takes tensors out of a file, each checked for its shape and for numbers that are no numbers.
struct Reader<'a> {
    file: SafeTensors<'a>,
    n: usize,
}

impl Reader<'_> {
    fn tensor(&self, name: &str, dtype: Dtype, shape: &[usize]) -> Result<TensorView<'_>, String> {
        let tensor = self.file.tensor(name).map_err(|_| format!("{name} is missing"))?;
        if tensor.dtype() != dtype || tensor.shape() != shape {
            return Err(format!("{name} is {:?} {:?} instead of {dtype:?} {shape:?}", tensor.dtype(), tensor.shape()));
        }
        Ok(tensor)
    }

    fn floats(&self, name: &str, shape: &[usize]) -> Result<Vec<f32>, String> {
        let values: Vec<f32> = self
            .tensor(name, Dtype::F32, shape)?
            .data()
            .as_chunks::<4>()
            .0
            .iter()
            .map(|b| f32::from_le_bytes(*b))
            .collect();
        if values.iter().all(|v| v.is_finite()) {
            Ok(values)
        } else {
            Err(format!("{name} holds a value that is not finite"))
        }
    }

    fn doubles(&self, name: &str, shape: &[usize], may_be_nan: bool) -> Result<Vec<f64>, String> {
        let values: Vec<f64> = self
            .tensor(name, Dtype::F64, shape)?
            .data()
            .as_chunks::<8>()
            .0
            .iter()
            .map(|b| f64::from_le_bytes(*b))
            .collect();
        let fine = values.iter().all(|v| v.is_finite() || (may_be_nan && v.is_nan()));
        if fine { Ok(values) } else { Err(format!("{name} holds a value that is not finite")) }
    }

    /// Last layers beside the shared one.
    fn layers(&self) -> Result<Vec<OutputLayer>, String> {
        let count = self.file.tensor("layer.bias").map_or(0, |t| t.shape().first().copied().unwrap_or(0));
        let bias = self.floats("layer.bias", &[count, OUTPUTS])?;
        let output = self.floats("layer.output", &[count, HEAD, OUTPUTS])?;
        let pairs = output.chunks_exact(HEAD * OUTPUTS).zip(bias.chunks_exact(OUTPUTS));
        Ok(pairs.map(|(output, bias)| OutputLayer::from_slices(output, bias)).collect())
    }

    fn model(&self, header: Header) -> Result<Model, String> {
        let n = self.n;
        let weights = Weights {
            input: self.floats("network.input", &[INPUTS, GATES])?,
            embedding: self.floats("network.embedding", &[EMBEDDING, GATES])?,
            recurrent: self.floats("network.recurrent", &[HIDDEN, GATES])?,
            bias: self.floats("network.bias", &[GATES])?,
            head: self.floats("network.head", &[HIDDEN + SIDE, HEAD])?,
            head_bias: self.floats("network.head_bias", &[HEAD])?,
            output: self.floats("network.output", &[HEAD, OUTPUTS])?,
            output_bias: self.floats("network.output_bias", &[OUTPUTS])?,
        };
        let embeddings = Embeddings {
            host: self.floats("embedding.host", &[header.hosts.len() + 1, HOST_EMBEDDING])?,
            interface: self.floats("embedding.interface", &[n + 1, INTERFACE_EMBEDDING])?,
        };
        let width = self.file.tensor("pooled.calibration").map_or(0, |t| t.shape().first().copied().unwrap_or(0));
        let pooled_calibration = self.floats("pooled.calibration", &[width])?;
        let calibration = self.floats("interface.calibration", &[n, width])?;
        let scale = self.doubles("interface.scale", &[n, 2, 3], false)?;
        let linear = self.doubles("interface.linear", &[n, 2, FEATURES], false)?;
        let skill = self.doubles("interface.skill", &[n, SKILL], true)?;
        let layers = self.layers()?;
        for place in header.layers.iter().chain(&header.host_layers).flatten() {
            if *place >= layers.len() {
                return Err(format!("layer {place} is named, but there are {}", layers.len()));
            }
        }
        if header.layers.len() != n || header.host_layers.len() != header.hosts.len() {
            return Err("not every interface and host has an entry for its last layer".into());
        }
        let window =
            WindowLength::new(header.window).ok_or_else(|| format!("a window of {} slots is none", header.window))?;
        let common_scale = match header.scaling {
            Scaling::Interface => None,
            Scaling::Global => Some(scales(&self.doubles("pooled.scale", &[2, 3], false)?, "all interfaces")?),
        };
        let pooled = coefficients(&self.doubles("pooled.linear", &[2, FEATURES], false)?);
        let known = header
            .interfaces
            .iter()
            .enumerate()
            .map(|(i, (host, ifname, step))| {
                let row = &skill[i * SKILL..(i + 1) * SKILL];
                // All zeros stand for none: the histograms of one sum to 1.
                let calibration =
                    Some(calibration[i * width..(i + 1) * width].to_vec()).filter(|own| own.iter().any(|v| *v != 0.0));
                Ok(KnownInterface {
                    name: InterfaceName::new(host, ifname),
                    step: Step::from_seconds(*step).ok_or_else(|| format!("{host} {ifname} has a step of {step} s"))?,
                    scale: scales(&scale[i * 6..i * 6 + 6], &format!("{host} {ifname}"))?,
                    layer: header.layers[i],
                    linear: coefficients(&linear[i * 2 * FEATURES..]),
                    settled: calibration.is_some(),
                    calibration,
                    skill: (row[0] > 0.0).then(|| {
                        let mut experts = [0.0; EXPERTS];
                        experts.copy_from_slice(&row[7..]);
                        let scope = Scope::ALL.get(row[3] as usize).copied().unwrap_or_default();
                        let scopes = [row[4], row[5], row[6]];
                        Skill { rows: row[0] as usize, mix: row[1], plain: row[2], experts, scopes, scope }
                    }),
                })
            })
            .collect::<Result<Vec<_>, String>>()?;
        let hosts = header.hosts.iter().map(|h| Arc::from(h.as_str())).collect();
        let settings = ModelSettings { scope: header.scope, window, scaling: header.scaling };
        let parts = Parts {
            name: header.name,
            seed: header.seed,
            settings,
            clock: Clock::UTC,
            weights,
            embeddings,
            hosts,
            known,
            pooled,
            common_scale,
            layers,
            host_layers: header.host_layers,
        };
        let mut model = Model::new(parts);
        model.pooled_calibration = pooled_calibration;
        model.trial = self.file.tensor(TRIAL).ok().map(|t| t.data()).filter(|bytes| !bytes.is_empty()).map(Arc::from);
        Ok(model)
    }
}

/// Two scales out of six numbers.
fn scales(numbers: &[f64], whose: &str) -> Result<[Scale; 2], String> {
    let scales = [0, 3].map(|o| Scale { knee: numbers[o], middle: numbers[o + 1], spread: numbers[o + 2] });
    if scales.iter().all(|s| s.knee > 0.0 && s.spread > 0.0) {
        Ok(scales)
    } else {
        Err(format!("the scale of {whose} is not positive"))
    }
}

/// The first two rows of coefficients in `values`.
fn coefficients(values: &[f64]) -> Coefficients {
    let mut out = [[0.0; FEATURES]; 2];
    for (c, row) in out.iter_mut().enumerate() {
        row.copy_from_slice(&values[c * FEATURES..(c + 1) * FEATURES]);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::learnt::tests::model;

    #[test]
    fn a_model_comes_back_from_its_file_as_it_was() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("new/model.safetensors");
        let model = model();
        model.save(&path).unwrap();
        let back = Model::load(&path).unwrap();
        assert_eq!(back.to_bytes().unwrap(), model.to_bytes().unwrap());
        assert_eq!((back.weights, back.pooled_calibration), (model.weights, model.pooled_calibration));
        assert_eq!((back.settings, back.layers, back.host_layers), (model.settings, model.layers, model.host_layers));
        assert_eq!(fs::read_dir(path.parent().unwrap()).unwrap().count(), 1, "nothing is left beside the model");
    }

    #[test]
    fn a_trial_that_is_damaged_is_told_where_it_is_asked_for_and_scoring_goes_on() {
        let mut damaged = model();
        damaged.trial = Some(Arc::from([1u8, 2, 3].as_slice()));
        let back = Arc::new(read(&damaged.to_bytes().unwrap(), Path::new("m")).unwrap());
        let error = back.trial().unwrap_err().to_string();
        assert!(error.starts_with("the trial of the model test: not a noctop model"), "{error}");
    }

    #[test]
    fn damaged_foreign_and_future_files_are_clear_errors() {
        let whole = model().to_bytes().unwrap();
        let error = |bytes: &[u8]| read(bytes, Path::new("m.safetensors")).unwrap_err().to_string();
        for cut in [0, 7, 100, whole.len() / 2, whole.len() - 1] {
            assert!(
                error(&whole[..cut]).contains("m.safetensors: not a noctop model"),
                "{cut}: {}",
                error(&whole[..cut])
            );
        }
        assert!(error(b"timeslot,hostname,ifname\n").contains("no safetensors file"));
        let foreign = safetensors::serialize(Vec::<(&str, TensorView<'_>)>::new(), None).unwrap();
        assert!(error(&foreign).contains("no `noctop` entry"));
        let text = String::from_utf8_lossy(&whole).into_owned();
        assert!(text.contains("\\\"format\\\":3"), "the header is JSON in a string");
        let at = whole.windows(12).position(|w| w == b"\\\"format\\\":3").unwrap();
        let mut future = whole.clone();
        future[at + 11] = b'7';
        assert!(error(&future).contains("model format 7"), "{}", error(&future));
        let mut infinite = model();
        infinite.weights.bias[3] = f32::INFINITY;
        assert!(error(&infinite.to_bytes().unwrap()).contains("network.bias holds a value that is not finite"));
    }
}
