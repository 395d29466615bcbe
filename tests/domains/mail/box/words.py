"""What the people of the box say, in four languages."""

from __future__ import annotations

from typing import Final

Lines = dict[str, tuple[str, ...]]

PEOPLE: Final = {
    "en": [
        ("Dana Whitfield", "dana@firm.example"),
        ("Tom Okafor", "tom.okafor@builders.example"),
        ("Priya Raman", "priya@studio.example"),
    ],
    "de": [
        ("Jürgen Möller", "jm@moeller.example"),
        ("Katrin Vogel", "katrin.vogel@amt.example"),
        ("Lukas Brandt", "lukas@brandt.example"),
    ],
    "fr": [("Élodie Marchand", "elodie@atelier.example"), ("Hugo Lefèvre", "hugo.lefevre@cabinet.example")],
    "es": [("Lucía Ortega", "lucia@taller.example"), ("Javier Montes", "jmontes@obra.example")],
}
"""People to whom the user has written."""
STRANGERS: Final = {
    "en": [("Sam Pickering", "sam@pickering.example"), ("Ruth Calloway", "ruth.calloway@parish.example")],
    "de": [("Hans Peters", "hans.peters@verein.example"), ("Anke Schulz", "anke@schulz.example")],
    "fr": [("Camille Roux", "camille.roux@mairie.example")],
    "es": [("Andrés Gil", "andres.gil@club.example")],
}
"""People who write to the user, and to whom the user has not written."""

HELLO: Final = {"en": "Hi Alex,", "de": "Hallo Alex,", "fr": "Bonjour Alex,", "es": "Hola Alex:"}
BYE: Final = {
    "en": "Best\n{name}",
    "de": "Viele Grüße\n{name}",
    "fr": "Cordialement,\n{name}",
    "es": "Un saludo\n{name}",
}

ASKS: Final[Lines] = {
    "en": (
        "Could you send me the revised floor plan?",
        "When would suit you for the inspection?",
        "Do you still have the keys to the cellar?",
        "Should we order the tiles or wait for the sample?",
        "I went through the offer. What about the second page, is the price with tax?",
        "Can you tell me who signs for the delivery",
        "could you have a look at the attached draft and tell me what you think",
        "The architect is back. Is the north wall still planned in brick?",
    ),
    "de": (
        "Kannst du mir den neuen Plan schicken?",
        "Wann passt Ihnen die Abnahme?",
        "Haben wir den Schlüssel für den Keller noch?",
        "Sollen wir die Fliesen bestellen oder auf das Muster warten?",
        "Ich habe das Angebot gelesen. Ist der Preis auf Seite zwei mit Steuer?",
        "Könnten Sie mir sagen, wer die Lieferung annimmt",
        "Kannst du bitte kurz über den Entwurf schauen und mir sagen, was du meinst",
        "Der Statiker ist zurück. Bleibt die Nordwand aus Ziegel?",
    ),
    "fr": (
        "Peux-tu m'envoyer le nouveau plan ?",
        "Quand est-ce que la visite vous conviendrait ?",
        "Avons-nous encore la clé de la cave ?",
        "Faut-il commander le carrelage ou attendre l'échantillon ?",
        "Pourriez-vous me dire qui réceptionne la livraison",
        "L'architecte est revenu. Le mur nord reste en brique ?",
    ),
    "es": (
        "¿Puedes enviarme el plano nuevo?",
        "¿Cuándo le viene bien la visita?",
        "¿Tenemos todavía la llave del sótano?",
        "¿Pedimos los azulejos o esperamos a la muestra?",
        "Podrías decirme quién firma la entrega",
        "El arquitecto ha vuelto. ¿El muro norte sigue siendo de ladrillo?",
    ),
}
TELLS: Final[Lines] = {
    "en": (
        "The revised floor plan is attached.",
        "Thanks, that works. The tiles are ordered.",
        "Just so you know: the cellar is dry again.",
        "I forwarded your note to the office. Nothing for you to do.",
        "The inspection went well, we are all relieved.",
    ),
    "de": (
        "Der neue Plan hängt an.",
        "Danke, das passt. Die Fliesen sind bestellt.",
        "Nur zur Info: Der Keller ist wieder trocken.",
        "Ich habe deine Nachricht ans Büro weitergeleitet.",
        "Die Abnahme lief gut, wir sind alle erleichtert.",
    ),
    "fr": (
        "Le nouveau plan est en pièce jointe.",
        "Merci, c'est parfait. Le carrelage est commandé.",
        "Pour information : la cave est de nouveau sèche.",
        "La visite s'est bien passée, nous sommes soulagés.",
    ),
    "es": (
        "El plano nuevo va adjunto.",
        "Gracias, perfecto. Los azulejos están pedidos.",
        "Para tu información: el sótano está seco otra vez.",
        "La visita fue bien, estamos todos aliviados.",
    ),
}
NOT_ASKED: Final[Lines] = {
    "en": (
        "How are you? The plan is attached, all as agreed.",
        "All done here. Any questions? Just call.",
        "The form is at https://forms.example/a?id=3&x=1 and needs nothing from you.",
        "I hope you had a good weekend. How was it? The papers are on their way.",
        'They asked me "is it done?" and I said yes. All good.',
    ),
    "de": (
        "Wie geht's? Der Plan hängt an, alles wie besprochen.",
        "Alles erledigt. Noch Fragen? Dann ruf einfach an.",
        "Das Formular liegt unter https://forms.example/a?id=3&x=1, du musst nichts tun.",
        "Die haben gefragt: „Ist es fertig?“, und ich habe ja gesagt.",
    ),
    "fr": (
        "Comment vas-tu ? Le plan est joint, tout comme convenu.",
        "Tout est fait. Des questions ? Appelle-moi.",
        "Ça va ? Les papiers sont en route, rien à faire de ton côté.",
    ),
    "es": (
        "¿Qué tal? El plano va adjunto, todo como acordamos.",
        "Todo hecho. ¿Alguna pregunta? Llámame.",
        "¿Cómo estás? Los papeles están en camino.",
    ),
}
"""With a question mark, and yet nothing is asked."""
SOON: Final[Lines] = {
    "en": (
        "The plumber comes tomorrow at 9, please leave the gate open.",
        "We meet today at 5 pm in front of the town hall.",
        "I need the signed copy by tomorrow noon.",
        "The court wants it by end of day today.",
        "The van is there tomorrow between 8 and 10.",
        "Reminder: the appointment is on {tomorrow}.",
    ),
    "de": (
        "Der Klempner kommt morgen um 9 Uhr, bitte lass das Tor offen.",
        "Wir treffen uns heute um 17 Uhr vor dem Rathaus.",
        "Ich brauche die Unterschrift bis morgen Mittag.",
        "Die Abgabe ist am {tomorrow}.",
        "Die Heizung wird morgen zwischen 8 und 10 abgestellt.",
    ),
    "fr": (
        "Le plombier vient demain à 9h, merci de laisser le portail ouvert.",
        "On se retrouve aujourd'hui à 17h devant la mairie.",
        "Il me faut la signature avant demain midi.",
        "La coupure d'eau est prévue demain matin à 8h.",
    ),
    "es": (
        "El fontanero viene mañana a las 9, deja abierta la puerta.",
        "Quedamos hoy a las 17:00 delante del ayuntamiento.",
        "Necesito la firma antes de mañana a las 12.",
        "El corte de agua es mañana por la mañana a las 8.",
    ),
}
"""A time today or tomorrow, still ahead in the morning on which it is written."""
NOT_SOON: Final[Lines] = {
    "en": (
        "Thank you for today, it was a lovely afternoon.",
        "I was at the office today and found your umbrella.",
        "As of today we have sold 40 tickets.",
        "The appointment is on 28 March at 9.",
        "We meet next month, the day is open.",
        "Rome was not built in a day, and the roof of tomorrow is green.",
        "They called yesterday at 5 pm and were happy.",
    ),
    "de": (
        "Danke für heute, es war ein schöner Nachmittag.",
        "Ich war heute im Büro und habe deinen Schirm gefunden.",
        "Bis heute haben wir 40 Karten verkauft.",
        "Der Termin ist am 28. März um 9 Uhr.",
        "Guten Morgen, die Unterlagen sind da.",
        "Sie haben gestern um 17 Uhr angerufen und waren zufrieden.",
    ),
    "fr": (
        "Merci pour aujourd'hui, c'était un bel après-midi.",
        "Aujourd'hui encore, les prix sont stables.",
        "Le rendez-vous est le 28 mars à 9h.",
        "Ils ont appelé hier à 17h.",
    ),
    "es": (
        "Gracias por lo de hoy, fue una tarde muy bonita.",
        "Salgo a correr por la mañana, como siempre.",
        "La cita es el 28 de marzo a las 9.",
        "Llamaron ayer a las 17:00.",
        "Hoy en día los precios son estables.",
    ),
}
OUT_OF_OFFICE: Final[Lines] = {
    "en": ("I am out of the office until {later}. Is it urgent? Call my colleague.",),
    "de": ("Ich bin bis {later} nicht im Büro. Ist es dringend? Rufen Sie meine Kollegin an.",),
    "fr": ("Je suis absent jusqu'au {later}. C'est urgent ? Appelez ma collègue.",),
    "es": ("Estoy fuera de la oficina hasta el {later}. ¿Es urgente? Llame a mi compañera.",),
}
OFFERS: Final[Lines] = {
    "en": (
        "Only today: 40% off all garden furniture. Click here to unsubscribe.",
        "Last chance, the sale ends tomorrow at 8! View in browser.",
        "Would you like to double your leads? Book a call. To stop these mails, reply STOP.",
    ),
    "de": (
        "Nur heute: 40 % auf alle Gartenmöbel. Hier abmelden.",
        "Letzte Chance, der Verkauf endet morgen um 8! Im Browser ansehen.",
        "Möchten Sie mehr Kunden? Vereinbaren Sie ein Gespräch. Zum Abbestellen hier klicken.",
    ),
    "fr": (
        "Aujourd'hui seulement : -40 % sur le mobilier. Se désabonner ici.",
        "Dernière chance, la vente finit demain à 8h ! Voir dans le navigateur.",
        "Voulez-vous plus de clients ? Réservez un appel. Pour vous désinscrire, cliquez ici.",
    ),
    "es": (
        "Solo hoy: 40 % en muebles de jardín. Darse de baja aquí.",
        "¡Última oportunidad, la oferta acaba mañana a las 8! Ver en el navegador.",
        "¿Quiere más clientes? Reserve una llamada. Para cancelar la suscripción, pulse aquí.",
    ),
}
"""Mail that sells: half of it without any header of a list."""
