//! Writes the corpus, repeats a crash, and tells a fuzzer what there is.
#![allow(clippy::print_stdout)] // a command line

use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use farthing_hostile::{TARGETS, Target, mutate, target};

const USAGE: &str = "usage: farthing-hostile list | corpus DIR | run TARGET FILE...";

fn main() -> anyhow::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["list"] => TARGETS
            .iter()
            .for_each(|target| println!("{}", target.name)),
        ["corpus", dir] => {
            for target in TARGETS {
                write_corpus(Path::new(dir), target)?;
            }
        }
        ["run", name, files @ ..] if !files.is_empty() => {
            let target = target(name).with_context(|| format!("no target is called {name}"))?;
            for file in files {
                let bytes = std::fs::read(file).with_context(|| (*file).to_owned())?;
                if let Err(failure) = mutate::attempt(target, &bytes) {
                    bail!("{file}: {}", failure.what);
                }
                println!("{file}: {} bytes, nothing is wrong", bytes.len());
            }
        }
        _ => bail!(USAGE),
    }
    Ok(())
}

/// The seeds below `corpus/TARGET/`, and the words as `dictionaries/TARGET`.
fn write_corpus(dir: &Path, target: &Target) -> anyhow::Result<()> {
    let folder: PathBuf = dir.join("corpus").join(target.name);
    std::fs::create_dir_all(&folder)?;
    for (number, seed) in target.seeds().iter().enumerate() {
        std::fs::write(folder.join(format!("seed-{number:02}")), seed)?;
    }
    let words: String = target
        .words()
        .iter()
        .map(|word| {
            let escaped: String = word.bytes().map(|byte| format!("\\x{byte:02x}")).collect();
            format!("\"{escaped}\"\n")
        })
        .collect();
    std::fs::create_dir_all(dir.join("dictionaries"))?;
    std::fs::write(dir.join("dictionaries").join(target.name), words)?;
    Ok(())
}
