//! Network interfaces and sockets.

use alloc::string::String;

use serde::{Deserialize, Serialize};

/// One network interface.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default, rename_all = "camelCase")]
pub struct Network {
    /// Interface name.
    pub name: String,
    /// What passes it passes another interface of the list as well (a bond, a bridge, a tunnel), so that it is left out
    /// of totals.
    pub is_stacked: bool,
    /// Whether it can carry traffic; `null` where the driver doesn't tell.
    pub is_up: Option<bool>,
    /// Speed of the link in bits a second; `null` where the driver doesn't tell.
    pub speed_bits_per_second: Option<u64>,
    /// Bytes received since the interface came up.
    pub received_bytes_total: u64,
    /// Bytes sent since the interface came up.
    pub sent_bytes_total: u64,
    /// Bytes received a second over the last tick.
    pub received_bytes_per_second: Option<f64>,
    /// Bytes sent a second over the last tick.
    pub sent_bytes_per_second: Option<f64>,
    /// Packets received since the interface came up.
    pub received_packets_total: Option<u64>,
    /// Packets sent since the interface came up.
    pub sent_packets_total: Option<u64>,
    /// Packets received a second.
    pub received_packets_per_second: Option<f64>,
    /// Packets sent a second.
    pub sent_packets_per_second: Option<f64>,
    /// Receive and send errors since the interface came up.
    pub errors_total: u64,
    /// Errors a second.
    pub errors_per_second: Option<f64>,
    /// Packets dropped since the interface came up, received and sent.
    pub drops_total: Option<u64>,
    /// Packets dropped a second.
    pub drops_per_second: Option<f64>,
}

/// Sockets of the host's network name space.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default, rename_all = "camelCase")]
pub struct Sockets {
    /// Sockets of all kinds.
    pub used: u64,
    /// TCP sockets that are not closed, IPv6 included.
    pub tcp_in_use: u64,
    /// TCP sockets that no process holds any more.
    pub tcp_orphans: u64,
    /// TCP sockets that wait for stray packets.
    pub tcp_time_wait: u64,
    /// Memory of TCP's buffers.
    pub tcp_memory_bytes: u64,
    /// UDP sockets, IPv6 included.
    pub udp_in_use: u64,
}
