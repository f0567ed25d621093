//! A copy of what is held on a person, as the law lets everybody ask for it (个人信息保护法, article 45): the card whole, and of the records that speak of
//! the person what speaks of them: cases that they reported whole, of a household where they live the door, else the words that bear their name or number.

use axum::extract::State;
use doorstep_core::docs::{Document, layout};
use doorstep_core::model::{Directory, DocId, Receipts};
use serde_json::{Map, Value, json};

use super::erasure::mentioned;
use super::guard::{Asking, Guard};
use super::{show, street_of};
use crate::api::Api;
use crate::audit::What;
use crate::http::{Json, Path};
use crate::hub::{Hub, HubError, Mention, Why};
use crate::problem::Problem;

/// The fields of a household that describe the door; the others are of whoever is named there.
const OF_THE_DOOR: [&str; 2] = ["door", "place"];

pub async fn copy(
    State(api): State<Api>,
    State(guard): State<Guard>,
    asking: Asking,
    Path((street, document)): Path<(String, String)>,
) -> Result<Json<Value>, Problem> {
    let id: DocId = document.parse().map_err(|_| Problem::bad_path().fault("/document", "is no id"))?;
    let copy = api
        .call(move |hub| {
            let street = street_of(hub, &street)?;
            let (card, mentions) = hub.held_on(street, id)?;
            let directory = hub.directory(street)?;
            let mut records = Vec::new();
            for mention in mentions {
                let (document, receipts) = hub.document(street, mention.doc)?;
                records.push(record(&mention, &document, &receipts, &directory));
            }
            let (document, receipts) = card;
            Ok::<_, HubError>(json!({
                "made_at": Hub::clock_now(hub).0,
                "card": show::show(&document, &receipts, &directory),
                "records": records,
            }))
        })
        .await?;
    guard.note(asking.did(What::Exported).on(id)).await?;
    Ok(Json(copy))
}

/// What a record says of the person.
fn record(mention: &Mention, document: &Document, receipts: &Receipts, directory: &Directory) -> Value {
    let mut record = mentioned(mention);
    let shown = match &mention.why {
        Why::Reporter => show::show(document, receipts, directory),
        Why::Member => json!({ "fields": of_the_door(document) }),
        Why::Words(path) => json!({ "words": words_at(document, path) }),
    };
    if let Some(record) = record.as_object_mut() {
        record.insert("record".into(), shown);
    }
    record
}

fn words_at(document: &Document, path: &layout::Path) -> Option<String> {
    document.personal_texts().into_iter().find(|(place, _)| place == path).map(|(_, text)| text.into_inner())
}

fn of_the_door(document: &Document) -> Map<String, Value> {
    let registers = document.registers();
    let of_door = registers.iter().filter(|(field, _)| OF_THE_DOOR.contains(&field.as_str()));
    of_door.map(|(field, value)| (field.clone(), show::show_scalar(value))).collect()
}
