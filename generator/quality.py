"""The form gate: a pair that a stranger can read without its source, in the language of its source."""

from __future__ import annotations

import re

from doceo.core.records import Pair, Verdict
from generator.languages import WIDE, other_language

_DEICTIC = re.compile(
    r"\b(?:(?:this|that|the (?:above|following|given|previous|preceding|next|present|current|provided))\s+"
    r"(?:\w+\s+)?(?:section|chapter|passage|text|paragraph|document|page|figure|table|list|example|excerpt|article|"
    r"snippet|context|command|code|sentence)s?"
    r"|(?:in|according to|from|by|of) the (?:passage|text|excerpt|document|context|snippet|paragraph|source text)"
    r"|(?:mentioned|described|listed|shown|discussed) (?:above|below|here|earlier)|the following|as follows"
    r"|the (?:table|figure|list|example|diagram|chart) (?:above|below)"
    r"|the (?:author|speaker|writer)s? (?:of this|mention|describe|say|state)"
    # German
    r"|(?:laut|gemäß|nach|in|aus|von|zufolge) (?:dem|diesem|der|dieser) (?:\w+en )?(?:text|textabschnitt|passage|"
    r"abschnitt|absatz|dokument|auszug|artikel)(?! \d)|im (?:\w+en )?(?:text|textabschnitt|absatz|auszug|dokument)"
    r"|(?:dieser|der vorliegende|dieses|das vorliegende) (?:text|abschnitt|absatz|dokument|auszug|artikel)"
    r"|(?:oben|unten|hier) (?:genannt|erwähnt|beschrieben|aufgeführt)\w*|folgende[nrms]?"
    # French
    r"|(?:selon|d['’]après|dans) (?:le|la|ce|cet|cette|l['’]) ?(?:texte|passage|document|article|extrait|paragraphe|"
    r"section)(?! \d)|(?:ce|cet|cette) (?:texte|passage|document|article|extrait|paragraphe|section)"
    r"|ci-dess(?:us|ous)|mentionnée?s? (?:plus haut|précédemment)"
    # Spanish
    r"|(?:según|en) (?:el|la|este|esta) (?:texto|pasaje|documento|artículo|fragmento|párrafo|sección)(?! \d)"
    r"|(?:este|esta) (?:texto|pasaje|documento|artículo|fragmento|párrafo|sección)"
    r"|mencionad[oa]s? (?:anteriormente|arriba))\b"
    # Chinese, Japanese
    r"|(?:根据|按照|依据|从)(?:本|该|此|上|以上|上述|这段|这篇)?(?:文章|文本|段落|文档|材料|短文|文中|文)"
    r"|(?:本文|上文|下文|(?<![\u4e00-\u9fff])文中|这段(?:话|文字|文本)|这篇文章|该(?:段|文本|文档|文章)|上述|以下(?:哪|的)|下列)"
    r"|(?:この|本)(?:文章|文書|段落|節)",
    re.IGNORECASE,
)
_BARE_PRONOUN = re.compile(
    r"^(?:(?:what|when|where|why|how|who|which)(?: \w+)? )?(?:is|are|was|were|does|do|did|can|has|have|will|should) "
    r"(?:it|they|he|she|this|these|those|that|its|their|his|her)\b"
    # "How long does it take to ...", "Is it true that ..." are no pronouns.
    r"(?! (?:take|cost)\b| (?:\w+ )?(?:that|which|to|for|if|when|whether)\b(?<!have to)(?<!need to))"
    # German; "Wie ist es möglich, ..." is none.
    r"|^(?:(?:was|wann|wo|wie|warum|weshalb|wer|wen|wem|welche[rsmn]?)(?: \w+)? )"
    r"(?:ist|sind|war|waren|wurde|wurden|hat|haben|hatte|hatten|kann|können|wird|werden) "
    r"(?:er|sie|es(?! (?:möglich|nötig|notwendig|erlaubt|wichtig))|diese[rsmn]?|sein|seine[rsmn]?|ihre?[rsmn]?)\b"
    # French
    r"|^(?:quand|où|comment|pourquoi|combien)(?: \w+)? (?:est|sont|était|étaient|fut|a|ont|avait|avaient|a-t|va-t)-"
    r"(?:ils?|elles?)\b"
    # Chinese
    r"|^(?:为什么|为何|何时|什么时候|如何|怎么|在哪里|哪里)?(?:它|她|他们|这(?:个|种|些|座|项|位|次)|该|此|其(?![他它余实中]))",
    re.IGNORECASE,
)
_EMPTY = re.compile(
    r"^(?:n/?a|none|unknown|not (?:specified|mentioned|stated|given|provided|available)|todo|tbd|lorem ipsum|no answer"
    r"|unbekannt|keine angaben?|nicht (?:angegeben|genannt|bekannt|erwähnt)|inconnue?|non (?:précisée?|spécifiée?)"
    r"|desconocid[oa]|no (?:especificad[oa]|se menciona)|未知|未提及|未说明|无|没有提到|不明)[.。]?$",
    re.IGNORECASE,
)
_REFUSAL = re.compile(
    r"\bas an? (?:AI|(?:large )?language model|artificial intelligence)\b"
    r"|^(?:i['’]m sorry|i am sorry|sorry,|i apologi[sz]e|i can(?:not|['’]t) |i am unable|i['’]m unable|i do not have|"
    r"i don['’]t (?:have|know))"
    r"|\bthe (?:passage|text|excerpt|document|context|source) (?:does|do)(?: not|n['’]t) \w+"
    r"|\b(?:is|are|was|were) not (?:mentioned|specified|stated|provided|given) in the (?:passage|text|document|context)"
    r"|^(?:es tut mir leid|ich kann (?:das|diese|dir|ihnen|nicht)|als (?:ki|sprachmodell)\b)"
    r"|\b(?:der|dem|im) (?:text|textabschnitt|abschnitt|dokument) (?:\w+ )?nicht\b"
    r"|^(?:je suis désolé|désolé|je ne peux pas|en tant qu['’]ia)"
    r"|^(?:lo siento|no puedo|como (?:ia|modelo de lenguaje))"
    r"|^(?:抱歉|对不起|很遗憾|我(?:无法|不能))|作为(?:一个|一种)?(?:人工智能|AI|语言模型)"
    r"|(?:文中|文章|原文|文本|段落|文档)(?:中)?(?:没有|并未|未)",
    re.IGNORECASE,
)
_SPEAKS_OF_SOURCE = re.compile(
    r"\b(?:according to|as (?:stated|mentioned|described) in) (?:the|this) (?:passage|text|excerpt|context)\b"
    r"|\bthe (?:passage|excerpt) (?:says|states|mentions|describes|explains)\b"
    r"|\blaut (?:dem|diesem) (?:text|abschnitt)\b|根据(?:文章|文本|上文|段落)",
    re.IGNORECASE,
)
_CHOICE = re.compile(r"\b(?:or|oder|ou|o)\b|还是|或", re.IGNORECASE)
_LETTERS = re.compile(r"[^\W\d_]{2,}")

LONGEST_QUESTION = 300
LONGEST_ANSWER = 2000
_LEAST_WORDS = 3
_LEAST_WIDE = 4


def form_verdict(pair: Pair, passage: str = "") -> Verdict | None:
    """Return why a pair's form is not acceptable, or None where it is.

    Args:
        pair: The pair. One with a history may say "it"; what goes before names what is meant.
        passage: The text that it was made from, for the language; without it that is not looked at.
    """
    detail = _question(pair, passage) or (_answer(pair) if pair.answerable else "")
    return Verdict(accepted=False, reason="form", detail=detail) if detail else None


def _question(pair: Pair, passage: str) -> str:
    question = pair.question.strip()
    words, wide = len(question.split()), len(WIDE.findall(question))
    least = 1 if pair.history else _LEAST_WORDS
    if (words < least and wide < _LEAST_WIDE) or not _LETTERS.search(question):
        return "the question is too short"
    if len(question) > LONGEST_QUESTION:
        return f"the question is longer than {LONGEST_QUESTION} characters"
    if found := _DEICTIC.search(question):
        return f"the question points at its source: {found.group()!r}"
    if not pair.history and (found := _BARE_PRONOUN.match(question)):
        return f"the question does not name its subject: {found.group()!r}"
    if passage and (found_language := other_language(question, passage)):
        return f"the question is in another language than its passage: {found_language}"
    return ""


def _answer(pair: Pair) -> str:
    answer = pair.answer.strip()
    if not answer:
        return "the answer is empty"
    if len(answer) > LONGEST_ANSWER:
        return f"the answer is longer than {LONGEST_ANSWER} characters"
    if found := _EMPTY.match(answer):
        return f"the answer says nothing: {found.group()!r}"
    if found := _REFUSAL.search(answer):
        return f"the answer is a refusal: {found.group()!r}"
    if found := _SPEAKS_OF_SOURCE.search(answer):
        return f"the answer speaks of its source: {found.group()!r}"
    if _given_away(pair.question, answer):
        return "the question contains the answer"
    return ""


def _given_away(question: str, answer: str) -> bool:
    """Return whether the answer stands in the question, between word borders; a choice names what it lets choose."""
    bare = answer.casefold().rstrip(".。 ")
    asked = question.casefold()
    at = asked.find(bare)
    while at >= 0:
        before, after = asked[at - 1 : at], asked[at + len(bare) : at + len(bare) + 1]
        if WIDE.search(bare) or not (before.isalnum() or after.isalnum()):
            return not _CHOICE.search(question)
        at = asked.find(bare, at + 1)
    return False
