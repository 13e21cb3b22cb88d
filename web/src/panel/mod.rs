//! The parts of the page.

mod alerts;
mod budget;
mod charts;
mod cores;
mod details;
mod file_systems;
mod footer;
mod header;
mod notice;
mod page_card;
mod pages;
mod processes;
mod sensors;
mod shortcuts;

pub(crate) use alerts::Alerts;
pub(crate) use budget::Budget;
pub(crate) use charts::Charts;
pub(crate) use details::Details;
pub(crate) use footer::Footer;
pub(crate) use header::Header;
pub(crate) use notice::Notice;
pub(crate) use pages::Pages;
pub(crate) use shortcuts::Shortcuts;
