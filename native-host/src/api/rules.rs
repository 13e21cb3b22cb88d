//! Rules and objectives.

use axum::Json;
use axum::extract::State;
use axum::response::IntoResponse;
use quillwork_protocol::alert::{ObjectiveInfo, RuleInfo};

use super::App;
use super::alerts::{fresh, stopped};
use super::openapi::Refusals;
use super::problem::Problem;

/// The rules that are watched, in order.
#[utoipa::path(
    get,
    path = "/api/v1/rules",
    tag = "alerts",
    responses((status = 200, description = "The rules.", body = Vec<RuleInfo>), Refusals)
)]
pub(super) async fn rules(State(app): State<App>) -> Result<impl IntoResponse, Problem> {
    Ok(fresh(Json(app.driver.with(|state, _| state.alerts().rules()).await.map_err(stopped)?)))
}

/// Where the budgets of the objectives stand.
#[utoipa::path(
    get,
    path = "/api/v1/slos",
    tag = "alerts",
    responses((status = 200, description = "The objectives that were observed.", body = Vec<ObjectiveInfo>), Refusals)
)]
pub(super) async fn slos(State(app): State<App>) -> Result<impl IntoResponse, Problem> {
    Ok(fresh(Json(app.driver.with(|state, now| state.alerts().objectives(now)).await.map_err(stopped)?)))
}
