"""Filing the mails of the Maildirs: flags in the names of their files, and moves between the folders of one tree.

A place is the path of the Maildir and the unique name of the file, which stays the same when a flag changes.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeVar

from pepper_tui.clock import Clock, Looks, NoAnswerError
from pepper_tui.connectors.local_mail import Holder
from pepper_tui.connectors.maildir import changing
from pepper_tui.connectors.maildir.copies import LETTERS
from pepper_tui.connectors.maildir.settings import Maildirs
from pepper_tui.domains.mail.at_source.filing import INVERSE, MARKED, TARGETS, Filed, Filing, FilingAct
from pepper_tui.domains.mail.at_source.folder_uses import use_by_name
from pepper_tui.domains.mail.at_source.state import Copy, Mark
from pepper_tui.domains.mail.outbox import OutcomeUnknownError
from pepper_tui.text import one_line
from pepper_tui.tools.errors import NotDoneError

T = TypeVar("T")
GONE: Final = "it is no longer there: it was moved or removed meanwhile"
SEVERAL: Final = "it lies in several folders"


@dataclass(frozen=True, slots=True)
class _Place:
    """A place, read: ``before`` is all that precedes the unique name, ``label`` the folder, if it says."""

    whole: str
    root: Path
    before: str
    label: str
    name: str

    def now(self, name: str, label: str) -> str:
        """Return the place of the same file with another name, or in another folder."""
        if not self.label:
            return f"{self.before}{name}"
        return f"{self.before.removesuffix(f'{self.label}/')}{label}/{name}"


class MaildirFiler:
    """The ``Filer`` of an account's Maildirs, or those of ``[mail]``."""

    acts: tuple[FilingAct, ...] = (*MARKED, *TARGETS, "move")

    def __init__(self, settings: Maildirs, clock: Clock, holder: Holder) -> None:
        self.account = holder.name
        self._settings, self._holder = settings, holder
        self._looks = Looks(clock)
        self._one_at_a_time = asyncio.Lock()

    async def folders(self) -> list[str]:
        labels: dict[str, None] = {}
        for root in self._settings.paths:
            labels |= dict.fromkeys(await self._look(root, changing.folders, root))
        return sorted(labels)

    async def file(self, filing: Filing, places: Sequence[str]) -> dict[str, Filed]:
        """File the copies at ``places``; see ``Filer``."""
        by_root, filed = self._read(places)
        async with self._one_at_a_time:
            for number, (root, some) in enumerate(by_root.items()):
                try:
                    filed |= await self._looks.look(root, self._file, filing, root, some)
                except NoAnswerError as error:
                    raise OutcomeUnknownError(f"{error}, after it was asked to do this") from error
                except OSError as error:
                    words = f"{root}: {error.strerror or type(error).__name__}"
                    if number == 0:
                        raise NotDoneError(words) from error
                    filed |= {place.whole: Filed(place.whole, trouble=words) for place in some}
                except NotDoneError as error:
                    if number == 0:
                        raise
                    filed |= {place.whole: Filed(place.whole, trouble=str(error)) for place in some}
        return filed

    async def is_done(self, filing: Filing, places: Sequence[str]) -> bool | None:
        by_root, unreadable = self._read(places)
        if unreadable or not by_root:
            return None
        done = [
            each
            for root, some in by_root.items()
            for each in await self._look(root, self._are_done, filing, root, some)
        ]
        if all(done):
            return True
        return False if not any(each or each is None for each in done) else None

    async def _look(self, root: Path, function: Callable[..., T], *args: object) -> T:
        try:
            return await self._looks.look(root, function, *args)
        except (NoAnswerError, OSError) as error:
            raise NotDoneError(f"{root}: {getattr(error, 'strerror', None) or error}") from error

    def _read(self, places: Sequence[str]) -> tuple[dict[Path, list[_Place]], dict[str, Filed]]:
        """Return the places by Maildir, and those that are in none of them."""
        by_root: dict[Path, list[_Place]] = {}
        others: dict[str, Filed] = {}
        for whole in dict.fromkeys(places):
            root = next((each for each in self._settings.paths if f"{each}/" in whole), None)
            if root is None:
                others[whole] = Filed(whole, trouble=f"it is in none of the Maildirs of {self._holder.table}")
                continue
            label, _, name = whole.partition(f"{root}/")[2].rpartition("/")
            by_root.setdefault(root, []).append(_Place(whole, root, whole.removesuffix(name), label, name))
        return by_root, others

    # ------------------------------------------------------------------------------------------------- blocking

    def _target(self, filing: Filing, root: Path) -> tuple[str, Path]:
        """Return the folder to which mails go. Raises ``NotDoneError``."""
        labels = changing.folders(root)
        if filing.act == "move":
            wanted, why = filing.folder, f"{root} has no folder {one_line(filing.folder, 80)!r}"
        else:
            use = str(TARGETS[filing.act])
            named: str = getattr(self._settings, use)
            wanted = changing.folder_for(use, labels, named)
            why = f"{root} has no folder {named!r}" if named else f"{root} has no folder for this"
            why += f"; name one in {self._holder.key(use)}"
        if wanted not in labels:
            raise NotDoneError(why)
        return wanted, labels[wanted]

    def _file(self, filing: Filing, root: Path, places: Sequence[_Place]) -> dict[str, Filed]:
        mark = MARKED.get(filing.act)
        target = None if mark else self._target(filing, root)
        there = changing.found(root, [place.name for place in places])
        filed: dict[str, Filed] = {}
        for place in places:
            files = [file for file in there.get(place.name, []) if place.label in ("", file.label)]
            if len(files) != 1:
                filed[place.whole] = Filed(place.whole, trouble=SEVERAL if files else GONE)
                continue
            try:
                if target is not None:
                    filed[place.whole] = self._moved(root, place, files[0], *target)
                elif mark is not None:
                    filed[place.whole] = self._marked(filing.act, root, place, files[0], *mark)
            except FileNotFoundError:
                filed[place.whole] = Filed(place.whole, trouble=GONE)
            except OSError as error:
                words = one_line(error.strerror or type(error).__name__, 200)
                filed[place.whole] = Filed(place.whole, trouble=f"{place.name}: {words}")
        return filed

    def _marked(self, act: FilingAct, root: Path, place: _Place, file: changing.Filed, mark: Mark, on: bool) -> Filed:
        now = changing.set_flag(root, file, LETTERS[mark], on=on)
        inverse = INVERSE.get(act)
        undo = Filing(inverse) if inverse and now.flags != file.flags else None
        return Filed(place.whole, undo, copy=self._copy(place.whole, now))

    def _moved(self, root: Path, place: _Place, file: changing.Filed, label: str, folder: Path) -> Filed:
        if file.label == label:
            return Filed(place.whole, copy=self._copy(place.whole, file))
        now = changing.move(root, file, label, folder)
        whole = place.now(now.name, label)
        return Filed(whole, Filing("move", file.label), copy=self._copy(whole, now))

    def _copy(self, whole: str, file: changing.Filed) -> Copy:
        use = self._settings.uses.get(file.label) or use_by_name(file.label)
        return Copy(whole, self.account, file.label, use, file.marks)

    def _are_done(self, filing: Filing, root: Path, places: Sequence[_Place]) -> list[bool | None]:
        names = [each for place in places for each in (place.name, changing.elsewhere(place.name))]
        there = changing.found(root, names)
        mark = MARKED.get(filing.act)
        target = "" if mark else self._target(filing, root)[0]
        done: list[bool | None] = []
        for place in places:
            here = [file for file in there.get(place.name, []) if place.label in ("", file.label)]
            moved = [*there.get(place.name, []), *there.get(changing.elsewhere(place.name), [])]
            if mark is not None:
                done.append((mark[0] in here[0].marks) is mark[1] if here else None)
            elif any(file.label == target for file in moved):
                done.append(True)
            else:
                done.append(False if here else None)
        return done
