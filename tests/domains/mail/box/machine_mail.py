"""What lists, forges, banks, shops and mail servers write."""

from __future__ import annotations

from email.message import EmailMessage, Message
from typing import Final

from tests.domains.mail.box.letters import FAIL, ME, NONE, SERVER, Maker
from tests.domains.mail.box.words import PEOPLE

_LIST: Final = {"List_Id": "<tools.lists.example>", "List_Post": "<mailto:tools@lists.example>", "Precedence": "list"}
_TO_LIST: Final = ("", "tools@lists.example")


def lists(maker: Maker) -> None:
    named = (
        "Alex Rivera wrote the parser, ask him about it.",
        "I'd like to hear what Alex Rivera thinks of this.",
        "Alex, could you review the second patch?",
        "@Alex: any news from the build farm?",
        "Please send the logs to me@example.org, he collects them.",
        "Credit goes to Alex Rivera for the fix.",
        "Das hat Alex Rivera letztes Jahr schon gebaut.",
        "Alex, kannst du das noch einmal prüfen?",
        "Alex Rivera a déjà proposé ce correctif.",
        "Alex, tu peux regarder ?",
        "Alex Rivera ya lo arregló en enero.",
        "Alex, ¿puedes mirarlo?",
        "We should vote. Alex, Robin and Kim have not answered yet; Alex Rivera is on leave.",
        "Cc'ing Alex Rivera here.",
    )
    other = (
        "Alex Turner wrote the parser, ask her about it.",
        "The alexandrite theme is broken again.",
        "See what Alexandra Riverasson thinks.",
        "I use the Alex font for the docs.",
        "Nobody needs the second patch.",
        "The build farm is back.",
        "Wir stimmen nächste Woche ab.",
        "Le correctif est fusionné.",
        "El arreglo ya está en la rama principal.",
        "+1",
        "Thanks, applied.",
        "Rivera is a lovely town in Uruguay, the next meeting may be there.",
    )
    for number, words in enumerate(named * 2):
        maker.put(
            "named in a list",
            1.5 + number / 2,
            (f"Member {number}", f"m{number}@people.example"),
            f"[tools] {number}",
            words,
            to=_TO_LIST,
            facts="mention",
            **_LIST,
        )
    for number, words in enumerate(other * 2):
        quoted = "I wrote the parser." if number % 2 else ""  # the quote's head names the user
        maker.put(
            "a list",
            1.6 + number / 2,
            (f"Member {number}", f"m{number}@people.example"),
            f"[tools] {number}",
            words,
            to=_TO_LIST,
            quoted=quoted,
            **_LIST,
        )
    for number in range(8):
        maker.put(
            "another Alex is asked",
            2.6 + number,
            (f"Member {number}", f"m{number}@people.example"),
            "[tools] patch",
            "Alex, could you look at it once more?\n\nOn Mon, Alex Turner wrote:\n> here is the patch\n",
            to=_TO_LIST,
            **_LIST,
        )
        maker.put(
            "own mail by the list",
            2.7 + number,
            ME,
            "[tools] patch",
            "Alex Rivera here, I have a patch.",
            to=_TO_LIST,
            **_LIST,
        )
        maker.put(
            "newsletter by name",
            3.1 + number,
            ("Weekly", f"weekly@paper{number}.example"),
            "Alex, your week",
            "Hi Alex Rivera,\n\nhere is your week.\n\nThis mail was sent to me@example.org.",
            Precedence="bulk",
            List_Id=f"<weekly.paper{number}.example>",
            List_Unsubscribe="<https://paper.example/u>",
        )


def forges(maker: Maker) -> None:
    github = ("Robin Vale", "notifications@github.com")
    head = {
        "List_Id": "o/r <r.o.github.com>",
        "List_Post": "<mailto:reply+A@reply.github.com>",
        "Precedence": "list",
        "List_Unsubscribe": "<https://github.com/n/u>",
        "X_GitHub_Sender": "robin",
    }
    gitlab = ("Robin Vale", "gitlab@code.example")
    more = {"List_Id": "g/p <1.p.g.code.example>", "X_GitLab_Project": "p", "Auto_Submitted": "auto-generated"}
    gitea = ("robin", "noreply@tea.example")
    tea = {"List_Id": "u/r <r.u.tea.example>", "X_Mailer": "Gitea", "List_Unsubscribe": "<https://tea.example/u/r/1>"}
    for number in range(6):
        for place, (reason, words) in enumerate(
            {
                "review_requested": "@robin requested your review on: #12 Fix it.",
                "mention": "@alexr what do you think?",
                "assign": "Assigned #12 to @alexr.",
            }.items()
        ):
            maker.put(
                f"github {reason}",
                1.1 + number + place / 5,
                github,
                f"[o/r] Fix it (PR #{number})",
                words,
                facts="review",
                X_GitHub_Reason=reason,
                **head,
            )
        for place, reason in enumerate(("assigned", "review_requested", "mentioned")):
            maker.put(
                f"gitlab {reason}",
                1.2 + number + place / 5,
                gitlab,
                f"p | Fix it (!{number})",
                "Robin Vale wrote here.",
                facts="review",
                X_GitLab_NotificationReason=reason,
                **more,
            )
        for place, words in enumerate(
            (
                "@robin mentioned you:\n\nSee line 3.",
                "@robin assigned you to pull request u/r#4.",
                "@robin requested your review on pull request u/r#5.",
            )
        ):
            maker.put(
                "gitea",
                1.3 + number + place / 5,
                gitea,
                f"[u/r] Fix it (#{number})",
                words,
                facts="review",
                X_Gitea_Reason="pull",
                X_GitHub_Reason="pull",
                X_GitLab_NotificationReason="pull",
                **tea,
            )
        maker.put(
            "gitea, watched",
            1.4 + number,
            gitea,
            f"[u/r] Fix it (#{number})",
            "@robin commented: looks good.",
            X_Gitea_Reason="pull",
            X_GitHub_Reason="pull",
            X_GitLab_NotificationReason="pull",
            **tea,
        )
        for place, reason in enumerate(("subscribed", "author", "comment", "push", "state_change", "your_activity")):
            maker.put(
                f"github {reason}",
                1.45 + number + place / 9,
                github,
                f"[o/r] Fix it (PR #{number})",
                "@robin approved these changes.",
                X_GitHub_Reason=reason,
                **head,
            )
        for place, reason in enumerate(("subscribed", "own_activity")):
            maker.put(
                f"gitlab {reason}",
                1.47 + number + place / 9,
                gitlab,
                f"p | Fix it (!{number})",
                "Robin Vale wrote.",
                X_GitLab_NotificationReason=reason,
                **more,
            )
    for number in range(4):
        maker.put(
            "a forged forge",
            5 + number,
            ("GitHub", "notifications@github.com"),
            "[o/r] review requested",
            "Sign in to review.",
            auth=FAIL,
            X_GitHub_Reason="review_requested",
            **head,
        )


def builds(maker: Maker) -> None:
    github, head = ("Robin Vale", "notifications@github.com"), {"List_Id": "o/r <r.o.github.com>", "Precedence": "list"}
    gitlab, more = ("GitLab", "gitlab@code.example"), {"Auto_Submitted": "auto-generated", "X_GitLab_Project": "p"}
    jenkins = ("Jenkins", "jenkins@ci.example")
    for number in range(4):
        day = 2.2 + number * 3
        maker.put(
            "actions failed",
            day,
            github,
            f"[o/r] Run failed: CI - main (a1b2c{number})",
            "CI: Some jobs failed.",
            facts="failure",
            X_GitHub_Reason="ci_activity",
            **head,
        )
        maker.put(
            "actions went well",
            day,
            github,
            f"[o/r] Run succeeded: CI - main (a1b2d{number})",
            "All jobs succeeded.",
            X_GitHub_Reason="ci_activity",
            **head,
        )
        maker.put(
            "actions cancelled",
            day,
            github,
            f"[o/r] Run cancelled: CI - main (a1b2e{number})",
            "Cancelled.",
            X_GitHub_Reason="ci_activity",
            **head,
        )
        maker.put(
            "pipeline failed",
            day,
            gitlab,
            f"p | Failed pipeline for main | a1b2{number}",
            "Pipeline #7 has failed!",
            facts="failure",
            X_GitLab_Pipeline_Status="failed",
            X_GitLab_Pipeline_Id="7",
            **more,
        )
        maker.put(
            "pipeline went well",
            day,
            gitlab,
            f"p | Fixed pipeline for main | a1b2{number}",
            "Pipeline #8 has passed!",
            X_GitLab_Pipeline_Status="success",
            X_GitLab_Pipeline_Id="8",
            **more,
        )
        maker.put(
            "jenkins failed",
            day,
            jenkins,
            f"Build failed in Jenkins: nightly #{number}",
            "See <https://ci.example/1>",
            facts="failure",
            Auto_Submitted="auto-generated",
            signs="" if number else "first",
        )
        maker.put(
            "jenkins is back",
            day,
            jenkins,
            f"Jenkins build is back to normal: nightly #{number}",
            "See it.",
            Auto_Submitted="auto-generated",
        )
        maker.put(
            "reading about failures",
            day,
            ("Ops Weekly", "ops@weekly.example"),
            "Why your build failed: 7 reasons",
            "Payment failed? Build failed? Read on.",
            List_Unsubscribe="<https://weekly.example/u>",
        )
        maker.put(
            "a person on a failure",
            day,
            PEOPLE["en"][1],
            "Re: Build failed in Jenkins",
            "It is only the disk, ignore it.",
        )


_FAILED: Final = (
    "Your payment failed",
    "Payment declined for your subscription",
    "We couldn't process your payment",
    "Ihre Zahlung ist fehlgeschlagen",
    "Lastschrift konnte nicht eingelöst werden",
    "Échec de votre paiement",
    "Votre paiement a été refusé",
    "Tu pago ha sido rechazado",
    "No hemos podido procesar tu pago",
)
_PAID: Final = (
    "Your payment was successful",
    "Receipt for your payment",
    "Zahlung erhalten",
    "Ihre Rechnung ist bezahlt",
    "Paiement confirmé",
    "Pago recibido",
    "How to avoid a failed payment",
    "Never miss a payment again",
)
_ALERTS: Final = (
    "New sign-in to your account",
    "Security alert: new login from Lisbon",
    "Your password was changed",
    "Suspicious sign-in attempt blocked",
    "Unusual activity on your card",
    "Your invoice is overdue",
    "Neue Anmeldung in Ihrem Konto",
    "Ihr Passwort wurde geändert",
    "Sicherheitswarnung für Ihr Konto",
    "Mahnung: Ihre Rechnung ist überfällig",
    "Nouvelle connexion à votre compte",
    "Votre mot de passe a été modifié",
    "Alerte de sécurité",
    "Votre facture est en retard",
    "Nuevo inicio de sesión en tu cuenta",
    "Tu contraseña ha sido cambiada",
    "Alerta de seguridad",
    "Tu factura está vencida",
)
_NO_ALERT: Final = (
    "Your statement is ready",
    "5 tips for a safe password",
    "Security newsletter, January",
    "Meet our new card",
    "Your code is 493 021",
    "Ihr Kontoauszug ist da",
    "So schützen Sie Ihr Konto",
    "Ihr Sicherheitscode lautet 493021",
    "Votre relevé est disponible",
    "Comment protéger votre compte",
    "Tu extracto está disponible",
    "Cómo proteger tu cuenta",
    "Your order has shipped",
    "Ihre Bestellung ist unterwegs",
    "Votre commande est expédiée",
    "Tu pedido está en camino",
    "Updates to our security policy",
    "How to change your password",
)


def money(maker: Maker) -> None:
    seen: set[str] = set()

    def put(kind: str, day: float, address: str, subject: str, facts: str = "", **more: str) -> None:
        auth = more.get("auth", "")
        new = "" if address in seen else "first"
        seen.add(address)
        failed = "failed" if auth == FAIL else ""
        maker.put(
            kind,
            day,
            ("Service", address),
            subject,
            f"Hello,\n\n{subject}.\n\nYour service",
            facts=facts,
            signs=f"{new} {failed}",
            **more,
        )

    for number, subject in enumerate(_FAILED):
        put("payment failed", 3.3 + number, f"billing@host{number}.example", subject, "failure")
        put("phishing, payment failed", 3.4 + number, f"billing@stream{number}.example", subject, auth=FAIL)
    for number, subject in enumerate(_PAID):
        put("paid", 3.5 + number, f"billing@host{number}.example", subject)
    for number, subject in enumerate(_ALERTS):
        put("alert", 1.35 + number * 0.9, f"service@bank{number}.example", subject, "alert")
        put("phishing, failed", 1.36 + number * 0.9, f"service@bank{number}.example", subject, auth=FAIL)
        if number % 3 == 0:
            claim = f"Authentication-Results: {SERVER}; dkim=pass header.d=bank{number}.example; dmarc=pass"
            put(
                "phishing with a result of its own",
                1.37 + number * 0.9,
                f"service@bank{number}.example",
                subject,
                auth=FAIL,
                below=claim,
            )
            other = claim.replace(SERVER, "mx.sender.example")
            put(
                "phishing, unchecked by the server",
                1.38 + number * 0.9,
                f"service@bank{number}.example",
                subject,
                auth="",
                below=other,
            )
            put("no authentication", 1.39 + number * 0.9, f"service@tiny{number}.example", subject, auth=NONE)
    for number, subject in enumerate(_NO_ALERT):
        put("no alert", 2.35 + number * 0.8, f"service@bank{number}.example", subject)


def bounces(maker: Maker) -> None:
    """Bounces of the user's own mail, and of mail that somebody else sent in the user's name."""
    for number, (status, why) in enumerate(
        (
            ("5.1.1", "550 5.1.1 User unknown"),
            ("5.2.2", "552 5.2.2 Mailbox full"),
            ("5.7.1", "550 5.7.1 Message rejected as spam"),
            ("4.4.1", "connection timed out"),
            ("5.4.4", "Host not found"),
            ("5.3.4", "message too big"),
        )
    ):
        to = ("Rita Falk", f"rita{number}@gone{number}.example")
        sent = maker.put(
            "own, bounced", 9 + number, ME, f"Tickets {number}", "Here are your tickets.", to=to, folder="Sent"
        )
        daemon = ("Mail Delivery System", f"MAILER-DAEMON@gone{number}.example")
        maker.put(
            "bounce",
            9.1 + number,
            daemon,
            "Undelivered Mail Returned to Sender",
            "",
            facts="failure",
            message=report(to[1], status, why, sent, f"Tickets {number}"),
            Auto_Submitted="auto-replied",
            Return_Path="<>",
        )
        maker.put(
            "backscatter",
            9.2 + number,
            daemon,
            "Undelivered Mail Returned to Sender",
            "",
            Auto_Submitted="auto-replied",
            message=report(
                f"victim{number}@else.example", status, why, f"<spam{number}@botnet.example>", "Cheap pills"
            ),
            Return_Path="<>",
        )
        maker.put(
            "delayed",
            9.05 + number,
            daemon,
            "Delayed Mail (still being retried)",
            "",
            Auto_Submitted="auto-replied",
            message=report(to[1], "4.4.1", "will retry", sent, f"Tickets {number}", action="delayed"),
            Return_Path="<>",
        )


def report(to: str, status: str, why: str, original: str, subject: str, action: str = "failed") -> EmailMessage:
    """A delivery report (RFC 3464) on the mail ``original``."""
    message = EmailMessage()
    message.set_content(f"This is the mail system at host gone.example.\n\n<{to}>: {why}\n")
    status_part = Message()
    status_part["Content-Type"] = "message/delivery-status"
    blocks = [Message(), Message()]
    blocks[0]["Reporting-MTA"] = "dns; gone.example"
    for name, value in (
        ("Final-Recipient", f"rfc822; {to}"),
        ("Action", action),
        ("Status", status),
        ("Diagnostic-Code", f"smtp; {why}"),
    ):
        blocks[1][name] = value
    status_part.set_payload(blocks)
    head = Message()
    head["Content-Type"] = "text/rfc822-headers"
    head.set_payload(f"From: Alex Rivera <me@example.org>\nTo: <{to}>\nSubject: {subject}\nMessage-ID: {original}\n")
    message.make_mixed()
    message.attach(status_part)
    message.attach(head)
    message.replace_header("Content-Type", 'multipart/report; report-type=delivery-status; boundary="=_report"')
    message.set_boundary("=_report")
    return message


def everyday(maker: Maker) -> None:
    """Shops, parcels, calendars, and what else fills a box."""
    for number in range(24):
        shop = ("Shop", f"orders@shop{number % 6}.example")
        subject = maker.one(
            "Your order has shipped", "Ihre Bestellung ist da", "Votre colis arrive", "Tu pedido ha llegado"
        )
        maker.put(
            "shop",
            1.05 + number * 0.7,
            shop,
            f"{subject} #{number}",
            "Track it in your account.",
            signs="first" if number < 6 else "",
            Auto_Submitted="auto-generated",
        )
    for number in range(8):
        maker.put(
            "calendar",
            2.05 + number,
            ("Calendar", "calendar-notification@cal.example"),
            f"Invitation: Review {number}",
            "Dana invites you. Going?",
            Auto_Submitted="auto-generated",
            signs="first" if not number else "",
        )
