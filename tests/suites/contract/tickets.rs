//! What people ask of the staff, and what is said about it.

use std::collections::BTreeMap;

use chrono::TimeDelta;
use serde_json::json;
use slipway_common::db::{Page, WriteTx};
use slipway_common::ids::UserId;
use slipway_common::model::ticket::{Ticket, TicketKind, TicketMessage};
use slipway_common::model::user::User;
use slipway_tests::on_both_engines;

use crate::bench::{Bench, scope_name};

fn draft(bench: &Bench<'_>, creator: &User, kind: TicketKind) -> Ticket {
    Ticket {
        id: bench.ids.next(),
        kind,
        creator_id: creator.id,
        meta: json!({ "scope": "std", "name": "path", "list": [1, null, "\u{1f6a2}"] }).as_object().unwrap().clone(),
        is_closed: false,
        is_answered: false,
        created_at: bench.now(),
        updated_at: bench.now(),
    }
}

on_both_engines!(a_ticket_of_each_kind_reads_back_as_written, async |scratch| {
    let bench = Bench::on(scratch).await;
    let (ada, bob) = (bench.user("ada").await, bench.user("bob").await);
    let mut tickets = Vec::new();
    for kind in TicketKind::ALL {
        bench.advance(TimeDelta::seconds(1));
        let ticket = draft(&bench, &ada, kind);
        bench.write(async |tx| tx.create_ticket(&ticket).await.unwrap()).await;
        tickets.insert(0, ticket);
    }
    bench
        .read(async |tx| {
            for ticket in &tickets {
                assert_eq!(tx.ticket(ticket.id).await.unwrap().as_ref(), Some(ticket));
            }
            assert_eq!(tx.ticket(bench.ids.next()).await.unwrap(), None);
            assert_eq!(tx.tickets_of(ada.id, 100).await.unwrap(), tickets);
            assert_eq!(tx.tickets_of(ada.id, 2).await.unwrap(), tickets[..2]);
            assert_eq!(tx.tickets_of(bob.id, 100).await.unwrap(), []);
            assert_eq!(tx.count_open_tickets(ada.id).await.unwrap(), (5, 0));
            assert_eq!(tx.count_open_tickets(bob.id).await.unwrap(), (0, 0));
        })
        .await;
    bench.advance(TimeDelta::seconds(1));
    let closed = Ticket { is_closed: true, updated_at: bench.now(), ..tickets[0].clone() };
    bench
        .write(async |tx| {
            assert!(tx.close_ticket(closed.id, true).await.unwrap());
            assert!(!tx.close_ticket(bench.ids.next(), true).await.unwrap());
            assert_eq!(tx.ticket(closed.id).await.unwrap().as_ref(), Some(&closed));
            assert_eq!(tx.count_open_tickets(ada.id).await.unwrap(), (4, 0));
            let all = tx.find_tickets(None, Page::default()).await.unwrap();
            assert_eq!((all.items.last(), all.items.first(), all.total), (Some(&closed), Some(&tickets[1]), 5));
            assert_eq!(tx.find_tickets(None, Page::new(2, 3)).await.unwrap().items.len(), 2);
            let of_scope = tx.find_tickets(Some((&scope_name("std"), None)), Page::default()).await.unwrap();
            let kinds = of_scope.items.iter().map(|ticket| ticket.kind).collect::<Vec<_>>();
            assert_eq!(kinds, [TicketKind::PackageReport, TicketKind::ScopeClaim, TicketKind::ScopeQuotaIncrease]);
            assert_eq!(of_scope.total, 3);
            for (scope, name, total) in [("std", Some("path"), 1), ("std", Some("other"), 0), ("other", None, 0)] {
                let found = tx.find_tickets(Some((&scope_name(scope), name)), Page::new(1, 1)).await.unwrap();
                assert_eq!((found.items.len(), found.total), (usize::try_from(total).unwrap(), total), "{scope} {name:?}");
            }
        })
        .await;
});

on_both_engines!(what_is_said_is_kept_in_order, async |scratch| {
    let bench = Bench::on(scratch).await;
    let (ada, bob) = (bench.user("ada").await, bench.user("bob").await);
    let (ticket, silent) = (draft(&bench, &ada, TicketKind::Other), draft(&bench, &ada, TicketKind::Other));
    bench
        .write(async |tx| {
            tx.create_ticket(&ticket).await.unwrap();
            tx.create_ticket(&silent).await.unwrap();
        })
        .await;
    let mut said = Vec::new();
    for (author, message, answered) in [(&ada, "first", 0), (&bob, "second", 1), (&ada, "third\n", 0), (&bob, "", 1)] {
        bench.advance(TimeDelta::seconds(1));
        assert!(bench.write(async |tx| tx.add_ticket_message(ticket.id, author.id, message).await.unwrap()).await);
        said.push(TicketMessage { author_id: author.id, message: message.to_owned(), created_at: bench.now() });
        let (standing, row) =
            bench.read(async |tx| (tx.count_open_tickets(ada.id).await.unwrap(), tx.ticket(ticket.id).await.unwrap().unwrap())).await;
        assert_eq!((standing, row.is_answered, row.updated_at), ((2, answered), answered == 1, bench.now()));
    }
    assert!(!bench.write(async |tx| tx.add_ticket_message(bench.ids.next(), ada.id, "lost").await.unwrap()).await);
    bench
        .read(async |tx| {
            let both = [ticket.id, silent.id].into();
            assert_eq!(tx.ticket_messages(&both).await.unwrap(), BTreeMap::from([(ticket.id, said.clone())]));
            assert_eq!(tx.ticket_messages(&[].into()).await.unwrap(), BTreeMap::new());
        })
        .await;
    let speak = async |tx: &mut WriteTx, who: UserId| tx.add_ticket_message(silent.id, who, "at once").await.unwrap();
    assert_eq!(bench.race(async |tx| speak(tx, ada.id).await, async |tx| speak(tx, bob.id).await).await, (true, true));
    let both = bench.read(async |tx| tx.ticket_messages(&[silent.id].into()).await.unwrap().remove(&silent.id).unwrap()).await;
    assert_eq!(both.iter().map(|message| message.author_id).collect::<Vec<_>>(), [ada.id, bob.id]);
});
