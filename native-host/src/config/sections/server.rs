//! `[server]`

use std::net::{IpAddr, Ipv4Addr};
use std::path::PathBuf;

use crate::config::settings;
use crate::guard::{HostName, Origin};

settings! {
    /// Where the host listens, and who may talk to it from a browser.
    pub struct Server {
        /// Address to listen on. Any but a loopback address needs a token (`[auth]`).
        bind: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST), applies OnRestart;
        /// Port to listen on; 0 takes a free one and prints it.
        port: u16 = 9_470, applies OnRestart;
        /// Origins of pages that may talk to this host besides its own, for instance `"http://localhost:5173"`. The host
        /// answers under their names, too.
        allowed_origins: Vec<Origin> = Vec::new(), applies OnReload;
        /// Names under which browsers and programs reach this host besides `localhost` and its addresses, for instance
        /// `"studio.example"`. A request for any other name is refused, which is what stops DNS rebinding.
        names: Vec<HostName> = Vec::new(), applies OnReload;
        /// Built dashboard to serve at `/`. Not set: `dashboard` beside the program.
        dashboard_dir: Option<PathBuf> = None, applies OnRestart;
        /// Built story app to serve at `/story/`. Not set: `story` beside the program.
        story_dir: Option<PathBuf> = None, applies OnRestart;
    }
}
