"""What a folder is for, by its name, in the languages of common mail programs; for where nothing else says it."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

from pepper_tui.domains.mail.at_source.state import Use

_PARTS: Final = re.compile(r"[/.\\]")
_NAMES: Final[dict[Use, str]] = {
    "junk": (
        "junk, spam, junk e-mail, junk email, junk mail, junk-e-mail, bulk, bulk mail, spamverdacht, spam-verdacht,"
        "unerwünscht, unerwünschte werbung, courrier indésirable, indésirables, pourriel, correo no deseado,"
        "correo basura, no deseado, posta indesiderata, indesiderata, ongewenst, ongewenste e-mail, ongewenste reclame,"
        "lixo eletrônico, lixo electrónico, correio eletrônico não solicitado, skräppost, søppelpost, uønsket,"
        "uønsket e-post, uønsket mail, roskaposti, wiadomości-śmieci, niechciane, niechciana poczta,"
        "спам, нежелательная почта, небажана пошта, nevyžádaná pošta, nevyžiadaná pošta, önemsiz e-posta, önemsiz,"
        "levélszemét, mesaje nedorite, ανεπιθύμητη αλληλογραφία, ανεπιθύμητα,"
        "迷惑メール, 垃圾邮件, 垃圾郵件, 스팸, 스팸 메일, 정크 메일"
    ),
    "trash": (
        "trash, bin, wastebasket, deleted, deleted items, deleted messages, deleted mail, papierkorb, gelöscht,"
        "gelöschte, gelöschte elemente, gelöschte objekte, gelöschte nachrichten, corbeille, éléments supprimés,"
        "messages supprimés, papelera, papelera de reciclaje, elementos eliminados, eliminados, mensajes eliminados,"
        "cestino, posta eliminata, elementi eliminati, messaggi eliminati, prullenbak, prullenmand, verwijderd,"
        "verwijderde items, verwijderde berichten, lixeira, lixo, itens excluídos, itens eliminados, papperskorg,"
        "papperskorgen, borttaget, borttagna objekt, papirkurv, papirkurven, slettet, slettet post, slettede elementer,"
        "roskakori, poistetut, kosz, elementy usunięte, usunięte, корзина, удаленные, удалённые, кошик, видалені, koš,"
        "kôš, odstraněná pošta, smazané, çöp, çöp kutusu, silinmiş öğeler, kuka, törölt elemek, coș de gunoi,"
        "elemente șterse, κάδος, διαγραμμένα,"
        "ごみ箱, ゴミ箱, 削除済みアイテム, 已删除, 已删除邮件, 已刪除的郵件, 废件箱, 垃圾桶, 휴지통, 지운 편지함"
    ),
    "drafts": (
        "drafts, draft, entwürfe, entwurf, brouillons, brouillon, borradores, borrador, bozze, concepten, rascunhos,"
        "utkast, kladder, kladde, luonnokset, kopie robocze, szkice, robocze, черновики, чернетки, koncepty,"
        "rozepsané, taslaklar, piszkozatok, ciorne, πρόχειρα, 下書き, 草稿, 草稿箱, 草稿匣, 임시보관함, 임시 보관함"
    ),
    "archive": (
        "archive, archives, archived, archiv, all mail, alle nachrichten, tous les messages, todos, archivio,"
        "archivo, archief, arquivo, arquivo morto, arkiv, arkisto, archiwum, архив, архів, archív, arşiv, archívum,"
        "arhivă, αρχείο, アーカイブ, 归档, 封存, 보관함"
    ),
}
_SENT: Final = re.compile(
    r"(?<!\w)(?:sent|gesendet|envoy|enviad|inviat|verzonden|sendt|skickat|lähetetyt|wysłan|отправлен|送信済|已发送)",
    re.IGNORECASE,
)


def use_by_name(folder: str) -> Use:
    """Return what ``folder`` is for; empty if its name does not say. A folder in the bin or in junk belongs to it."""
    parts = [part.strip() for part in _PARTS.split(unicodedata.normalize("NFC", folder).casefold()) if part.strip()]
    uses = [_USES.get(part, "") for part in parts]
    for use in uses:
        if use in ("junk", "trash"):
            return use
    if parts[-1:] == ["inbox"]:
        return "inbox"
    return uses[-1] or ("sent" if says_sent(parts[-1]) else "") if uses else ""


def says_sent(folder: str) -> bool:
    """Check whether the name says that sent mail is there."""
    return bool(_SENT.search(folder))


_USES: Final[dict[str, Use]] = {
    unicodedata.normalize("NFC", name.strip()).casefold(): use
    for use, names in _NAMES.items()
    for name in names.split(",")
}
