//! The server of Alertmanager: its Go module lacks the web pages that are compiled into it, so it
//! comes out of Debian's package, unpacked into the cache. Nothing is installed.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};

use super::Build;

const PACKAGE: &str = "prometheus-alertmanager";

/// The program does not start without its templates, which it looks for where the package is installed.
/// In our copy that path, as long as before, begins in the directory where it runs.
const UNPACK: &str = r#"
apt-get --quiet download prometheus-alertmanager
dpkg-deb --extract prometheus-alertmanager_*.deb root
mkdir -p build/usr/share/prometheus
mv root/usr/share/prometheus/alertmanager build/usr/share/prometheus
LC_ALL=C sed 's|/usr/share/prometheus/alertmanager|usr//share/prometheus/alertmanager|g' \
    root/usr/bin/prometheus-alertmanager > build/alertmanager
chmod 755 build/alertmanager
"#;

/// The program, which has to be started in the directory that it is in.
pub(super) fn alertmanager(cache: &Path) -> Result<PathBuf> {
    let directory = match offered() {
        Ok(version) => unpacked(version).cached(cache)?,
        // What was unpacked before, by an apt that is not there any more.
        Err(reason) => cached(cache).ok_or(reason)?,
    };
    Ok(directory.join("alertmanager"))
}

fn unpacked(version: String) -> Build {
    Build {
        name: PACKAGE,
        version,
        manifests: Vec::new(),
        program: "sh",
        arguments: ["-euc", UNPACK].map(String::from).to_vec(),
        output: "build",
        results: &["alertmanager", "usr"],
    }
}

/// Version of the package that apt would take, out of the name of its file.
fn offered() -> Result<String> {
    let apt = Command::new("apt-get").args(["download", "--print-uris", PACKAGE]).output();
    let apt =
        apt.with_context(|| format!("it comes from Debian's {PACKAGE}, and there is no apt"))?;
    let told = String::from_utf8_lossy(&apt.stderr);
    ensure!(apt.status.success(), "apt-get does not have {PACKAGE}: {}", told.trim());
    let listed = String::from_utf8_lossy(&apt.stdout);
    let file = listed.split_whitespace().find_map(|word| word.strip_suffix(".deb"));
    let version = file.and_then(|file| file.strip_prefix(PACKAGE)?.strip_prefix('_'));
    Ok(version.with_context(|| format!("apt-get names no file of {PACKAGE}: {listed}"))?.to_owned())
}

fn cached(cache: &Path) -> Option<PathBuf> {
    let kept = fs::read_dir(cache).ok()?.filter_map(|entry| Some(entry.ok()?.path()));
    let named = |path: &PathBuf| {
        let name = path.file_name().and_then(|name| name.to_str());
        name.is_some_and(|name| name.starts_with(&format!("{PACKAGE}-"))) && path.is_dir()
    };
    kept.filter(named).max()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_apt_it_is_what_was_unpacked_before() {
        let cache = tempfile::tempdir().unwrap();
        assert_eq!(cached(cache.path()), None);
        for name in ["prometheus-v1-0", "prometheus-alertmanager-1-0.lock"] {
            fs::write(cache.path().join(name), "").unwrap();
        }
        assert_eq!(cached(cache.path()), None);
        let kept = cache.path().join("prometheus-alertmanager-1-0");
        fs::create_dir(&kept).unwrap();
        assert_eq!(cached(cache.path()), Some(kept));
    }

    #[test]
    fn the_path_in_our_copy_is_as_long_as_before() {
        let paths = UNPACK.split_once("'s|").and_then(|(_, rest)| rest.split_once("|g'"));
        let (old, new) = paths.and_then(|(paths, _)| paths.split_once('|')).unwrap();
        assert_eq!(old.len(), new.len());
    }
}
