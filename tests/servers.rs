//! How do the tests come by real servers? Each starts once per run on free ports and ends with the run.
//!
//! A server that is missing or does not start fails the test with the way to get it.

use std::io::{BufRead, BufReader};
use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::OnceLock;

/// A server in a process of its own. It ends when its standard input does, hence also if the tests are killed.
pub struct Server {
    pub endpoint: String,
    _process: Child,
    _open: ChildStdin,
}

/// Ceph's object gateway, which enforces ACLs and bucket policies. Users: alice and bob.
pub fn ceph() -> &'static Server {
    static CEPH: OnceLock<Server> = OnceLock::new();
    CEPH.get_or_init(|| {
        let [port, monitor] = free_ports();
        let data = std::env::temp_dir().join(format!("spillwatch-ceph-{}", std::process::id()));
        let data = data.to_str().expect("a temporary directory with a plain name");
        start("ceph", port, &[data, &port.to_string(), &monitor.to_string()])
    })
}

/// moto: many services and accounts, and no enforcement.
pub fn moto() -> &'static Server {
    static MOTO: OnceLock<Server> = OnceLock::new();
    MOTO.get_or_init(start_moto)
}

/// A second moto, which a test may tell to enforce the identity policies of its users.
pub fn strict_moto() -> &'static Server {
    static MOTO: OnceLock<Server> = OnceLock::new();
    MOTO.get_or_init(start_moto)
}

/// A third moto, which enforces identity policies while lockdown is tried.
pub fn lockdown_moto() -> &'static Server {
    static MOTO: OnceLock<Server> = OnceLock::new();
    MOTO.get_or_init(start_moto)
}

/// A PostgreSQL with a password and TLS.
pub struct Database {
    server: Server,
    /// The certificate that it shows.
    pub certificate: PathBuf,
}

impl Database {
    /// A URL of a database of its own, which is made.
    pub fn url(&self, name: &str) -> String {
        let port = self.server.endpoint.rsplit(':').next().expect("a port");
        let url = |name: &str| format!("postgres://spillwatch:spillwatch@localhost:{port}/{name}");
        let made = Command::new("psql")
            .args([&url("postgres"), "-q", "-c", &format!("CREATE DATABASE {name}")])
            .status();
        assert!(made.expect("psql, which comes with PostgreSQL").success());
        url(name)
    }
}

/// PostgreSQL, as scanners share it.
pub fn postgres() -> &'static Database {
    static POSTGRES: OnceLock<Database> = OnceLock::new();
    POSTGRES.get_or_init(|| {
        let [port] = free_ports();
        let data = std::env::temp_dir().join(format!("spillwatch-postgres-{}", std::process::id()));
        let path = data.to_str().expect("a temporary directory with a plain name");
        let server = start("postgres", port, &[path, &port.to_string()]);
        Database { server, certificate: data.join("server.crt") }
    })
}

fn start_moto() -> Server {
    let [port] = free_ports();
    start("moto", port, &[&port.to_string()])
}

fn start(script: &str, port: u16, arguments: &[&str]) -> Server {
    let script: PathBuf = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/servers").join(script);
    let mut process = Command::new(&script)
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap_or_else(|error| panic!("cannot run {}: {error}", script.display()));
    let open = process.stdin.take().expect("piped");
    let mut said = String::new();
    BufReader::new(process.stdout.take().expect("piped")).read_line(&mut said).expect("readable");
    assert_eq!(said.trim(), "ready", "{} did not start; its reason stands above", script.display());
    Server { endpoint: format!("http://127.0.0.1:{port}"), _process: process, _open: open }
}

/// Ports that were free a moment ago; held together, so that they differ.
fn free_ports<const N: usize>() -> [u16; N] {
    let held = [(); N].map(|()| TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port"));
    held.map(|listener| listener.local_addr().expect("bound").port())
}

/// Sends one request without a signature; returns status and body. For what no SDK of ours can ask.
pub fn plain_request(endpoint: &str, head: &str, headers: &str, body: &str) -> (u16, String) {
    let address = endpoint.trim_start_matches("http://");
    let mut socket = TcpStream::connect(address).expect("the server listens");
    let length = body.len();
    write!(
        socket,
        "{head} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\nContent-Length: {length}\r\n{headers}\r\n{body}"
    )
    .expect("sent");
    let mut answer = Vec::new();
    socket.read_to_end(&mut answer).expect("an answer");
    let answer = String::from_utf8_lossy(&answer);
    let status = answer.split(' ').nth(1).and_then(|status| status.parse().ok()).expect("a status line");
    let body = answer.split_once("\r\n\r\n").map_or("", |(_, body)| body);
    (status, body.to_owned())
}
