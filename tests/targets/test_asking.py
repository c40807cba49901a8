"""Questions are asked until each intent has its verdict, and no question twice."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from calferry.errors import Unavailable
from calferry.model import Action, Intent, Receipt
from calferry.targets.asking import Verdict, ask, settle

INTENTS = [
    Intent(calendar="c", uid=uid, target="t", generation=0, action=Action.CREATE, fingerprint="", request=uid.encode())
    for uid in ("u1", "u2", "u3")
]
DONE = Receipt(calendar="c", uid="u1", fingerprint="")
LOST = Unavailable("lost")


def step(intent: Intent, known: Mapping[str, str]) -> str | Verdict:
    """The first is done at once, the second once its calendar answers, the third never."""
    if intent.uid == "u1":
        return DONE if "write u1" in known else "write u1"
    written, probed = known.get(f"write {intent.uid}"), known.get("probe")
    if not (written and probed):
        return "probe" if written else f"write {intent.uid}"
    return DONE if intent.uid == "u2" else LOST


def test_each_intent_gets_its_verdict_and_a_calendar_is_probed_once_for_all() -> None:
    sent: list[Sequence[str]] = []

    def send(questions: Sequence[str]) -> Mapping[str, str]:
        sent.append(questions)
        return dict.fromkeys(questions, "answered")

    known: dict[str, str] = {}
    assert settle(INTENTS, known, step, send) == {INTENTS[0]: DONE, INTENTS[1]: DONE, INTENTS[2]: LOST}
    assert sent == [["write u1", "write u2", "write u3"], ["probe"]]
    settle(INTENTS, known, step, send)
    ask(["probe"], known, send)
    assert len(sent) == 2


def test_where_nothing_is_to_be_settled_nothing_is_sent() -> None:
    verdicts: dict[Intent, Receipt] = {}
    assert settle([], {}, step, lambda _: {}) == verdicts
