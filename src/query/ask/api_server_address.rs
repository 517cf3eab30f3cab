//! Where a part of the API server listens, as a configuration says it.

use ipnet::IpNet;
use std::net::{IpAddr, SocketAddr};
use std::str::FromStr;

/// Where a part of the API server listens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiServerAddress {
    /// Its address, or a block that it is in.
    pub block: IpNet,
    /// Its port, where it is told.
    pub port: Option<u16>,
}

impl FromStr for ApiServerAddress {
    type Err = String;

    /// Reads an address or block, `ADDRESS:PORT` or `[ADDRESS]:PORT`.
    fn from_str(text: &str) -> Result<Self, String> {
        if let Ok(block) = text.parse::<IpNet>() {
            return Ok(Self { block, port: None });
        }
        if let Ok(address) = text.parse::<IpAddr>() {
            let block = address.into();
            return Ok(Self { block, port: None });
        }
        let at: SocketAddr = text
            .parse()
            .map_err(|_| format!("`{text}` is no address, block or ADDRESS:PORT"))?;
        Ok(Self {
            block: at.ip().into(),
            port: Some(at.port()),
        })
    }
}
