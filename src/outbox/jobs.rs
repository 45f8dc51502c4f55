//! One job: taken, worked off part by part, given back.
//!
//! | what a commit of items comes to | what is done |
//! | --- | --- |
//! | stored | the next items, twice as many as before |
//! | nothing was posted for now (503) | the same again, after a wait, as long as the lease would last |
//! | it cannot be stored | half of them; a single one is noted as failed; if not even that can be stored, the job is given up |
//! | the outcome is unknown | the job is taken again, and its row says how far it is |
//! | the claim is lost | nothing: somebody else has the job |
//!
//! A worker that is lost over an item (a crash, a panic) leaves a trace in the job's row: `stuck` counts how often it
//! was taken since it last moved. The more often, the fewer items are taken at once, until the culprit is alone and is
//! noted as failed.

mod progress;

use super::desk::Desk;
use super::{Ended, Worker, microseconds, prepare};
use crate::error::{Code, Problem};
use crate::loyalty::account::Account;
use crate::loyalty::contacts::sent::{Mail, Sent};
use crate::loyalty::sync::claim::{ClaimJob, Claimed, Wish};
use crate::loyalty::sync::work::Work;
use crate::secrets::{random_bytes, random_hex};
use progress::{At, Changed, Chunk, FIRST_WAIT, Held, LONGEST_WAIT};
use std::sync::Arc;

/// Takes a job and works on it until it is done or lost.
pub(super) async fn run<D: Desk>(worker: &Worker<D>, account: i32, job: i64) -> Ended {
    // An account may have been applied a moment ago and not be known yet.
    let (Some(account), Ok(token)) = (worker.desk.account(account), random_hex(16)) else {
        return Ended::Later;
    };
    let hold = Hold {
        worker,
        account,
        job,
        token,
    };
    match hold.claim(Wish::Take).await {
        Ok(Some(claimed)) => hold.work_off(claimed).await,
        Ok(None) => Ended::Later,
        Err(problem) => {
            tracing::debug!(job, "a job cannot be taken: {}", problem.message());
            // Taken after all, perhaps: whoever is next need not wait for the lease.
            let _ = hold.claim(Wish::Release).await;
            Ended::Later
        }
    }
}

/// A job that is ours.
struct Hold<'w, D> {
    worker: &'w Worker<D>,
    account: Arc<Account>,
    job: i64,
    token: String,
}

/// What follows.
enum Next {
    Go,
    TakeAgain,
    End(Ended),
}

/// Why items could not be prepared.
enum Unready {
    /// The claim is somebody else's by now.
    Lost,
    /// Something could not be read.
    Refused(Problem),
}

impl<D: Desk> Hold<'_, D> {
    async fn claim(&self, wish: Wish) -> Result<Option<Claimed>, Problem> {
        let claim = ClaimJob {
            account: self.account.number,
            job: self.job,
            token: self.token.clone(),
            lease_us: microseconds(self.worker.lease),
            wish,
            found: None,
        };
        self.worker.desk.claim_job(claim).await
    }

    /// Keeps the job, if it is still ours. It is lost only if the database says so: one that does not answer may still
    /// have it as ours.
    async fn is_ours(&self) -> bool {
        !matches!(self.claim(Wish::Renew).await, Ok(None))
    }

    async fn work_off(&self, mut claimed: Claimed) -> Ended {
        let mut at = At::of(&claimed);
        loop {
            if self.worker.is_stopping() {
                // Whoever is next need not wait for the lease.
                let _ = self.claim(Wish::Release).await;
                return Ended::Later;
            }
            match self.step(&claimed, &mut at).await {
                Next::Go => {}
                Next::End(ended) => return ended,
                Next::TakeAgain => {
                    self.worker.pause(FIRST_WAIT).await;
                    match self.claim(Wish::Take).await {
                        Ok(Some(again)) => {
                            at = At::of(&again);
                            claimed = again;
                        }
                        // Done after all, or somebody else's.
                        Ok(None) => return Ended::Done,
                        Err(_) => return Ended::Later,
                    }
                }
            }
        }
    }

    /// Works off the next items.
    async fn step(&self, claimed: &Claimed, at: &mut At) -> Next {
        let chunk = match self.chunk(claimed, at).await {
            Ok(chunk) => chunk,
            Err(problem) => return self.refused(claimed, at, 0, false, &problem).await,
        };
        let (items, finish) = (chunk.raws.len(), chunk.finish);
        let work = match self.prepared(claimed, at, chunk).await {
            Ok(Some(work)) => work,
            // To stop, or without random bytes.
            Ok(None) => return Next::Go,
            Err(Unready::Lost) => return self.lost(claimed),
            Err(Unready::Refused(problem)) => {
                return self.refused(claimed, at, 0, false, &problem).await;
            }
        };
        match self.worker.desk.work(work).await {
            Ok(worked) if worked.finished => {
                tracing::info!(
                    account = self.account.account_id,
                    job = claimed.head.id.hex(),
                    contacts = claimed.head.contacts,
                    "a job is done"
                );
                Next::End(Ended::Done)
            }
            Ok(worked) => {
                if at.moved(worked) {
                    self.worker.pause(FIRST_WAIT).await;
                }
                Next::Go
            }
            Err(problem) => self.refused(claimed, at, items, finish, &problem).await,
        }
    }

    /// The items of the next commit: none where only the end of the job is left, or the job is given up.
    async fn chunk(&self, claimed: &Claimed, at: &mut At) -> Result<Chunk, Problem> {
        if at.only_the_end(claimed) {
            return Ok(Chunk::end());
        }
        if let Some(chunk) = at.part.as_ref().and_then(|held| at.cut(held, claimed)) {
            return Ok(chunk);
        }
        let (account, desk) = (self.account.number, &self.worker.desk);
        let part = desk.part(account, self.job, at.cursor).await?;
        at.part = part.as_ref().and_then(Held::of);
        let chunk = at.part.as_ref().and_then(|held| at.cut(held, claimed));
        Ok(chunk.unwrap_or_else(|| {
            let job = claimed.head.id.hex();
            tracing::error!("job {job} lacks its contact {}: it is given up", at.cursor);
            at.given_up = Some("its contacts are not there".to_owned());
            Chunk::end()
        }))
    }

    /// All that a commit needs; `None` if the worker is to stop.
    async fn prepared(
        &self,
        claimed: &Claimed,
        at: &At,
        chunk: Chunk,
    ) -> Result<Option<Work>, Unready> {
        // Its country may be another one by now, and with it the phone numbers.
        let account = self.worker.desk.account(self.account.number);
        let account = account.unwrap_or_else(|| Arc::clone(&self.account));
        let Some(sent) = prepare::read(chunk.raws, account.country.clone()).await else {
            self.worker.pause(FIRST_WAIT).await;
            return Ok(None);
        };
        let Some(mails) = self.mails(claimed, &sent).await? else {
            return Ok(None);
        };
        let random = random_bytes::<20>();
        let (Ok(items), Ok(random)) = (prepare::items(sent, mails), random) else {
            self.worker.pause(LONGEST_WAIT).await;
            return Ok(None);
        };
        let [a, b, c, d, e, f, g, h, purchase_id @ ..] = random;
        let purchase = claimed.purchase.as_deref().filter(|_| chunk.finish);
        Ok(Some(Work {
            account: self.account.number,
            job: self.job,
            token: self.token.clone(),
            lease_us: microseconds(self.worker.lease),
            first: at.cursor,
            items,
            part: chunk.part,
            finish: chunk.finish,
            poisoned: at.given_up.clone().or_else(|| at.poisoned.clone()),
            untold: at.untold,
            purchase: purchase.map(prepare::purchase),
            purchase_raw: purchase.map(str::to_owned),
            new_purchase_id: hex::encode(purchase_id),
            event_random: [a, b, c, d, e, f, g, h],
            found: None,
            planned_for: account.config_version,
        }))
    }

    /// What is known of the e-mail addresses; `None` if the worker is to stop. The job is kept meanwhile.
    async fn mails(&self, claimed: &Claimed, sent: &[Sent]) -> Result<Option<Vec<Mail>>, Unready> {
        if !claimed.head.options.validate || sent.is_empty() {
            return Ok(Some(vec![Mail::None; sent.len()]));
        }
        let credits = self.worker.desk.credits(self.account.number).await;
        let credits = credits.map_err(Unready::Refused)?;
        let mut mails = std::pin::pin!(prepare::mails(&self.worker.checker, sent, credits));
        loop {
            tokio::select! {
                mails = &mut mails => return Ok(Some(mails)),
                () = self.worker.stopping() => return Ok(None),
                () = tokio::time::sleep(self.worker.lease / 3) => {
                    if !self.is_ours().await {
                        return Err(Unready::Lost);
                    }
                }
            }
        }
    }

    /// Nothing was stored.
    async fn refused(
        &self,
        claimed: &Claimed,
        at: &mut At,
        items: usize,
        finish: bool,
        problem: &Problem,
    ) -> Next {
        let job = claimed.head.id.hex();
        match problem.code {
            Code::Unavailable if at.waited < self.worker.lease => {
                self.worker.pause(at.next_wait()).await;
                if self.is_ours().await {
                    Next::Go
                } else {
                    self.lost(claimed)
                }
            }
            Code::NotStored => {
                let reference = problem.detail.as_deref().unwrap_or_default();
                let item = at.cursor;
                match at.not_stored(items, finish, reference) {
                    Some(Changed::Smaller) => Next::Go,
                    Some(Changed::Poisoned) => {
                        tracing::error!(reference, "item {item} of job {job} cannot be stored");
                        Next::Go
                    }
                    Some(Changed::GivenUp) => {
                        tracing::error!(reference, "job {job} cannot go on: it is given up");
                        Next::Go
                    }
                    None => {
                        tracing::error!(reference, "job {job} cannot even be given up");
                        Next::End(Ended::Later)
                    }
                }
            }
            Code::OutcomeUnknown => Next::TakeAgain,
            Code::ClaimLost => self.lost(claimed),
            _ => {
                tracing::warn!("job {job} is left for later: {}", problem.message());
                Next::End(Ended::Later)
            }
        }
    }

    /// Somebody else has the job.
    fn lost(&self, claimed: &Claimed) -> Next {
        tracing::warn!(
            "claim lost: somebody else works on job {}",
            claimed.head.id.hex()
        );
        Next::End(Ended::Later)
    }
}

#[cfg(test)]
mod tests;
