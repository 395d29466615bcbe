"""What people and services say in words that are not in the box: written by hand, apart from the patterns."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final
from zoneinfo import ZoneInfo

import pytest

from pepper_tui.domains.mail.facts.finder import FACTS
from pepper_tui.domains.mail.facts.looked import Fact, Looked
from pepper_tui.model import Facts

NOW: Final = 1_800_000_000.0
LEAST: Final = 0.95

QUESTION_YES: Final = (
    "Did you get the invoice from Marco?",
    "Any chance you could join us on the 4th?",
    "What's the latest on the permit",
    "Is Tuesday ok for you?",
    "Let me know: do you want the blue one or the grey one?",
    "Who is bringing the cake?",
    "Würdest du am Samstag mitkommen?",
    "Was hältst du davon?",
    "Magst du kurz anrufen?",
    "Hättest du Zeit für einen Kaffee?",
    "Wisst ihr schon, wann der Bus fährt?",
    "Gibt es etwas Neues von der Bank?",
    "Tu viens samedi ?",
    "Qu'en penses-tu ?",
    "As-tu reçu ma lettre ?",
    "Où est-ce qu'on se gare ?",
    "¿Vienes el sábado?",
    "¿Qué te parece?",
    "¿Has recibido mi carta?",
    "Me puedes llamar cuando tengas un rato?",
    "Have you heard back from the insurer?",
    "How much did we pay last year?",
    "Shall I book the room for ten?",
    "Which entrance do I take?",
    "Bist du morgen im Büro?",
    "Wie viel hat das gekostet?",
    "Darf ich deinen Anhänger leihen?",
    "Welche Farbe nehmen wir?",
    "Combien ça coûte ?",
    "Veux-tu que je réserve ?",
    "¿Cuánto cuesta?",
    "¿Te viene bien el martes?",
    "Could somebody check the meter",
)

QUESTION_NO: Final = (
    "Thanks so much for yesterday!",
    "The report you asked about is in the folder.",
    "Guess what? We won the contract!",
    "How's everything? I only wanted to say hello.",
    "Let me know if you have any questions.",
    "See you there!",
    "Melde dich, wenn du Fragen hast.",
    "Ich wollte nur Danke sagen.",
    "Na, wie geht es dir? Hier ist alles prima.",
    "N'hésite pas si tu as des questions.",
    "Comment va la famille ? Nous rentrons de vacances.",
    "Si tienes alguna duda, me dices.",
    "¿Cómo va todo? Por aquí muy bien.",
    "Why not? That is what I told them, and it worked.",
    "Great news: the loan is approved.",
    "All good, no need to answer.",
    "I asked him twice.",
    "Hope you're doing well? We are fine.",
    "Any questions or comments? Feel free to reply.",
    "Alles erledigt, danke dir!",
    "Ich frage mich, ob das stimmt.",
    "Tout est prêt, à bientôt !",
    "Todo listo, hasta pronto.",
)

TODAY_YES: Final = (
    "Our call is tomorrow at 14:30.",
    "Can you be here at 6pm today?",
    "The results are due tomorrow morning.",
    "Don't forget, dinner tonight at 8.",
    "The deadline is tomorrow, 5pm.",
    "Die Besprechung beginnt morgen um 10.",
    "Kannst du heute Abend um 8 kommen?",
    "Der Zug geht morgen früh um 6:40.",
    "Bitte bis heute 18 Uhr zurückmelden.",
    "On se voit demain à 14h30.",
    "Le train part demain à 7h.",
    "La réunion est aujourd'hui à 15h.",
    "Nos vemos mañana a las 10:30.",
    "La reunión es hoy a las 16:00.",
    "El tren sale mañana a las 7.",
    "Just a reminder that your dentist appointment is tomorrow at 11:15.",
    "The bank closes at 4 today, please sign before that.",
    "We leave tomorrow at dawn, 5:30.",
    "Pick-up is Saturday 16 January at 10.",
    "Abgabe: morgen, 12 Uhr.",
    "Der Handwerker kommt heute zwischen 14 und 16 Uhr.",
    "Wir sehen uns morgen!",
    "Rendez-vous demain à midi.",
    "Le rendu est pour aujourd'hui 18h.",
    "Te espero hoy a las 8 de la tarde.",
    "La entrega es mañana antes de las 14:00.",
)

TODAY_NO: Final = (
    "I spoke to them earlier today and it is settled.",
    "Today's weather is lovely.",
    "It was nice to see you today at 3.",
    "We closed the deal today.",
    "Tomorrow never knows.",
    "Die Firma von morgen braucht Ideen.",
    "Ich habe heute um 9 Uhr angerufen, niemand ging ran.",
    "Heute ist ein schöner Tag.",
    "Le train d'hier à 7h était en retard.",
    "Aujourd'hui, tout va bien.",
    "La reunión de hoy a las 10 fue corta.",
    "Mañana será otro día.",
    "See you next Thursday at 3.",
    "Wir sehen uns nächste Woche am Mittwoch um 10.",
    "I have been thinking about today's problems.",
    "Sorry I missed you today at noon, I was ill.",
    "They promised it for tomorrow two weeks ago.",
    "Heute Morgen hat es geschneit.",
    "Ich war gestern und heute unterwegs.",
    "J'ai reçu ta lettre aujourd'hui.",
    "He recibido tu carta hoy.",
    "Our next meeting is on 2 February.",
    "The Today Show was on TV.",
)

ALERT_YES: Final = (
    "Connexion inhabituelle détectée",
    "Intento de acceso sospechoso",
    "Second reminder: unpaid invoice",
    "Letzte Mahnung",
    "New device signed in to your account",
    "We noticed a new login",
    "Your account was accessed from a new location",
    "Your two-step verification was turned off",
    "Reminder: invoice 204 is past due",
    "Payment overdue: 49.00 EUR",
    "Large purchase on your card ending 1234",
    "Neues Gerät angemeldet",
    "Ihre E-Mail-Adresse wurde geändert",
    "Zahlungserinnerung zu Rechnung 11",
    "Connexion depuis un nouvel appareil",
    "Rappel : facture impayée",
    "Inicio de sesión desde un dispositivo nuevo",
    "Recordatorio: factura pendiente",
    "Unusual sign-in activity",
    "Sign-in from a new device",
    "Your account has been locked",
    "Your recovery email was changed",
    "Your API key was exposed",
    "Overdue notice for invoice 7",
    "Ihr Konto wurde gesperrt",
    "Anmeldung von einem neuen Gerät",
    "Ihre Rechnung ist seit 10 Tagen überfällig",
    "Votre compte a été bloqué",
    "Votre facture reste impayée",
    "Tu cuenta ha sido bloqueada",
    "Acceso desde un nuevo dispositivo",
)

ALERT_NO: Final = (
    "Your new card is on its way",
    "Reset your password",
    "Passwort vergessen?",
    "Your invoice for January",
    "Invoice 204 paid",
    "Welcome to your new account",
    "New features in your account",
    "Rechnung 2024-11",
    "Willkommen",
    "Votre facture de janvier",
    "Tu factura de enero",
    "Confirm your email address",
    "Your weekly account summary",
    "Your password expires in 30 days? Get our manager",
    "Sign in to see your memories",
    "Black Friday: last reminder",
    "Your account statement",
    "Meet the new login page",
    "Thanks for signing in",
    "Neue Funktionen für Ihr Konto",
    "Nouveau : votre espace client",
    "Novedades en tu cuenta",
    "Invoice 88 attached",
    "Your payment is scheduled",
    "Sicher einkaufen mit uns",
)

FAILURE_YES: Final = (
    "We were unable to process your payment",
    "Pago fallido",
    "Payment unsuccessful",
    "Your card was declined",
    "There was a problem with your payment",
    "Action needed: we could not charge your card",
    "Zahlung abgelehnt",
    "Ihre Zahlung konnte nicht verarbeitet werden",
    "Abbuchung fehlgeschlagen",
    "Paiement échoué",
    "Votre paiement n'a pas abouti",
    "Pago no realizado",
    "No se pudo procesar el pago",
    "Hemos tenido un problema con tu pago",
    "Your subscription payment didn't go through",
    "Payment method declined",
    "Rent payment returned by the bank",
    "Ihre Kreditkarte wurde abgelehnt",
    "Zahlung konnte nicht ausgeführt werden",
    "Le paiement de votre abonnement a échoué",
    "Tu pago no se ha completado",
    "Tarjeta rechazada",
)

BUILD_YES: Final = (
    "Build #42 failed: main",
    "CI failed on main",
    "[Travis] Broken: user/repo#12",
    "Deployment to production failed",
    "Pipeline failed | app",
    "Tests failed for pull request 7",
    "Backup failed on server db1",
    "Cron job failed: nightly",
    "Workflow run failed",
    "Nightly build is failing",
    "Check failure: lint",
    "e2e tests have failed on develop",
)

FAILURE_NO: Final = (
    "Payment received",
    "Your refund is on its way",
    "Your payment method was updated",
    "Upcoming payment on 3 March",
    "Zahlungsbestätigung",
    "Paiement reçu",
    "Pago confirmado",
    "Thank you for your payment",
    "Payment reminder settings",
    "Your card has arrived",
    "Neue Karte aktivieren",
    "Votre carte est prête",
    "Tarjeta enviada",
)

BUILD_NO: Final = (
    "Build #43 passed",
    "CI is green again",
    "Deployment succeeded",
    "Backup completed",
    "Failed login report: none",
    "Build finished",
    "All checks have passed",
    "Nightly build fixed",
    "Release 2.0 is out",
)


def looked(said: str, *, known: bool, automatic: bool) -> Looked:
    sender = {"name": "Dana Whitfield", "address": "a@b.example"}
    raw: dict[str, Any] = {
        "reply": said,
        "text": said,
        "subject": said,
        "sender": sender,
        "to": [{"name": "Alex", "address": "me@example.org"}],
        "cc": [],
        "date": NOW,
        "list_headers": {},
        "auto_submitted": "auto-generated" if automatic else "",
        "in_reply_to": "",
        "references": [],
        "report": {},
    }
    facts = Facts("mail", to=["me@example.org"], sender="a@b.example", automatic=automatic)
    own, zone = frozenset({"me@example.org"}), ZoneInfo("Europe/Berlin")
    return Looked(raw, facts, NOW, zone, own, me="Alex Rivera", known=known, authentic=True)


@pytest.mark.parametrize(
    ("fact", "right", "wrong", "automatic"),
    [
        ("question", QUESTION_YES, QUESTION_NO, False),
        ("today", TODAY_YES, TODAY_NO, False),
        ("alert", ALERT_YES, ALERT_NO, False),
        ("failure", FAILURE_YES, FAILURE_NO, False),
        ("failure", BUILD_YES, BUILD_NO, True),
    ],
)
def test_words_outside_the_box_are_understood(
    fact: Fact, right: tuple[str, ...], wrong: tuple[str, ...], automatic: bool
) -> None:
    known = fact in ("question", "today")
    found = {said for said in (*right, *wrong) if FACTS[fact](looked(said, known=known, automatic=automatic))}
    missed, taken = set(right) - found, set(wrong) & found
    assert len(missed) + len(taken) <= (1 - LEAST) * len(right + wrong), (missed, taken)


@pytest.mark.parametrize("authentic", [None, False])
@pytest.mark.parametrize("fact", ["alert", "failure"])
def test_nobody_is_believed_whom_the_mail_server_has_not_verified(fact: Fact, authentic: bool | None) -> None:
    for said in (*ALERT_YES, *FAILURE_YES):
        mail = replace(looked(said, known=False, automatic=False), authentic=authentic)
        assert FACTS[fact](mail) is None


@pytest.mark.parametrize("change", ["cc", "list", "machine", "stranger"])
def test_a_question_counts_only_from_a_person_known_to_the_user_alone(change: str) -> None:
    mail = looked("Who signs?", known=True, automatic=False)
    assert FACTS["question"](mail)
    others = {
        "cc": replace(mail, facts=replace(mail.facts, to=["bob@b.example"], cc=["me@example.org"])),
        "list": replace(mail, facts=replace(mail.facts, is_list=True)),
        "machine": replace(mail, raw={**mail.raw, "auto_submitted": "auto-generated"}),
        "stranger": replace(mail, known=False),
    }
    assert FACTS["question"](others[change]) is None
