//! The files of a new certificate: `.cer` for the app registration, `.pfx` and `.pem` with the key, which only their owner
//! may read.

use super::{unwritable, Made};
use crate::certificate::{pfx, refuse};
use crate::error::{Error, Kind, Result};
use crate::owned_file::{create, fill, temporary};
use crate::request::Request;
use crate::secret::Secret;
use openssl::symm::Cipher;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use zeroize::Zeroizing;

/// What is to be written where.
pub(crate) struct Files {
    cer: Option<PathBuf>,
    pfx: Option<PathBuf>,
    pem: Option<PathBuf>,
    password: Option<Secret>,
    encryption: pfx::Encryption,
    /// Replaces what is there.
    force: bool,
}

struct Content<'a> {
    path: &'a Path,
    bytes: Zeroizing<Vec<u8>>,
    /// Holds the key.
    private: bool,
}

impl Files {
    pub(crate) const FIELDS: [&'static str; 6] =
        ["cerPath", "pfxPath", "pemPath", "password", "pfxEncryption", "force"];

    /// Reads the paths `cerPath` (DER), `pfxPath` and `pemPath` (PKCS #8), `password` (secret) for the last two,
    /// `pfxEncryption` (`AES256_SHA256` or `TripleDES_SHA1`) and `force`; refuses what could not be written later.
    pub(crate) fn from_request(request: &Request) -> Result<Files> {
        let path = |key| Ok::<_, Error>(request.opt_text(key)?.map(PathBuf::from));
        let encryption = request.opt_text("pfxEncryption")?;
        let files = Files {
            cer: path("cerPath")?,
            pfx: path("pfxPath")?,
            pem: path("pemPath")?,
            password: request.opt_secret("password")?.cloned(),
            encryption: encryption.map(pfx::Encryption::parse).transpose()?.unwrap_or_default(),
            force: request.flag("force")?,
        };
        if let Some(password) = &files.password {
            if files.pfx.is_none() && files.pem.is_none() {
                return Err(
                    Error::invalid("a password was given without a file that it would protect")
                        .advise("Use -Password with -PfxPath or -PemPath."),
                );
            }
            if password.expose().is_empty() {
                return Err(Error::invalid("the password is empty").advise(
                    "Check the variable that it comes from, or leave -Password out for files that are not encrypted.",
                ));
            }
            if password.expose().contains('\0') {
                return Err(refuse::password_not_text("the new files"));
            }
        }
        if encryption.is_some() && files.pfx.is_none() {
            return Err(Error::invalid("an encryption was given without a PFX file").advise("Use it with -PfxPath."));
        }
        files.check_places()?;
        Ok(files)
    }

    /// Whether a key would lie in a file that needs no password.
    pub(crate) fn unprotected(&self) -> bool {
        self.password.is_none() && (self.pfx.is_some() || self.pem.is_some())
    }

    pub(crate) fn paths(&self) -> [(&'static str, Option<&Path>); 3] {
        let [cer, pfx, pem] = [&self.cer, &self.pfx, &self.pem].map(Option::as_deref);
        [("cerPath", cer), ("pfxPath", pfx), ("pemPath", pem)]
    }

    fn check_places(&self) -> Result<()> {
        let mut seen: Vec<&Path> = Vec::new();
        for path in self.paths().into_iter().filter_map(|(_, path)| path) {
            if seen.contains(&path) {
                return Err(
                    Error::invalid(format!("two files are to be written to {}", path.display()))
                        .advise("Give each file a path of its own."),
                );
            }
            seen.push(path);
            if path.is_dir() {
                return Err(Error::new(Kind::Storage, format!("{} is a folder", path.display()))
                    .advise("Give the path of a file."));
            }
            if !self.force && path.symlink_metadata().is_ok() {
                return Err(exists(path));
            }
            if !path.parent().is_some_and(Path::is_dir) {
                return Err(Error::new(
                    Kind::Storage,
                    format!("the folder of {} does not exist", path.display()),
                )
                .advise("Make the folder first, or give another path."));
            }
        }
        Ok(())
    }

    /// Writes them. Where one cannot be written, none is left that was not there before.
    pub(crate) fn write(&self, made: &Made) -> Result<()> {
        let contents = self.contents(made)?;
        let mut begun = Begun::default();
        for content in &contents {
            // Without -Force at its own place at once: what somebody has put there meanwhile is not replaced.
            let to = match self.force {
                true => temporary(content.path)?,
                false => content.path.to_owned(),
            };
            let file = create(&to, content.private).map_err(|cause| failed(content.path, &cause))?;
            begun.0.push(to);
            fill(file, &content.bytes).map_err(|cause| failed(content.path, &cause))?;
        }
        if self.force {
            for (content, temporary) in contents.iter().zip(&begun.0) {
                fs::rename(temporary, content.path).map_err(|cause| failed(content.path, &cause))?;
            }
        }
        begun.0.clear();
        Ok(())
    }

    fn contents(&self, made: &Made) -> Result<Vec<Content<'_>>> {
        let password = self.password.as_ref().map(Secret::expose);
        let mut contents = Vec::new();
        let mut add = |path, bytes, private| contents.push(Content { path, bytes, private });
        if let Some(path) = &self.pfx {
            add(path, made.pfx(password.unwrap_or_default(), self.encryption)?, true);
        }
        if let Some(path) = &self.pem {
            add(path, made.pem(password)?, true);
        }
        if let Some(path) = &self.cer {
            add(path, Zeroizing::new(made.der()?), false);
        }
        Ok(contents)
    }
}

impl Made {
    /// The certificate and its key as PKCS #12.
    pub(crate) fn pfx(&self, password: &str, encryption: pfx::Encryption) -> Result<Zeroizing<Vec<u8>>> {
        pfx::write(&self.key, &self.leaf, Vec::new(), &self.title(), password, encryption).map_err(unwritable)
    }

    /// The key as PKCS #8, encrypted where there is a password, and the certificate after it.
    fn pem(&self, password: Option<&str>) -> Result<Zeroizing<Vec<u8>>> {
        let key = match password {
            Some(password) => self
                .key
                .private_key_to_pem_pkcs8_passphrase(Cipher::aes_256_cbc(), password.as_bytes()),
            None => self.key.private_key_to_pem_pkcs8(),
        };
        let key = Zeroizing::new(key.map_err(unwritable)?);
        let certificate = self.leaf.to_pem().map_err(unwritable)?;
        // Room for both, so that growing leaves no copy of the key behind.
        let mut pem = Zeroizing::new(Vec::with_capacity(key.len() + certificate.len()));
        pem.extend_from_slice(&key);
        pem.extend_from_slice(&certificate);
        Ok(pem)
    }
}

/// Files that are removed again unless all of them came into being.
#[derive(Default)]
struct Begun(Vec<PathBuf>);

impl Drop for Begun {
    fn drop(&mut self) {
        for path in &self.0 {
            // Half a file is of no use, and why it is half has been said.
            let _ = fs::remove_file(path);
        }
    }
}

#[cold]
fn exists(path: &Path) -> Error {
    Error::new(Kind::Storage, format!("{} is there already", path.display()))
        .with_id("CertificateFileExists")
        .advise("Give another path, or replace it with -Force; a key that it holds is lost then.")
}

#[cold]
fn failed(path: &Path, cause: &io::Error) -> Error {
    match cause.kind() {
        io::ErrorKind::AlreadyExists => exists(path),
        _ => Error::storage("write", path, cause).advise(
            "Check that this account may write there and that the disk has room. No file of the certificate was left.",
        ),
    }
}
