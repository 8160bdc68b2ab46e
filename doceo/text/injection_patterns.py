r"""The English patterns of `doceo.text.injections`, in folded letters: lower case, no accents, typewriter quotes.

The families follow what was found on the open web and in papers ("Not what you've signed up for", Greshake and others
2023; "Prompt injection attacks and defenses", Liu and others 2024). No pattern crosses a sentence or repeats without a
bound. What a pattern needs words for is checked first, so that most texts cost only a few substring searches.
"""

from __future__ import annotations

import re
from typing import NamedTuple


class Pattern(NamedTuple):
    """A family of injections. Of each group of `stems` at least one stands in every text that `regex` matches."""

    name: str
    stems: tuple[tuple[str, ...], ...]
    regex: re.Pattern[str]


GAP = r"(?:[^.!?\n]|\n(?!\s)){0,%d}?"
_WORDS = r"(?:[\w'-]+,? ){0,%d}?"
_MODEL = (
    r"(?:(?:large |ai )?language models?|llms?|ai (?:assistants?|models?|agents?|systems?|tools?|bots?)|ais?|a\.i\."
    r"|artificial intelligences?|chat ?bots?|chatgpt|gpt-?\d?|claude|gemini|copilot|(?:virtual|digital) assistants?"
    r"|assistants?|(?:rag|retrieval) systems?|automated (?:readers?|assistants?|summari[sz]ers?|reviewers?))"
)
_MODEL_STEMS = "language model|llm|a.i|artificial intell|bot|gpt|claude|gemini|copilot|assistant|system|automated"


def pattern(name: str, stems: str, *forms: str) -> Pattern:
    """Return a pattern: stems as "one|other & one|other", in the forms a blank for any white space."""
    whole = "|".join(f"(?:{form})" for form in forms).replace(" ", r"(?:\s{1,3})")
    groups = tuple(tuple(group.split("|")) for group in stems.split(" & "))
    return Pattern(name, groups, re.compile(whole, re.MULTILINE))


def near(verb: str, qualifier: str, noun: str) -> str:
    """Return a form: a verb, and behind it in the same sentence a qualifier and a noun, in either order."""
    return f"{verb}{GAP % 30}(?:{qualifier}{GAP % 30}{noun}|{noun}{GAP % 20}{qualifier})"


_IGNORE = (
    r"\b(?:ignor(?:e|ing)|disregard(?:ing)?|forget|overrid(?:e|ing)|bypass|discard|abandon"
    r"|(?:do not|don't|stop) (?:follow|obey)(?:ing)?|pay no attention to)\b"
)
_EARLIER = r"\b(?:previous|prior|above|earlier|preceding|foregoing|(?:that|which) came before)\b"
_RULES = r"\b(?:instructions?|prompts?|directives?|guidelines?|orders|programming|training|constraints)\b"

OVERRIDE = pattern(
    "override",
    "ignor|disregard|forget|overrid|bypass|discard|abandon|follow|obey|attention"
    " & instruct|prompt|directive|guideline|orders|context|programming|training|constraint|messages|rules|commands"
    "|directions|above|before|told|said|else in",
    near(_IGNORE, _EARLIER, rf"(?:{_RULES}|\b(?:context|messages|rules|commands|directions)\b)"),
    near(_IGNORE, r"\byour\b", _RULES),
    r"\b(?:ignore|disregard|forget|discard) "
    + _WORDS % 2
    + r"(?:all|any|every|these|those|other|system) (?:of )?(?:the |these |those |your |other |system )*"
    + r"(?:instructions?|prompts?|directives?|guidelines)\b",
    r"\b(?:ignore|disregard|forget) (?:absolutely )?(?:everything|anything|all|what(?:ever)?) (?:(?:that )?(?:you "
    r"(?:were|have been|had been|are|know)|was|is|i|we|they)\b"
    + GAP % 20
    + r"(?:told|said|above|before|instructed)|above|before this|else in)\b",
)
NEW_TASK = pattern(
    "new-task",
    "new |your |from now on|henceforth|from this point|going forward|overrid|supersede|replace|precedence|priority"
    " & instruct|directive|prompt|orders|task|job|goal|role|purpose|mission|objective|rule|message|answer|respond|reply"
    "|act as|speak as|write in|say|recommend|end every|begin every",
    r"\bnew (?:system )?(?:instructions?|directives?|prompt|orders)(?: for (?:the |all )?"
    + _MODEL
    + r")? ?(?::|-|follow)",
    r"\byour (?:new|real|actual|true|only|primary) (?:task|job|goal|instructions?|role|purpose|mission|objective)"
    r" ?(?:is|are|:)",
    r"\b(?:from now on|henceforth|from this point (?:on|forward)|going forward),? (?:you (?:must|will|shall|should"
    r"|are to|can|may|only)|always|only|never|please)? ?"
    + _WORDS % 2
    + r"(?:answer|respond|reply|act as|speak as|write in|say|recommend|end every|begin every)\b",
    r"\b(?:these|this|the following|my|new) (?:instructions?|rules?|messages?) (?:overrides?|supersedes?"
    r"|takes? (?:precedence|priority)|replaces? (?:all|any|your|every|the previous))\b",
)
ROLE = pattern(
    "role",
    "you are now|you are hence|you are hereby|you're now|you are no longer|you're no longer|pretend|act as|act like"
    "|behave|roleplay|role-play|developer mode|dan mode|god mode|jailbreak|unrestricted mode|sudo mode|override mode"
    "|do anything now",
    r"\byou(?: are|'re) (?:now|henceforth|hereby) (?:dan\b|in [\w\s]{1,20}mode|(?:an? |the |called |named )?"
    + _WORDS % 3
    + r"(?:ai|assistant|bot|chatbot|model|agent|persona|hacker|pirate|dan)\b"
    + r"|free (?:from|of) (?:all|any|your|restrictions)|unrestricted|jailbroken|unfiltered)",
    r"\byou(?: are|'re) no longer (?:an? (?:\w+ )?(?:ai|assistant|chatbot|bot|model)|bound|restricted|limited by)\b",
    r"\b(?:pretend|act|behave|role-?play) (?:to be|as|like|as if|that)(?: if)? (?:you (?:are|were)|an?) "
    r"(?:(?!to\b)\w+ ){0,3}?(?:ai|assistant|chatbot|dan|persona|unrestricted|unfiltered|jailbroken"
    r"|(?:ai|language) model)\b",
    r"\b(?:dan|god|jailbreak|unrestricted|sudo|debug override) mode (?:is )?(?:now )?(?:enabled|activated|on|engaged"
    r"|unlocked)\b|\bdeveloper mode (?:enabled|activated|engaged|unlocked)\b",
    r"\bdo anything now\b|\bjailbreak(?:s|ing)? (?:the |this |your )?(?:model|assistant|ai|prompt)\b",
)
SYSTEM_PROMPT = pattern(
    "system-prompt",
    "system |initial |hidden |secret |original |internal |your |above & prompt|message|instruct|guideline|configur"
    "|above",
    r"\b(?:reveal|print|repeat|show|output|display|leak|disclose|recite|expose|share|write (?:out|down)|quote|include"
    r"|tell (?:me|us|them|the user|everyone)|give (?:me|us|them)|append|summari[sz]e|translate|copy|paste) "
    + _WORDS % 5
    + r"(?:system (?:prompt|message|instructions)|(?:initial|hidden|secret|original|internal) "
    + r"(?:prompt|instructions|guidelines)|your (?:own )?(?:instructions|prompt|guidelines|configuration)"
    + r"|(?:text|words|everything|all) (?:that (?:stands|is) )?above (?:this|verbatim|word))",
    r"\bwhat (?:is|are|were) your (?:system prompt|(?:exact |original |initial )?instructions)\b",
)
TO_A_MODEL = pattern(
    "to-a-model",
    f"{_MODEL_STEMS}|ai & if you|when you|since you|because you|in case you|attention|dear |note to|note for|notice "
    "|message to|message for|instruction|hey |hello |hi |important|urgent|reading this|processing this|summari"
    "|indexing this",
    r"\b(?:if|when|since|because|in case) you(?: are|'re) (?:reading this (?:as|and you are) )?(?:an? |the )?"
    r"(?:helpful )?" + _MODEL + r"\b",
    r"\b(?:attention|dear|note (?:to|for)|notice (?:to|for)|message (?:to|for)|instructions? (?:to|for)|hey|hello|hi"
    r"|(?:important|urgent)(?: note)?(?: to| for)?:?) (?:all |any |every |the |an? |my )*"
    + _MODEL
    + r"(?: (?:reading|processing|summari[sz]ing|analy[sz]ing|indexing|answering|that|who|which|please)\b| ?[:,!])",
    r"\b"
    + _MODEL
    + r" (?:reading|processing|summari[sz]ing|indexing) this (?:page|text|document|file|passage|e-?mail)?"
    + r" ?(?:must|should|shall|has to|have to|is to|are to|will)\b",
)
BY_NAME = pattern(
    "to-a-model",
    "ai|llm|assistant|chatgpt|language model & :|,",
    r"^\W{0,4}(?:ai|llm|ai assistant|assistant|chatgpt|language model)s?(?: (?:note|instructions?|only))? ?: ",
    r"^\W{0,4}(?:ai|llm|chatgpt)s?, ",
)
ANSWER_CONTROL = pattern(
    "answer-control",
    "answer|respond|reply|response|replies|summar|your output|your final|that you|asked|asks "
    " & only|just|exact|nothing|with|your"
    "|every|each|all |any|ask|queried|that you|not|n't|refuse|decline",
    r"\b(?:respond|reply|answer) "
    + _WORDS % 5
    + r"(?:only with|with (?:only|just|exactly|nothing but)|exactly with"
    + r"|with the (?:single |exact )?(?:words?|phrase|sentence|string|link) ?[\"':a-z])",
    r"\b(?:begin|start|end|finish|conclude|preface|prefix|append|add|include|insert|put|place) "
    + _WORDS % 8
    + r"(?:(?:your|every|each|all|any) (?:\w+ ){0,2}?(?:answers?|responses?|repl(?:y|ies)|summar(?:y|ies))"
    + r"|your (?:\w+ )?outputs?)\b(?! (?:keys?|sheets?|buttons?|files?))",
    r"\banswer (?:every|all|each|any)(?: of the)? (?:(?!sorts|kinds)\w+ ){0,3}?(?:questions?|quer(?:y|ies)) "
    r"(?:with|by|using|in|as)\b",
    r"\b(?:when(?:ever)?|if) (?:(?:you are|you're|the user|anyone|someone|somebody|a user|users?) )?"
    r"(?:asked|asks?|(?:is|are) asked|queried) (?:about|for|anything|any|a|the|what|who|how|where|when|which|why)\b"
    + GAP % 80
    + r",? (?:you (?:must|should|will) )?(?:always )?(?:answer|reply|respond|say|tell (?:them|the user)|claim"
    + r"|recommend) (?:only|that|with|it|they|the|\")",
    r"\byour (?:whole |entire |only |next |final )?(?:answer|response|reply|output) (?:must|should|has to|shall|will"
    r"|is to) (?:only |always )?(?:be|contain|include|start|begin|end|consist|say|read)\b",
    r"\b(?:say|state|claim|reply|respond|answer|pretend) (?:only )?that you (?:cannot|can't|do not|don't"
    r"|are unable)\b",
    r"\b(?:do not|don't|never|refuse to|decline to) answer (?:the|any|this|all|every|their|that)(?: \w+){0,2}? "
    r"(?:questions?|quer(?:y|ies)|user)\b",
)
CONCEALMENT = pattern(
    "concealment",
    "tell|mention|reveal|inform|disclos|alert|warn|notif|acknowledg"
    " & user|instruct|prompt|injection|hidden|note|override",
    r"\b(?:do not|don't|never|without) "
    + _WORDS % 3
    + r"(?:tell|mention|reveal|inform|disclos|alert|warn|notify|acknowledg)(?:e|ing|ling)? "
    + _WORDS % 4
    + r"(?:the (?:human |end )?users?|users|(?:this|these|any|the|that) (?:instructions?|prompt|injection"
    + r"|hidden (?:text|note)|note exists|override))\b",
)
CHAT_MARKUP = pattern(
    "chat-markup",
    "im_|endoftext|eot_id|header_id|begin_of|inst]|<<|instruct|assistant|system|user|human",
    r"<\|(?:im_start|im_end|im_sep|system|user|assistant|endoftext|eot_id|(?:start|end)_header_id|begin_of_text)\|>",
    r"\[/?inst\]|<</?sys>>",
    r"^#{1,4} ?(?:system|new instructions?|instructions? (?:to|for) (?:the )?" + _MODEL + r"|assistant|human) ?: ?$",
    r"^\W{0,4}(?:system (?:message|prompt|override|instructions?|alert|directive)|assistant) ?: ",
    r"</?(?:system|system_?prompt|system-?message|instructions|assistant|user_?query)>",
    r"\"role\" ?: ?\"(?:system|assistant)\"",
)
FORGED_END = pattern(
    "forged-end",
    "end|begin|start & context|retrieved|passage|search results|user|untrusted|system|quoted|instruct|documents",
    r"(?:[-=#*~_\[<({]{2,}|\[|<) ?(?:end|begin|beginning|start) (?:of )?(?:the )?(?:context|retrieved|passages?"
    r"|search results|user (?:input|query|message)|untrusted|system|quoted|new instructions|instructions)\b",
    r"\bthat (?:was|is) the end of the (?:context|passages|documents|search results|quoted)\b",
)
EXFILTRATION = pattern(
    "exfiltration",
    "http|www.|url|link|image|@|query string & ![|conversation|chat|histor|user|prompt|context|secret|credential"
    "|api key|password|personal data|image|link|pixel",
    r"!\[[^\]\n]{0,80}\]\([^)\s]{0,200}(?:\{|<|\[|%7b|\$)[^)\n]{1,60}",
    r"\b(?:send|post|forward|e-?mail|upload|transmit|exfiltrate|append|encode|embed|leak|submit) "
    + _WORDS % 7
    + r"(?:conversations?|chat|histor(?:y|ies)|user(?:'s)? (?:question|answer|message|name|e-?mail)s?|prompts?|context"
    + r"|secrets?|credentials|api keys?|passwords?|personal data|user data)\b"
    + GAP % 50
    + r"(?:https?://|\b\w[\w.]*@\w|(?:the|this|a|following) (?:url|link|query string|image)\b|\bwww\.)",
    r"\b(?:render|show|display|include|insert|embed|load|output) (?:the following |this |an? |the )(?:\w+ )?"
    r"(?:markdown )?(?:image|link|pixel)\b" + GAP % 40 + r"(?:https?://|!\[|\burl\b)",
)
ENGLISH = (
    OVERRIDE,
    NEW_TASK,
    ROLE,
    SYSTEM_PROMPT,
    TO_A_MODEL,
    BY_NAME,
    ANSWER_CONTROL,
    CONCEALMENT,
    CHAT_MARKUP,
    FORGED_END,
    EXFILTRATION,
)
