//! The model and its file.
//!
//! One safetensors file holds everything: the network, the embeddings, the linear coefficients,
//! and of each interface that was learnt from its scale, its error calibration and its skill. What
//! is not a number (format version, names, seed) stands as JSON under `noctop` in the header.

use std::collections::HashMap;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use safetensors::tensor::{Dtype, SafeTensors, TensorView};
use serde::{Deserialize, Serialize};

use super::forecast::Outlook;
use super::kernel::{
    EMBEDDING, GATES, HEAD, HIDDEN, HOST_EMBEDDING, INPUTS, INTERFACE_EMBEDDING, Kernel, OUTPUTS, SIDE, Weights,
};
use super::linear::{Coefficients, FEATURES};
use super::mix::{EXPERTS, Expert};
use super::network::Embeddings;
use crate::series::scale::quantile;
use crate::series::{InterfaceName, Pair, Scale, Step};

/// Version of the file's layout and of what its numbers mean. Another version is refused.
const FORMAT: u32 = 1;
const KEY: &str = "noctop";
/// Distance from the trained median, in trained spreads, beyond which a name is taken to have
/// another load behind it than the one that was learnt.
const FAMILIAR: f64 = 3.0;

static BUILT_IN: &[u8] = include_bytes!("../../models/default.safetensors");

/// Why a model could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum ModelError {
    /// The file cannot be read or written.
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

/// How forecasts did on one interface's held-out rows: mean absolute error of the mean value over
/// the interface's spread, which is the larger of its interquartile range and a quarter of q95 − q5.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Skill {
    /// Rows that it was measured on.
    pub rows: usize,
    /// Of each expert, in the order of [`super::Expert::ALL`]; NaN for one that never had a forecast.
    pub experts: [f64; EXPERTS],
    /// Of the mix.
    pub mix: f64,
    /// Of the mix without the LSTM.
    pub plain: f64,
}

/// What a model learnt of one interface.
#[derive(Debug, Clone)]
pub struct KnownInterface {
    /// Its name.
    pub name: InterfaceName,
    /// Its step.
    pub step: Step,
    /// Its scales: of maxima and of means.
    pub scale: [Scale; 2],
    /// Its linear coefficients.
    pub linear: Coefficients,
    /// What its errors are usually like, in numbers that `detect` made and reads.
    pub calibration: Vec<f32>,
    /// How the forecasts did, where enough rows were held out.
    pub skill: Option<Skill>,
}

/// Everything that is learnt, ready to score.
#[derive(Debug)]
pub struct Model {
    /// What to call it.
    pub name: String,
    /// Seed that it was trained with.
    pub seed: u64,
    /// The shared network, and the same as scoring takes it.
    weights: Weights,
    kernel: Kernel,
    /// Whether the LSTM takes part in the mix.
    pub lstm: bool,
    embeddings: Embeddings,
    hosts: Vec<Arc<str>>,
    known: Vec<KnownInterface>,
    pooled: Coefficients,
    /// What errors are usually like on an interface that is not known.
    pub pooled_calibration: Vec<f32>,
    index: HashMap<InterfaceName, usize>,
    host_index: HashMap<Arc<str>, usize>,
    outlooks: Vec<Arc<Outlook>>,
    stranger: Arc<Outlook>,
}

/// What a model is put together from.
#[derive(Debug)]
pub struct Parts {
    /// What to call it.
    pub name: String,
    /// Seed.
    pub seed: u64,
    /// The shared network.
    pub weights: Weights,
    /// Embeddings; entry 0 of each is the unknown one, host `i` has entry `i + 1`, and so has interface `i`.
    pub embeddings: Embeddings,
    /// Hosts in the order of their entries.
    pub hosts: Vec<Arc<str>>,
    /// Interfaces in the order of their entries.
    pub known: Vec<KnownInterface>,
    /// Linear coefficients for an interface that is not known.
    pub pooled: Coefficients,
}

impl Model {
    /// Puts a model together. It has no error calibration for strangers until one is set.
    pub fn new(parts: Parts) -> Self {
        let Parts { name, seed, weights, embeddings, hosts, known, pooled } = parts;
        let kernel = weights.kernel();
        let mut model = Self {
            stranger: Arc::new(Outlook { linear: pooled, gates: kernel.gate_bias(&embeddings.of(0, 0)) }),
            index: known.iter().enumerate().map(|(i, k)| (k.name.clone(), i)).collect(),
            host_index: hosts.iter().enumerate().map(|(i, h)| (h.clone(), i + 1)).collect(),
            outlooks: Vec::new(),
            pooled_calibration: Vec::new(),
            lstm: true,
            name,
            seed,
            weights,
            kernel,
            embeddings,
            hosts,
            known,
            pooled,
        };
        model.outlooks = (0..model.known.len())
            .map(|i| {
                let known = &model.known[i];
                let embedding = model.embeddings.of(model.host_entry(&known.name.host), i + 1);
                Arc::new(Outlook { linear: known.linear, gates: model.kernel.gate_bias(&embedding) })
            })
            .collect();
        model
    }

    /// A model that has learnt nothing: the simple forecasts alone, for every interface a stranger.
    pub fn untrained() -> Self {
        let parts = Parts {
            name: "untrained".into(),
            seed: 0,
            weights: Weights::zero(),
            embeddings: Embeddings { host: vec![0.0; HOST_EMBEDDING], interface: vec![0.0; INTERFACE_EMBEDDING] },
            hosts: Vec::new(),
            known: Vec::new(),
            pooled: [[0.0; FEATURES]; 2],
        };
        Self { lstm: false, ..Self::new(parts) }
    }

    /// The model that is built into the program.
    pub fn built_in() -> Result<Self, ModelError> {
        Self::from_bytes(BUILT_IN, Path::new("the built-in model"))
    }

    /// The interfaces that it learnt from.
    pub fn known(&self) -> &[KnownInterface] {
        &self.known
    }

    /// Their calibrations, to be set.
    pub fn known_mut(&mut self) -> &mut [KnownInterface] {
        &mut self.known
    }

    /// The shared network where the LSTM takes part.
    pub fn network(&self) -> Option<&Kernel> {
        self.lstm.then_some(&self.kernel)
    }

    /// What it knows of an interface with this name and step whose first rows are `rows`: nothing
    /// where the name is new, or where the load behind the name is another one than it learnt (an
    /// interface of the same name in another network, or one that was put to another use).
    pub fn recognise(
        &self,
        name: &InterfaceName,
        step: Step,
        rows: &[Pair],
    ) -> Option<(&KnownInterface, Arc<Outlook>)> {
        let i = *self.index.get(name)?;
        let known = &self.known[i];
        let familiar = (0..2).all(|c| {
            let mut distance: Vec<f64> = rows.iter().map(|r| known.scale[c].forward(r[c]).abs()).collect();
            quantile(&mut distance, 0.5) <= FAMILIAR
        });
        (known.step == step && familiar).then(|| (known, self.outlooks[i].clone()))
    }

    /// What it says of an interface that it does not know: the unknown interface of a known host,
    /// or of an unknown one.
    pub fn stranger(&self, host: &str) -> Arc<Outlook> {
        match self.host_entry(host) {
            0 => self.stranger.clone(),
            entry => {
                Arc::new(Outlook { linear: self.pooled, gates: self.kernel.gate_bias(&self.embeddings.of(entry, 0)) })
            }
        }
    }

    /// Median over the interfaces of 1 − error of the mix / error of the best simple forecast
    /// (last value, day before, hour of week), on held-out rows.
    pub fn median_skill(&self) -> Option<f64> {
        let mut skills: Vec<f64> =
            self.known.iter().filter_map(|k| k.skill.as_ref()).filter_map(Skill::over_best_simple).collect();
        (!skills.is_empty()).then(|| quantile(&mut skills, 0.5))
    }

    fn host_entry(&self, host: &str) -> usize {
        self.host_index.get(host).copied().unwrap_or(0)
    }

    /// Writes the model, whole or not at all: to a new file beside `path`, which then takes its name.
    pub fn save(&self, path: &Path) -> Result<(), ModelError> {
        let io = |source| ModelError::Io { path: path.to_owned(), source };
        let bytes = self.to_bytes().map_err(|reason| ModelError::Damaged { path: path.to_owned(), reason })?;
        if let Some(dir) = path.parent().filter(|d| !d.as_os_str().is_empty()) {
            fs::create_dir_all(dir).map_err(io)?;
        }
        let mut name = path.file_name().unwrap_or_default().to_owned();
        name.push(format!(".{}.part", std::process::id()));
        let beside = path.with_file_name(name);
        let written = fs::File::create(&beside)
            .and_then(|mut file| file.write_all(&bytes).and_then(|()| file.sync_all()))
            .and_then(|()| fs::rename(&beside, path));
        written.map_err(|e| {
            let _ = fs::remove_file(&beside);
            io(e)
        })
    }

    /// Reads a model.
    pub fn load(path: &Path) -> Result<Self, ModelError> {
        let bytes = fs::read(path).map_err(|source| ModelError::Io { path: path.to_owned(), source })?;
        Self::from_bytes(&bytes, path)
    }

    fn to_bytes(&self) -> Result<Vec<u8>, String> {
        let floats = |v: &[f32]| v.iter().flat_map(|x| x.to_le_bytes()).collect::<Vec<u8>>();
        let doubles = |v: Vec<f64>| v.iter().flat_map(|x| x.to_le_bytes()).collect::<Vec<u8>>();
        let n = self.known.len();
        let w = &self.weights;
        let linear = |c: &Coefficients| c.iter().flatten().copied().collect::<Vec<f64>>();
        let scale =
            |k: &KnownInterface| k.scale.iter().flat_map(|s| [s.knee, s.middle, s.spread]).collect::<Vec<f64>>();
        let skill = |k: &KnownInterface| match &k.skill {
            Some(s) => [&[s.rows as f64, s.mix, s.plain][..], &s.experts[..]].concat(),
            None => vec![0.0; SKILL],
        };
        let width = self.pooled_calibration.len();
        let calibration: Vec<f32> = self.known.iter().flat_map(|k| k.calibration.iter().copied()).collect();
        let all = |of: &dyn Fn(&KnownInterface) -> Vec<f64>| doubles(self.known.iter().flat_map(of).collect());
        let tensors = [
            ("embedding.host", Dtype::F32, vec![self.hosts.len() + 1, HOST_EMBEDDING], floats(&self.embeddings.host)),
            ("embedding.interface", Dtype::F32, vec![n + 1, INTERFACE_EMBEDDING], floats(&self.embeddings.interface)),
            ("interface.calibration", Dtype::F32, vec![n, width], floats(&calibration)),
            ("interface.linear", Dtype::F64, vec![n, 2, FEATURES], all(&|k| linear(&k.linear))),
            ("interface.scale", Dtype::F64, vec![n, 2, 3], all(&scale)),
            ("interface.skill", Dtype::F64, vec![n, SKILL], all(&skill)),
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

    fn from_bytes(bytes: &[u8], path: &Path) -> Result<Self, ModelError> {
        let damaged = |reason: String| ModelError::Damaged { path: path.to_owned(), reason };
        let (_, metadata) =
            SafeTensors::read_metadata(bytes).map_err(|e| damaged(format!("no safetensors file ({e})")))?;
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
        let file =
            SafeTensors::deserialize(bytes).map_err(|e| damaged(format!("its tensors are cut or overlap ({e})")))?;
        Reader { file, n: header.interfaces.len() }.model(header).map_err(damaged)
    }
}

impl Skill {
    /// 1 − error of the mix / error of the best simple forecast; None where that is 0.
    pub fn over_best_simple(&self) -> Option<f64> {
        let best =
            Expert::SIMPLE.into_iter().map(|e| self.experts[e as usize]).filter(|e| e.is_finite()).fold(f64::INFINITY, f64::min);
        (best > 0.0 && best.is_finite()).then(|| 1.0 - self.mix / best)
    }
}

/// Numbers in a row of `interface.skill`: rows, mix, plain, experts.
const SKILL: usize = 3 + EXPERTS;

#[derive(Deserialize)]
struct Version {
    format: u32,
}

#[derive(Serialize, Deserialize)]
struct Header {
    format: u32,
    name: String,
    seed: u64,
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
        let pooled = coefficients(&self.doubles("pooled.linear", &[2, FEATURES], false)?);
        let known = header
            .interfaces
            .iter()
            .enumerate()
            .map(|(i, (host, ifname, step))| {
                let s = &scale[i * 6..i * 6 + 6];
                let scales = [0, 3].map(|o| Scale { knee: s[o], middle: s[o + 1], spread: s[o + 2] });
                if scales.iter().any(|s| s.knee <= 0.0 || s.spread <= 0.0) {
                    return Err(format!("interface.scale of {host} {ifname} is not positive"));
                }
                let row = &skill[i * SKILL..(i + 1) * SKILL];
                Ok(KnownInterface {
                    name: InterfaceName::new(host, ifname),
                    step: Step::from_seconds(*step).ok_or_else(|| format!("{host} {ifname} has a step of {step} s"))?,
                    scale: scales,
                    linear: coefficients(&linear[i * 2 * FEATURES..]),
                    calibration: calibration[i * width..(i + 1) * width].to_vec(),
                    skill: (row[0] > 0.0).then(|| {
                        let mut experts = [0.0; EXPERTS];
                        experts.copy_from_slice(&row[3..]);
                        Skill { rows: row[0] as usize, mix: row[1], plain: row[2], experts }
                    }),
                })
            })
            .collect::<Result<Vec<_>, String>>()?;
        let hosts = header.hosts.iter().map(|h| Arc::from(h.as_str())).collect();
        let parts = Parts { name: header.name, seed: header.seed, weights, embeddings, hosts, known, pooled };
        Ok(Model { pooled_calibration, ..Model::new(parts) })
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
pub(crate) mod tests {
    use super::*;
    use crate::model::network::Network;
    use crate::random::Random;

    /// A model that knows one interface and whose network was not trained.
    pub(crate) fn model() -> Model {
        let network = Network::new(1, 1, &mut Random::new(1)).unwrap();
        let known = KnownInterface {
            name: InterfaceName::new("core-1", "xe-0"),
            step: Step::from_seconds(3600).unwrap(),
            scale: [Scale { knee: 3e6, middle: 0.32, spread: 0.3 }; 2],
            linear: [[0.01; FEATURES]; 2],
            calibration: vec![0.5; 3],
            skill: Some(Skill { rows: 9, experts: [f64::NAN; EXPERTS], mix: 0.4, plain: 0.5 }),
        };
        let mut model = Model::new(Parts {
            name: "test".into(),
            seed: 1,
            weights: network.weights().unwrap(),
            embeddings: network.embeddings().unwrap(),
            hosts: vec!["core-1".into()],
            known: vec![known],
            pooled: [[0.0; FEATURES]; 2],
        });
        model.pooled_calibration = vec![0.25; 3];
        model
    }

    #[test]
    fn a_model_comes_back_from_its_file_as_it_was() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("new/model.safetensors");
        let model = model();
        model.save(&path).unwrap();
        let back = Model::load(&path).unwrap();
        assert_eq!(back.to_bytes().unwrap(), model.to_bytes().unwrap());
        assert_eq!((back.weights, back.pooled_calibration), (model.weights, model.pooled_calibration));
        assert_eq!(fs::read_dir(path.parent().unwrap()).unwrap().count(), 1, "nothing is left beside the model");
    }

    #[test]
    fn damaged_foreign_and_future_files_are_clear_errors() {
        let whole = model().to_bytes().unwrap();
        let error = |bytes: &[u8]| Model::from_bytes(bytes, Path::new("m.safetensors")).unwrap_err().to_string();
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
        assert!(text.contains("\\\"format\\\":1"), "the header is JSON in a string");
        let at = whole.windows(12).position(|w| w == b"\\\"format\\\":1").unwrap();
        let mut future = whole.clone();
        future[at + 11] = b'7';
        assert!(error(&future).contains("model format 7"), "{}", error(&future));
        let mut infinite = model();
        infinite.weights.bias[3] = f32::INFINITY;
        assert!(error(&infinite.to_bytes().unwrap()).contains("network.bias holds a value that is not finite"));
    }

    #[test]
    fn a_name_is_recognised_only_with_its_step_and_its_load() {
        let model = model();
        let name = InterfaceName::new("core-1", "xe-0");
        let hour = Step::from_seconds(3600).unwrap();
        let rows = |v: f64| vec![[v, v]; 24];
        assert!(model.recognise(&name, hour, &rows(1e6)).is_some());
        assert!(model.recognise(&name, hour, &rows(1e9)).is_none(), "another load");
        assert!(model.recognise(&name, Step::from_seconds(60).unwrap(), &rows(1e6)).is_none(), "another step");
        assert!(model.recognise(&InterfaceName::new("core-1", "xe-1"), hour, &rows(1e6)).is_none());
    }
}
