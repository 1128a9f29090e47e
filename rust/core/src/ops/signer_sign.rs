//! `signer.sign`: one signature of a key that its owner keeps, to find out whether the key works before it is relied on.

use crate::engine::Session;
use crate::error::{Error, Result};
use crate::operation::Operation;
use crate::request::Request;
use crate::value::Value;
use std::sync::Arc;

pub(super) fn start(session: &Session, request: &Request) -> Result<Operation> {
    request.only(&["signer", "algorithm", "data"])?;
    let signer = Arc::clone(request.signer("signer")?);
    let algorithm = request.text("algorithm")?.to_owned();
    let data = request.text("data")?.as_bytes().to_vec();
    if data.is_empty() {
        return Err(Error::invalid("there is nothing to sign").advise("Give a text to sign."));
    }
    Ok(Operation::spawn(session, |context| async move {
        let signature = context.or_cancelled(signer.sign(&algorithm, data)).await?;
        context
            .sink
            .record(Value::map().with("signature", Value::Bytes(signature)))
            .await
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Engine, Field, Next, Signer};
    use std::time::Duration;

    fn request(signer: &Arc<Signer>) -> Request {
        Request::new("signer.sign")
            .with("signer", Field::Signer(Arc::clone(signer)))
            .with("algorithm", Field::Text("PS256".to_owned()))
            .with("data", Field::Text("signing input".to_owned()))
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn owners_answer_is_the_record() {
        let session = Engine::new(tokio::runtime::Handle::current()).session();
        let signer = Arc::new(Signer::new());
        let operation = Operation::start(&session, request(&signer)).expect("starts");
        let owner = Arc::clone(&signer);
        let asked = tokio::task::spawn_blocking(move || owner.next(Duration::from_secs(60)))
            .await
            .expect("no panic")
            .expect("open")
            .expect("asked");
        assert_eq!(
            (asked.algorithm.as_str(), asked.data.as_slice()),
            ("PS256", "signing input".as_bytes())
        );
        signer.reply(asked.id, vec![1, 2, 3]);
        let Ok(Next::Event(event)) = operation.next().await else {
            panic!("no record")
        };
        assert!(matches!(event.into_value().get("signature"), Some(Value::Bytes(bytes)) if bytes == &[1, 2, 3]));
        assert!(matches!(operation.next().await, Ok(Next::Done)));
    }

    #[tokio::test]
    async fn nobody_answers_a_cancelled_one() {
        let session = Engine::new(tokio::runtime::Handle::current()).session();
        let signer = Arc::new(Signer::new());
        let operation = Operation::start(&session, request(&signer)).expect("starts");
        operation.cancel();
        assert!(operation.next().await.expect_err("cancelled").is_cancelled());
        session.engine().idle().await;
        assert!(signer.next(Duration::ZERO).expect("open").is_none());
    }
}
