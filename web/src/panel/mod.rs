//! The parts of the page.

mod alerts;
mod budget;
mod charts;
mod cores;
mod details;
mod file_systems;
mod footer;
mod header;
mod insights;
mod notice;
mod objectives;
mod page_card;
mod pages;
mod past;
mod processes;
mod sensors;
mod shortcuts;

pub(crate) use alerts::{Alerts, CareDialog};
pub(crate) use budget::Budget;
pub(crate) use charts::Charts;
pub(crate) use details::Details;
pub(crate) use footer::Footer;
pub(crate) use header::Header;
pub(crate) use insights::Insights;
pub(crate) use notice::Notice;
pub(crate) use objectives::Objectives;
pub(crate) use pages::Pages;
pub(crate) use past::PastPanel;
pub(crate) use shortcuts::Shortcuts;
